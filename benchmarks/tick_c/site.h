/* The frozen site of benchmarks/tick.py in plain C: what Python hands over and what it gets back.
 *
 * One battery with a ramp_limit law behind one inverter, a grid without transformer, no cooling, no measuring delays, eight
 * limits. Names of parameters are those of the engine's arrays, by which Python fills them.
 */
#ifndef SITE_H
#define SITE_H

#include <stdint.h>

enum { OCV_POINTS = 21, MOST_DIPS = 5, LIMITS = 8, CHANNELS = 35 };

struct network_parameters {
    double base_va, source_pu, resistance_pu, reactance_pu, constant_current_below_pu;
};

struct area_parameters {
    double nominal_hz, base_va, inertia_s, damping_pu, droop_pu, governor_s, governor_limit_pu, deadband_pu;
};

struct law_parameters {
    double share, rise_w_per_s, fall_w_per_s;
};

struct pcs_parameters {
    double rating_va, charge_max_w, discharge_max_w, current_limit_pu, setpoint_ramp_w_per_s, slew_w_per_s;
    double soc_min, soc_max, cease_below_pu;
    int64_t priority, ticks_per_second;
};

struct converter_parameters {
    double rating_va, gain, standby_w, linear_loss, quadratic_loss;
};

struct battery_parameters {
    double capacity_as, r0_ohm, r1_ohm, g1_siemens, decay1, decay1_half, r2_ohm, g2_siemens, decay2, decay2_half;
    double thermal_k_per_w, thermal_decay, ambient_degc;
    double ocv_v[OCV_POINTS];
};

struct window_parameters { /* lengths in ticks */
    int64_t power, voltage, frequency, load, phase, ramp_mean, ramp_past, range;
};

struct limit_parameters {
    double low, high, per_second;
    int64_t delay_ticks;
};

struct dip_parameters {
    int64_t start_tick, end_tick, blanks, blank_ticks;
    double value, negative_re, negative_im, zero_re, zero_im;
};

struct site_parameters {
    double dt, load_tan_phi, first_load_w, soc;
    int64_t dip_count;
    struct network_parameters network;
    struct area_parameters area;
    struct law_parameters law;
    struct pcs_parameters pcs;
    struct converter_parameters converter;
    struct battery_parameters battery;
    struct window_parameters windows;
    struct limit_parameters limits[LIMITS]; /* in the order of the scenario */
    struct dip_parameters dips[MOST_DIPS];
};

struct limit_result {
    int64_t valid_ticks, blank_ticks, beyond_ticks, excursions, first_tick, highest_tick, lowest_tick;
    double highest, lowest;
};

struct site_results {
    double energy_j, largest_demand_w;
    uint64_t waveform_hash;
    int64_t collapsed_ticks, starved_ticks, heartbeats;
    struct limit_result limits[LIMITS];
};

struct site;

struct site *site_create(const struct site_parameters *parameters); /* NULL: no memory */
void site_destroy(struct site *site);
void site_run(struct site *site, const double *load_w, int64_t ticks);
void site_run_rows(struct site *site, const double *load_w, int64_t ticks, double *rows); /* rows: ticks × CHANNELS */
void site_results(const struct site *site, struct site_results *out);
int64_t site_parameters_size(void);
int64_t site_results_size(void);

#endif
