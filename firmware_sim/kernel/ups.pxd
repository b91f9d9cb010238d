"""Firmware of an emulated double-conversion UPS: its settings and state, what it sees, and what a command sets.

What it does with them in a tick is in `ups_step.pxd`. Equations: docs/model.md, "UPS".
"""

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
    # How the last test of the battery ended.
    TEST_NONE = 0
    TEST_PASSED = 1
    TEST_FAILED = 2
    TEST_IN_PROGRESS = 3
    TEST_ABORTED = 4             # it says nothing of the battery

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
    # Entries of the log.
    UPS_LOGGED_LATCHED = 16
    UPS_LOGGED_LOW_BATTERY = 17
    UPS_LOGGED_SHUTDOWN = 18
    UPS_LOGGED_SUPPORT_REVERTED = 19
    UPS_LOGGED_TEST_PASSED = 20
    UPS_LOGGED_TEST_FAILED = 21
    UPS_LOGGED_FAULT = 22
    UPS_LOGGED_TEST_ABORTED = 23
    UPS_LOGGED_MODE = 64         # a change of mode is this and 8·from + to
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
    int64_t ticks_per_second
    double over_temperature_degc    # the battery is not recharged above


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
    int64_t eco                  # 1: the bypass feeds the output while the line is good
    int64_t test_ticks           # a test ordered for so long; 0: none, -1: its end is ordered
    int64_t inverter_bad         # 1: what has tripped the inverter is still there
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
    int64_t mode_since           # tick of the last change of mode
    int64_t over_ticks           # load above the first class, in a row
    int64_t over_high_ticks
    int64_t calm_ticks
    int64_t off_ticks
    int64_t low_battery
    int64_t shutdown             # 1: battery exhausted, off until the rectifier is on again
    int64_t transfers            # changes of mode
    int64_t support_reversions
    int64_t overload             # 1: load above the first class
    int64_t eco_ticks            # inside the window of the bypass, in a row
    int64_t eco_on               # 1: it would rather feed the output by the bypass
    int64_t test                 # how the last one of the battery ended
    int64_t test_until           # tick at which the one in progress ends
    int64_t fault                # 1: the inverter is off until reset
    int64_t hot                  # 1: too hot to recharge
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
    double temperature_degc      # of the battery
    int64_t rectifier_bad


cdef inline void ups_logged(UpsState* s, int64_t code, int64_t tick) noexcept nogil:
    cdef int64_t place = s.log_count & (UPS_LOG - 1)
    s.log_at[place] = tick
    s.log_code[place] = code
    s.log_count += 1


cdef inline double at_least_zero(double value) noexcept nogil:
    return value if value > 0.0 else 0.0


cdef inline double at_most_a_day(double value) noexcept nogil:
    return value if value < 86400.0 else 86400.0


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
    elif point == UPS_ECO:
        s.eco = 1 if value > 0.0 else 0
    elif point == UPS_TEST:
        s.test_ticks = <int64_t>(at_most_a_day(value) * <double>p.ticks_per_second + 0.5) if value > 0.0 else -1
    elif point == UPS_FAULT:
        s.inverter_bad = 1 if value > 0.0 else 0
    elif point == UPS_RESET:
        if value > 0.0 and not s.inverter_bad:
            s.fault = 0
