"""A revenue meter at the PCC: what it measures besides what relays see, and the energies that it counts.

Equations: docs/meter.md.
"""

from libc.math cimport sqrt

from hil.kernel.measure cimport Measurement, measure, root
from hil.kernel.network cimport NetworkState, unbalanced
from hil.kernel.windows cimport DelayLine, PhaseWindow, delay_phases, phase_push


cdef struct MeterState:
    Measurement reactive
    Measurement current        # in each phase, as the power that it carries at 1 pu, VA
    PhaseWindow squares        # of the voltages a, b, c
    PhaseWindow line_squares   # of ab, bc, ca
    DelayLine phase_delay      # three values a tick
    DelayLine line_delay
    double phase_pu[3]         # RMS, latest output
    double line_pu[3]          # likewise, per unit of the nominal voltage between two phases
    double imported_j          # since the run began
    double exported_j


cdef inline void line_voltages(const NetworkState* n, double* out) noexcept nogil:
    """Voltages between phases at the PCC, where the zero sequence drops out."""
    cdef double half_root3 = 0.8660254037844386
    cdef double re = n.positive_re_pu - n.negative_re_pu
    cdef double im = n.positive_im_pu - n.negative_im_pu
    cdef double sum_re = n.positive_re_pu + n.negative_re_pu
    cdef double sum_im = n.positive_im_pu + n.negative_im_pu
    out[0] = sqrt((half_root3 * sum_re - 0.5 * im) * (half_root3 * sum_re - 0.5 * im)
                  + (half_root3 * sum_im + 0.5 * re) * (half_root3 * sum_im + 0.5 * re))
    out[1] = sqrt(re * re + im * im)
    out[2] = sqrt((half_root3 * sum_re + 0.5 * im) * (half_root3 * sum_re + 0.5 * im)
                  + (half_root3 * sum_im - 0.5 * re) * (half_root3 * sum_im - 0.5 * re))


cdef inline void meter_step(MeterState* m, double* arena, const NetworkState* n, double measured_w, double dt) noexcept nogil:
    """Measure the end of a tick. measured_w: what relays see of the power."""
    cdef double[3] square
    cdef double[3] line
    cdef double[3] mean
    cdef double apparent_va = sqrt(n.power_w * n.power_w + n.reactive_var * n.reactive_var)
    cdef int i
    measure(&m.reactive, arena, n.reactive_var)
    measure(&m.current, arena, apparent_va / n.voltage_pu if n.voltage_pu > 0.0 else 0.0)
    for i in range(3):
        square[i] = n.phase_pu[i] * n.phase_pu[i]
    phase_push(&m.squares, arena, square, mean)
    for i in range(3):
        m.phase_pu[i] = root(mean[i])
    delay_phases(&m.phase_delay, arena, m.phase_pu)
    if unbalanced(n):
        line_voltages(n, line)
        for i in range(3):
            square[i] = line[i] * line[i]
    phase_push(&m.line_squares, arena, square, mean)
    for i in range(3):
        m.line_pu[i] = root(mean[i])
    delay_phases(&m.line_delay, arena, m.line_pu)
    if measured_w >= 0.0:
        m.imported_j += measured_w * dt
    else:
        m.exported_j -= measured_w * dt
