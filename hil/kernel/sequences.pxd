"""Negative-sequence voltages as relays measure them: what 47 looks at. A row has them only where something wants them.

Load and converters draw balanced currents, so what the source has of it reaches PCC and bus undiminished (network.pxd).
"""

from libc.math cimport sqrt
from libc.stdint cimport int64_t

from hil.kernel.measure cimport Measurement, measure
from hil.kernel.network cimport NetworkState


cdef struct SequenceMeter:
    int64_t output
    double scale           # of the source's: 1 at the PCC, one over the turns ratio at the bus
    Measurement measured


cdef inline void sequence_step(SequenceMeter* m, double* arena, const NetworkState* n, double* row) noexcept nogil:
    measure(&m.measured, arena,
            m.scale * sqrt(n.negative_re_pu * n.negative_re_pu + n.negative_im_pu * n.negative_im_pu))
    row[m.output] = m.measured.value
