/* Sliding windows over samples of one per tick. All start as if their first value had stood for ever. */
#ifndef WINDOWS_H
#define WINDOWS_H

#include <stdint.h>
#include <stdlib.h>

/* Mean of the last `length` samples. A second sum replaces the first at each wrap, so that rounding cannot accumulate. */
struct mean {
    double *ring;
    double total, fresh, share; /* share: 1 / length */
    int length, at;
};

/* The same of three signals at once: one index, samples side by side. */
struct mean3 {
    double (*ring)[3];
    double total[3], fresh[3], share;
    int length, at;
};

struct delay {
    double *ring;
    int length, at;
};

/* Maximum of the last `span` samples: a queue of falling candidates in a ring whose size is a power of two. */
struct peak {
    struct candidate {
        double value;
        int64_t tick;
    } *ring;
    uint32_t mask, head, tail;
    int64_t span;
};

static inline double mean_push(struct mean *w, double x)
{
    double *slot = &w->ring[w->at];

    w->total += x - *slot;
    w->fresh += x;
    *slot = x;
    if (++w->at == w->length) {
        w->at = 0;
        w->total = w->fresh;
        w->fresh = 0.0;
    }
    return w->total * w->share;
}

static inline void mean3_push(struct mean3 *w, const double x[3], double out[3])
{
    double *slot = w->ring[w->at];

    for (int k = 0; k < 3; k++) {
        w->total[k] += x[k] - slot[k];
        w->fresh[k] += x[k];
        slot[k] = x[k];
    }
    if (++w->at == w->length) {
        w->at = 0;
        for (int k = 0; k < 3; k++) {
            w->total[k] = w->fresh[k];
            w->fresh[k] = 0.0;
        }
    }
    for (int k = 0; k < 3; k++)
        out[k] = w->total[k] * w->share;
}

static inline double delay_push(struct delay *w, double x)
{
    double oldest = w->ring[w->at];

    w->ring[w->at] = x;
    if (++w->at == w->length)
        w->at = 0;
    return oldest;
}

static inline double peak_push(struct peak *w, double x, int64_t tick)
{
    struct candidate *ring = w->ring;
    uint32_t mask = w->mask, head = w->head, tail = w->tail;

    while (tail != head && ring[(tail - 1) & mask].value <= x)
        tail--;
    ring[tail & mask] = (struct candidate){x, tick};
    w->tail = tail + 1;
    if (ring[head & mask].tick <= tick - w->span)
        w->head = ++head;
    return ring[head & mask].value;
}

static inline void peak_clear(struct peak *w)
{
    w->head = w->tail;
}

/* Each returns 0 where there is no memory. */
static inline int mean_start(struct mean *w, int length, double value)
{
    *w = (struct mean){.ring = malloc(sizeof(double) * (size_t)length), .length = length};
    w->total = value * length;
    w->share = 1.0 / length;
    for (int i = 0; w->ring && i < length; i++)
        w->ring[i] = value;
    return w->ring != NULL;
}

static inline int mean3_start(struct mean3 *w, int length, double value)
{
    *w = (struct mean3){.ring = malloc(sizeof(double[3]) * (size_t)length), .length = length};
    w->share = 1.0 / length;
    for (int k = 0; k < 3; k++)
        w->total[k] = value * length;
    for (int i = 0; w->ring && i < length; i++)
        w->ring[i][0] = w->ring[i][1] = w->ring[i][2] = value;
    return w->ring != NULL;
}

static inline int delay_start(struct delay *w, int length, double value)
{
    *w = (struct delay){.ring = malloc(sizeof(double) * (size_t)length), .length = length};
    for (int i = 0; w->ring && i < length; i++)
        w->ring[i] = value;
    return w->ring != NULL;
}

static inline int peak_start(struct peak *w, int64_t span)
{
    uint32_t size = 1;

    while (size <= span)
        size *= 2;
    *w = (struct peak){.ring = malloc(sizeof(struct candidate) * size), .mask = size - 1, .span = span};
    return w->ring != NULL;
}

#endif
