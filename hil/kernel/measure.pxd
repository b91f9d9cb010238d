"""What a relay, a controller or a firmware sees: a windowed mean or RMS of a true signal, some ticks late."""

from libc.math cimport sqrt
from libc.stdint cimport int64_t

from hil.kernel.windows cimport DelayLine, MeanWindow, delay_push, mean_push


cdef struct Measurement:
    int64_t rms          # 1: root of the mean square; 0: mean
    MeanWindow window
    DelayLine delay
    double value         # latest output


cdef struct PhaseMeter:
    MeanWindow a         # of the squares
    MeanWindow b
    MeanWindow c
    DelayLine lowest_delay
    DelayLine highest_delay
    double lowest        # RMS of the lowest phase, latest output: what 27 looks at
    double highest       # of the highest: 59


cdef inline double root(double mean_square) noexcept nogil:
    """The RMS; rounding can leave the mean of nothing a little below zero."""
    return sqrt(mean_square) if mean_square > 0.0 else 0.0


cdef inline void measure(Measurement* m, double* arena, double x) noexcept nogil:
    cdef double mean
    if m.rms:
        mean = root(mean_push(&m.window, arena, x * x))
    else:
        mean = mean_push(&m.window, arena, x)
    m.value = delay_push(&m.delay, arena, mean)


cdef inline void measure_phases(PhaseMeter* m, double* arena, const double* phase) noexcept nogil:
    cdef double lowest = mean_push(&m.a, arena, phase[0] * phase[0])
    cdef double highest = lowest
    cdef double square = mean_push(&m.b, arena, phase[1] * phase[1])
    if square < lowest:
        lowest = square
    if square > highest:
        highest = square
    square = mean_push(&m.c, arena, phase[2] * phase[2])
    if square < lowest:
        lowest = square
    if square > highest:
        highest = square
    m.lowest = delay_push(&m.lowest_delay, arena, root(lowest))
    m.highest = delay_push(&m.highest_delay, arena, root(highest))
