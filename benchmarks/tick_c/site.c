/* The frozen site in plain C, written from docs/model.md. site.h says what it leaves out. */
#include "site.h"

#include "limits.h"
#include "windows.h"
#include "xxh64.h"

#include <complex.h>
#include <math.h>

/* One row is what a tick is known by. Parts whose state is a channel keep it here. */
struct row {
    double demand_w, load_w, cooling_w;
    double grid_w, grid_var, pcc_pu, pcc_phase[3], frequency_hz;
    double bus_pu, bus_phase[3];
    double seen_grid_w, seen_pcc_lowest, seen_pcc_highest, seen_hz, seen_bus_lowest, seen_bus_highest, seen_pu;
    double storage_w, storage_var, current_pu, bias_w, law_w, command_w, seen_load_w;
    double soc, dc_v, dc_a, dc_w, rc1_v, rc2_v, temperature_degc;
    double padding; /* to whole stripes of the hash */
};
_Static_assert(sizeof(struct row) == (CHANNELS + 1) * sizeof(double), "a row is all channels and one word");

/* What follows from the parameters once and for all. */
struct derived {
    double rise_w, fall_w, bias_step_w, slew_w, current_va;                           /* a tick */
    double per_base, z2, per_constant_current;                                        /* network */
    double per_area, per_two_h, per_governor, per_droop;                              /* area */
    double quadratic_per_w, per_rating;                                               /* converter */
    double per_capacity, four_r0, rise1, rise1_half, rise2, rise2_half, heat_to_degc; /* battery */
};

struct site {
    struct row row;
    struct site_parameters p;
    struct derived k;
    int64_t tick, next_change, voltage_blank_until;
    double energy_j, largest_demand_w;
    struct xxh64 hash;
    /* network and area */
    double source_pu, load_share, storage_share, balanced_w, deviation_pu, governor_pu;
    double complex negative, zero;
    int64_t collapsed_ticks;
    /* inverter */
    double law_grid_w, set_w, set_var, revert_w, target_w, target_var, command_var, lagged_w, lagged_var;
    int64_t due, revert_at, heartbeats, starved_ticks;
    int set_enable, var_enable, running;
    /* measuring and judging */
    struct mean grid_power, bus_square, frequency, load_power;
    struct mean3 pcc_squares, bus_squares;
    struct ramp grid_ramp;
    struct range peak_to_peak;
    struct level under_v, over_v, under_hz, over_hz, converter_current;
    struct band soc_window;
};

static inline double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Unlike fmin and fmax these are no calls. */
static inline double least(double a, double b)
{
    return a < b ? a : b;
}

static inline double most(double a, double b)
{
    return a > b ? a : b;
}

/* What decays to nothing is nothing: no subnormal numbers. */
static inline double settled(double x)
{
    return fabs(x) > 1e-30 ? x : 0.0;
}

static void apply_dips(struct site *s)
{
    const double source = s->p.network.source_pu;

    s->source_pu = source;
    s->negative = s->zero = 0.0;
    s->next_change = INT64_MAX;
    for (int64_t i = 0; i < s->p.dip_count; i++) {
        const struct dip_parameters *d = &s->p.dips[i];

        if (s->tick < d->start_tick) {
            if (d->start_tick < s->next_change)
                s->next_change = d->start_tick;
            continue;
        }
        if (d->blanks && s->voltage_blank_until < d->end_tick + d->blank_ticks)
            s->voltage_blank_until = d->end_tick + d->blank_ticks;
        if (s->tick < d->end_tick) {
            s->source_pu *= d->value;
            s->negative += source * CMPLX(d->negative_re, d->negative_im);
            s->zero += source * CMPLX(d->zero_re, d->zero_im);
            if (d->end_tick < s->next_change)
                s->next_change = d->end_tick;
        }
    }
}

static inline void law(struct site *s)
{
    double seen = s->row.seen_load_w;

    s->law_grid_w += clamp(seen - s->law_grid_w, -s->k.fall_w, s->k.rise_w);
    s->row.law_w = s->p.law.share * (seen - s->law_grid_w);
}

/* What the firmware does once a second and when its timer expires; states and faults beyond that are not in this site. */
static __attribute__((noinline)) void turn(struct site *s)
{
    int64_t into_second = s->tick % s->p.pcs.ticks_per_second;

    if (s->revert_at >= 0 && s->tick >= s->revert_at) {
        s->revert_at = -1;
        s->set_w = s->revert_w;
    }
    s->heartbeats += into_second == 0;
    s->target_w = s->running && s->set_enable ? s->set_w : 0.0;
    s->target_var = s->running && s->var_enable ? s->set_var : 0.0;
    s->due = s->tick - into_second + s->p.pcs.ticks_per_second;
    if (s->revert_at >= 0 && s->revert_at < s->due)
        s->due = s->revert_at;
}

static inline void firmware(struct site *s)
{
    const struct pcs_parameters *p = &s->p.pcs;
    struct row *r = &s->row;
    double reach = s->k.current_va * r->seen_pu;
    double var, w, room;

    if (s->tick >= s->due)
        turn(s);
    var = s->target_var;
    r->bias_w = clamp(s->target_w, r->bias_w - s->k.bias_step_w, r->bias_w + s->k.bias_step_w);
    w = clamp(s->running ? r->law_w + r->bias_w : r->bias_w, -p->charge_max_w, p->discharge_max_w);
    if (r->seen_pu < p->cease_below_pu)
        w = var = 0.0;
    if ((w > 0.0 && r->soc <= p->soc_min) || (w < 0.0 && r->soc >= p->soc_max))
        w = 0.0;
    if (p->priority) { /* reactive power first */
        var = clamp(var, -reach, reach);
        room = sqrt(reach * reach - var * var);
        w = clamp(w, -room, room);
    } else {
        w = clamp(w, -reach, reach);
        room = sqrt(reach * reach - w * w);
        var = clamp(var, -room, room);
    }
    r->command_w = clamp(w, r->command_w - s->k.slew_w, r->command_w + s->k.slew_w);
    s->command_var = clamp(var, s->command_var - s->k.slew_w, s->command_var + s->k.slew_w);
    s->lagged_w = settled(s->lagged_w + s->p.converter.gain * (r->command_w - s->lagged_w));
    s->lagged_var = settled(s->lagged_var + s->p.converter.gain * (s->command_var - s->lagged_var));
}

/* Everything a current in phase with the voltage: the load's by the threshold, the converter's by the voltage it sees. */
static double low_voltage(struct site *s, double load_w, double load_var, double seen_pu)
{
    const struct network_parameters *p = &s->p.network;
    double per_seen = 1.0 / most(seen_pu, 0.05);
    double i_p = (load_w * s->k.per_constant_current - s->lagged_w * per_seen) * s->k.per_base;
    double i_q = (load_var * s->k.per_constant_current - s->lagged_var * per_seen) * s->k.per_base;
    double across = p->reactance_pu * i_p - p->resistance_pu * i_q;
    double under = s->source_pu * s->source_pu - across * across;
    double v = under >= 0.0 ? sqrt(under) - (p->resistance_pu * i_p + p->reactance_pu * i_q) : -1.0;

    if (v < 0.0) {
        v = 0.0;
        s->collapsed_ticks += s->source_pu > 0.0;
    }
    s->load_share = v * s->k.per_constant_current;
    s->storage_share = v * per_seen;
    return v;
}

/* Magnitudes of the phases: V1 + V2 + V0, each phase turning the sequences by its third of a circle. */
static void unbalanced(struct site *s)
{
    const struct network_parameters *p = &s->p.network;
    const double complex a = CMPLX(-0.5, 0.86602540378443865);
    struct row *r = &s->row;
    double complex i = r->bus_pu > 0.0 ? CMPLX(r->grid_w, -r->grid_var) * s->k.per_base / r->bus_pu : 0.0;
    double complex e = r->bus_pu + CMPLX(p->resistance_pu, p->reactance_pu) * i; /* the bus at angle zero; E's is zero */
    double complex v1 = cabs(e) > 0.0 ? r->bus_pu * conj(e) / cabs(e) : r->bus_pu;

    r->pcc_phase[0] = cabs(v1 + s->negative + s->zero);
    r->pcc_phase[1] = cabs(conj(a) * v1 + a * s->negative + s->zero);
    r->pcc_phase[2] = cabs(a * v1 + conj(a) * s->negative + s->zero);
}

static inline void network(struct site *s, double load_w, double load_var)
{
    const struct network_parameters *p = &s->p.network;
    struct row *r = &s->row;
    double p_pu = (load_w - s->lagged_w) * s->k.per_base;
    double q_pu = (load_var - s->lagged_var) * s->k.per_base;
    double b = 0.5 * s->source_pu * s->source_pu - (p->resistance_pu * p_pu + p->reactance_pu * q_pu);
    double under = b * b - (p_pu * p_pu + q_pu * q_pu) * s->k.z2;
    double v2 = under >= 0.0 ? b + sqrt(under) : -1.0;
    double v = v2 >= 0.0 ? sqrt(v2) : -1.0;

    if (v >= p->constant_current_below_pu)
        s->load_share = s->storage_share = 1.0;
    else
        v = low_voltage(s, load_w, load_var, r->seen_pu);
    r->load_w = load_w * s->load_share;
    r->storage_w = s->lagged_w * s->storage_share;
    r->storage_var = s->lagged_var * s->storage_share;
    r->grid_w = r->load_w - r->storage_w;
    r->grid_var = load_var * s->load_share - r->storage_var;
    r->bus_pu = r->pcc_pu = v;
    if (s->negative != 0.0 || s->zero != 0.0)
        unbalanced(s);
    else
        r->pcc_phase[0] = r->pcc_phase[1] = r->pcc_phase[2] = v;
    memcpy(r->bus_phase, r->pcc_phase, sizeof r->bus_phase); /* no transformer in between */
}

static inline double governor(const struct site *s, double w)
{
    double beyond = fabs(w) - s->p.area.deadband_pu;

    return beyond <= 0.0 ? 0.0 : copysign(least(beyond * s->k.per_droop, s->p.area.governor_limit_pu), -w);
}

static inline void area(struct site *s)
{
    const double dt = s->p.dt, damping = s->p.area.damping_pu;
    double missing = (s->row.grid_w - s->balanced_w) * s->k.per_area;
    double w = s->deviation_pu, g = s->governor_pu;
    double dw1 = (g - missing - damping * w) * s->k.per_two_h;
    double dg1 = (governor(s, w) - g) * s->k.per_governor;
    double w1 = w + dt * dw1, g1 = g + dt * dg1;
    double dw2 = (g1 - missing - damping * w1) * s->k.per_two_h;
    double dg2 = (governor(s, w1) - g1) * s->k.per_governor;

    s->deviation_pu = settled(w + 0.5 * dt * (dw1 + dw2));
    s->governor_pu = settled(g + 0.5 * dt * (dg1 + dg2));
    s->row.frequency_hz = s->p.area.nominal_hz * (1.0 + s->deviation_pu);
}

static inline double open_circuit_v(const struct battery_parameters *p, double soc)
{
    double x = soc * (OCV_POINTS - 1);
    int i = (int)clamp(x, 0.0, OCV_POINTS - 2);

    return p->ocv_v[i] + (x - i) * (p->ocv_v[i + 1] - p->ocv_v[i]);
}

static inline double current_a(const struct site *s, double inner_v, double power_w)
{
    double under = inner_v * inner_v - s->k.four_r0 * power_w;

    return under < 0.0 ? 2.0 * inner_v / s->k.four_r0 : 2.0 * power_w / (inner_v + sqrt(under));
}

static inline void battery(struct site *s, double power_w)
{
    const struct battery_parameters *p = &s->p.battery;
    const struct derived *k = &s->k;
    struct row *r = &s->row;
    double start = current_a(s, open_circuit_v(p, r->soc) - r->rc1_v - r->rc2_v, power_w);
    double rc1 = r->rc1_v * p->decay1_half + k->rise1_half * start;
    double rc2 = r->rc2_v * p->decay2_half + k->rise2_half * start;
    double inner = open_circuit_v(p, r->soc - 0.5 * k->per_capacity * start) - rc1 - rc2;
    double i = current_a(s, inner, power_w);
    double heat = p->r0_ohm * i * i + rc1 * rc1 * p->g1_siemens + rc2 * rc2 * p->g2_siemens;

    s->starved_ticks += inner * inner < k->four_r0 * power_w;
    r->dc_a = i;
    r->dc_v = inner - p->r0_ohm * i;
    r->dc_w = r->dc_v * i;
    r->soc -= k->per_capacity * i;
    r->rc1_v = settled(r->rc1_v * p->decay1 + k->rise1 * i);
    r->rc2_v = settled(r->rc2_v * p->decay2 + k->rise2 * i);
    r->temperature_degc = p->ambient_degc + (r->temperature_degc - p->ambient_degc) * p->thermal_decay
                        + k->heat_to_degc * heat;
}

static inline void deliver(struct site *s)
{
    const struct converter_parameters *p = &s->p.converter;
    struct row *r = &s->row;
    double w = r->storage_w, var = r->storage_var;

    r->current_pu = r->bus_pu > 1e-6 ? sqrt(w * w + var * var) * s->k.per_rating / r->bus_pu : 0.0;
    battery(s, w + p->standby_w + p->linear_loss * fabs(w) + s->k.quadratic_per_w * w * w);
}

static inline void meter(struct mean3 *squares, const double v[3], double *lowest, double *highest)
{
    double square[3] = {v[0] * v[0], v[1] * v[1], v[2] * v[2]}, m[3];

    mean3_push(squares, square, m);
    *lowest = sqrt(most(least(least(m[0], m[1]), m[2]), 0.0));
    *highest = sqrt(most(most(most(m[0], m[1]), m[2]), 0.0));
}

static inline void measure(struct site *s)
{
    struct row *r = &s->row;

    r->seen_load_w = mean_push(&s->load_power, r->load_w);
    r->seen_grid_w = mean_push(&s->grid_power, r->grid_w);
    r->seen_pu = sqrt(most(mean_push(&s->bus_square, r->bus_pu * r->bus_pu), 0.0));
    r->seen_hz = mean_push(&s->frequency, r->frequency_hz);
    meter(&s->pcc_squares, r->pcc_phase, &r->seen_pcc_lowest, &r->seen_pcc_highest);
    meter(&s->bus_squares, r->bus_phase, &r->seen_bus_lowest, &r->seen_bus_highest);
}

static inline void judge(struct site *s)
{
    const struct row *r = &s->row;
    const int blanked = s->tick < s->voltage_blank_until;

    ramp_push(&s->grid_ramp, r->seen_grid_w, s->tick, blanked);
    range_push(&s->peak_to_peak, r->seen_grid_w, s->tick, blanked);
    level_push(&s->under_v, r->seen_pcc_lowest, s->tick, blanked);
    level_push(&s->over_v, -r->seen_pcc_highest, s->tick, blanked);
    level_push(&s->under_hz, r->seen_hz, s->tick, 0);
    level_push(&s->over_hz, -r->seen_hz, s->tick, 0);
    band_push(&s->soc_window, r->soc, s->tick);
    level_push(&s->converter_current, -r->current_pu, s->tick, 0);
}

static inline void tick(struct site *s, double load_w)
{
    if (s->tick >= s->next_change)
        apply_dips(s);
    law(s);
    firmware(s);
    s->row.demand_w = load_w;
    network(s, load_w, load_w * s->p.load_tan_phi);
    area(s);
    deliver(s);
    measure(s);
    judge(s);
    s->tick++;
    s->energy_j += load_w * s->p.dt;
    if (load_w > s->largest_demand_w)
        s->largest_demand_w = load_w;
    xxh64_update(&s->hash, &s->row, sizeof s->row);
}

void site_run(struct site *s, const double *load_w, int64_t ticks)
{
    for (int64_t i = 0; i < ticks; i++)
        tick(s, load_w[i]);
}

void site_run_rows(struct site *s, const double *load_w, int64_t ticks, double *rows)
{
    for (int64_t i = 0; i < ticks; i++) {
        tick(s, load_w[i]);
        memcpy(rows + i * CHANNELS, &s->row, CHANNELS * sizeof(double));
    }
}

#include "site_ends.h"
