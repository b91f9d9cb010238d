"""The area behind the grid: its frequency by the swing equation, with damping and governor.

Equations and sources: docs/model.md, "Frequency".
"""

from libc.math cimport fabs

from hil.kernel.subnormal cimport flushed


cdef struct AreaParams:
    double nominal_hz
    double base_va             # base of the swing equation
    double inertia_s           # H
    double damping_pu          # D, pu power per pu frequency
    double droop_pu            # R, pu frequency per pu power
    double governor_s          # T_g
    double governor_limit_pu   # of the base, both directions
    double deadband_pu         # of frequency
    double balanced_w          # grid power at which the area is in balance


cdef struct AreaState:
    double deviation_pu        # frequency deviation
    double governor_pu         # governor power
    double lost_generation_w   # power missing in the area now


cdef inline double governor_demand(const AreaParams* p, double deviation) noexcept nogil:
    """Power that the governor asks for at a frequency deviation, pu of the base."""
    cdef double beyond = fabs(deviation) - p.deadband_pu
    cdef double demand
    if beyond <= 0.0 or p.droop_pu <= 0.0:
        return 0.0
    demand = beyond / p.droop_pu
    if demand > p.governor_limit_pu:
        demand = p.governor_limit_pu
    return -demand if deviation > 0.0 else demand


cdef inline void area_step(const AreaParams* p, AreaState* s, double power_w, double dt) noexcept nogil:
    """One Heun step of swing equation and governor; the drawn power is constant over the tick."""
    cdef double missing = (power_w - p.balanced_w + s.lost_generation_w) / p.base_va
    cdef double w = s.deviation_pu
    cdef double g = s.governor_pu
    cdef double per_two_h = 0.5 / p.inertia_s
    cdef double per_governor_s = 1.0 / p.governor_s
    cdef double dw1 = (g - missing - p.damping_pu * w) * per_two_h
    cdef double dg1 = (governor_demand(p, w) - g) * per_governor_s
    cdef double w1 = w + dt * dw1
    cdef double g1 = g + dt * dg1
    cdef double dw2 = (g1 - missing - p.damping_pu * w1) * per_two_h
    cdef double dg2 = (governor_demand(p, w1) - g1) * per_governor_s
    s.deviation_pu = flushed(w + 0.5 * dt * (dw1 + dw2))
    s.governor_pu = flushed(g + 0.5 * dt * (dg1 + dg2))
