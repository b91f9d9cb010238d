"""Counters: how often a channel has gone beyond a bound within a rolling window. Both ends of the window belong to it."""

from libc.stdint cimport int64_t


cdef struct CounterParams:
    int64_t channel
    int64_t output
    int64_t under          # 1: below the bound counts, 0: above it
    int64_t window_ticks
    int64_t offset         # of the ring of ticks in the arena
    int64_t ring           # places: more events than that within a window are not told apart
    double bound


cdef struct CounterState:
    int64_t beyond
    int64_t head           # of the oldest event in the window; events are numbered on and on
    int64_t tail           # of the next one


cdef inline void counter_step(const CounterParams* p, CounterState* s, double* arena, double* row,
                              int64_t tick) noexcept nogil:
    cdef double value = row[p.channel]
    cdef bint beyond = value < p.bound if p.under else value > p.bound
    if beyond and not s.beyond:
        if s.tail - s.head == p.ring:
            s.head += 1
        arena[p.offset + s.tail % p.ring] = <double>tick
        s.tail += 1
    s.beyond = beyond
    while s.head < s.tail and arena[p.offset + s.head % p.ring] < <double>(tick - p.window_ticks):
        s.head += 1
    row[p.output] = <double>(s.tail - s.head)


cdef inline bint counter_is_sound(const CounterParams* p, const CounterState* s, int64_t words,
                                  int64_t arena_size) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.output < words and p.window_ticks >= 0 and p.ring > 0
            and 0 <= p.offset <= arena_size and p.ring <= arena_size - p.offset and 0 <= s.head <= s.tail
            and s.tail - s.head <= p.ring)
