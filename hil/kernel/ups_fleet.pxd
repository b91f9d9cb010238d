"""The UPSs of a site in a tick: each by itself, and groups of them whose channels show all units together.

A unit of a group is stepped by the same functions as a UPS that stands alone, in the same order, and comes to the same bits.
What a tick of a thousand of them would cost is saved where nothing is lost: the firmware of a unit at rest is not asked, its
runtime is worked out when somebody looks, and a row holds no channels of a unit.
"""

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int64_t

from firmware_sim.kernel.ups cimport (
    MODE_OFF, OUTPUT_BYPASS, OUTPUT_INVERTER, OUTPUT_OFF, RECTIFIER_OFF, RECTIFIER_ON, RECTIFIER_QUALIFYING,
    MOST_DISTURBANCES, TEST_IN_PROGRESS, UpsParams, UpsSeen, UpsState,
)
from firmware_sim.kernel.ups_step cimport ups_on_battery, ups_step
from hil.kernel.battery cimport (
    BatteryMiddle, BatteryParams, BatteryState, battery_current, battery_end, battery_inner, battery_middle, battery_step,
)
from hil.kernel.faults cimport Faults
from hil.kernel.site cimport MEASURED_FREQUENCY, METER_BUS, Site, far
from hil.kernel.ups cimport (
    UpsPowerParams, UpsPowerState, ups_battery_w, link_pu, ups_deliver, ups_request, ups_runtime,
)
from hil.kernel.ups_group cimport UPS_GROUP_CHANNELS, UpsGroupParams, UpsGroupState, UpsRest


cdef enum:
    NEVER = 0x7fffffffffffffff
    BLOCK = 16                 # units whose memory a core keeps at hand


cdef inline void run_ups(Site* s, int64_t i, int64_t tick, double it_demand_w) noexcept nogil:
    """Firmware of a UPS on what was measured at the end of the last tick, and what it then asks of the bus."""
    cdef UpsSeen seen
    cdef UpsState* firmware = &s.ups[i]
    cdef UpsPowerState* power = &s.ups_power[i]
    cdef const Faults* f = &s.faults[s.bess_count + i]
    # A battery that has less than it is rated for is empty, or full, before its firmware knows: its cells are protected.
    cdef bint gives = not f.dead and (s.ups_battery[i].soc > 0.0 or f.soc_error == 0.0)
    cdef bint takes = not f.dead and (s.ups_battery[i].soc < 1.0 or f.soc_error == 0.0)
    seen.lowest_pu = s.meters[METER_BUS].lowest
    seen.highest_pu = s.meters[METER_BUS].highest
    seen.frequency_hz = s.measured[MEASURED_FREQUENCY].value
    seen.soc = s.ups_battery[i].soc + f.soc_error
    seen.temperature_degc = s.ups_battery[i].temperature_degc + f.temperature_k
    seen.rectifier_bad = f.rectifier
    seen.dc_link_pu = power.dc_link_pu
    seen.load_w = power.demand_w
    seen.cut = power.cut
    if power.disconnected:    # its own voltmeter is behind the breaker
        seen.lowest_pu = seen.highest_pu = 0.0
    ups_step(&s.ups_params[i], firmware, &seen, tick, s.dt)
    power.fed_by = firmware.output
    power.charge_w = firmware.charge_w if takes else 0.0
    power.support_w = firmware.support_w if gives else 0.0
    power.battery_on = firmware.battery_on if gives else 0
    ups_request(&s.ups_power_params[i], power, it_demand_w * s.ups_power_params[i].share, s.load_tan_phi,
                firmware.walk_in_share, s.network.bus_voltage_pu, s.network.load_share)


cdef inline void deliver_ups(Site* s, int64_t i) noexcept nogil:
    """DC link, battery and output of a UPS once the network is solved."""
    battery_step(&s.ups_battery_params[i], &s.ups_battery[i],
                 ups_battery_w(&s.ups_power_params[i], &s.ups_power[i], s.network.load_share), s.dt)
    ups_deliver(&s.ups_power_params[i], &s.ups_power[i], s.ups_battery[i].power_w, s.network.bus_voltage_pu,
                s.network.load_share, s.dt)
    s.ups_power[i].dc_link_pu = link_pu(s.ups_power[i].energy_j, s.ups_power_params[i].nominal_j)


cdef inline void show_runtime(Site* s, int64_t i) noexcept nogil:
    ups_runtime(&s.ups_power_params[i], &s.ups_power[i], &s.ups_battery_params[i], &s.ups_battery[i],
                s.faults[s.bess_count + i].soc_error)


# --- Units at rest ---


cdef inline void rest_or_not(Site* s, int64_t i, int64_t tick) noexcept nogil:
    """After the step of a unit: whether the next ones would only count, and until when.

    It stands on the line, or waits for it to be good for long enough, or is latched: then it feeds its load or is off. Nobody
    has ordered anything of it, and nothing of it is broken.
    """
    cdef UpsRest* r = &s.ups_rests[i]
    cdef const UpsParams* p = &s.ups_params[i]
    cdef const UpsState* u = &s.ups[i]
    cdef const Faults* f = &s.faults[s.bess_count + i]
    cdef int64_t expires
    r.resting = 0
    r.wake_at = NEVER
    if not u.line_ok or u.bad_ticks != 0 or u.over_ticks != 0 or u.over_high_ticks != 0 or u.overload or u.hot:
        return
    if u.rectifier == RECTIFIER_QUALIFYING and not u.latched:
        r.wake_at = tick + 1 + (p.qualify_ticks - u.good_ticks)    # good_ticks is then qualify_ticks + 1
    elif not (u.rectifier == RECTIFIER_ON and not u.latched or u.rectifier == RECTIFIER_OFF and u.latched):
        return
    if u.output == OUTPUT_OFF:
        if not (u.latched and u.shutdown and u.operation):
            return
    elif u.output != OUTPUT_INVERTER or u.shutdown:
        return
    if u.operation == 0 or u.bypass or u.eco or u.eco_on or u.fault or u.inverter_bad:
        return
    if u.test_ticks != 0 or u.test == TEST_IN_PROGRESS or u.support_set_w != 0.0 or u.support_w != 0.0:
        return
    if f.dead or f.rectifier or f.temperature_k != 0.0 or f.soc_error != 0.0 or f.soc_drift_per_h != 0.0 or f.capacity != 1.0:
        return
    if u.disturbances > 0 and not u.latched:
        expires = u.disturbed_at[(u.counted - u.disturbances) & (MOST_DISTURBANCES - 1)] + p.counter_ticks + 1
        if expires < r.wake_at:
            r.wake_at = expires
    r.over_w = min(p.overload_pu, p.overload_high_pu) * p.rating_w
    r.soc_above, r.soc_below = -INFINITY, INFINITY
    if u.battery_on:
        r.soc_above = p.shutdown_soc
    else:
        r.soc_below = p.shutdown_soc
    if u.low_battery:
        r.soc_below = min(r.soc_below, p.low_battery_soc)
    else:
        r.soc_above = max(r.soc_above, p.low_battery_soc)
    r.dc_above_pu = p.dc_low_pu if u.output == OUTPUT_INVERTER else -INFINITY
    r.cool_degc = p.over_temperature_degc
    r.recharge_w = u.recharge_w if u.rectifier == RECTIFIER_ON else 0.0
    r.taper = p.recharge_taper
    r.limit_share = u.walk_in_share
    r.since = tick
    r.resting = 1


cdef inline void wake(Site* s, int64_t i, int64_t tick) noexcept nogil:
    """Before a unit's own step, or before somebody looks: count the ticks since the last one."""
    cdef UpsRest* r = &s.ups_rests[i]
    cdef UpsState* u = &s.ups[i]
    cdef int64_t ticks = tick - 1 - r.since
    if not r.resting:
        return
    r.resting = 0
    u.good_ticks += ticks
    u.calm_ticks += ticks
    u.eco_ticks += ticks
    if u.output == OUTPUT_OFF:
        u.off_ticks += ticks
    u.charge_w = s.ups_power[i].charge_w


cdef inline bint stays_at_rest(const UpsRest* r, const UpsPowerState* power, const BatteryState* battery,
                               int64_t tick) noexcept nogil:
    return (r.resting and tick < r.wake_at and power.demand_w <= r.over_w and r.soc_above < battery.soc <= r.soc_below
            and power.dc_link_pu >= r.dc_above_pu and battery.temperature_degc <= r.cool_degc and not power.disconnected)


cdef inline double recharge(const UpsRest* r, double soc) noexcept nogil:
    """What the firmware of a unit at rest lets into its battery."""
    cdef double empty = 1.0 - soc
    if not empty > 0.0 or r.recharge_w == 0.0:
        return 0.0
    return r.recharge_w if empty > r.taper else r.recharge_w * (empty / r.taper)


# --- Groups ---


cdef inline int64_t shown_of(const UpsState* u) noexcept nogil:
    """What a group counts of a unit, in one number."""
    return (u.line_ok + 2 * u.latched + 4 * u.low_battery + 8 * u.fault + 16 * u.rectifier + 64 * u.output
            + 256 * u.disturbances)


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


cdef inline void add_unit(const Site* s, UpsGroupState* g, int64_t i) noexcept nogil:
    cdef const UpsPowerState* power = &s.ups_power[i]
    cdef const BatteryState* battery = &s.ups_battery[i]
    g.input_w += power.input_w
    g.input_var += power.input_var
    g.demand_w += power.demand_w
    g.output_w += power.output_w
    g.output_lowest_pu = min(g.output_lowest_pu, power.output_voltage_pu)
    g.output_highest_pu = max(g.output_highest_pu, power.output_voltage_pu)
    g.battery_w += battery.power_w
    g.soc_lowest = min(g.soc_lowest, battery.soc)
    g.soc_mean += battery.soc * s.ups_battery_params[i].capacity_as
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
            add_unit(s, &s.ups_groups[k], i)
        s.ups_groups[k].soc_mean /= s.ups_group_params[k].capacity_as


cdef inline void run_groups(Site* s, int64_t tick) noexcept nogil:
    """Firmware of all units, and what they ask of the bus, added to the totals of the tick."""
    cdef int64_t k
    cdef int64_t i
    cdef bint good
    cdef bint changed
    cdef UpsGroupState* g
    cdef UpsPowerState* power
    cdef UpsRest* r
    cdef double it_w = s.ups_totals.it_w
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
        for i in range(s.ups_group_params[k].first, s.ups_group_params[k].first + s.ups_group_params[k].count):
            power, r = &s.ups_power[i], &s.ups_rests[i]
            delivered_w += power.output_w
            if good and stays_at_rest(r, power, &s.ups_battery[i], tick):
                power.charge_w = recharge(r, s.ups_battery[i].soc)
                ups_request(&s.ups_power_params[i], power, it_w * s.ups_power_params[i].share, s.load_tan_phi, r.limit_share,
                            s.network.bus_voltage_pu, s.network.load_share)
            else:
                wake(s, i, tick)
                run_ups(s, i, tick, it_w)
                rest_or_not(s, i, tick)
                if r.shown != shown_of(&s.ups[i]) or r.entries != s.ups[i].log_count:
                    changed = True
            demand_w += power.request_w
            demand_var += power.request_var
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
        add_unit(s, sums, first + i)


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
