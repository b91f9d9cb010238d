"""Firmware of an emulated double-conversion UPS, one tick of it.

Line qualification, disturbance counter, rectifier walk-in, recharge and grid support, choice of what feeds the output.
Equations: docs/model.md, "UPS".
"""

from libc.math cimport fabs
from libc.stdint cimport int64_t


cdef enum:
    # What a command can set; firmware_sim.image.UpsPoint gives the same numbers to Python (a test compares).
    UPS_RECHARGE_W = 100
    UPS_WALK_IN_S = 101
    UPS_WALK_IN_DELAY_S = 102
    UPS_SUPPORT_W = 103
    UPS_SUPPORT_S = 104
    UPS_OPERATION = 105
    UPS_BYPASS = 106
    UPS_RESET_DISTURBANCES = 107
    UPS_COUNTER = 108
    UPS_ECO = 109
    UPS_TEST = 110
    UPS_FAULT = 111
    UPS_RESET = 112

cdef enum:
    MODE_OFF = 0
    MODE_BYPASS = 1
    MODE_NORMAL = 2
    MODE_BATTERY = 3
    MODE_ECO = 4
    MODE_TEST = 5

cdef enum:
    RECTIFIER_OFF = 0
    RECTIFIER_QUALIFYING = 1
    RECTIFIER_WALK_IN = 2
    RECTIFIER_ON = 3

cdef enum:
    # What feeds the output; numbers as of the modes, so that only normal and battery have to be told apart.
    OUTPUT_OFF = 0
    OUTPUT_BYPASS = 1
    OUTPUT_INVERTER = 2

cdef enum:
    # Entries of the log; a change of mode is 4·from + to.
    UPS_LOGGED_LATCHED = 16
    UPS_LOGGED_LOW_BATTERY = 17
    UPS_LOGGED_SHUTDOWN = 18
    UPS_LOGGED_SUPPORT_REVERTED = 19
    UPS_LOG = 64                 # entries that the log holds, a power of two
    MOST_DISTURBANCES = 8        # a power of two


cdef struct UpsParams:
    double rating_w
    double nominal_hz
    double input_low_pu          # input window: lowest and highest phase, deviation of the frequency
    double input_high_pu
    double input_hz
    double bypass_low_pu         # window of the bypass
    double bypass_high_pu
    double bypass_hz
    double recharge_max_w
    double recharge_above_pu     # no recharge while the lowest phase is below
    double recharge_taper        # span of SoC below full in which the recharge falls to nothing
    double low_battery_soc
    double shutdown_soc
    double support_reserve_soc
    double dc_low_pu             # the inverter stops below
    double dc_start_pu           # and starts above
    double overload_pu           # first class
    double overload_high_pu      # second class
    int64_t transfer_ticks
    int64_t qualify_ticks
    int64_t overload_ticks
    int64_t overload_high_ticks
    int64_t bypass_return_ticks
    int64_t interruption_ticks
    int64_t counter_disturbances
    int64_t counter_ticks        # window of the counter


cdef struct UpsState:
    # Settings.
    double recharge_w
    double walk_in_s
    double walk_in_delay_s
    double support_set_w
    double support_s
    int64_t support_set_at       # tick of the last write of the support
    int64_t operation            # 0: output off
    int64_t bypass               # 1: bypass commanded
    int64_t counter              # 1: disturbances are counted
    # Line and rectifier.
    int64_t line_ok              # 1: inside the input window
    int64_t bad_ticks            # outside, in a row
    int64_t good_ticks           # inside, in a row
    int64_t rectifier
    int64_t waited_ticks         # of the walk-in delay
    double walk_in_share         # of its limit that the rectifier may take
    int64_t carries              # 1: since the walk-in began the rectifier has once carried all
    int64_t disturbances         # within the counter's window
    int64_t disturbances_total
    int64_t counted              # of them, those that the counter has counted
    int64_t disturbed_at[8]      # ticks of the last ones counted
    int64_t latched              # 1: off grid until reset
    # Orders to the plant.
    int64_t output
    double charge_w              # most that goes into the battery
    double support_w             # that the battery takes over now
    int64_t battery_on           # 1: may discharge
    # Output.
    int64_t mode
    int64_t over_ticks           # load above the first class, in a row
    int64_t over_high_ticks
    int64_t calm_ticks
    int64_t off_ticks
    int64_t low_battery
    int64_t shutdown             # 1: battery exhausted, off until the rectifier is on again
    int64_t transfers            # changes of mode
    int64_t support_reversions
    int64_t log_count
    int64_t log_at[64]
    int64_t log_code[64]


cdef struct UpsSeen:
    # What the firmware sees: all of it as of the end of the last tick.
    double lowest_pu             # phases at the bus, measured
    double highest_pu
    double frequency_hz
    double soc
    double dc_link_pu
    double load_w                # that the output is asked for
    int64_t cut                  # 1: the rectifier could not take what it wanted


cdef inline void ups_logged(UpsState* s, int64_t code, int64_t tick) noexcept nogil:
    cdef int64_t place = s.log_count & (UPS_LOG - 1)
    s.log_at[place] = tick
    s.log_code[place] = code
    s.log_count += 1


cdef inline double at_least_zero(double value) noexcept nogil:
    return value if value > 0.0 else 0.0


cdef inline void ups_command(const UpsParams* p, UpsState* s, int64_t point, double value, int64_t tick) noexcept nogil:
    """Apply one write; what is beyond its range is set to the end of it."""
    if point == UPS_RECHARGE_W:
        s.recharge_w = at_least_zero(value) if not value > p.recharge_max_w else p.recharge_max_w
    elif point == UPS_WALK_IN_S:
        s.walk_in_s = at_least_zero(value)
    elif point == UPS_WALK_IN_DELAY_S:
        s.walk_in_delay_s = at_least_zero(value)
    elif point == UPS_SUPPORT_W:
        s.support_set_w = at_least_zero(value) if not value > p.rating_w else p.rating_w
        s.support_set_at = tick
    elif point == UPS_SUPPORT_S:
        s.support_s = at_least_zero(value)
    elif point == UPS_OPERATION:
        s.operation = 1 if value > 0.0 else 0
    elif point == UPS_BYPASS:
        s.bypass = 1 if value > 0.0 else 0
    elif point == UPS_RESET_DISTURBANCES:
        if value > 0.0:
            s.disturbances = 0
            s.latched = 0
    elif point == UPS_COUNTER:
        s.counter = 1 if value > 0.0 else 0


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


cdef inline void ups_rectifier(const UpsParams* p, UpsState* s, const UpsSeen* seen, double dt) noexcept nogil:
    if not s.line_ok or s.latched:
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
    if s.rectifier == RECTIFIER_ON:
        if s.support_set_w > 0.0:    # no recharge meanwhile: at the reserve it would lift the SoC again, and so on
            if s.output == OUTPUT_INVERTER and seen.soc > p.support_reserve_soc:
                s.support_w = s.support_set_w
        elif empty > 0.0 and seen.lowest_pu >= p.recharge_above_pu:
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
    cdef bint startable = source and seen.dc_link_pu >= p.dc_start_pu
    s.over_ticks = s.over_ticks + 1 if seen.load_w > p.overload_pu * p.rating_w else 0
    s.over_high_ticks = s.over_high_ticks + 1 if seen.load_w > p.overload_high_pu * p.rating_w else 0
    s.calm_ticks = 0 if s.over_ticks else s.calm_ticks + 1
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
        if not s.bypass and s.calm_ticks > p.bypass_return_ticks and startable:
            s.output = OUTPUT_INVERTER
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
    elif s.bypass and in_window:
        s.output = OUTPUT_BYPASS


cdef inline void ups_step(const UpsParams* p, UpsState* s, const UpsSeen* seen, int64_t tick, double dt) noexcept nogil:
    """Orders of this tick from what was measured at the end of the last tick."""
    cdef int64_t mode
    ups_line(p, s, seen, tick)
    ups_rectifier(p, s, seen, dt)
    ups_battery_orders(p, s, seen, tick, dt)
    ups_output(p, s, seen, tick)
    mode = s.output
    if s.output == OUTPUT_INVERTER and not (s.rectifier == RECTIFIER_ON or s.carries):
        mode = MODE_BATTERY
    if mode != s.mode:
        ups_logged(s, 4 * s.mode + mode, tick)
        s.transfers += 1
        s.mode = mode


cdef inline bint ups_on_battery(const UpsState* s) noexcept nogil:
    """Whether the output is fed from the DC link and the rectifier is not, or not yet wholly, back on the line.

    Not the mode: where the load swings, a trough of it ends mode *battery* while the battery still carries the peaks.
    """
    return s.output == OUTPUT_INVERTER and s.rectifier != RECTIFIER_ON
