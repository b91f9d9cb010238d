"""The grid at the point of common coupling (PCC): a Thevenin source, and the frequency of the area behind it.

Equations and sources: docs/model.md, "Grid".
"""

from libc.math cimport fabs, sqrt
from libc.stdint cimport int64_t

from hil.kernel.subnormal cimport flushed


cdef struct GridParams:
    double nominal_hz
    double short_circuit_va    # base of the network equations: |Z| = 1 pu on it
    double source_pu           # voltage behind the impedance, before events
    double resistance_pu
    double reactance_pu
    double constant_current_below_pu
    double area_va             # base of the swing equation
    double inertia_s           # H
    double damping_pu          # D, pu power per pu frequency
    double droop_pu            # R, pu frequency per pu power
    double governor_s          # T_g
    double governor_limit_pu   # of area power, both directions
    double deadband_pu         # of frequency
    double balanced_w          # grid power at which the area is in balance


cdef struct GridState:
    double voltage_pu
    double power_w             # import > 0
    double reactive_var
    double load_share          # of the load's power that the voltage lets through (1 at or above the threshold)
    double storage_share       # of the converters' power, likewise
    double deviation_pu        # frequency deviation
    double governor_pu         # governor power
    double source_pu           # voltage behind the impedance now, with dips
    double lost_generation_w   # power missing in the area now
    int64_t collapsed_ticks    # ticks without a solution of the network


cdef inline void grid_solve(const GridParams* p, GridState* s, double load_w, double load_var, double storage_w,
                            double storage_var, double measured_pu) noexcept nogil:
    """Voltage at the PCC in closed form, for load and storage at their nominal powers.

    Where the voltage is low everything is a current in phase with it: the load's is its power at the threshold, a converter's
    is its command at the voltage it measures.
    """
    cdef double e2 = s.source_pu * s.source_pu
    cdef double p_pu = (load_w - storage_w) / p.short_circuit_va
    cdef double q_pu = (load_var - storage_var) / p.short_circuit_va
    cdef double half = 0.5 * e2 - (p.resistance_pu * p_pu + p.reactance_pu * q_pu)
    cdef double z2 = p.resistance_pu * p.resistance_pu + p.reactance_pu * p.reactance_pu
    cdef double disc = half * half - (p_pu * p_pu + q_pu * q_pu) * z2
    cdef double voltage = -1.0
    cdef double across
    cdef double seen_pu
    s.load_share = 1.0
    s.storage_share = 1.0
    if disc >= 0.0 and half + sqrt(disc) >= 0.0:
        voltage = sqrt(half + sqrt(disc))
    if voltage < p.constant_current_below_pu:
        seen_pu = measured_pu if measured_pu > 0.05 else 0.05  # a converter's own division is guarded too
        p_pu = (load_w / p.constant_current_below_pu - storage_w / seen_pu) / p.short_circuit_va
        q_pu = (load_var / p.constant_current_below_pu - storage_var / seen_pu) / p.short_circuit_va
        across = p.reactance_pu * p_pu - p.resistance_pu * q_pu
        disc = e2 - across * across
        voltage = -1.0
        if disc >= 0.0:
            voltage = sqrt(disc) - (p.resistance_pu * p_pu + p.reactance_pu * q_pu)
        if voltage < 0.0:
            voltage = 0.0
            if e2 > 0.0:
                s.collapsed_ticks += 1
        if voltage < p.constant_current_below_pu:
            s.load_share = voltage / p.constant_current_below_pu
        s.storage_share = voltage / seen_pu
    s.voltage_pu = voltage
    s.power_w = load_w * s.load_share - storage_w * s.storage_share
    s.reactive_var = load_var * s.load_share - storage_var * s.storage_share


cdef inline double governor_demand(const GridParams* p, double deviation) noexcept nogil:
    """Power that the governor asks for at a frequency deviation, pu of area power."""
    cdef double beyond = fabs(deviation) - p.deadband_pu
    cdef double demand
    if beyond <= 0.0 or p.droop_pu <= 0.0:
        return 0.0
    demand = beyond / p.droop_pu
    if demand > p.governor_limit_pu:
        demand = p.governor_limit_pu
    return -demand if deviation > 0.0 else demand


cdef inline void grid_frequency(const GridParams* p, GridState* s, double dt) noexcept nogil:
    """One Heun step of swing equation and governor; the drawn power is constant over the tick."""
    cdef double missing = (s.power_w - p.balanced_w + s.lost_generation_w) / p.area_va
    cdef double w = s.deviation_pu
    cdef double g = s.governor_pu
    cdef double two_h = 2.0 * p.inertia_s
    cdef double dw1 = (g - missing - p.damping_pu * w) / two_h
    cdef double dg1 = (governor_demand(p, w) - g) / p.governor_s
    cdef double w1 = w + dt * dw1
    cdef double g1 = g + dt * dg1
    cdef double dw2 = (g1 - missing - p.damping_pu * w1) / two_h
    cdef double dg2 = (governor_demand(p, w1) - g1) / p.governor_s
    s.deviation_pu = flushed(w + 0.5 * dt * (dw1 + dw2))
    s.governor_pu = flushed(g + 0.5 * dt * (dg1 + dg2))
