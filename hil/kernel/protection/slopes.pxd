"""Slopes: the line of least squares through the samples of a rolling window, by two running sums.

Samples lie in the arena as differences from where the channel began, so that a large constant costs no digits. Once a window
the sums are replaced by what has been added up since, so that rounding cannot accumulate. While a scripted stimulus acts, or
where it is not a number, the input is held.
"""

from libc.math cimport NAN
from libc.stdint cimport int64_t


cdef struct SlopeParams:
    int64_t channel
    int64_t output
    int64_t blank
    int64_t offset         # of the samples in the arena
    int64_t length         # samples in the window, both ends included
    double per_second      # 12 / (length · (length² − 1) · dt)


cdef struct SlopeState:
    int64_t index          # where the next sample goes
    double origin          # value at which the channel began
    double held            # latest input that no stimulus voided and that is a number
    double total           # of the samples in the window
    double moment          # of the samples, each times its place, the oldest at 0
    double fresh_total     # of the samples since the last wrap: replace the others there
    double fresh_moment


cdef inline void slope_step(const SlopeParams* p, SlopeState* s, double* arena, double* row, int64_t tick,
                            const int64_t* blank_until) noexcept nogil:
    cdef double value = row[p.channel]
    cdef double* slot = arena + p.offset + s.index
    cdef double rest = s.total - slot[0]
    cdef double x
    if tick >= blank_until[p.blank] and value == value:
        s.held = value
    x = s.held - s.origin
    s.moment = s.moment - rest + <double>(p.length - 1) * x
    s.total = rest + x
    s.fresh_total += x
    s.fresh_moment += <double>s.index * x
    slot[0] = x
    s.index += 1
    if s.index == p.length:
        s.index = 0
        s.total = s.fresh_total
        s.moment = s.fresh_moment
        s.fresh_total = s.fresh_moment = 0.0
    row[p.output] = NAN if value != value else (s.moment - 0.5 * <double>(p.length - 1) * s.total) * p.per_second


cdef inline bint slope_is_sound(const SlopeParams* p, const SlopeState* s, int64_t words, int64_t arena_size,
                                int64_t blanks) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.output < words and 0 <= p.blank < blanks and p.length >= 2
            and 0 <= p.offset <= arena_size and p.length <= arena_size - p.offset and 0 <= s.index < p.length)
