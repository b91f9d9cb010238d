/* Beginning and end of a site: memory, the steady state before the first tick, results. Belongs to site.c. */

static void derive(struct site *s)
{
    const struct site_parameters *p = &s->p;
    struct derived *k = &s->k;

    k->rise_w = p->law.rise_w_per_s * p->dt;
    k->fall_w = p->law.fall_w_per_s * p->dt;
    k->bias_step_w = p->pcs.setpoint_ramp_w_per_s * p->dt;
    k->slew_w = p->pcs.slew_w_per_s * p->dt;
    k->current_va = p->pcs.current_limit_pu * p->pcs.rating_va;
    k->per_base = 1.0 / p->network.base_va;
    k->z2 = p->network.resistance_pu * p->network.resistance_pu + p->network.reactance_pu * p->network.reactance_pu;
    k->per_constant_current = 1.0 / p->network.constant_current_below_pu;
    k->per_area = 1.0 / p->area.base_va;
    k->per_two_h = 0.5 / p->area.inertia_s;
    k->per_governor = 1.0 / p->area.governor_s;
    k->per_droop = p->area.droop_pu > 0.0 ? 1.0 / p->area.droop_pu : 0.0;
    k->quadratic_per_w = p->converter.quadratic_loss / p->converter.rating_va;
    k->per_rating = 1.0 / p->converter.rating_va;
    k->per_capacity = p->dt / p->battery.capacity_as;
    k->four_r0 = 4.0 * p->battery.r0_ohm;
    k->rise1 = p->battery.r1_ohm * (1.0 - p->battery.decay1);
    k->rise1_half = p->battery.r1_ohm * (1.0 - p->battery.decay1_half);
    k->rise2 = p->battery.r2_ohm * (1.0 - p->battery.decay2);
    k->rise2_half = p->battery.r2_ohm * (1.0 - p->battery.decay2_half);
    k->heat_to_degc = p->battery.thermal_k_per_w * (1.0 - p->battery.thermal_decay);
}

static int level_start(struct level *l, const struct limit_parameters *p, int upper)
{
    *l = (struct level){.verdict = no_verdict(), .delay = p->delay_ticks, .bound = upper ? -p->high : p->low};
    return peak_start(&l->held, p->delay_ticks + 1);
}

/* Windows full of the steady state, which the row holds by now. */
static int windows_start(struct site *s)
{
    const struct window_parameters *w = &s->p.windows;
    const struct limit_parameters *p = s->p.limits;
    const struct row *r = &s->row;
    double square = r->bus_pu * r->bus_pu;

    s->grid_ramp = (struct ramp){.verdict = no_verdict(), .low = p[0].low, .high = p[0].high, .per_second = p[0].per_second};
    s->peak_to_peak = (struct range){.verdict = no_verdict(), .high = p[1].high};
    s->soc_window = (struct band){.verdict = no_verdict(), .low = p[6].low, .high = p[6].high};
    s->grid_ramp.last = s->peak_to_peak.last = r->grid_w;
    return mean_start(&s->grid_power, (int)w->power, r->grid_w) && mean_start(&s->bus_square, (int)w->voltage, square)
        && mean_start(&s->frequency, (int)w->frequency, r->frequency_hz)
        && mean_start(&s->load_power, (int)w->load, r->load_w) && mean3_start(&s->pcc_squares, (int)w->phase, square)
        && mean3_start(&s->bus_squares, (int)w->phase, square) && mean_start(&s->grid_ramp.mean, (int)w->ramp_mean, r->grid_w)
        && delay_start(&s->grid_ramp.past, (int)w->ramp_past, r->grid_w) && peak_start(&s->peak_to_peak.top, w->range)
        && peak_start(&s->peak_to_peak.bottom, w->range) && level_start(&s->under_v, &p[2], 0)
        && level_start(&s->over_v, &p[3], 1) && level_start(&s->under_hz, &p[4], 0) && level_start(&s->over_hz, &p[5], 1)
        && level_start(&s->converter_current, &p[7], 1);
}

struct site *site_create(const struct site_parameters *p)
{
    struct site *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->p = *p;
    derive(s);
    xxh64_start(&s->hash);
    s->running = 1;
    s->revert_at = -1;
    s->source_pu = p->network.source_pu;
    s->row.demand_w = p->first_load_w;
    network(s, p->first_load_w, p->first_load_w * p->load_tan_phi);
    s->balanced_w = s->law_grid_w = s->row.grid_w;
    s->row.frequency_hz = s->row.seen_hz = p->area.nominal_hz;
    s->row.seen_load_w = s->row.load_w;
    s->row.seen_grid_w = s->row.grid_w;
    s->row.seen_pu = s->row.bus_pu;
    s->row.soc = p->soc;
    s->row.temperature_degc = p->battery.ambient_degc;
    if (!windows_start(s)) {
        site_destroy(s);
        return NULL;
    }
    return s;
}

void site_destroy(struct site *s)
{
    free(s->grid_power.ring);
    free(s->bus_square.ring);
    free(s->frequency.ring);
    free(s->load_power.ring);
    free(s->pcc_squares.ring);
    free(s->bus_squares.ring);
    free(s->grid_ramp.mean.ring);
    free(s->grid_ramp.past.ring);
    free(s->peak_to_peak.top.ring);
    free(s->peak_to_peak.bottom.ring);
    free(s->under_v.held.ring);
    free(s->over_v.held.ring);
    free(s->under_hz.held.ring);
    free(s->over_hz.held.ring);
    free(s->converter_current.held.ring);
    free(s);
}

static void give(const struct verdict *v, int upper_level, struct limit_result *out)
{
    out->valid_ticks = v->judged_ticks;
    out->blank_ticks = v->blank_ticks;
    out->beyond_ticks = v->beyond_ticks;
    out->excursions = v->excursions;
    out->first_tick = v->first_tick;
    out->highest = upper_level ? -v->lowest : v->highest;
    out->lowest = upper_level ? INFINITY : v->lowest;
    out->highest_tick = upper_level ? v->lowest_tick : v->highest_tick;
    out->lowest_tick = upper_level ? -1 : v->lowest_tick;
}

void site_results(const struct site *s, struct site_results *out)
{
    out->energy_j = s->energy_j;
    out->largest_demand_w = s->largest_demand_w;
    out->waveform_hash = xxh64_digest(&s->hash);
    out->collapsed_ticks = s->collapsed_ticks;
    out->starved_ticks = s->starved_ticks;
    out->heartbeats = s->heartbeats;
    give(&s->grid_ramp.verdict, 0, &out->limits[0]);
    give(&s->peak_to_peak.verdict, 0, &out->limits[1]);
    give(&s->under_v.verdict, 0, &out->limits[2]);
    give(&s->over_v.verdict, 1, &out->limits[3]);
    give(&s->under_hz.verdict, 0, &out->limits[4]);
    give(&s->over_hz.verdict, 1, &out->limits[5]);
    give(&s->soc_window.verdict, 0, &out->limits[6]);
    give(&s->converter_current.verdict, 1, &out->limits[7]);
}

int64_t site_parameters_size(void)
{
    return sizeof(struct site_parameters);
}

int64_t site_results_size(void)
{
    return sizeof(struct site_results);
}
