"""One tick of a whole site, from load to row: the order in which the components of the three packages act.

`Site` gathers pointers into the arrays that the engine owns; it lives for one call of `advance` and holds no state itself.
"""

from libc.stdint cimport int64_t

from controllers.kernel.law cimport LawParams, LawState, law_step
from firmware_sim.kernel.pcs cimport PcsParams, PcsState, pcs_command, pcs_step
from hil.kernel.battery cimport BatteryParams, BatteryState, battery_step
from hil.kernel.converter cimport ConverterParams, ConverterState, converter_deliver, converter_lag
from hil.kernel.grid cimport GridParams, GridState, grid_frequency, grid_solve
from hil.kernel.limits cimport BLANK_FREQUENCY, BLANK_VOLTAGE, LimitParams, LimitState, limit_step
from hil.kernel.measure cimport Measurement, measure


cdef enum:
    EVENT_DIP = 0              # value: residual voltage, share of the source voltage
    EVENT_GENERATION_LOSS = 1  # value: W

cdef enum:
    # Where the measurements of the PCC stand; those of the load, one for each BESS, follow.
    MEASURED_POWER = 0
    MEASURED_VOLTAGE = 1
    MEASURED_FREQUENCY = 2
    MEASURED_LOAD = 3

cdef enum:
    SITE_CHANNELS = 9
    BESS_CHANNELS = 14


cdef struct Event:
    int64_t kind
    int64_t start_tick
    int64_t end_tick
    int64_t blank_ticks        # how long after its end the limits it stimulates stay blanked
    double value


cdef struct Command:
    int64_t device
    int64_t point
    double value


cdef struct Site:
    double dt
    double load_tan_phi
    int64_t bess_count
    int64_t limit_count
    int64_t event_count
    int64_t command_count
    GridParams* grid_params
    GridState* grid
    Measurement* measured
    LawParams* law_params
    LawState* law
    PcsParams* pcs_params
    PcsState* pcs
    ConverterParams* converter_params
    ConverterState* converter
    BatteryParams* battery_params
    BatteryState* battery
    LimitParams* limit_params
    LimitState* limits
    Event* events
    Command* commands
    double* arena
    double* row
    int64_t* blank_until
    int64_t next_event_tick


cdef inline void apply_events(Site* s, int64_t tick) noexcept nogil:
    """Work out what the scripted stimuli do now and when the next change is due."""
    cdef int64_t i
    cdef int64_t following = 0x7fffffffffffffff
    cdef Event* e
    cdef double source = s.grid_params.source_pu
    cdef double lost = 0.0
    for i in range(s.event_count):
        e = &s.events[i]
        if e.start_tick <= tick < e.end_tick:
            if e.kind == EVENT_DIP:
                source = source * e.value
            else:
                lost += e.value
        if e.start_tick <= tick:
            if e.kind == EVENT_DIP:
                if s.blank_until[BLANK_VOLTAGE] < e.end_tick + e.blank_ticks:
                    s.blank_until[BLANK_VOLTAGE] = e.end_tick + e.blank_ticks
            elif s.blank_until[BLANK_FREQUENCY] < e.end_tick + e.blank_ticks:
                s.blank_until[BLANK_FREQUENCY] = e.end_tick + e.blank_ticks
        if tick < e.start_tick < following:
            following = e.start_tick
        if tick < e.end_tick < following:
            following = e.end_tick
    s.grid.source_pu = source
    s.grid.lost_generation_w = lost
    s.next_event_tick = following


cdef inline void write_row(Site* s, double demand_w) noexcept nogil:
    cdef double* out = s.row
    cdef int64_t i
    out[0] = demand_w
    out[1] = demand_w * s.grid.load_share
    out[2] = s.grid.power_w
    out[3] = s.grid.reactive_var
    out[4] = s.grid.voltage_pu
    out[5] = s.grid_params.nominal_hz * (1.0 + s.grid.deviation_pu)
    out[6] = s.measured[MEASURED_POWER].value
    out[7] = s.measured[MEASURED_VOLTAGE].value
    out[8] = s.measured[MEASURED_FREQUENCY].value
    out = s.row + SITE_CHANNELS
    for i in range(s.bess_count):
        out[0] = s.converter[i].power_w
        out[1] = s.converter[i].reactive_var
        out[2] = s.converter[i].current_pu
        out[3] = s.pcs[i].bias_w
        out[4] = s.pcs[i].law_w
        out[5] = s.pcs[i].power_w
        out[6] = s.measured[MEASURED_LOAD + i].value
        out[7] = s.battery[i].soc
        out[8] = s.battery[i].voltage_v
        out[9] = s.battery[i].current_a
        out[10] = s.battery[i].power_w
        out[11] = s.battery[i].rc1_v
        out[12] = s.battery[i].rc2_v
        out[13] = s.battery[i].temperature_degc
        out += BESS_CHANNELS


cdef inline void site_tick(Site* s, int64_t tick, double demand_w, bint judged) noexcept nogil:
    cdef int64_t i
    cdef double law_w
    cdef double storage_w = 0.0
    cdef double storage_var = 0.0
    # Firmware: commands of the slow side, fast law on the load as measured at the end of the last tick.
    for i in range(s.command_count):
        pcs_command(&s.pcs[s.commands[i].device], s.commands[i].point, s.commands[i].value, tick)
    s.command_count = 0
    if tick >= s.next_event_tick:
        apply_events(s, tick)
    for i in range(s.bess_count):
        law_w = law_step(&s.law_params[i], &s.law[i], s.measured[MEASURED_LOAD + i].value, tick, s.dt)
        pcs_step(&s.pcs_params[i], &s.pcs[i], law_w, s.measured[MEASURED_VOLTAGE].value, s.battery[i].soc, tick, s.dt)
        converter_lag(&s.converter_params[i], &s.converter[i], s.pcs[i].power_w, s.pcs[i].reactive_var)
        storage_w += s.converter[i].lagged_w
        storage_var += s.converter[i].lagged_var
    # Plant.
    grid_solve(s.grid_params, s.grid, demand_w, demand_w * s.load_tan_phi, storage_w, storage_var,
               s.measured[MEASURED_VOLTAGE].value)
    grid_frequency(s.grid_params, s.grid, s.dt)
    for i in range(s.bess_count):
        converter_deliver(&s.converter_params[i], &s.converter[i], s.grid.storage_share, s.grid.voltage_pu)
        battery_step(&s.battery_params[i], &s.battery[i], s.converter[i].dc_power_w, s.dt)
        measure(&s.measured[MEASURED_LOAD + i], s.arena, demand_w * s.grid.load_share)
    measure(&s.measured[MEASURED_POWER], s.arena, s.grid.power_w)
    measure(&s.measured[MEASURED_VOLTAGE], s.arena, s.grid.voltage_pu)
    measure(&s.measured[MEASURED_FREQUENCY], s.arena, s.grid_params.nominal_hz * (1.0 + s.grid.deviation_pu))
    write_row(s, demand_w)
    if judged:
        for i in range(s.limit_count):
            limit_step(&s.limit_params[i], &s.limits[i], s.arena, s.row, tick, s.blank_until)
