"""Thermal image, 49 (IEC 60255-149): a first order on the square of the current. 1 is the temperature at which it operates.

Exact for a current that stands from tick to tick: the level moves by 1 − exp(−dt / τ) of what is missing.
"""

from libc.stdint cimport int64_t

from hil.kernel.subnormal cimport flushed


cdef struct ThermalParams:
    int64_t channel
    int64_t output
    double per_square      # 1 / (k · Ib)²
    double heating         # 1 − exp(−dt / τ)
    double cooling         # the same with the time constant of a standing, cooler machine


cdef struct ThermalState:
    double level
    double towards         # where the latest sample that is a number drives the level


cdef inline void thermal_step(const ThermalParams* p, ThermalState* s, double* row) noexcept nogil:
    cdef double current = row[p.channel]
    s.level = flushed(s.level + (s.towards - s.level) * (p.heating if s.towards > s.level else p.cooling))
    if current == current:
        s.towards = current * current * p.per_square
    row[p.output] = s.level


cdef inline bint thermal_is_sound(const ThermalParams* p, int64_t words) noexcept nogil:
    return 0 <= p.channel < words and 0 <= p.output < words
