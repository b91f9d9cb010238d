"""Groups of UPSs in a tick: channels that show all units together, and steps that take units side by side.

What a tick of a thousand of them would cost is saved where nothing is lost: the firmware of a unit at rest is not asked, the
long chains of many batteries overlap, a runtime is worked out when somebody looks, and a row has no channels of a unit.
"""

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int64_t

from firmware_sim.kernel.ups cimport OUTPUT_BYPASS, OUTPUT_OFF, RECTIFIER_ON, UpsParams, UpsState
from firmware_sim.kernel.ups_step cimport ups_on_battery
from hil.kernel.battery cimport (
    BatteryMiddle, BatteryParams, BatteryState, battery_current, battery_end, battery_inner, battery_middle,
)
from hil.kernel.site cimport MEASURED_FREQUENCY, METER_BUS, Site, far
from hil.kernel.ups cimport UpsPowerParams, UpsPowerState, link_pu, ups_battery_w, ups_deliver, ups_request
from hil.kernel.ups_group cimport UPS_GROUP_CHANNELS, UpsGroupParams, UpsGroupState, UpsRest
from hil.kernel.ups_unit cimport recharge, show_runtime, shown_of, stays_at_rest, step_unit, wake


cdef enum:
    BLOCK = 16                 # units whose memory a core keeps at hand


cdef inline void count_group(Site* s, int64_t k) noexcept nogil:
    """How many units of a group are how, after something has changed."""
    cdef UpsGroupState* g = &s.ups_groups[k]
    cdef const UpsState* u
    cdef int64_t i
    g.line_ok = g.on_line = g.on_battery = g.on_bypass = g.off = g.latched = g.low_battery = g.fault = 0
    g.disturbances = g.transfers = g.entries = g.reversions = 0
    for i in range(s.ups_group_params[k].first, s.ups_group_params[k].first + s.ups_group_params[k].count):
        u = &s.ups[i]
        g.line_ok += u.line_ok
        g.on_line += u.rectifier == RECTIFIER_ON
        g.on_battery += ups_on_battery(u)
        g.on_bypass += u.output == OUTPUT_BYPASS
        g.off += u.output == OUTPUT_OFF
        g.latched += u.latched
        g.low_battery += u.low_battery
        g.fault += u.fault
        g.disturbances += u.disturbances
        g.transfers += u.transfers
        g.entries += u.log_count
        g.reversions += u.support_reversions
        s.ups_rests[i].shown = shown_of(u)
        s.ups_rests[i].entries = u.log_count


cdef inline void clear_sums(UpsGroupState* g) noexcept nogil:
    g.input_w = g.input_var = g.demand_w = g.output_w = g.battery_w = g.soc_mean = g.support_w = 0.0
    g.output_lowest_pu = g.soc_lowest = g.dc_link_lowest_pu = INFINITY
    g.output_highest_pu = g.temperature_highest_degc = -INFINITY


cdef inline void add_unit(UpsGroupState* g, const UpsPowerState* power, const BatteryState* battery,
                          double capacity_as) noexcept nogil:
    g.input_w += power.input_w
    g.input_var += power.input_var
    g.demand_w += power.demand_w
    g.output_w += power.output_w
    g.output_lowest_pu = min(g.output_lowest_pu, power.output_voltage_pu)
    g.output_highest_pu = max(g.output_highest_pu, power.output_voltage_pu)
    g.battery_w += battery.power_w
    g.soc_lowest = min(g.soc_lowest, battery.soc)
    g.soc_mean += battery.soc * capacity_as
    g.dc_link_lowest_pu = min(g.dc_link_lowest_pu, power.dc_link_pu)
    g.support_w += power.support_w
    g.temperature_highest_degc = max(g.temperature_highest_degc, battery.temperature_degc)


cdef inline void begin_groups(Site* s, int64_t tick) noexcept nogil:
    """Before a stretch of ticks, in which nobody but the tick changes anything: count anew, and nobody rests yet."""
    cdef int64_t k
    cdef int64_t i
    cdef const UpsGroupParams* p
    cdef UpsGroupState* g
    cdef const UpsParams* u
    for k in range(s.ups_group_count):
        p, g = &s.ups_group_params[k], &s.ups_groups[k]
        count_group(s, k)
        g.low_pu = g.low_hz = -INFINITY
        g.high_pu = g.high_hz = INFINITY
        for i in range(p.first, p.first + p.count):
            s.ups_rests[i].resting = 0
            u = &s.ups_params[i]
            g.low_pu = max(g.low_pu, max(u.input_low_pu, max(u.bypass_low_pu, u.recharge_above_pu)))
            g.high_pu = min(g.high_pu, min(u.input_high_pu, u.bypass_high_pu))
            # Narrower than what the firmware compares, by more than it rounds.
            g.low_hz = max(g.low_hz, u.nominal_hz - (1.0 - 1e-9) * min(u.input_hz, u.bypass_hz))
            g.high_hz = min(g.high_hz, u.nominal_hz + (1.0 - 1e-9) * min(u.input_hz, u.bypass_hz))


cdef inline void show_groups(Site* s, int64_t tick) noexcept nogil:
    """After a stretch of ticks: every unit as if it had been stepped in each of them."""
    cdef int64_t i
    for i in range(s.ups_alone_count, s.ups_count):
        wake(s, i, tick)
        show_runtime(s, i)


cdef inline void sum_groups(Site* s, int64_t tick) noexcept nogil:
    """What the channels show, of the arrays as they are."""
    cdef int64_t k
    cdef int64_t i
    begin_groups(s, tick)
    for k in range(s.ups_group_count):
        clear_sums(&s.ups_groups[k])
        for i in range(s.ups_group_params[k].first, s.ups_group_params[k].first + s.ups_group_params[k].count):
            add_unit(&s.ups_groups[k], &s.ups_power[i], &s.ups_battery[i], s.ups_battery_params[i].capacity_as)
        s.ups_groups[k].soc_mean /= s.ups_group_params[k].capacity_as


cdef inline void run_groups(Site* s, int64_t tick) noexcept nogil:
    """Firmware of all units, and what they ask of the bus, added to the totals of the tick."""
    cdef int64_t k
    cdef int64_t i
    cdef int64_t end
    cdef bint good
    cdef bint changed
    cdef const UpsGroupState* g
    cdef UpsRest* rests = s.ups_rests
    cdef UpsPowerState* power = s.ups_power
    cdef const UpsPowerParams* params = s.ups_power_params
    cdef const BatteryState* battery = s.ups_battery
    cdef double it_w = s.ups_totals.it_w
    cdef double tan_phi = s.load_tan_phi
    cdef double bus_pu = s.network.bus_voltage_pu
    cdef double load_share = s.network.load_share
    cdef double delivered_w = s.ups_totals.delivered_w
    cdef double demand_w = s.ups_totals.demand_w
    cdef double demand_var = s.ups_totals.demand_var
    cdef double lowest_pu = s.meters[METER_BUS].lowest
    cdef double highest_pu = s.meters[METER_BUS].highest
    cdef double hz = s.measured[MEASURED_FREQUENCY].value
    for k in range(s.ups_group_count):
        g = &s.ups_groups[k]
        changed = False
        good = lowest_pu >= g.low_pu and highest_pu <= g.high_pu and g.low_hz <= hz <= g.high_hz
        end = s.ups_group_params[k].first + s.ups_group_params[k].count
        for i in range(s.ups_group_params[k].first, end):
            delivered_w += power[i].output_w
            if good and stays_at_rest(&rests[i], &power[i], &battery[i], tick):
                power[i].charge_w = recharge(&rests[i], battery[i].soc)
                ups_request(&params[i], &power[i], it_w * params[i].share, tan_phi, rests[i].limit_share, bus_pu, load_share)
            else:
                far(step_unit)(s, i)
                if rests[i].changed:
                    changed = True
            demand_w += power[i].request_w
            demand_var += power[i].request_var
        if changed:
            far(count_group)(s, k)
    s.ups_totals.delivered_w = delivered_w
    s.ups_totals.demand_w = demand_w
    s.ups_totals.demand_var = demand_var


cdef inline void show_sums(const UpsGroupState* sums, UpsGroupState* g) noexcept nogil:
    g.input_w, g.input_var, g.demand_w, g.output_w = sums.input_w, sums.input_var, sums.demand_w, sums.output_w
    g.output_lowest_pu, g.output_highest_pu = sums.output_lowest_pu, sums.output_highest_pu
    g.battery_w, g.soc_lowest, g.soc_mean = sums.battery_w, sums.soc_lowest, sums.soc_mean
    g.dc_link_lowest_pu, g.support_w = sums.dc_link_lowest_pu, sums.support_w
    g.temperature_highest_degc = sums.temperature_highest_degc


cdef inline void currents(const double* r0_ohm, const double* inner_v, const double* power_w, double* out,
                          int64_t count) noexcept nogil:
    """What `battery_current` says of each, without a branch between them, so that a processor takes several at once."""
    cdef int64_t i
    cdef double disc
    for i in range(count):
        disc = inner_v[i] * inner_v[i] - 4.0 * r0_ohm[i] * power_w[i]
        out[i] = 2.0 * power_w[i] / (inner_v[i] + sqrt(disc if disc > 0.0 else 0.0))
    for i in range(count):
        if inner_v[i] * inner_v[i] - 4.0 * r0_ohm[i] * power_w[i] < 0.0:
            out[i] = battery_current(r0_ohm[i], inner_v[i], power_w[i])


cdef inline void deliver_block(Site* s, UpsGroupState* sums, int64_t first, int64_t count) noexcept nogil:
    """What `deliver_ups` does, for units that stand behind each other, step by step: so their long chains overlap."""
    cdef BatteryMiddle middle[BLOCK]
    cdef double r0_ohm[BLOCK]
    cdef double per_ampere[BLOCK]
    cdef double power_w[BLOCK]
    cdef double inner_v[BLOCK]
    cdef double current_a[BLOCK]
    cdef int64_t i
    cdef const UpsPowerParams* params = &s.ups_power_params[first]
    cdef UpsPowerState* power = &s.ups_power[first]
    cdef const BatteryParams* cells = &s.ups_battery_params[first]
    cdef BatteryState* battery = &s.ups_battery[first]
    cdef double voltage_pu = s.network.bus_voltage_pu
    cdef double load_share = s.network.load_share
    cdef double dt = s.dt
    for i in range(count):
        power_w[i] = ups_battery_w(&params[i], &power[i], load_share)
        r0_ohm[i] = cells[i].r0_ohm * battery[i].resistance_factor
        per_ampere[i] = cells[i].capacity_as * battery[i].capacity_share
        inner_v[i] = battery_inner(&cells[i], &battery[i])
    for i in range(count):
        per_ampere[i] = dt / per_ampere[i]
    currents(r0_ohm, inner_v, power_w, current_a, count)
    for i in range(count):
        battery_middle(&cells[i], &battery[i], &middle[i], per_ampere[i], current_a[i])
        inner_v[i] = middle[i].inner_v
    currents(r0_ohm, inner_v, power_w, current_a, count)
    for i in range(count):
        battery_end(&cells[i], &battery[i], &middle[i], r0_ohm[i], per_ampere[i], power_w[i], current_a[i])
        ups_deliver(&params[i], &power[i], battery[i].power_w, voltage_pu, load_share, dt)
        inner_v[i] = power[i].energy_j
        current_a[i] = params[i].nominal_j
    for i in range(count):
        current_a[i] = link_pu(inner_v[i], current_a[i])
    for i in range(count):
        power[i].dc_link_pu = current_a[i]
        add_unit(sums, &power[i], &battery[i], cells[i].capacity_as)


cdef inline void deliver_groups(Site* s, int64_t tick) noexcept nogil:
    """What all units give once the network is solved, and what their groups show of it."""
    cdef int64_t k
    cdef int64_t i
    cdef int64_t end
    cdef UpsGroupState sums
    for k in range(s.ups_group_count):
        clear_sums(&sums)
        i = s.ups_group_params[k].first
        end = i + s.ups_group_params[k].count
        while i < end:
            deliver_block(s, &sums, i, min(end - i, <int64_t>BLOCK))
            i += BLOCK
        sums.soc_mean /= s.ups_group_params[k].capacity_as
        show_sums(&sums, &s.ups_groups[k])


cdef inline void write_groups(Site* s, int64_t at) noexcept nogil:
    """The channels of all groups, from a place of the row on, in the order of their names in layout.pyx."""
    cdef double* out = s.row + at
    cdef int64_t k
    cdef const UpsGroupState* g
    for k in range(s.ups_group_count):
        g = &s.ups_groups[k]
        out[0] = g.input_w
        out[1] = g.input_var
        out[2] = g.demand_w
        out[3] = g.output_w
        out[4] = g.output_lowest_pu
        out[5] = g.output_highest_pu
        out[6] = g.battery_w
        out[7] = g.soc_lowest
        out[8] = g.soc_mean
        out[9] = g.dc_link_lowest_pu
        out[10] = g.support_w
        out[11] = g.temperature_highest_degc
        out[12] = <double>g.line_ok
        out[13] = <double>g.on_line
        out[14] = <double>g.on_battery
        out[15] = <double>g.on_bypass
        out[16] = <double>g.off
        out[17] = <double>g.latched
        out[18] = <double>g.low_battery
        out[19] = <double>g.fault
        out[20] = <double>g.disturbances
        out[21] = <double>g.transfers
        out += UPS_GROUP_CHANNELS
