/* Limits: each sees a value every tick, holds it against its bounds, and keeps what a report says of it. */
#ifndef LIMITS_H
#define LIMITS_H

#include "windows.h"

#include <math.h>

struct verdict {
    int64_t judged_ticks, blank_ticks, beyond_ticks, excursions, first_tick;
    int64_t highest_tick, lowest_tick;
    double highest, lowest; /* worst values */
    int32_t beyond;
};

/* A bound that must be passed for `delay` ticks without a break. It sees samples with the sign that makes low the bad side. */
struct level {
    struct peak held;
    struct verdict verdict;
    int64_t delay, run;
    double bound;
};

struct ramp {
    struct mean mean;
    struct delay past;
    struct verdict verdict;
    double low, high, per_second, last;
};

struct range {
    struct peak top, bottom;
    struct verdict verdict;
    double high, last;
};

struct band {
    struct verdict verdict;
    double low, high;
};

static inline void conclude(struct verdict *v, int beyond, int64_t tick)
{
    v->judged_ticks++;
    if (beyond) {
        v->beyond_ticks++;
        if (!v->beyond && v->excursions++ == 0)
            v->first_tick = tick;
    }
    v->beyond = beyond;
}

static inline void leave_out(struct verdict *v)
{
    v->blank_ticks++;
    v->beyond = 0;
}

static inline void note_highest(struct verdict *v, double x, int64_t tick)
{
    if (x > v->highest) {
        v->highest = x;
        v->highest_tick = tick;
    }
}

static inline void note_lowest(struct verdict *v, double x, int64_t tick)
{
    if (x < v->lowest) {
        v->lowest = x;
        v->lowest_tick = tick;
    }
}

static inline void level_push(struct level *l, double x, int64_t tick, int blanked)
{
    double held;

    if (blanked) {
        leave_out(&l->verdict);
        peak_clear(&l->held);
        l->run = 0;
        return;
    }
    held = peak_push(&l->held, x, tick);
    if (l->run < l->delay) {
        l->run++;
        conclude(&l->verdict, 0, tick);
        return;
    }
    note_lowest(&l->verdict, held, tick);
    conclude(&l->verdict, held < l->bound, tick);
}

static inline void band_push(struct band *l, double x, int64_t tick)
{
    note_highest(&l->verdict, x, tick);
    note_lowest(&l->verdict, x, tick);
    conclude(&l->verdict, x > l->high || x < l->low, tick);
}

/* While a stimulus acts the windows of ramp and range hold the last sample before it. */
static inline void ramp_push(struct ramp *l, double x, int64_t tick, int blanked)
{
    double mean, slope;

    l->last = x = blanked ? l->last : x;
    mean = mean_push(&l->mean, x);
    slope = (mean - delay_push(&l->past, mean)) * l->per_second;
    if (blanked) {
        leave_out(&l->verdict);
        return;
    }
    note_highest(&l->verdict, slope, tick);
    note_lowest(&l->verdict, slope, tick);
    conclude(&l->verdict, slope > l->high || slope < l->low, tick);
}

static inline void range_push(struct range *l, double x, int64_t tick, int blanked)
{
    double span;

    l->last = x = blanked ? l->last : x;
    span = peak_push(&l->top, x, tick) + peak_push(&l->bottom, -x, tick);
    if (blanked) {
        leave_out(&l->verdict);
        return;
    }
    note_highest(&l->verdict, span, tick);
    conclude(&l->verdict, span > l->high, tick);
}

static inline struct verdict no_verdict(void)
{
    return (struct verdict){.first_tick = -1, .highest_tick = -1, .lowest_tick = -1, .highest = -INFINITY, .lowest = INFINITY};
}

#endif
