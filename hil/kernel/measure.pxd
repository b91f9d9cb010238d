"""What a relay, a controller or a firmware sees: a windowed mean or RMS of a true signal, some ticks late."""

from libc.math cimport sqrt
from libc.stdint cimport int64_t

from hil.kernel.windows cimport DelayLine, MeanWindow, delay_push, mean_push


cdef struct Measurement:
    int64_t rms          # 1: root of the mean square; 0: mean
    MeanWindow window
    DelayLine delay
    double value         # latest output


cdef inline void measure(Measurement* m, double* arena, double x) noexcept nogil:
    cdef double mean
    if m.rms:
        mean = mean_push(&m.window, arena, x * x)
        mean = sqrt(mean) if mean > 0.0 else 0.0
    else:
        mean = mean_push(&m.window, arena, x)
    m.value = delay_push(&m.delay, arena, mean)
