"""Limits, evaluated every tick on one channel of the row.

A limit computes a value (the level itself, the ramp of its mean, its range in a rolling window) and holds it against `low`
and `high`. With a delay the value must stay beyond for every sample of the delay (a consecutive timer, reset at once), so the
*sustained* value is the rolling minimum (for `high`) or maximum (for `low`) over the delay, and its worst is what a report
shows. Beyond means strictly beyond: at the limit is inside. Windows and delays are closed: both end samples belong to them.
While a scripted stimulus acts nothing is judged, and the windows of ramp and range hold the last sample before it: what they
see afterwards is the step from there to where the site has come.
"""

from libc.stdint cimport int64_t

from hil.kernel.windows cimport (
    DelayLine, Extremum, MeanWindow, delay_push, extremum_clear, extremum_push, mean_push,
)


cdef enum:
    LIMIT_LEVEL = 0
    LIMIT_RAMP = 1        # difference of the mean over the window, per second
    LIMIT_RANGE = 2       # largest minus smallest in the rolling window

cdef enum:
    BLANK_NEVER = 0
    BLANK_VOLTAGE = 1     # while a scripted dip, the stimulus, acts
    BLANK_FREQUENCY = 2   # while a scripted frequency event acts
    BLANK_KINDS = 3


cdef struct LimitParams:
    int64_t kind
    int64_t channel
    int64_t blank           # by which stimulus its samples are void
    int64_t has_low
    int64_t has_high
    int64_t delay_ticks
    double low
    double high
    double per_second       # ramp: 1 / window


cdef struct LimitState:
    MeanWindow mean
    DelayLine past
    Extremum top            # range: maximum
    Extremum bottom         # range: minimum (of negated samples)
    Extremum held_high      # rolling minimum over the delay (negated)
    Extremum held_low       # rolling maximum over the delay
    int64_t run_ticks       # valid samples in a row
    int64_t valid_ticks     # samples judged
    int64_t blank_ticks     # samples void because a stimulus acted
    int64_t beyond          # 1 while violated
    int64_t beyond_ticks
    int64_t excursions
    int64_t first_tick      # of the first violation, -1: none
    int64_t highest_tick
    int64_t lowest_tick
    double last             # latest sample that no stimulus voided: windows hold it while one acts
    double highest          # largest sustained value
    double lowest           # smallest sustained value


cdef inline void limit_step(const LimitParams* p, LimitState* s, double* arena, const double* row, int64_t tick,
                            const int64_t* blank_until) noexcept nogil:
    cdef double value = row[p.channel]
    cdef double held
    cdef int64_t kind = p.kind
    cdef int64_t delay_ticks = p.delay_ticks
    cdef int64_t run_ticks
    cdef bint beyond = False
    cdef bint blanked = tick < blank_until[p.blank]
    if kind != LIMIT_LEVEL:
        if blanked:
            value = s.last
        s.last = value
        if kind == LIMIT_RAMP:
            value = mean_push(&s.mean, arena, value)
            value = (value - delay_push(&s.past, arena, value)) * p.per_second
        else:
            value = extremum_push(&s.top, arena, value, tick) + extremum_push(&s.bottom, arena, -value, tick)
    if blanked:
        s.blank_ticks += 1
        s.run_ticks = 0
        s.beyond = 0
        extremum_clear(&s.held_high)
        extremum_clear(&s.held_low)
        return
    s.valid_ticks += 1
    run_ticks = s.run_ticks + 1
    s.run_ticks = run_ticks
    if p.has_high:
        held = value
        if delay_ticks > 0:
            held = -extremum_push(&s.held_high, arena, -value, tick)
        if run_ticks > delay_ticks:
            if held > s.highest:
                s.highest = held
                s.highest_tick = tick
            if held > p.high:
                beyond = True
    if p.has_low:
        held = value
        if delay_ticks > 0:
            held = extremum_push(&s.held_low, arena, value, tick)
        if run_ticks > delay_ticks:
            if held < s.lowest:
                s.lowest = held
                s.lowest_tick = tick
            if held < p.low:
                beyond = True
    if beyond:
        s.beyond_ticks += 1
        if not s.beyond:
            s.excursions += 1
            if s.first_tick < 0:
                s.first_tick = tick
    s.beyond = beyond
