"""Signals that follow from those of the same instant: quotients, currents, scaled values and magnitudes, gates."""

from libc.math cimport NAN, fabs, sqrt
from libc.stdint cimport int64_t


cdef enum:
    RATIO_QUOTIENT = 0    # scale · channel / second
    RATIO_CURRENT = 1     # scale · root of (channel² + second²) / third: apparent power over voltage
    RATIO_MAGNITUDE = 2   # scale · |channel|
    RATIO_GATE = 3        # channel, while second is at least `least`; else not a number
    RATIO_SCALED = 4      # scale · channel
    RATIO_KINDS = 5


cdef struct RatioParams:
    int64_t kind
    int64_t channel
    int64_t second
    int64_t third
    int64_t output
    double scale
    double least          # of what is divided by: below it the ratio is 0; of what opens a gate


cdef inline void ratio_step(const RatioParams* p, double* row) noexcept nogil:
    cdef double by
    if p.kind == RATIO_MAGNITUDE:
        row[p.output] = p.scale * fabs(row[p.channel])
        return
    if p.kind == RATIO_SCALED:
        row[p.output] = p.scale * row[p.channel]
        return
    if p.kind == RATIO_GATE:
        row[p.output] = row[p.channel] if row[p.second] >= p.least else NAN
        return
    by = row[p.second] if p.kind == RATIO_QUOTIENT else row[p.third]
    if not by >= p.least:
        row[p.output] = 0.0
    elif p.kind == RATIO_QUOTIENT:
        row[p.output] = p.scale * row[p.channel] / by
    else:
        row[p.output] = p.scale * sqrt(row[p.channel] * row[p.channel] + row[p.second] * row[p.second]) / by


cdef inline bint ratio_is_sound(const RatioParams* p, int64_t words) noexcept nogil:
    return (0 <= p.kind < RATIO_KINDS and 0 <= p.channel < words and 0 <= p.second < words and 0 <= p.third < words
            and 0 <= p.output < words and p.least > 0.0)
