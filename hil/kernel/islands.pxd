"""A site with sources of its own: generating sets behind a transfer switch, or converters that form a voltage.

Far from the tick's loop, and only in sites that have any; so are the power supplies of IT, which look at what feeds them.
"""

from libc.math cimport M_PI, atan2, cos, sin, sqrt
from libc.stdint cimport int64_t

from hil.kernel.forming cimport (
    FORMING_EMPTY, FORMING_FULL, MOST_PASSES, FormingParams, FormingState, SourcesState, forming_joins, forming_leaves,
    forming_speeds, in_step, wrapped,
)
from hil.kernel.genset cimport (
    GENSETS_UP, SWITCH_GENSETS, SWITCH_GRID, X_EMF, X_SPEED, GensetParams, GensetState, genset_protects, genset_step,
    genset_switch,
)
from hil.kernel.network cimport (
    APART_BREAKER, NetworkParams, NetworkState, network_apart, network_behind, network_solve, without_grid,
)
from hil.kernel.psu cimport psu_step
from hil.kernel.site cimport MEASURED_VOLTAGE, METER_PCC, Site
from hil.kernel.switching cimport write_breakers
from hil.kernel.ups cimport FED_BY_BYPASS, UpsPowerState


cdef inline void all_due(Site* s, int64_t tick) noexcept nogil:
    """Let the firmware of all converters have its turn in this tick."""
    cdef int64_t i
    s.run.due_tick = tick
    for i in range(s.bess_count):
        s.pcs[i].due_at = tick


cdef inline void solve_behind(Site* s, double emf_pu, double resistance_pu, double reactance_pu, double base_va,
                              NetworkState* out) noexcept nogil:
    """The bus fed by one voltage behind an impedance; `out` gets its voltage, the shares, and what the source gives."""
    cdef NetworkParams p
    cdef SourcesState* own = s.sources
    p.base_va = base_va
    p.source_pu = emf_pu
    p.resistance_pu, p.reactance_pu = resistance_pu, reactance_pu
    p.ratio = 1.0
    p.transformer = 0
    p.constant_current_below_pu = s.network_params.constant_current_below_pu
    out.source_pu = emf_pu
    out.negative_re_pu = out.negative_im_pu = out.zero_re_pu = out.zero_im_pu = 0.0
    out.collapsed_ticks = s.network.collapsed_ticks
    network_solve(&p, out, own.load_w, own.load_var, own.storage_w, own.storage_var, s.measured[MEASURED_VOLTAGE].value)
    s.network.collapsed_ticks = out.collapsed_ticks


cdef inline void feed_bus(Site* s, const NetworkState* own) noexcept nogil:
    """The bus lives on the site's own sources, apart from the grid."""
    cdef int64_t i
    network_apart(s.network)
    s.network.bus_voltage_pu = own.bus_voltage_pu
    s.network.load_share = own.load_share
    s.network.storage_share = own.storage_share
    for i in range(3):
        s.network.bus_phase_pu[i] = own.bus_voltage_pu


cdef inline void genset_network(Site* s, int64_t tick) noexcept nogil:
    cdef const GensetParams* p = s.genset_params
    cdef GensetState* g = s.genset
    cdef NetworkState own
    genset_switch(p, g, 0.0 if s.network.disconnected & APART_BREAKER else s.meters[METER_PCC].lowest, tick)
    s.sources.tied = g.position == SWITCH_GRID and not without_grid(s.network)
    s.sources.deviation_pu = s.area.deviation_pu
    g.power_w = g.reactive_var = 0.0
    g.voltage_pu = g.x[X_EMF] if g.phase == GENSETS_UP else 0.0
    if s.sources.tied:
        network_solve(s.network_params, s.network, s.sources.load_w, s.sources.load_var, s.sources.storage_w,
                      s.sources.storage_var, s.measured[MEASURED_VOLTAGE].value)
    elif g.position == SWITCH_GENSETS and g.phase == GENSETS_UP:
        solve_behind(s, g.x[X_EMF], p.resistance_pu, p.reactance_pu, p.base_va, &own)
        feed_bus(s, &own)
        g.power_w, g.reactive_var, g.voltage_pu = own.power_w, own.reactive_var, own.bus_voltage_pu
        s.sources.deviation_pu = g.x[X_SPEED]
    else:
        network_apart(s.network)
    if g.phase == GENSETS_UP:
        genset_step(p, g, s.dt)
        if g.position == SWITCH_GENSETS:
            genset_protects(p, g)


cdef inline void forming_turns(Site* s, int64_t tick) noexcept nogil:
    """Which converters form a voltage in this tick, and whether the grid feeds the bus."""
    cdef SourcesState* own = s.sources
    cdef FormingState* f
    cdef double grid_pu = s.network.source_pu / s.network_params.ratio
    cdef double soc
    cdef bint forming = False
    cdef int64_t i
    for i in range(s.bess_count):
        f = &s.forming[i]
        if not s.forming_params[i].forms:
            continue
        soc = s.battery[i].soc + s.faults[i].soc_error
        if f.on:
            if not f.able:
                forming_leaves(f, 0)
            elif soc <= s.pcs_params[i].soc_min and s.converter[i].dc_power_w > 0.0:
                forming_leaves(f, FORMING_EMPTY)
            elif soc >= s.pcs_params[i].soc_max and s.converter[i].dc_power_w < 0.0:
                forming_leaves(f, FORMING_FULL)
        elif f.able and (f.spent == 0 or (own.tied and not own.dead and (
                s.pcs[i].power_w < 0.0 if f.spent == FORMING_EMPTY else s.pcs[i].power_w > 0.0))):
            forming_joins(&s.forming_params[i], f, s.network.bus_voltage_pu, own.angle, own.deviation_pu)
        forming = forming or f.on
    if without_grid(s.network):
        own.tied = 0
    elif not own.tied and (not forming or in_step(own, s.network.bus_voltage_pu, grid_pu, s.area.deviation_pu,
                                                  s.area_params.nominal_hz)):
        own.tied = 1
        for i in range(s.bess_count):
            s.forming[i].angle = wrapped(s.forming[i].angle - own.grid_angle)
        own.grid_angle = 0.0


cdef inline bint solve_sources(Site* s, NetworkState* out) noexcept nogil:
    """The bus fed by all that stand behind their impedances, as by the one source that they amount to; whether there is any.

    Adds up current limits: an impedance is widened until its converter's current is at its limit.
    """
    cdef SourcesState* own = s.sources
    cdef const NetworkParams* n = s.network_params
    cdef const FormingParams* p
    cdef FormingState* f
    cdef double squared
    cdef double g
    cdef double b
    cdef double y_re
    cdef double y_im
    cdef double j_re
    cdef double j_im
    cdef double e_re
    cdef double e_im
    cdef double v_re
    cdef double v_im
    cdef double i_re
    cdef double i_im
    cdef double within
    cdef bint again
    cdef int64_t collapsed = s.network.collapsed_ticks
    cdef int64_t i
    cdef int64_t _turn
    for i in range(s.bess_count):
        s.forming[i].widened = 1.0
    for _turn in range(MOST_PASSES):
        y_re = y_im = j_re = j_im = 0.0
        if own.tied:
            squared = n.resistance_pu * n.resistance_pu + n.reactance_pu * n.reactance_pu
            y_re, y_im = n.resistance_pu / squared, -n.reactance_pu / squared
            j_re, j_im = y_re * s.network.source_pu / n.ratio, y_im * s.network.source_pu / n.ratio
        for i in range(s.bess_count):
            f, p = &s.forming[i], &s.forming_params[i]
            if not f.on:
                continue
            squared = p.resistance_pu * p.resistance_pu + p.reactance_pu * p.reactance_pu
            within = s.converter_params[i].rating_va / (n.base_va * squared * f.widened)
            g, b = within * p.resistance_pu, -within * p.reactance_pu
            f.conductance_pu, f.susceptance_pu = g, b
            e_re, e_im = f.emf_pu * cos(f.angle), f.emf_pu * sin(f.angle)
            y_re += g
            y_im += b
            j_re += g * e_re - b * e_im
            j_im += g * e_im + b * e_re
        squared = y_re * y_re + y_im * y_im
        if squared <= 0.0:
            return False
        e_re, e_im = (j_re * y_re + j_im * y_im) / squared, (j_im * y_re - j_re * y_im) / squared
        s.network.collapsed_ticks = collapsed    # of a tick's passes only the last one counts
        solve_behind(s, sqrt(e_re * e_re + e_im * e_im), y_re / squared, -y_im / squared, n.base_va, out)
        own.angle = atan2(e_im, e_re)
        if out.bus_voltage_pu > 0.0:    # less the angle by which it is ahead of the bus
            i_re = out.power_w / (n.base_va * out.bus_voltage_pu)
            i_im = -out.reactive_var / (n.base_va * out.bus_voltage_pu)
            own.angle -= atan2((-y_im * i_re + y_re * i_im) / squared,
                               out.bus_voltage_pu + (y_re * i_re + y_im * i_im) / squared)
        v_re, v_im = out.bus_voltage_pu * cos(own.angle), out.bus_voltage_pu * sin(own.angle)
        again = False
        for i in range(s.bess_count):
            f, p = &s.forming[i], &s.forming_params[i]
            if not f.on:
                continue
            e_re, e_im = f.emf_pu * cos(f.angle) - v_re, f.emf_pu * sin(f.angle) - v_im
            i_re = f.conductance_pu * e_re - f.susceptance_pu * e_im
            i_im = f.conductance_pu * e_im + f.susceptance_pu * e_re
            f.power_w = n.base_va * (v_re * i_re + v_im * i_im)
            f.reactive_var = n.base_va * (v_im * i_re - v_re * i_im)
            f.current_pu = n.base_va / s.converter_params[i].rating_va * sqrt(i_re * i_re + i_im * i_im)
            if f.current_pu > p.limit_pu * (1.0 + 1e-9):
                f.widened *= f.current_pu / p.limit_pu
                again = True
        if not again:
            break
    return True


cdef inline void grid_feeds(Site* s, const NetworkState* own) noexcept nogil:
    """What comes through the PCC of what the bus gets."""
    cdef const NetworkParams* n = s.network_params
    cdef double squared = n.resistance_pu * n.resistance_pu + n.reactance_pu * n.reactance_pu
    cdef double v_re = own.bus_voltage_pu * cos(s.sources.angle)
    cdef double v_im = own.bus_voltage_pu * sin(s.sources.angle)
    cdef double e_re = s.network.source_pu / n.ratio - v_re
    cdef double i_re = (n.resistance_pu * e_re - n.reactance_pu * v_im) / squared
    cdef double i_im = (-n.resistance_pu * v_im - n.reactance_pu * e_re) / squared
    s.network.bus_voltage_pu = own.bus_voltage_pu
    s.network.load_share = own.load_share
    s.network.storage_share = own.storage_share
    s.network.power_w = n.base_va * (v_re * i_re + v_im * i_im)
    s.network.reactive_var = n.base_va * (v_im * i_re - v_re * i_im)
    network_behind(n, s.network)


cdef inline void forming_runs(Site* s) noexcept nogil:
    """Speeds and angles after a tick; the angles are against the grid's while it feeds the bus, else against the bus's."""
    cdef SourcesState* own = s.sources
    cdef const NetworkParams* n = s.network_params
    cdef FormingState* f
    cdef double weight = 0.0
    cdef double weights
    cdef double speeds
    cdef double target_pu = 0.0
    cdef double slip_pu
    cdef double frame_pu
    cdef double turns = 2.0 * M_PI * s.area_params.nominal_hz
    cdef int64_t i
    weights = 1.0 / sqrt(n.resistance_pu * n.resistance_pu + n.reactance_pu * n.reactance_pu) if own.tied else 0.0
    speeds = weights * s.area.deviation_pu
    for i in range(s.bess_count):
        f = &s.forming[i]
        if not f.on:
            continue
        if not own.tied and not without_grid(s.network):    # the grid is back: come into step
            slip_pu = wrapped(own.grid_angle - own.angle) / (4.0 * turns * max(s.forming_params[i].restore_s, s.dt))
            target_pu = s.area.deviation_pu + max(-0.05 / s.area_params.nominal_hz,
                                                  min(0.05 / s.area_params.nominal_hz, slip_pu))
        forming_speeds(&s.forming_params[i], f, s.pcs[i].power_w / s.converter_params[i].rating_va,
                       s.pcs[i].reactive_var / s.converter_params[i].rating_va, s.converter_params[i].rating_va,
                       own.deviation_pu, target_pu, own.tied, s.dt)
        weight = sqrt(f.conductance_pu * f.conductance_pu + f.susceptance_pu * f.susceptance_pu)
        weights += weight
        speeds += weight * f.speed_pu
    own.deviation_pu = speeds / weights if weights > 0.0 else s.area.deviation_pu
    frame_pu = s.area.deviation_pu if own.tied else own.deviation_pu
    for i in range(s.bess_count):
        if s.forming[i].on:
            s.forming[i].angle = wrapped(s.forming[i].angle + turns * (s.forming[i].speed_pu - frame_pu) * s.dt)
    if not own.tied:
        own.grid_angle = wrapped(own.grid_angle + turns * (s.area.deviation_pu - frame_pu) * s.dt)


cdef inline void forming_network(Site* s, int64_t tick) noexcept nogil:
    cdef NetworkState own
    cdef FormingState* f
    cdef int64_t i
    for i in range(s.bess_count):    # what follows is all that gives powers
        if s.forming_params[i].forms:
            s.sources.storage_w -= s.converter[i].lagged_w
            s.sources.storage_var -= s.converter[i].lagged_var
    forming_turns(s, tick)
    if not solve_sources(s, &own):
        network_apart(s.network)
    elif s.sources.tied:
        grid_feeds(s, &own)
    else:
        feed_bus(s, &own)
    forming_runs(s)
    for i in range(s.bess_count):
        f = &s.forming[i]
        if s.forming_params[i].forms:    # converter_deliver takes it from there
            s.converter[i].lagged_w = s.converter[i].lagged_var = 0.0
            if f.on and s.network.storage_share > 0.0:
                s.converter[i].lagged_w = f.power_w / s.network.storage_share
                s.converter[i].lagged_var = f.reactive_var / s.network.storage_share


cdef inline void own_network(Site* s, int64_t tick) noexcept nogil:
    """Voltages and what is delivered, of a site with sources of its own."""
    cdef bint dead = s.sources.dead
    if s.genset_count > 0:
        genset_network(s, tick)
    else:
        forming_network(s, tick)
    s.sources.frequency_hz = s.area_params.nominal_hz * (1.0 + s.sources.deviation_pu)
    s.sources.dead = s.network.bus_voltage_pu < 0.05
    if s.sources.dead != dead:
        all_due(s, tick + 1)


cdef inline void run_psus(Site* s, int64_t tick) noexcept nogil:
    """What the IT load asks of its feeds, on the voltages of the end of the last tick."""
    cdef const UpsPowerState* ups
    cdef double voltage_pu
    cdef int64_t i
    s.direct_works = s.direct_share * s.psu_feeds[0].works
    for i in range(s.ups_alone_count + 1):
        s.psu_feeds[i].draws = s.psu_feeds[i].works = s.psu_feeds[i].held = 0.0
    for i in range(s.psu_count):
        voltage_pu = s.network.bus_phase_pu[s.psu_params[i].phase]
        if s.psu_params[i].feed > 0:
            ups = &s.ups_power[s.psu_params[i].feed - 1]
            if ups.fed_by != FED_BY_BYPASS:
                voltage_pu = ups.output_voltage_pu
            elif ups.disconnected:
                voltage_pu = 0.0
        psu_step(&s.psu_params[i], &s.psus[i], &s.psu_feeds[s.psu_params[i].feed], voltage_pu)
    s.direct_draws = s.direct_share * s.psu_feeds[0].draws


cdef inline void write_more(Site* s, int64_t tick) noexcept nogil:
    """Channels of breakers, own sources and power supplies."""
    cdef double* out
    cdef double share
    cdef int64_t i
    if s.breaker_count > 0:
        write_breakers(s, tick)
    if s.own_sources > 0:
        out = s.row + s.sources.output
        out[0] = s.sources.frequency_hz
        out[1] = <double>s.sources.tied
    if s.genset_count > 0:
        out = s.row + s.genset_params.output
        out[0] = s.genset.power_w
        out[1] = s.genset.reactive_var
        out[2] = s.genset.voltage_pu
        out[3] = s.area_params.nominal_hz * (1.0 + s.genset.x[X_SPEED]) if s.genset.phase == GENSETS_UP else 0.0
        out[4] = <double>s.genset.phase
        out[5] = <double>s.genset.position
    elif s.own_sources > 0:
        for i in range(s.bess_count):
            if s.forming_params[i].forms:
                out = s.row + s.forming_params[i].output
                out[0] = <double>s.forming[i].on
                out[1] = s.area_params.nominal_hz * (1.0 + s.forming[i].speed_pu) if s.forming[i].on else 0.0
                out[2] = s.forming[i].widened
    if s.psu_count > 0:
        out = s.row + s.psu_params[0].output
        out[0] = out[1] = 0.0
        for i in range(s.ups_alone_count + 1):
            share = s.direct_share if i == 0 else s.ups_power_params[i - 1].share
            out[0] += share * (1.0 - s.psu_feeds[i].works)
            out[1] += share * s.psu_feeds[i].held
