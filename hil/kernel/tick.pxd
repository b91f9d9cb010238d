"""One tick of a whole site, from load to row: the order in which the components of the three packages act.

Its row is judged after that: batches.pxd.
"""

from libc.stdint cimport int64_t

from controllers.kernel.law cimport (
    LAW_RAMP_LIMIT, PLACED_DEVICE, RIDETHROUGH_LAW_VERSION, law_due, law_step, signals_t,
)
from firmware_sim.kernel.pcs cimport pcs_step
from firmware_sim.kernel.ups_step cimport ups_on_battery
from hil.kernel.area cimport area_step
from hil.kernel.battery cimport battery_step
from hil.kernel.converter cimport converter_deliver, converter_lag
from hil.kernel.cooling cimport cooling_step
from hil.kernel.events cimport apply_events
from hil.kernel.islands cimport all_due, own_network, run_psus, write_more
from hil.kernel.measure cimport measure, measure_phases
from hil.kernel.meter cimport meter_step
from hil.kernel.network cimport APART_OUTAGE, NetworkState, network_apart, network_solve
from hil.kernel.sequences cimport sequence_step
from hil.kernel.site cimport (
    MEASURED_FREQUENCY, MEASURED_LOAD, MEASURED_POWER, MEASURED_VOLTAGE, METER_BUS, METER_PCC, Site, far,
)
from hil.kernel.supervision cimport supervise
from hil.kernel.ups_fleet cimport deliver_groups, run_groups, write_groups
from hil.kernel.ups_unit cimport deliver_ups, run_ups, show_runtime


cdef inline void write_row(Site* s, double demand_w) noexcept nogil:
    """The channels, in the order of their names in layout.pyx."""
    cdef double* out = s.row
    cdef int64_t i
    cdef const NetworkState* n = s.network
    out[0] = demand_w
    out[1] = demand_w * n.load_share
    out[2] = s.cooling.power_w
    out[3] = n.power_w
    out[4] = n.reactive_var
    out[5] = n.voltage_pu
    out[6] = n.phase_pu[0]
    out[7] = n.phase_pu[1]
    out[8] = n.phase_pu[2]
    out[9] = s.area_params.nominal_hz * (1.0 + s.area.deviation_pu)
    out[10] = n.bus_voltage_pu
    out[11] = n.bus_phase_pu[0]
    out[12] = n.bus_phase_pu[1]
    out[13] = n.bus_phase_pu[2]
    out[14] = s.measured[MEASURED_POWER].value
    out[15] = s.meters[METER_PCC].lowest
    out[16] = s.meters[METER_PCC].highest
    out[17] = s.measured[MEASURED_FREQUENCY].value
    out[18] = s.meters[METER_BUS].lowest
    out[19] = s.meters[METER_BUS].highest
    out[20] = s.measured[MEASURED_VOLTAGE].value
    out += 21
    for i in range(s.bess_count):
        out[0] = s.converter[i].power_w
        out[1] = s.converter[i].reactive_var
        out[2] = s.converter[i].current_pu
        out[3] = s.pcs[i].bias_w
        out[4] = s.law[i].output_w
        out[5] = s.pcs[i].power_w
        out[6] = s.measured[MEASURED_LOAD + i].value
        out[7] = s.battery[i].soc
        out[8] = s.battery[i].voltage_v
        out[9] = s.battery[i].current_a
        out[10] = s.battery[i].power_w
        out[11] = s.battery[i].rc1_v
        out[12] = s.battery[i].rc2_v
        out[13] = s.battery[i].temperature_degc
        out += 14
    for i in range(s.ups_alone_count):
        out[0] = s.ups_power[i].input_w
        out[1] = s.ups_power[i].input_var
        out[2] = s.ups_power[i].demand_w
        out[3] = s.ups_power[i].output_w
        out[4] = s.ups_power[i].output_voltage_pu
        out[5] = s.ups_battery[i].power_w
        out[6] = s.ups_battery[i].voltage_v
        out[7] = s.ups_battery[i].current_a
        out[8] = s.ups_battery[i].soc
        out[9] = s.ups_power[i].dc_link_pu
        out[10] = <double>s.ups[i].mode
        out[11] = <double>s.ups[i].rectifier
        out[12] = s.ups[i].walk_in_share
        out[13] = <double>s.ups[i].disturbances
        out[14] = <double>s.ups[i].latched
        out[15] = <double>s.ups[i].low_battery
        out[16] = s.ups_power[i].support_w
        out[17] = s.ups_power[i].runtime_s
        out[18] = <double>s.ups[i].line_ok
        out[19] = s.ups_battery[i].temperature_degc
        out[20] = <double>ups_on_battery(&s.ups[i])
        out += 21
    if s.ups_group_count > 0:
        far(write_groups)(s, 21 + 14 * s.bess_count + 21 * s.ups_alone_count)
    if s.more_channels:
        far(write_more)(s, 0)


cdef inline void run_law(Site* s, int64_t i, int64_t tick, bint judged) noexcept nogil:
    cdef signals_t given
    given.load_w = s.measured[MEASURED_LOAD + i].value
    if s.law_params[i].kind != LAW_RAMP_LIMIT:
        given.struct_size = sizeof(signals_t)
        given.version = RIDETHROUGH_LAW_VERSION
        given.tick = tick
        given.time_s = <double>tick * s.dt
        given.voltage_pu = s.measured[MEASURED_VOLTAGE].value
        given.frequency_hz = s.measured[MEASURED_FREQUENCY].value
        given.power_w = s.converter[i].power_w
        given.setpoint_w = s.pcs[i].bias_w
        given.soc = s.battery[i].soc + s.faults[i].soc_error
        given.rating_va = s.pcs_params[i].rating_va
        given.charge_max_w = s.pcs_params[i].charge_max_w
        given.discharge_max_w = s.pcs_params[i].discharge_max_w
    law_step(&s.law_params[i], &s.law[i], &s.user_laws[i], &given, s.dt, judged)


cdef inline double site_demand(const Site* s, double it_demand_w) noexcept nogil:
    """What IT load, UPSs and cooling ask of the bus."""
    cdef double demand_w = it_demand_w * s.direct_share
    cdef int64_t i
    for i in range(s.ups_count):
        demand_w += s.ups_power[i].request_w
    return demand_w + s.cooling.power_w


cdef inline void read_meters(Site* s, int64_t tick) noexcept nogil:
    """Revenue meters at the PCC."""
    cdef int64_t i
    for i in range(s.revenue_meter_count):
        meter_step(&s.revenue_meters[i], s.arena, s.network, s.measured[MEASURED_POWER].value, s.dt)


cdef inline double site_tick(Site* s, int64_t tick, double it_demand_w, bint judged) noexcept nogil:
    """Run tick `tick` up to its row; returns what load, UPSs and cooling ask of the bus, W."""
    cdef int64_t i
    cdef double law_w
    cdef double demand_w
    cdef double demand_var
    cdef double delivered_w
    cdef double storage_w = 0.0
    cdef double storage_var = 0.0
    cdef double seen_pu = s.measured[MEASURED_VOLTAGE].value
    cdef double frequency_hz
    cdef int64_t apart
    # Scripted stimuli.
    if tick >= s.run.next_event_tick:
        apart = s.network.disconnected
        s.run.next_event_tick = apply_events(s.events, s.event_count, s.stimuli, s.network_params, s.network, s.area,
                                             s.blank_until, tick)
        if (s.network.disconnected ^ apart) & APART_OUTAGE:
            far(all_due)(s, tick)
    if tick >= s.run.due_tick:
        far(supervise)(s, tick)
    if s.psu_count > 0:
        far(run_psus)(s, tick)
    demand_w = it_demand_w * s.direct_draws
    demand_var = demand_w * s.load_tan_phi
    delivered_w = s.run.it_demand_w * s.direct_works * s.network.load_share    # of the last tick
    # Fast laws and firmware, on what was measured at the end of the last tick.
    for i in range(s.bess_count):
        if law_due(&s.law_params[i], tick):
            run_law(s, i, tick, judged)
        law_w = s.law[i].output_w if s.law_params[i].placement == PLACED_DEVICE else 0.0
        pcs_step(&s.pcs_params[i], &s.pcs[i], law_w, seen_pu, s.battery[i].soc + s.faults[i].soc_error, s.dt)
        converter_lag(&s.converter_params[i], &s.converter[i], s.pcs[i].power_w, s.pcs[i].reactive_var)
        storage_w += s.converter[i].lagged_w
        storage_var += s.converter[i].lagged_var
    for i in range(s.ups_alone_count):
        delivered_w += s.ups_power[i].output_w
        run_ups(s, i, tick, it_demand_w * s.psu_feeds[1 + i].draws if s.psu_count > 0 else it_demand_w)
        demand_w += s.ups_power[i].request_w
        demand_var += s.ups_power[i].request_var
    if s.ups_group_count > 0:
        s.ups_totals.it_w, s.ups_totals.delivered_w = it_demand_w, delivered_w
        s.ups_totals.demand_w, s.ups_totals.demand_var = demand_w, demand_var
        far(run_groups)(s, tick)
        delivered_w, demand_w, demand_var = s.ups_totals.delivered_w, s.ups_totals.demand_w, s.ups_totals.demand_var
    # Plant.
    if s.cooling_params.present:
        cooling_step(s.cooling_params, s.cooling, delivered_w, seen_pu)
        demand_w += s.cooling.power_w
        demand_var += s.cooling.power_w * s.cooling_params.tan_phi
    if not s.network.disconnected:
        network_solve(s.network_params, s.network, demand_w, demand_var, storage_w, storage_var, seen_pu)
    elif s.own_sources > 0:
        s.sources.load_w, s.sources.load_var = demand_w, demand_var
        s.sources.storage_w, s.sources.storage_var = storage_w, storage_var
        far(own_network)(s, tick)
    else:
        network_apart(s.network)
    area_step(s.area_params, s.area, s.network.power_w, s.dt)
    for i in range(s.bess_count):
        converter_deliver(&s.converter_params[i], &s.converter[i], s.network.storage_share, s.network.bus_voltage_pu)
        battery_step(&s.battery_params[i], &s.battery[i], s.converter[i].dc_power_w, s.dt)
        measure(&s.measured[MEASURED_LOAD + i], s.arena, demand_w * s.network.load_share)
    for i in range(s.ups_alone_count):
        deliver_ups(s, i)
        show_runtime(s, i)
    if s.ups_group_count > 0:
        far(deliver_groups)(s, tick)
    measure(&s.measured[MEASURED_POWER], s.arena, s.network.power_w)
    measure(&s.measured[MEASURED_VOLTAGE], s.arena, s.network.bus_voltage_pu)
    frequency_hz = s.area_params.nominal_hz * (1.0 + s.area.deviation_pu)
    if s.own_sources > 0:
        frequency_hz = s.sources.frequency_hz
    measure(&s.measured[MEASURED_FREQUENCY], s.arena, frequency_hz)
    measure_phases(&s.meters[METER_PCC], s.arena, s.network.phase_pu)
    measure_phases(&s.meters[METER_BUS], s.arena, s.network.bus_phase_pu)
    if s.revenue_meter_count > 0:
        far(read_meters)(s, tick)
    write_row(s, demand_w)
    for i in range(s.sequence_count):
        sequence_step(&s.sequences[i], s.arena, s.network, s.row)
    s.run.it_demand_w = it_demand_w
    return demand_w
