"""One UPS of a site in a tick: its firmware, what it asks of the bus, what it gives; and when the firmware need not be asked.

A unit of a group is stepped by the same functions as a UPS that stands alone, and comes to the same bits.
"""

from libc.math cimport INFINITY
from libc.stdint cimport int64_t

from firmware_sim.kernel.ups cimport (
    MOST_DISTURBANCES, OUTPUT_INVERTER, OUTPUT_OFF, RECTIFIER_OFF, RECTIFIER_ON, RECTIFIER_QUALIFYING, TEST_IN_PROGRESS,
    UpsParams, UpsSeen, UpsState,
)
from firmware_sim.kernel.ups_step cimport ups_step
from hil.kernel.battery cimport BatteryState, battery_step
from hil.kernel.faults cimport Faults
from hil.kernel.site cimport MEASURED_FREQUENCY, METER_BUS, Site
from hil.kernel.ups cimport UpsPowerState, link_pu, ups_battery_w, ups_deliver, ups_request, ups_runtime
from hil.kernel.ups_group cimport UpsRest


cdef enum:
    NEVER = 0x7fffffffffffffff


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


cdef inline int64_t shown_of(const UpsState* u) noexcept nogil:
    """What a group counts of a unit, in one number."""
    return (u.line_ok + 2 * u.latched + 4 * u.low_battery + 8 * u.fault + 16 * u.rectifier + 64 * u.output
            + 256 * u.disturbances)


cdef inline void step_unit(Site* s, int64_t i) noexcept nogil:
    """A whole step of a unit that is not at rest."""
    cdef UpsRest* r = &s.ups_rests[i]
    wake(s, i, s.run.tick)
    run_ups(s, i, s.run.tick, s.ups_totals.it_w)
    rest_or_not(s, i, s.run.tick)
    r.changed = r.shown != shown_of(&s.ups[i]) or r.entries != s.ups[i].log_count
