"""Cooling: electric power that follows the heat of the IT load, with contactors that drop out in a dip.

Equations and sources: docs/model.md, "Cooling".
"""

from libc.stdint cimport int64_t

from hil.kernel.subnormal cimport flushed


cdef struct CoolingParams:
    double base_w              # pumps and fans that always run
    double per_heat            # electric power for each watt of heat
    double gain                # 1 - exp(-dt / lag)
    double tan_phi
    double drop_below_pu       # contactors drop out below this voltage; 0: never
    int64_t drop_ticks         # after so many ticks in a row
    int64_t restart_ticks      # how long the voltage must be back before it starts again
    double restart_step        # rise of the running share a tick while it does
    int64_t present            # 0: the site has none


cdef struct CoolingState:
    double heat_w              # IT load as the cooling sees it, behind the thermal lag
    double running             # share of it that runs
    int64_t low_ticks          # in a row
    int64_t well_ticks         # in a row
    int64_t dropped            # 1: off, waiting for its restart
    int64_t drops
    double power_w             # demanded


cdef inline void cooling_step(const CoolingParams* p, CoolingState* s, double heat_w, double voltage_pu) noexcept nogil:
    """Demand of this tick from the IT load and the voltage at the bus, both of the end of the last tick."""
    s.heat_w = flushed(s.heat_w + p.gain * (heat_w - s.heat_w))
    if voltage_pu < p.drop_below_pu:
        s.low_ticks += 1
        s.well_ticks = 0
        if s.low_ticks > p.drop_ticks and not s.dropped:
            s.dropped = 1
            s.drops += 1
            s.running = 0.0
    else:
        s.low_ticks = 0
        s.well_ticks += 1
        if s.dropped and s.well_ticks > p.restart_ticks:
            s.dropped = 0
        if not s.dropped and s.running < 1.0:
            s.running += p.restart_step
            if s.running > 1.0:
                s.running = 1.0
    s.power_w = s.running * (p.base_w + p.per_heat * s.heat_w)
