"""What a relay, a controller or a firmware sees: a windowed mean or RMS of a true signal, some ticks late."""

from libc.math cimport sqrt
from libc.stdint cimport int64_t

from hil.kernel.windows cimport DelayLine, MeanWindow, PhaseWindow, delay_push, mean_push, phase_push


cdef struct Measurement:
    int64_t rms          # 1: root of the mean square; 0: mean
    MeanWindow window
    DelayLine delay
    double value         # latest output


cdef struct PhaseMeter:
    PhaseWindow squares
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
    cdef double[3] square
    cdef double[3] mean
    cdef double lowest
    cdef double highest
    cdef int64_t i
    for i in range(3):
        square[i] = phase[i] * phase[i]
    phase_push(&m.squares, arena, square, mean)
    lowest = highest = mean[0]
    for i in range(1, 3):
        if mean[i] < lowest:
            lowest = mean[i]
        if mean[i] > highest:
            highest = mean[i]
    m.lowest = delay_push(&m.lowest_delay, arena, root(lowest))
    m.highest = delay_push(&m.highest_delay, arena, root(highest))
