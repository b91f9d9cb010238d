"""Generating sets of a site, alike and in parallel: start, engine and governor, alternator and voltage regulator.

Equations and sources: docs/model.md, "Generating sets". The switch that puts them on the bus is in islands.pxd.
"""

from libc.math cimport sqrt
from libc.stdint cimport int64_t

from hil.kernel.breakers cimport few
from hil.kernel.subnormal cimport flushed


cdef enum:
    GENSETS_OFF = 0
    GENSETS_STARTING = 1
    GENSETS_UP = 2
    GENSETS_TRIPPED = 3

cdef enum:
    # Where the transfer switch stands.
    SWITCH_GRID = 0
    SWITCH_OPEN = 1
    SWITCH_GENSETS = 2

cdef enum:
    TRIP_UNDER_FREQUENCY = 1
    TRIP_OVERLOAD = 2

cdef enum:
    # The continuous states, in the order in which they are stepped.
    X_SPEED = 0                # deviation, pu
    X_GOVERNOR = 1             # its integral, pu of fuel
    X_FUEL = 2                 # pu of the rated power, friction included
    X_BOOST = 3                # pu of the rated power for which there is air
    X_EMF = 4                  # E' behind the transient reactance, pu
    X_FIELD = 5                # Efd, pu of the field without load
    X_REGULATOR = 6            # integral of the voltage regulator
    STATES = 7

cdef enum:
    GENSET_OUTPUTS = 6         # power, reactive power, voltage, frequency, phase, switch


cdef struct GensetParams:
    # All sets together, per unit of their apparent power; powers of engine and load of their rated power.
    double rating_w
    double base_va
    double resistance_pu
    double reactance_pu        # transient, X'd
    double synchronous_pu      # Xd
    double field_s             # T'd0
    double exciter_s
    double regulator_gain
    double regulator_per_s
    double ceiling_pu          # most of the field
    double inertia_s           # H, on base_va
    double friction            # share of the rated power
    double governor_gain
    double governor_per_s
    double droop_pu
    double actuator_s
    double turbo_s
    double first_step          # share of the rated power that the engines take without boost
    double most                # share of it that they take at all
    double under_frequency_pu  # deviation below which they trip
    int64_t under_frequency_ticks
    int64_t overload_ticks     # so long above `most` they may be asked for
    int64_t start_ticks
    int64_t cool_ticks
    double lost_below_pu       # of the lowest phase of the grid: the grid is lost
    double back_above_pu
    int64_t transfer_after_ticks
    int64_t return_after_ticks
    int64_t transfer_ticks     # open
    int64_t output             # first of its channels in the row


cdef struct GensetState:
    int64_t phase
    int64_t started_tick
    int64_t starts
    int64_t idle_ticks         # since the grid has the site again
    int64_t lost_ticks         # of the grid, in a row
    int64_t back_ticks
    int64_t position
    int64_t towards            # where the switch goes while it is open
    int64_t moves_tick         # when it gets there
    int64_t transfers
    int64_t under_frequency_for
    int64_t overload_for
    int64_t trip               # what has tripped them
    double x[7]
    double power_w
    double reactive_var
    double voltage_pu          # at their terminals


cdef inline double between(double value, double low, double high) noexcept nogil:
    return low if value < low else high if value > high else value


cdef inline void genset_slopes(const GensetParams* p, const double* x, double power_pu, double direct_pu, double voltage_pu,
                               double* slope) noexcept nogil:
    """Derivatives of the states for a load (of the rated power), the direct-axis current and the terminal voltage."""
    cdef double error = -x[X_SPEED] - p.droop_pu * (x[X_FUEL] - p.friction)
    cdef double rack = between(p.governor_gain * error + x[X_GOVERNOR], 0.0, p.most + p.friction)
    cdef double air = p.friction + p.first_step + (p.most - p.first_step) * x[X_BOOST]
    cdef double burnt = x[X_FUEL] if x[X_FUEL] < air else air
    cdef double low = 1.0 - voltage_pu
    cdef double field = between(p.regulator_gain * low + x[X_REGULATOR], 0.0, p.ceiling_pu)
    slope[X_SPEED] = (burnt - p.friction - power_pu) * p.rating_w / (2.0 * p.inertia_s * p.base_va)
    slope[X_GOVERNOR] = p.governor_per_s * error
    slope[X_FUEL] = (rack - x[X_FUEL]) / p.actuator_s
    slope[X_BOOST] = (burnt - p.friction - x[X_BOOST]) / p.turbo_s
    slope[X_EMF] = (x[X_FIELD] - x[X_EMF] - (p.synchronous_pu - p.reactance_pu) * direct_pu) / p.field_s
    slope[X_FIELD] = (field - x[X_FIELD]) / p.exciter_s
    slope[X_REGULATOR] = p.regulator_per_s * low


cdef inline void genset_step(const GensetParams* p, GensetState* s, double dt) noexcept nogil:
    """One Heun step under what the bus takes in this tick."""
    cdef double power_pu = s.power_w / p.rating_w
    cdef double direct_pu = 0.0
    cdef double first[7]
    cdef double second[7]
    cdef double moved[7]
    cdef double i_re
    cdef double i_im
    cdef double e_re
    cdef double e_im
    cdef double size
    cdef int64_t i
    if s.voltage_pu > 0.0:    # the current, and E' that it needs, with the terminal voltage as reference
        i_re = s.power_w / (p.base_va * s.voltage_pu)
        i_im = -s.reactive_var / (p.base_va * s.voltage_pu)
        e_re = s.voltage_pu + p.resistance_pu * i_re - p.reactance_pu * i_im
        e_im = p.reactance_pu * i_re + p.resistance_pu * i_im
        size = sqrt(e_re * e_re + e_im * e_im)
        direct_pu = (i_re * e_im - i_im * e_re) / size if size > 0.0 else 0.0
        power_pu += p.resistance_pu * (i_re * i_re + i_im * i_im) * p.base_va / p.rating_w
    genset_slopes(p, s.x, power_pu, direct_pu, s.voltage_pu, first)
    for i in range(STATES):
        moved[i] = s.x[i] + dt * first[i]
    genset_slopes(p, moved, power_pu, direct_pu, s.voltage_pu, second)
    for i in range(STATES):
        s.x[i] = flushed(s.x[i] + 0.5 * dt * (first[i] + second[i]))
    s.x[X_GOVERNOR] = between(s.x[X_GOVERNOR], 0.0, p.most + p.friction)
    s.x[X_REGULATOR] = between(s.x[X_REGULATOR], 0.0, p.ceiling_pu)
    if s.x[X_EMF] < 0.0:
        s.x[X_EMF] = 0.0


cdef inline void genset_is_up(const GensetParams* p, GensetState* s) noexcept nogil:
    """At rated speed and voltage, without load."""
    cdef int64_t i
    for i in range(STATES):
        s.x[i] = 0.0
    s.x[X_GOVERNOR] = s.x[X_FUEL] = p.friction
    s.x[X_EMF] = s.x[X_FIELD] = s.x[X_REGULATOR] = 1.0
    s.phase = GENSETS_UP
    s.idle_ticks = s.under_frequency_for = s.overload_for = 0


cdef inline void genset_stops(GensetState* s, int64_t phase) noexcept nogil:
    s.phase = phase
    s.power_w = s.reactive_var = s.voltage_pu = 0.0


cdef inline void genset_protects(const GensetParams* p, GensetState* s) noexcept nogil:
    """Trip what is overloaded, or cannot hold its frequency."""
    s.under_frequency_for = s.under_frequency_for + 1 if s.x[X_SPEED] < -p.under_frequency_pu else 0
    s.overload_for = s.overload_for + 1 if s.power_w > p.most * p.rating_w else 0
    if s.under_frequency_for > p.under_frequency_ticks:
        s.trip = TRIP_UNDER_FREQUENCY
    elif s.overload_for > p.overload_ticks:
        s.trip = TRIP_OVERLOAD
    else:
        return
    genset_stops(s, GENSETS_TRIPPED)


cdef inline void genset_moves(const GensetParams* p, GensetState* s, int64_t towards, int64_t tick) noexcept nogil:
    s.position = SWITCH_OPEN
    s.towards = towards
    s.moves_tick = tick + p.transfer_ticks
    s.transfers += 1


cdef inline void genset_switch(const GensetParams* p, GensetState* s, double grid_pu, int64_t tick) noexcept nogil:
    """Start and stop the sets, and move the transfer switch, on the measured voltage of the grid."""
    s.lost_ticks = s.lost_ticks + 1 if grid_pu < p.lost_below_pu else 0
    s.back_ticks = s.back_ticks + 1 if grid_pu >= p.back_above_pu else 0
    if s.phase == GENSETS_OFF:
        if s.lost_ticks > p.transfer_after_ticks:
            s.phase = GENSETS_STARTING
            s.started_tick = tick
            s.starts += 1
    elif s.phase == GENSETS_STARTING:
        if tick - s.started_tick >= p.start_ticks:
            genset_is_up(p, s)
    elif s.phase == GENSETS_UP:
        s.idle_ticks = s.idle_ticks + 1 if s.position == SWITCH_GRID and s.lost_ticks == 0 else 0
        if s.idle_ticks >= p.cool_ticks:
            genset_stops(s, GENSETS_OFF)
    if s.position == SWITCH_GRID:
        if s.phase == GENSETS_UP and s.lost_ticks > p.transfer_after_ticks:
            genset_moves(p, s, SWITCH_GENSETS, tick)
    elif s.position == SWITCH_GENSETS:
        if s.back_ticks > (p.return_after_ticks if s.phase == GENSETS_UP else 0):
            genset_moves(p, s, SWITCH_GRID, tick)
    if s.position == SWITCH_OPEN and tick >= s.moves_tick:
        s.position = s.towards


cdef inline bint genset_is_sound(const GensetParams* p, const GensetState* s) noexcept nogil:
    return (few(p.transfer_ticks) and few(s.started_tick) and few(s.starts) and few(s.idle_ticks)
            and few(s.lost_ticks) and few(s.back_ticks) and few(s.transfers) and few(s.under_frequency_for)
            and few(s.overload_for))
