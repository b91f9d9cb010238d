"""Limits, evaluated every tick on one channel of the row. Equations: docs/model.md, "Limits".

A limit computes a value (the level itself, the ramp of its mean, its range in a rolling window; of the rarer kinds its rate of
change, a time spent, the time that power takes to come back after a dip) and holds it against `low` and `high`. With a delay
the value must stay beyond for every sample of the delay (a consecutive timer, reset at once), so the *sustained* value is the
rolling minimum (for `high`) or maximum (for `low`) over the delay, and its worst is what a report shows. Beyond means strictly
beyond: at the limit is inside. Windows and delays are closed: both end samples belong to them. While a scripted stimulus acts
nothing is judged, and the windows of ramp and range hold the last sample before it: what they see afterwards is the step from
there to where the site has come. What is not a number, such as an output that has no value yet, is not judged either, and held
through likewise. On the wall clock a tick may come too late for its samples to be evidence: as long as such a tick is within
the window of a limit, what the limit shows is counted apart and put back (`limit_put_back`): it is followed, and not judged.
"""

from libc.stdint cimport int64_t

from hil.kernel.windows cimport (
    DelayLine, Extremum, MeanWindow, delay_push, extremum_clear, extremum_push, mean_push,
)


cdef enum:
    LIMIT_LEVEL = 0
    LIMIT_RAMP = 1        # difference of the mean over the window, per second
    LIMIT_RANGE = 2       # largest minus smallest in the rolling window
    LIMIT_RATE = 3        # difference over the window, per second
    LIMIT_TIME = 4        # time in which the channel has had one value
    LIMIT_RECOVERY = 5    # time from the end of a dip until the channel is back

cdef enum:
    BLANK_NEVER = 0
    BLANK_VOLTAGE = 1     # while a scripted dip, the stimulus, acts
    BLANK_FREQUENCY = 2   # while a scripted frequency event acts
    BLANK_KINDS = 3

cdef enum:
    IN_DIP = 1            # phases of a recovery; 0: no dip, or all that there were are over
    AFTER_DIP = 2


cdef struct LimitParams:
    int64_t kind
    int64_t channel
    int64_t blank           # by which stimulus its samples are void
    int64_t has_low
    int64_t has_high
    int64_t delay_ticks
    double low
    double high
    double per_second       # ramp, rate: 1 / window
    int64_t ticks_per_second    # time, recovery: divided by, so that whole ticks give the very number that a file says
    double counted          # time: the value whose time counts
    int64_t total           # time: 1: of all stretches together, 0: of the one it is in
    int64_t voltage         # recovery: channel in which a dip shows
    int64_t hold_ticks      # recovery: how long it must be back
    int64_t lag_ticks       # recovery: by how much the channel is held back, so that it is as late as the voltage
    double below            # recovery: a dip is a voltage below it
    double share            # recovery: of the value before the dip that counts as back
    double slack            # recovery: by which that may be missed, for what means leave of rounding
    int64_t look_back_ticks  # how far back the samples lie that a value, and its delay, is made of


cdef struct LimitState:
    # First what most kinds touch in every tick, together.
    double last             # latest sample that no stimulus voided, which windows hold while one acts; beyond range: the value
    int64_t run_ticks       # valid samples in a row
    int64_t valid_ticks     # samples judged
    int64_t beyond          # 1 while violated
    double highest          # largest sustained value
    double lowest           # smallest sustained value
    int64_t highest_tick
    int64_t lowest_tick
    Extremum held_high      # rolling minimum over the delay (negated)
    Extremum held_low       # rolling maximum over the delay
    Extremum top            # range: maximum
    Extremum bottom         # range: minimum (of negated samples)
    MeanWindow mean
    DelayLine past
    int64_t blank_ticks     # samples void because a stimulus acted
    int64_t beyond_ticks
    int64_t excursions
    int64_t first_tick      # of the first violation, -1: none
    int64_t phase           # rate: 1 while its window is tainted; time: 1 while it runs; recovery: IN_DIP or AFTER_DIP
    int64_t count           # time, recovery: ticks of it so far
    int64_t back_ticks      # recovery: samples in a row that were back
    int64_t void_ticks      # rate, recovery: how many more samples a stimulus still taints
    double before           # recovery: mean before the dip
    int64_t suspect_until   # before this tick it is not judged: warm-up, or a tick that came too late is within its window
    int64_t suspect_ticks   # samples that were therefore not judged
    int64_t suspect_beyond_ticks    # and those of them that were beyond


cdef inline double rate(const LimitParams* p, LimitState* s, double* arena, double value, bint blanked) noexcept nogil:
    """Difference over the window, per second; `phase` is 0 once the window lies wholly after a stimulus."""
    s.phase = blanked or s.void_ticks > 0
    if blanked:
        s.void_ticks = s.past.length
    elif s.void_ticks > 0:
        s.void_ticks -= 1
    return (value - delay_push(&s.past, arena, value)) * p.per_second


cdef inline double time_spent(const LimitParams* p, LimitState* s, double value) noexcept nogil:
    """How long the channel has had the value that counts; 0 while it has another."""
    s.phase = value == p.counted
    if s.phase:
        s.count += 1
        return <double>s.count / <double>p.ticks_per_second
    if not p.total:
        s.count = 0
    return 0.0


cdef inline double recovery(const LimitParams* p, LimitState* s, double* arena, double power_w,
                            double voltage_pu) noexcept nogil:
    """Follow dips; the time since the last while the power is not back, 0 while it is, below 0 where nothing is judged."""
    cdef double earlier_w = delay_push(&s.past, arena, power_w)
    cdef double mean_w
    cdef double least_w
    cdef int64_t place
    if p.lag_ticks > 0:
        place = s.past.index - 1 - p.lag_ticks    # the latest sample is behind the index
        power_w = arena[s.past.offset + (place if place >= 0 else place + s.past.length)]
    if s.phase or s.void_ticks > 0:
        earlier_w = s.before
    mean_w = mean_push(&s.mean, arena, earlier_w)
    if voltage_pu < p.below:
        if not s.phase:
            s.before = mean_w
        s.phase = IN_DIP
        s.count = 0
        s.back_ticks = 0
    elif s.phase == IN_DIP:
        s.phase = AFTER_DIP
    if not s.phase:
        if s.void_ticks > 0:
            s.void_ticks -= 1
        return -1.0
    s.void_ticks = s.past.length - p.lag_ticks
    if s.phase == IN_DIP:
        return -1.0
    s.count += 1
    least_w = p.share * s.before
    if power_w < least_w - p.slack if s.before >= 0.0 else power_w > least_w + p.slack:
        s.back_ticks = 0
        return <double>s.count / <double>p.ticks_per_second
    s.back_ticks += 1
    if s.back_ticks > p.hold_ticks:
        s.phase = 0
    return 0.0


cdef inline void other_value(const LimitParams* p, LimitState* s, double* arena, const double* row, int64_t tick,
                             const int64_t* blank_until) noexcept nogil:
    """Work out the value of a kind beyond range, for `limit_step` of the same tick."""
    if p.kind == LIMIT_RATE:
        s.last = rate(p, s, arena, row[p.channel], tick < blank_until[p.blank])
    elif p.kind == LIMIT_TIME:
        s.last = time_spent(p, s, row[p.channel])
    elif p.kind == LIMIT_RECOVERY:
        s.last = recovery(p, s, arena, row[p.channel], row[p.voltage])


cdef inline void limit_anew(LimitState* s, double* arena) noexcept nogil:
    """Its time begins anew with the next sample."""
    s.run_ticks = 0
    s.beyond = 0
    extremum_clear(&s.held_high, arena)
    extremum_clear(&s.held_low, arena)


cdef inline void limit_hold(const LimitParams* p, LimitState* s, double upper, double lower, int64_t tick) noexcept nogil:
    """Hold what was sustained against the bounds: `upper` against `high`, `lower` against `low`."""
    cdef bint beyond = False
    if p.has_high:
        if upper > s.highest:
            s.highest = upper
            s.highest_tick = tick
        beyond = upper > p.high
    if p.has_low:
        if lower < s.lowest:
            s.lowest = lower
            s.lowest_tick = tick
        beyond = beyond or lower < p.low
    if beyond:
        s.beyond_ticks += 1
        if not s.beyond:
            s.excursions += 1
            if s.first_tick < 0:
                s.first_tick = tick
    s.beyond = beyond


cdef inline void limit_step(const LimitParams* p, LimitState* s, double* arena, const double* row, int64_t tick,
                            const int64_t* blank_until) noexcept nogil:
    cdef double value = row[p.channel]
    cdef double upper
    cdef double lower
    cdef int64_t kind = p.kind
    cdef int64_t delay_ticks = p.delay_ticks
    cdef bint blanked = tick < blank_until[p.blank]
    cdef bint unknown = False
    if kind > LIMIT_RANGE:
        value = s.last
        if kind == LIMIT_RATE:
            blanked = s.phase
        elif value < 0.0:
            s.beyond = 0
            return
    elif kind != LIMIT_LEVEL:
        unknown = value != value
        if blanked or unknown:
            value = s.last
        s.last = value
        if kind == LIMIT_RAMP:
            value = mean_push(&s.mean, arena, value)
            value = (value - delay_push(&s.past, arena, value)) * p.per_second
        else:
            value = extremum_push(&s.top, arena, value) + extremum_push(&s.bottom, arena, -value)
    if blanked:
        s.blank_ticks += 1
        limit_anew(s, arena)
        return
    if unknown or value != value:    # nothing to judge, and its time does not run on
        limit_anew(s, arena)
        return
    s.valid_ticks += 1
    s.run_ticks += 1
    upper = lower = value
    if delay_ticks > 0:
        if p.has_high:
            upper = -extremum_push(&s.held_high, arena, -value)
        if p.has_low:
            lower = extremum_push(&s.held_low, arena, value)
        if s.run_ticks <= delay_ticks:
            s.beyond = 0
            return
    limit_hold(p, s, upper, lower, tick)


cdef inline void limit_put_back(const LimitParams* p, LimitState* s, const LimitState* before, int64_t tick,
                                bint warm) noexcept nogil:
    """After limit_step, for a sample that is no evidence: windows and timers have gone on, what it showed is counted apart.

    Before the site is warm nothing is counted.
    """
    if warm:
        s.suspect_ticks += s.valid_ticks - before.valid_ticks
        s.suspect_beyond_ticks += s.beyond
    else:
        s.blank_ticks = before.blank_ticks
    s.valid_ticks = before.valid_ticks
    s.beyond_ticks = before.beyond_ticks
    s.excursions = before.excursions
    s.first_tick = before.first_tick
    s.highest = before.highest
    s.highest_tick = before.highest_tick
    s.lowest = before.lowest
    s.lowest_tick = before.lowest_tick
    s.beyond = s.beyond and before.beyond    # what goes on beyond once it is judged again counts from there
    # A time spent has a window as long as itself.
    if p.kind == LIMIT_TIME and (s.phase or (p.total and s.count > 0)) or p.kind == LIMIT_RECOVERY and s.phase:
        if s.suspect_until < tick + 2:
            s.suspect_until = tick + 2
