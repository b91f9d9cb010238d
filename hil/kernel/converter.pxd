"""Power converter between battery and grid: first-order lag of active and reactive power, losses.

Equations and sources: docs/model.md, "Converter".
"""

from libc.math cimport fabs, sqrt
from libc.stdint cimport int64_t

from hil.kernel.subnormal cimport flushed


cdef struct ConverterParams:
    double rating_va
    double gain               # 1 - exp(-dt / lag)
    double standby_w          # losses: standby + linear |P| + quadratic P² / rating
    double linear_loss
    double quadratic_loss


cdef struct ConverterState:
    double passes             # share of the command that gets through: 0 where it is blocked
    double lagged_w           # at nominal delivery
    double lagged_var
    double power_w            # delivered to the grid, discharge > 0
    double reactive_var
    double current_pu         # of rated current
    double dc_power_w         # taken from the battery
    int64_t disconnected      # 1: the breaker between it and the bus is open


cdef inline void converter_lag(const ConverterParams* p, ConverterState* s, double power_w,
                               double reactive_var) noexcept nogil:
    s.lagged_w = flushed(s.lagged_w + p.gain * (s.passes * power_w - s.lagged_w))
    s.lagged_var = flushed(s.lagged_var + p.gain * (s.passes * reactive_var - s.lagged_var))


cdef inline void converter_deliver(const ConverterParams* p, ConverterState* s, double delivered,
                                   double voltage_pu) noexcept nogil:
    """Power, current and losses once the network is solved (`delivered`: share of power that the voltage lets through)."""
    cdef double apparent
    s.power_w = s.lagged_w * delivered
    s.reactive_var = s.lagged_var * delivered
    apparent = sqrt(s.power_w * s.power_w + s.reactive_var * s.reactive_var)
    s.current_pu = apparent / (voltage_pu * p.rating_va) if voltage_pu > 1e-6 else 0.0
    s.dc_power_w = (s.power_w + p.standby_w + p.linear_loss * fabs(s.power_w)
                    + p.quadratic_loss / p.rating_va * s.power_w * s.power_w)
