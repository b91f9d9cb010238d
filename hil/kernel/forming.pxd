"""Grid-forming converters: a voltage behind a virtual impedance, whose angle follows the swing equation.

Equations and sources: docs/model.md, "Grid-forming". How several of them and the grid feed one bus is in islands.pxd.
"""

from libc.math cimport M_PI, fabs, floor
from libc.stdint cimport int64_t

from hil.kernel.subnormal cimport flushed


cdef enum:
    FORMING_EMPTY = 1          # what keeps it from forming: nothing to give
    FORMING_FULL = 2           # or no room

cdef enum:
    MOST_PASSES = 60           # of the current limit
    FORMING_OUTPUTS = 3        # on, frequency, widening of its impedance
    SITE_OUTPUTS = 2           # frequency at the bus, whether the grid feeds it


cdef struct FormingParams:
    int64_t forms              # 0: it follows
    double set_pu              # E without reactive power
    double resistance_pu       # virtual impedance, on the converter's rating
    double reactance_pu
    double inertia_s           # H
    double damping_pu          # against the frequency of the bus
    double droop_pu
    double voltage_droop_pu
    double filter_gain         # 1 - exp(-dt / lag) of the measured reactive power
    double restore_s           # with which the frequency of an island is brought back; 0: never
    double limit_pu            # of its current
    int64_t output             # first of its channels in the row


cdef struct FormingState:
    int64_t able               # 1: firmware, breaker and battery let it
    int64_t on                 # 1: its voltage stands
    int64_t spent              # FORMING_…
    double speed_pu            # deviation
    double reference_pu        # deviation at no load
    double angle               # of E, against the reference of the site
    double emf_pu
    double reactive_pu         # filtered
    double widened             # by how much the current limit widens its impedance
    double conductance_pu      # of its impedance now, on the network's base
    double susceptance_pu
    double power_w
    double reactive_var
    double current_pu


cdef struct SourcesState:
    # Of a site with sources of its own. What the bus is asked for:
    double load_w
    double load_var
    double storage_w
    double storage_var
    # What they make of it:
    double frequency_hz        # at the bus
    double deviation_pu        # the same
    double angle               # of the voltage at the bus
    double grid_angle          # of the grid's source, while the site is apart
    int64_t tied               # 1: the grid feeds the bus
    int64_t dead               # 1: nothing does
    int64_t output             # first of its channels in the row


cdef inline double wrapped(double angle) noexcept nogil:
    """The same angle between -π and π."""
    return angle - 2.0 * M_PI * floor(angle / (2.0 * M_PI) + 0.5)


cdef inline void forming_speeds(const FormingParams* p, FormingState* s, double wanted_pu, double wanted_var_pu,
                                double rating_va, double bus_pu, double target_pu, bint tied, double dt) noexcept nogil:
    """Speed and voltage after a tick, implicit in damping and droop. target_pu: to which the frequency of an island goes."""
    cdef double per_two_h = 0.5 * dt / p.inertia_s
    cdef double stiff = 1.0 / p.droop_pu
    if p.restore_s > 0.0:
        s.reference_pu = flushed(s.reference_pu + dt / p.restore_s * (-s.reference_pu if tied else target_pu - s.speed_pu))
    s.speed_pu += per_two_h * (wanted_pu - s.power_w / rating_va + s.reference_pu * stiff + p.damping_pu * bus_pu)
    s.speed_pu = flushed(s.speed_pu / (1.0 + per_two_h * (stiff + p.damping_pu)))
    s.reactive_pu = flushed(s.reactive_pu + p.filter_gain * (s.reactive_var / rating_va - s.reactive_pu))
    s.emf_pu = p.set_pu - p.voltage_droop_pu * (s.reactive_pu - wanted_var_pu)
    if s.emf_pu < 0.0:
        s.emf_pu = 0.0


cdef inline void forming_joins(const FormingParams* p, FormingState* s, double voltage_pu, double angle,
                               double bus_pu) noexcept nogil:
    """Begin without current where the bus has a voltage, and at its own where it has none."""
    cdef bint alive = voltage_pu > 0.5
    s.on = 1
    s.spent = 0
    s.speed_pu = bus_pu if alive else 0.0
    s.reference_pu = 0.0
    s.angle = angle if alive else 0.0
    s.emf_pu = voltage_pu if alive else p.set_pu
    s.reactive_pu = (p.set_pu - s.emf_pu) / p.voltage_droop_pu if alive and p.voltage_droop_pu > 0.0 else 0.0


cdef inline void forming_leaves(FormingState* s, int64_t spent) noexcept nogil:
    s.on = 0
    s.spent = spent
    s.power_w = s.reactive_var = s.current_pu = 0.0


cdef inline bint in_step(const SourcesState* s, double bus_pu, double grid_pu, double grid_deviation_pu,
                         double nominal_hz) noexcept nogil:
    """Whether a synchronism check (25) lets the site close onto the grid."""
    return (grid_pu > 0.5 and fabs(bus_pu - grid_pu) <= 0.1
            and fabs(wrapped(s.angle - s.grid_angle)) <= M_PI / 60.0
            and fabs(s.deviation_pu - grid_deviation_pu) * nominal_hz <= 0.1)
