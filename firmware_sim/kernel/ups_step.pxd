"""Firmware of an emulated double-conversion UPS, one tick of it.

Line qualification, disturbance counter, test of the battery, rectifier walk-in, recharge and grid support, choice of what
feeds the output. Equations: docs/model.md, "UPS".
"""

from libc.math cimport fabs
from libc.stdint cimport int64_t

from firmware_sim.kernel.ups cimport (
    MODE_BATTERY, MODE_ECO, MODE_TEST, MOST_DISTURBANCES, OUTPUT_BYPASS, OUTPUT_INVERTER, OUTPUT_OFF, RECTIFIER_OFF,
    RECTIFIER_ON, RECTIFIER_QUALIFYING, RECTIFIER_WALK_IN, TEST_ABORTED, TEST_FAILED, TEST_IN_PROGRESS, TEST_PASSED,
    UPS_LOGGED_FAULT, UPS_LOGGED_LATCHED, UPS_LOGGED_LOW_BATTERY, UPS_LOGGED_MODE, UPS_LOGGED_SHUTDOWN,
    UPS_LOGGED_SUPPORT_REVERTED, UPS_LOGGED_TEST_ABORTED, UPS_LOGGED_TEST_FAILED, UPS_LOGGED_TEST_PASSED, UpsParams, UpsSeen,
    UpsState, ups_logged,
)


cdef inline void ups_disturbed(const UpsParams* p, UpsState* s, int64_t tick) noexcept nogil:
    """The line has left its window: count it, and latch where it is one too many."""
    s.disturbances_total += 1
    if not s.counter or s.latched:
        return
    s.disturbed_at[s.counted & (MOST_DISTURBANCES - 1)] = tick
    s.counted += 1
    s.disturbances += 1
    if s.disturbances >= p.counter_disturbances:
        s.latched = 1
        ups_logged(s, UPS_LOGGED_LATCHED, tick)


cdef inline void ups_line(const UpsParams* p, UpsState* s, const UpsSeen* seen, int64_t tick) noexcept nogil:
    cdef int64_t oldest = s.counted - s.disturbances
    if s.disturbances > 0 and not s.latched and tick - s.disturbed_at[oldest & (MOST_DISTURBANCES - 1)] > p.counter_ticks:
        s.disturbances -= 1
    if (seen.lowest_pu >= p.input_low_pu and seen.highest_pu <= p.input_high_pu
            and fabs(seen.frequency_hz - p.nominal_hz) <= p.input_hz):
        s.bad_ticks = 0
        s.good_ticks += 1
        s.line_ok = 1
        return
    s.good_ticks = 0
    s.bad_ticks += 1
    if s.line_ok and s.bad_ticks > p.transfer_ticks:
        s.line_ok = 0
        ups_disturbed(p, s, tick)


cdef inline void ups_test_ends(UpsState* s, int64_t result, int64_t tick) noexcept nogil:
    s.test = result
    if result == TEST_ABORTED:
        ups_logged(s, UPS_LOGGED_TEST_ABORTED, tick)
    else:
        ups_logged(s, UPS_LOGGED_TEST_PASSED if result == TEST_PASSED else UPS_LOGGED_TEST_FAILED, tick)


cdef inline void ups_test(UpsState* s, int64_t tick) noexcept nogil:
    """Begin and end a test of the battery: the rectifier gives way to it, as long as nothing goes wrong."""
    cdef int64_t ordered = s.test_ticks
    s.test_ticks = 0
    if s.test == TEST_IN_PROGRESS:
        if ordered < 0 or not s.line_ok or s.operation == 0 or s.bypass or s.inverter_bad or s.fault:
            ups_test_ends(s, TEST_ABORTED, tick)
        elif s.output != OUTPUT_INVERTER and s.over_ticks > 0:    # given up for the load's sake, not the battery's
            ups_test_ends(s, TEST_ABORTED, tick)
        elif s.output != OUTPUT_INVERTER or s.low_battery:
            ups_test_ends(s, TEST_FAILED, tick)
        elif tick >= s.test_until:
            ups_test_ends(s, TEST_PASSED, tick)
    elif ordered > 0:
        if (s.rectifier == RECTIFIER_ON and s.battery_on and not s.low_battery and s.line_ok and not s.bypass
                and not s.inverter_bad and not s.fault and (s.output == OUTPUT_INVERTER or s.mode == MODE_ECO)):
            s.test = TEST_IN_PROGRESS
            s.test_until = tick + ordered
        else:
            ups_test_ends(s, TEST_ABORTED, tick)


cdef inline void ups_rectifier(const UpsParams* p, UpsState* s, const UpsSeen* seen, double dt) noexcept nogil:
    if not s.line_ok or s.latched or s.test == TEST_IN_PROGRESS or seen.rectifier_bad:
        s.rectifier = RECTIFIER_OFF
        s.walk_in_share = 0.0
        s.carries = 0
        return
    if s.rectifier == RECTIFIER_ON:
        return
    if s.rectifier == RECTIFIER_WALK_IN:
        if s.walk_in_share > 0.0 and not seen.cut and s.output == OUTPUT_INVERTER:
            s.carries = 1
    elif s.good_ticks > p.qualify_ticks:
        s.rectifier = RECTIFIER_WALK_IN
        s.waited_ticks = 0
        s.walk_in_share = 0.0
        s.carries = 0
    else:
        s.rectifier = RECTIFIER_QUALIFYING
        return
    if <double>s.waited_ticks * dt < s.walk_in_delay_s - 0.5 * dt and s.walk_in_share == 0.0:
        s.waited_ticks += 1
        return
    s.walk_in_share += dt / s.walk_in_s if s.walk_in_s > dt else 1.0
    if s.walk_in_share > 1.0 - 1e-9:    # the sum of equal steps may miss 1 by its rounding
        s.walk_in_share = 1.0
        s.rectifier = RECTIFIER_ON


cdef inline void ups_battery_orders(const UpsParams* p, UpsState* s, const UpsSeen* seen, int64_t tick,
                                    double dt) noexcept nogil:
    """What the battery may take and give, and the alarm."""
    cdef double empty = 1.0 - seen.soc
    if s.support_set_w > 0.0 and s.support_s > 0.0 and <double>(tick - s.support_set_at) * dt >= s.support_s - 0.5 * dt:
        s.support_set_w = 0.0
        s.support_reversions += 1
        ups_logged(s, UPS_LOGGED_SUPPORT_REVERTED, tick)
    s.support_w = 0.0
    s.charge_w = 0.0
    s.battery_on = 1 if seen.soc > p.shutdown_soc else 0
    s.hot = seen.temperature_degc > p.over_temperature_degc
    if s.rectifier == RECTIFIER_ON:
        if s.support_set_w > 0.0:    # no recharge meanwhile: at the reserve it would lift the SoC again, and so on
            if s.output == OUTPUT_INVERTER and seen.soc > p.support_reserve_soc:
                s.support_w = s.support_set_w
        elif empty > 0.0 and not s.hot and seen.lowest_pu >= p.recharge_above_pu:
            s.charge_w = s.recharge_w if empty > p.recharge_taper else s.recharge_w * (empty / p.recharge_taper)
    if seen.soc > p.low_battery_soc:
        s.low_battery = 0
    elif not s.low_battery:
        s.low_battery = 1
        ups_logged(s, UPS_LOGGED_LOW_BATTERY, tick)


cdef inline void ups_output(const UpsParams* p, UpsState* s, const UpsSeen* seen, int64_t tick) noexcept nogil:
    """What feeds the output from now on."""
    cdef bint in_window = (seen.lowest_pu >= p.bypass_low_pu and seen.highest_pu <= p.bypass_high_pu
                           and fabs(seen.frequency_hz - p.nominal_hz) <= p.bypass_hz)
    cdef bint to_bypass = in_window and not s.latched    # of its own accord
    cdef bint source = s.rectifier == RECTIFIER_ON or (s.battery_on and not s.shutdown)
    cdef bint startable = source and seen.dc_link_pu >= p.dc_start_pu and not s.inverter_bad and not s.fault
    s.over_ticks = s.over_ticks + 1 if seen.load_w > p.overload_pu * p.rating_w else 0
    s.over_high_ticks = s.over_high_ticks + 1 if seen.load_w > p.overload_high_pu * p.rating_w else 0
    s.overload = s.over_ticks > 0
    s.calm_ticks = 0 if s.over_ticks else s.calm_ticks + 1
    s.eco_ticks = s.eco_ticks + 1 if in_window else 0
    s.eco_on = (s.eco and s.eco_ticks > p.bypass_return_ticks and s.rectifier == RECTIFIER_ON and not s.latched
                and not s.fault)
    if s.inverter_bad and not s.fault:
        s.fault = 1
        ups_logged(s, UPS_LOGGED_FAULT, tick)
        s.eco_on = 0
    if s.rectifier == RECTIFIER_ON:
        s.shutdown = 0
    if s.operation == 0:
        s.output = OUTPUT_OFF
        s.off_ticks = p.interruption_ticks
    elif s.output == OUTPUT_OFF:
        s.over_ticks = 0
        s.over_high_ticks = 0
        s.off_ticks += 1
        if s.off_ticks > p.interruption_ticks:
            if s.bypass and in_window:
                s.output = OUTPUT_BYPASS
            elif startable:
                s.output = OUTPUT_INVERTER
            elif to_bypass and not s.shutdown:
                s.output = OUTPUT_BYPASS
    elif s.output == OUTPUT_BYPASS:
        if (not s.bypass and not s.eco_on and startable
                and (s.calm_ticks > p.bypass_return_ticks or s.mode == MODE_ECO)):
            s.output = OUTPUT_INVERTER
    elif s.fault:
        s.output = OUTPUT_BYPASS if to_bypass else OUTPUT_OFF
        s.off_ticks = 0
    elif not source:
        s.shutdown = 1
        ups_logged(s, UPS_LOGGED_SHUTDOWN, tick)
        s.output = OUTPUT_BYPASS if to_bypass else OUTPUT_OFF
        s.off_ticks = 0
    elif (s.over_ticks > p.overload_ticks or s.over_high_ticks > p.overload_high_ticks
            or seen.dc_link_pu < p.dc_low_pu):
        s.output = OUTPUT_BYPASS if to_bypass else OUTPUT_OFF
        s.off_ticks = 0
        s.calm_ticks = 0
    elif (s.bypass and in_window) or s.eco_on:
        s.output = OUTPUT_BYPASS


cdef inline void ups_step(const UpsParams* p, UpsState* s, const UpsSeen* seen, int64_t tick, double dt) noexcept nogil:
    """Orders of this tick from what was measured at the end of the last tick."""
    cdef int64_t mode
    ups_line(p, s, seen, tick)
    if s.test_ticks != 0 or s.test == TEST_IN_PROGRESS:
        ups_test(s, tick)
    ups_rectifier(p, s, seen, dt)
    ups_battery_orders(p, s, seen, tick, dt)
    ups_output(p, s, seen, tick)
    mode = s.output
    if s.output == OUTPUT_INVERTER and not (s.rectifier == RECTIFIER_ON or s.carries):
        mode = MODE_TEST if s.test == TEST_IN_PROGRESS else MODE_BATTERY
    elif s.output == OUTPUT_BYPASS and s.eco_on and not s.bypass:
        mode = MODE_ECO
    if mode != s.mode:
        ups_logged(s, UPS_LOGGED_MODE + 8 * s.mode + mode, tick)
        s.transfers += 1
        s.mode = mode
        s.mode_since = tick


cdef inline bint ups_on_battery(const UpsState* s) noexcept nogil:
    """Whether the output is fed from the DC link and the rectifier is not, or not yet wholly, back on the line.

    Not the mode: where the load swings, a trough of it ends mode *battery* while the battery still carries the peaks.
    """
    return s.output == OUTPUT_INVERTER and s.rectifier != RECTIFIER_ON
