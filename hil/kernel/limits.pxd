"""Limits: what they are made of, and the values that they make of one channel of the row. Equations: docs/model.md, "Limits".

A limit computes a value (the level itself, the ramp of its mean, its range in a rolling window; of the rarer kinds its rate of
change, a time spent, the time that power takes to come back after a dip) and holds it against `low` and `high`. With a delay
the value must stay beyond for every sample of the delay (a consecutive timer, reset at once), so the *sustained* value is the
rolling minimum (for `high`) or maximum (for `low`) over the delay, and its worst is what a report shows. Beyond means strictly
beyond: at the limit is inside. Windows and delays are closed: both end samples belong to them. While a scripted stimulus acts
nothing is judged, and the windows of ramp and range hold the last sample before it: what they see afterwards is the step from
there to where the site has come. What is not a number, such as an output that has no value yet, is not judged either, and held
through likewise. How values are judged: judging.pxd.
"""

from libc.stdint cimport int64_t

from hil.kernel.windows cimport DelayLine, Extremum, MeanWindow, delay_push, extremum_run, mean_push


cdef enum:
    MOST_BATCH = 32       # ticks judged at once: few enough that their rows stay in the innermost cache

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
    SAMPLE_JUDGED = 0
    SAMPLE_VOID = 1       # a stimulus acted
    SAMPLE_UNKNOWN = 2    # not a number: nothing to judge, and its time does not run on
    SAMPLE_IDLE = 3       # nothing is asked

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
    double last             # ramp, range: latest sample that no stimulus voided, which windows hold while one acts
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


cdef inline bint other_values(const LimitParams* p, LimitState* s, double* arena, const double* rows, int64_t words,
                              int64_t count, bint blanked, double* value, int64_t* how) noexcept nogil:
    """Values of the rarer kinds, and how each is to be taken; whether any is not judged."""
    cdef const double* row = rows
    cdef bint odd = False
    cdef int64_t i
    for i in range(count):
        how[i] = SAMPLE_VOID if blanked else SAMPLE_JUDGED
        if p.kind == LIMIT_RATE:
            value[i] = rate(p, s, arena, row[p.channel], blanked)
            how[i] = SAMPLE_VOID if s.phase else SAMPLE_JUDGED
        elif p.kind == LIMIT_TIME:
            value[i] = time_spent(p, s, row[p.channel])
        else:
            value[i] = recovery(p, s, arena, row[p.channel], row[p.voltage])
            if value[i] < 0.0:
                how[i] = SAMPLE_IDLE
        if how[i] == SAMPLE_JUDGED and value[i] != value[i]:
            how[i] = SAMPLE_UNKNOWN
        odd = odd or how[i] != SAMPLE_JUDGED
        row += words
    return odd


cdef inline bint windowed_values(const LimitParams* p, LimitState* s, double* arena, const double* rows, int64_t words,
                                 int64_t count, bint blanked, double* value, int64_t* how) noexcept nogil:
    """Values of ramp and range, and how each is to be taken; whether any is not judged."""
    cdef double opposite[MOST_BATCH]
    cdef double last = s.last
    cdef double x
    cdef bint odd = blanked
    cdef int64_t i
    cdef MeanWindow mean
    cdef DelayLine past
    for i in range(count):
        x = rows[i * words + p.channel]
        how[i] = SAMPLE_VOID if blanked else SAMPLE_JUDGED if x == x else SAMPLE_UNKNOWN
        if not blanked and x == x:
            last = x
        value[i] = last
    s.last = last
    if p.kind == LIMIT_RAMP:
        mean = s.mean
        past = s.past
        for i in range(count):
            x = mean_push(&mean, arena, value[i])
            value[i] = (x - delay_push(&past, arena, x)) * p.per_second
        s.mean = mean
        s.past = past
    else:
        for i in range(count):
            opposite[i] = -value[i]
        extremum_run(&s.top, arena, value, value, count)
        extremum_run(&s.bottom, arena, opposite, opposite, count)
        for i in range(count):
            value[i] += opposite[i]
    for i in range(count):
        if how[i] == SAMPLE_JUDGED and value[i] != value[i]:
            how[i] = SAMPLE_UNKNOWN
        odd = odd or how[i] != SAMPLE_JUDGED
    return odd


cdef inline bint level_values(const LimitParams* p, const double* rows, int64_t words, int64_t count, bint blanked,
                              double* value, int64_t* how) noexcept nogil:
    """The samples themselves, and, where any is not judged, how each is to be taken; whether any is not."""
    cdef const double* at = rows + p.channel
    cdef double x
    cdef bint odd = blanked
    cdef int64_t i
    for i in range(count):
        x = at[i * words]
        value[i] = x
        odd |= x != x
    if odd:
        for i in range(count):
            how[i] = SAMPLE_VOID if blanked else SAMPLE_JUDGED if value[i] == value[i] else SAMPLE_UNKNOWN
    return odd
