"""Battery: open-circuit-voltage curve, series resistance, two RC pairs, state of charge, lumped temperature.

Equations and sources: docs/model.md, "Battery". Current and power are positive when discharging.
"""

from libc.math cimport sqrt
from libc.stdint cimport int64_t

from hil.kernel.subnormal cimport flushed


cdef enum:
    OCV_POINTS = 21              # state of charge 0, 0.05 … 1


cdef struct BatteryParams:
    double capacity_as           # ampere-seconds
    double r0_ohm
    double r1_ohm
    double g1_siemens            # 1 / r1, 0 where r1 is 0
    double decay1                # exp(-dt / tau1)
    double decay1_half           # exp(-dt / 2 tau1)
    double r2_ohm
    double g2_siemens
    double decay2
    double decay2_half
    double thermal_k_per_w
    double thermal_decay         # exp(-dt / tau_thermal)
    double ambient_degc
    double leak_a                # lost inside at all times until it is empty: self-discharge
    double ocv_v[21]


cdef struct BatteryState:
    double capacity_share        # of its capacity that it has
    double resistance_factor     # on r0_ohm
    double soc
    double rc1_v
    double rc2_v
    double temperature_degc
    double current_a
    double voltage_v             # at the terminals
    double power_w               # at the terminals
    double heat_w
    int64_t starved_ticks        # power asked for was beyond what the resistance lets through


cdef struct BatteryMiddle:
    # In the middle of a tick.
    double rc1_v
    double rc2_v
    double inner_v


cdef inline double battery_ocv(const BatteryParams* p, double soc) noexcept nogil:
    cdef double x = soc * (OCV_POINTS - 1)
    cdef int64_t i = 0
    if x >= OCV_POINTS - 2:
        i = OCV_POINTS - 2
    elif x > 0.0:
        i = <int64_t>x
    return p.ocv_v[i] + (x - <double>i) * (p.ocv_v[i + 1] - p.ocv_v[i])


cdef inline double battery_current(double r0_ohm, double inner_v, double power_w) noexcept nogil:
    """Current at which the terminals give `power_w`; NaN-free: beyond the maximum, the current of maximum power."""
    cdef double disc = inner_v * inner_v - 4.0 * r0_ohm * power_w
    if disc < 0.0:
        return inner_v / (2.0 * r0_ohm)
    return 2.0 * power_w / (inner_v + sqrt(disc))


ctypedef void (*leak_fn)(const BatteryParams* p, BatteryState* s, double per_ampere) noexcept nogil


cdef extern from "hil/kernel/far.h":
    leak_fn far "RIDETHROUGH_FAR"(leak_fn function) noexcept nogil


cdef inline void battery_leak(const BatteryParams* p, BatteryState* s, double per_ampere) noexcept nogil:
    """What is lost inside in a tick, until it is empty: charge to heat, at the voltage of the tick's end."""
    cdef double heat_w
    if s.soc <= 0.0:
        return
    heat_w = p.leak_a * battery_ocv(p, s.soc)
    s.soc -= per_ampere * p.leak_a
    s.heat_w += heat_w
    s.temperature_degc += p.thermal_k_per_w * (1.0 - p.thermal_decay) * heat_w


cdef inline double battery_inner(const BatteryParams* p, const BatteryState* s) noexcept nogil:
    """The voltage behind its series resistance, at the start of a tick."""
    return battery_ocv(p, s.soc) - s.rc1_v - s.rc2_v


cdef inline void battery_middle(const BatteryParams* p, const BatteryState* s, BatteryMiddle* m, double per_ampere,
                                double start_a) noexcept nogil:
    """To the middle of a tick, under the current of its start."""
    cdef double soc_mid = s.soc - 0.5 * per_ampere * start_a
    m.rc1_v = s.rc1_v * p.decay1_half + p.r1_ohm * (1.0 - p.decay1_half) * start_a
    m.rc2_v = s.rc2_v * p.decay2_half + p.r2_ohm * (1.0 - p.decay2_half) * start_a
    m.inner_v = battery_ocv(p, soc_mid) - m.rc1_v - m.rc2_v


cdef inline void battery_end(const BatteryParams* p, BatteryState* s, const BatteryMiddle* m, double r0_ohm,
                             double per_ampere, double power_w, double i) noexcept nogil:
    """To the end of a tick, under the current of its middle: RC pairs and heat exact."""
    if m.inner_v * m.inner_v < 4.0 * r0_ohm * power_w:
        s.starved_ticks += 1
    s.current_a = i
    s.voltage_v = m.inner_v - r0_ohm * i
    s.power_w = s.voltage_v * i
    s.heat_w = r0_ohm * i * i + m.rc1_v * m.rc1_v * p.g1_siemens + m.rc2_v * m.rc2_v * p.g2_siemens
    s.soc -= per_ampere * i
    s.rc1_v = flushed(s.rc1_v * p.decay1 + p.r1_ohm * (1.0 - p.decay1) * i)
    s.rc2_v = flushed(s.rc2_v * p.decay2 + p.r2_ohm * (1.0 - p.decay2) * i)
    s.temperature_degc = (p.ambient_degc + (s.temperature_degc - p.ambient_degc) * p.thermal_decay
                          + p.thermal_k_per_w * (1.0 - p.thermal_decay) * s.heat_w)
    if p.leak_a > 0.0:
        far(battery_leak)(p, s, per_ampere)


cdef inline void battery_step(const BatteryParams* p, BatteryState* s, double power_w, double dt) noexcept nogil:
    """Advance by one tick with the terminal power given: mid-point current."""
    cdef double r0_ohm = p.r0_ohm * s.resistance_factor
    # Ready at once: what follows is the longest chain of a tick.
    cdef double per_ampere = dt / (p.capacity_as * s.capacity_share)
    cdef BatteryMiddle middle
    battery_middle(p, s, &middle, per_ampere, battery_current(r0_ohm, battery_inner(p, s), power_w))
    battery_end(p, s, &middle, r0_ohm, per_ampere, power_w, battery_current(r0_ohm, middle.inner_v, power_w))
