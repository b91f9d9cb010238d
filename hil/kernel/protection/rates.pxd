"""Rates of change: the difference of a channel over a window, per second. What 81R, ROCOF, picks up on.

While a stimulus acts, and until the window lies wholly after it, the rate is not a number; so it is where a sample at either
end of the window is none. The window goes on taking samples: held ones would show a step that nobody made.
"""

from libc.math cimport NAN
from libc.stdint cimport int64_t

from hil.kernel.windows cimport DelayLine, delay_push


cdef struct RateParams:
    int64_t channel
    int64_t output
    int64_t blank
    double per_second      # 1 / window


cdef struct RateState:
    DelayLine past
    int64_t void_ticks     # how many more samples a stimulus still taints


cdef inline void rate_step(const RateParams* p, RateState* s, double* arena, double* row, int64_t tick,
                           const int64_t* blank_until) noexcept nogil:
    cdef double value = row[p.channel]
    cdef double change = value - delay_push(&s.past, arena, value)
    if tick < blank_until[p.blank]:
        s.void_ticks = s.past.length
        row[p.output] = NAN
    elif s.void_ticks > 0:
        s.void_ticks -= 1
        row[p.output] = NAN
    else:
        row[p.output] = change * p.per_second


cdef inline bint rate_is_sound(const RateParams* p, const RateState* s, int64_t words, int64_t arena_size,
                               int64_t blanks) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.output < words and 0 <= p.blank < blanks and 0 <= s.past.index < s.past.length
            and 0 <= s.past.offset <= arena_size and s.past.length <= arena_size - s.past.offset)
