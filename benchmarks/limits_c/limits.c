/*
 * A selection of protection functions over rows, written from docs/protection.md: 51 with a curve of IEC 60255-151 on the current
 * at the PCC, 49, a band-pass of order 2 and the range behind it, a counter, an envelope for dips, a flickermeter with P_st.
 * Nothing is blanked, every value is a number, and the settings are those of benchmarks/limits_site.toml.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../tick_c/windows.h"

/* Columns of a row, as COLUMNS of limits_compiled.py has them. */
enum {
    POWER_W, REACTIVE_VAR, VOLTAGE_PU, PHASE_PU, LOWEST_PU, CURRENT_PU, ON_BATTERY,
    PCC_CURRENT, OPERATING_SHARE, THERMAL_LEVEL, BAND_W, TRANSFERS, TIME_SHARE, LET_GO, FLICKER, PST, PLT,
    COLUMNS = 20
};
enum { THRESHOLDS = 16, PERCENTILES = 15, OCTAVES = 44, PER_OCTAVE = 64, CLASSES = OCTAVES * PER_OCTAVE, LOWEST_OCTAVE = -24 };

struct parameters {
    double dt, current_scale;
    double pickup, dropout, a, exponent, dial;
    double per_square, heating, towards, level;
    double band[2][7];
    double range_high;
    double bound;
    double low, high, stays, before_gain, before;
    double threshold[THRESHOLDS];
    double flicker[6][7];
    double mean_gain, carrier_re, carrier_im, smooth_gain, scale;
    double exceeded[PERCENTILES], weight[PERCENTILES];
    int64_t range_span, counter_ticks, counter_places, recovery_ticks, thresholds, settle_ticks, block_ticks;
    int64_t allowed[THRESHOLDS];
};

struct results {
    double highest;
    int64_t highest_tick, judged_ticks, beyond_ticks, excursions, first_tick, pickups, disturbances;
};

struct limits {
    struct parameters p;
    struct results found;
    int64_t tick;
    /* 51, 49 */
    int picked;
    double share, rate;
    double level, towards;
    /* range */
    struct peak top, bottom;
    int beyond;
    /* counter */
    int64_t *events, head, tail;
    int on;
    /* envelope */
    enum { QUIET, DISTURBED, RECOVERING } phase;
    int may_trip, failed;
    int64_t since, count[THRESHOLDS];
    double before;
    /* flicker */
    double mean, re, im, smoothed, least, largest, pst, plt, recent[12];
    double classes[CLASSES];
    int64_t settled, in_block, blocks;
};

static double cascade(double (*section)[7], int sections, double x)
{
    for (int i = 0; i < sections; i++) {
        double *s = section[i];
        double y = s[0] * x + s[5];

        s[5] = s[1] * x - s[3] * y + s[6];
        s[6] = s[2] * x - s[4] * y;
        x = y;
    }
    return x;
}

static void overcurrent(struct limits *l, double *row)
{
    const struct parameters *p = &l->p;
    double current = row[PCC_CURRENT];

    l->share += l->rate;
    l->rate = 0.0;
    if (current > p->pickup) {
        if (!l->picked)
            l->found.pickups++;
        l->picked = 1;
        l->rate = p->dt / (p->dial * p->a / (pow(current / p->pickup, p->exponent) - 1.0));
    } else if (current <= p->dropout || !l->picked) {
        l->picked = 0;
        l->share = 0.0;
    }
    row[OPERATING_SHARE] = l->share;
}

static void thermal(struct limits *l, double *row)
{
    l->level += (l->towards - l->level) * l->p.heating;
    l->towards = row[CURRENT_PU] * row[CURRENT_PU] * l->p.per_square;
    row[THERMAL_LEVEL] = l->level;
}

static void variation(struct limits *l, double *row)
{
    struct results *f = &l->found;
    double y = cascade(l->p.band, 2, row[POWER_W]);
    double range = peak_push(&l->top, y, l->tick) + peak_push(&l->bottom, -y, l->tick);

    row[BAND_W] = y;
    f->judged_ticks++;
    if (range > f->highest) {
        f->highest = range;
        f->highest_tick = l->tick;
    }
    if (range > l->p.range_high) {
        f->beyond_ticks++;
        if (!l->beyond && ++f->excursions == 1)
            f->first_tick = l->tick;
        l->beyond = 1;
    } else {
        l->beyond = 0;
    }
}

static void counter(struct limits *l, double *row)
{
    const struct parameters *p = &l->p;
    int on = row[ON_BATTERY] > p->bound;

    if (on && !l->on)
        l->events[l->tail++ % p->counter_places] = l->tick;
    l->on = on;
    while (l->head < l->tail && l->events[l->head % p->counter_places] < l->tick - p->counter_ticks)
        l->head++;
    row[TRANSFERS] = (double)(l->tail - l->head);
}

static void envelope(struct limits *l, double *row)
{
    const struct parameters *p = &l->p;
    double value = row[LOWEST_PU], power = row[POWER_W], used = 0.0;
    int outside = value < p->low || value > p->high, stays, asked;

    if (outside && l->phase != DISTURBED) {
        l->phase = DISTURBED;
        l->found.disturbances++;
        memset(l->count, 0, sizeof l->count);
    } else if (!outside && l->phase == DISTURBED) {
        l->phase = RECOVERING;
        l->since = 0;
    }
    if (l->phase == QUIET) {
        l->before += (power - l->before) * p->before_gain;
        row[TIME_SHARE] = 0.0;
        row[LET_GO] = NAN;
        return;
    }
    for (int i = 0; i < p->thresholds; i++) {
        double share;

        if (l->phase == DISTURBED && value < p->threshold[i])
            l->count[i]++;
        if (!l->count[i])
            continue;
        share = p->allowed[i] ? (double)l->count[i] / (double)p->allowed[i] : 2.0;
        if (share > used)
            used = share;
    }
    row[TIME_SHARE] = used;
    if (l->phase == DISTURBED && used > 1.0)
        l->may_trip = 1;
    stays = l->before < 0.0 ? power <= p->stays * l->before : power >= p->stays * l->before;
    asked = !l->may_trip && l->phase == RECOVERING && l->since >= p->recovery_ticks;
    if (asked && !stays)
        l->failed = 1;
    row[LET_GO] = asked || l->failed ? (double)l->failed : NAN;
    if (l->phase == RECOVERING && l->since++ >= p->recovery_ticks && stays) {
        l->phase = QUIET;
        l->may_trip = l->failed = 0;
    }
}

static int class_of(double level)
{
    int exponent, found;
    double mantissa = frexp(level, &exponent); /* from 0.5 to 1 */

    found = (exponent - 1 - LOWEST_OCTAVE) * PER_OCTAVE + (int)((2.0 * mantissa - 1.0) * PER_OCTAVE);
    return level <= 0.0 || found < 0 ? 0 : found >= CLASSES ? CLASSES - 1 : found;
}

static double edge_of(int i)
{
    return i ? ldexp(1.0 + (double)(i % PER_OCTAVE) / PER_OCTAVE, i / PER_OCTAVE + LOWEST_OCTAVE) : 0.0;
}

static double severity(const struct limits *l)
{
    const struct parameters *p = &l->p;
    double above = 0.0, square = 0.0;
    int found = 0;

    for (int i = CLASSES - 1; i >= 0; above += l->classes[i--]) {
        double low = fmax(edge_of(i), l->least), high = fmin(edge_of(i + 1), l->largest);

        while (l->classes[i] > 0.0 && above + l->classes[i] >= p->exceeded[found] * (double)l->in_block) {
            square += p->weight[found] * (high - (high - low) * (p->exceeded[found] * (double)l->in_block - above) / l->classes[i]);
            if (++found == PERCENTILES)
                return sqrt(square);
        }
    }
    return NAN;
}

static void end_block(struct limits *l)
{
    double cubes = 0.0;

    l->pst = severity(l);
    l->recent[l->blocks++ % 12] = l->pst;
    for (int i = 0; i < 12; i++)
        cubes += l->recent[i] * l->recent[i] * l->recent[i];
    if (l->blocks >= 12)
        l->plt = cbrt(cubes / 12.0);
    memset(l->classes, 0, sizeof l->classes);
    l->in_block = 0;
}

static void flicker(struct limits *l, double *row)
{
    struct parameters *p = &l->p;
    double value = row[PHASE_PU], re = l->re, ratio, y;

    if (l->mean <= 0.0)
        l->mean = value;
    l->mean += (value - l->mean) * p->mean_gain;
    ratio = value / l->mean;
    l->re = re * p->carrier_re - l->im * p->carrier_im;
    l->im = re * p->carrier_im + l->im * p->carrier_re;
    y = cascade(p->flicker, 6, (ratio * ratio - 1.0) * (1.0 - re));
    l->smoothed += (y * y * p->scale - l->smoothed) * p->smooth_gain;
    if (l->tick % 1024 == 0) { /* keep the carrier's length */
        double length = 1.5 - 0.5 * (l->re * l->re + l->im * l->im);

        l->re *= length;
        l->im *= length;
    }
    if (l->settled < p->settle_ticks) {
        l->settled++;
        row[FLICKER] = row[PST] = row[PLT] = NAN;
        return;
    }
    l->least = l->in_block ? fmin(l->least, l->smoothed) : l->smoothed;
    l->largest = l->in_block ? fmax(l->largest, l->smoothed) : l->smoothed;
    l->classes[class_of(l->smoothed)] += 1.0;
    if (++l->in_block == p->block_ticks)
        end_block(l);
    row[FLICKER] = l->smoothed;
    row[PST] = l->pst;
    row[PLT] = l->plt;
}

void limits_run(struct limits *l, double *rows, int64_t count)
{
    for (int64_t n = 0; n < count; n++, l->tick++) {
        double *row = rows + n * COLUMNS;

        row[PCC_CURRENT] = l->p.current_scale * sqrt(row[POWER_W] * row[POWER_W] + row[REACTIVE_VAR] * row[REACTIVE_VAR])
            / row[VOLTAGE_PU];
        overcurrent(l, row);
        thermal(l, row);
        counter(l, row);
        envelope(l, row);
        flicker(l, row);
        variation(l, row);
    }
}

void limits_destroy(struct limits *l)
{
    free(l->top.ring);
    free(l->bottom.ring);
    free(l->events);
    free(l);
}

struct limits *limits_create(const struct parameters *p)
{
    struct limits *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->p = *p;
    l->level = p->level;
    l->towards = p->towards;
    l->before = p->before;
    l->re = 1.0;
    l->pst = l->plt = NAN;
    l->found.highest = -INFINITY;
    l->found.highest_tick = l->found.first_tick = -1;
    l->events = malloc(sizeof(int64_t) * (size_t)p->counter_places);
    if (!l->events || !peak_start(&l->top, p->range_span) || !peak_start(&l->bottom, p->range_span)) {
        limits_destroy(l);
        return NULL;
    }
    return l;
}

void limits_results(const struct limits *l, struct results *out)
{
    *out = l->found;
}

int64_t limits_parameters_size(void)
{
    return sizeof(struct parameters);
}
