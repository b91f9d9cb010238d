"""Limits, judged for every tick: their values (limits.pxd) held against the bounds, what was worst, and for how long.

A batch of ticks is judged at once, limit by limit: what a limit is made of is then looked up once, not once a tick. On the
wall clock a tick may come too late for its samples to be evidence: as long as such a tick is within the window of a limit,
what the limit shows is counted apart and put back (`limit_put_back`): it is followed, and not judged.
"""

from libc.stdint cimport int64_t

from hil.kernel.limits cimport (
    BLANK_KINDS, LIMIT_LEVEL, LIMIT_RANGE, LIMIT_RECOVERY, LIMIT_TIME, MOST_BATCH, SAMPLE_IDLE, SAMPLE_JUDGED, SAMPLE_VOID,
    LimitParams, LimitState, level_values, other_values, windowed_values,
)
from hil.kernel.windows cimport extremum_clear, extremum_run


cdef inline void limit_anew(LimitState* s, double* arena) noexcept nogil:
    """Its time begins anew with the next sample."""
    s.run_ticks = 0
    s.beyond = 0
    extremum_clear(&s.held_high, arena)
    extremum_clear(&s.held_low, arena)


cdef inline void count_beyond(const LimitParams* p, LimitState* s, const double* upper, const double* lower, int64_t count,
                              int64_t tick, int64_t* began) noexcept nogil:
    """Count samples beyond, and where that begins; `began` gets a 1 there, unless it is NULL."""
    cdef int64_t i
    cdef bint beyond
    for i in range(count):
        beyond = (p.has_high and upper[i] > p.high) or (p.has_low and lower[i] < p.low)
        if beyond:
            s.beyond_ticks += 1
            if not s.beyond:
                s.excursions += 1
                if s.first_tick < 0:
                    s.first_tick = tick + i
                if began != NULL:
                    began[i] = 1
        s.beyond = beyond


cdef inline bint any_above(const double* values, int64_t count, double bound) noexcept nogil:
    cdef bint found = False
    cdef int64_t i
    for i in range(count):
        found |= values[i] > bound
    return found


cdef inline bint any_below(const double* values, int64_t count, double bound) noexcept nogil:
    cdef bint found = False
    cdef int64_t i
    for i in range(count):
        found |= values[i] < bound
    return found


cdef inline void limit_hold(const LimitParams* p, LimitState* s, const double* upper, const double* lower, int64_t count,
                            int64_t tick, int64_t* began) noexcept nogil:
    """Hold what was sustained against the bounds: `upper` against `high`, `lower` against `low`."""
    cdef bint follow = s.beyond != 0    # else most batches are neither beyond nor worse than any before
    cdef int64_t i
    if p.has_high and any_above(upper, count, min(s.highest, p.high)):
        follow = True
        for i in range(count):
            if upper[i] > s.highest:
                s.highest = upper[i]
                s.highest_tick = tick + i
    if p.has_low and any_below(lower, count, max(s.lowest, p.low)):
        follow = True
        for i in range(count):
            if lower[i] < s.lowest:
                s.lowest = lower[i]
                s.lowest_tick = tick + i
    if follow:
        count_beyond(p, s, upper, lower, count, tick, began)


cdef inline void limit_judge(const LimitParams* p, LimitState* s, double* arena, const double* value, int64_t count,
                             int64_t tick, int64_t* began) noexcept nogil:
    """Judge values of consecutive ticks, all of them evidence."""
    cdef double upper[MOST_BATCH]
    cdef double lower[MOST_BATCH]
    cdef int64_t unripe = p.delay_ticks - s.run_ticks    # of these values: the delay is not over
    cdef int64_t i
    s.valid_ticks += count
    s.run_ticks += count
    if p.delay_ticks <= 0:
        limit_hold(p, s, value, value, count, tick, began)
        return
    if p.has_high:
        for i in range(count):
            upper[i] = -value[i]
        extremum_run(&s.held_high, arena, upper, upper, count)
        for i in range(count):
            upper[i] = -upper[i]
    if p.has_low:
        extremum_run(&s.held_low, arena, value, lower, count)
    if unripe <= 0:
        limit_hold(p, s, upper, lower, count, tick, began)
        return
    s.beyond = 0
    if unripe < count:
        limit_hold(p, s, upper + unripe, lower + unripe, count - unripe, tick + unripe,
                   began + unripe if began != NULL else NULL)


cdef inline void limit_pieces(const LimitParams* p, LimitState* s, double* arena, const double* value, const int64_t* how,
                              int64_t count, int64_t tick, int64_t* began) noexcept nogil:
    """Judge what can be judged, stretch by stretch of values that are to be taken alike."""
    cdef int64_t first = 0
    cdef int64_t end
    while first < count:
        end = first + 1
        while end < count and how[end] == how[first]:
            end += 1
        if how[first] == SAMPLE_JUDGED:
            limit_judge(p, s, arena, value + first, end - first, tick + first, began + first if began != NULL else NULL)
        elif how[first] == SAMPLE_IDLE:
            s.beyond = 0
        else:
            if how[first] == SAMPLE_VOID:
                s.blank_ticks += end - first
            limit_anew(s, arena)
        first = end


ctypedef void (*pieces_fn)(const LimitParams* p, LimitState* s, double* arena, const double* value, const int64_t* how,
                           int64_t count, int64_t tick, int64_t* began) noexcept nogil


cdef extern from "hil/kernel/far.h":
    pieces_fn far "RIDETHROUGH_FAR"(pieces_fn function) noexcept nogil


cdef inline void limit_run(const LimitParams* p, LimitState* s, double* arena, const double* rows, int64_t words,
                           int64_t count, int64_t tick, const int64_t* blank_until, int64_t* began) noexcept nogil:
    """Judge up to MOST_BATCH rows of `words` numbers, the first of tick `tick`; `began`: see `count_beyond`.

    Within a batch no stimulus may begin or end to act: `ticks_alike` says how long it may be.
    """
    cdef double value[MOST_BATCH]
    cdef int64_t how[MOST_BATCH]
    cdef bint blanked = tick < blank_until[p.blank]
    cdef bint odd
    if p.kind == LIMIT_LEVEL:
        odd = level_values(p, rows, words, count, blanked, value, how)
    elif p.kind <= LIMIT_RANGE:
        odd = windowed_values(p, s, arena, rows, words, count, blanked, value, how)
    else:
        odd = other_values(p, s, arena, rows, words, count, blanked, value, how)
    if odd:
        far(limit_pieces)(p, s, arena, value, how, count, tick, began)
    else:
        limit_judge(p, s, arena, value, count, tick, began)


cdef inline int64_t ticks_alike(int64_t count, int64_t tick, const int64_t* blank_until) noexcept nogil:
    """How many of the next ticks, at most so many and MOST_BATCH, may be judged at once as far as stimuli go."""
    cdef int64_t i
    if count > MOST_BATCH:
        count = MOST_BATCH
    for i in range(BLANK_KINDS):
        if tick < blank_until[i] and blank_until[i] - tick < count:
            count = blank_until[i] - tick
    return count


cdef inline void limit_put_back(const LimitParams* p, LimitState* s, const LimitState* before, int64_t tick,
                                bint warm) noexcept nogil:
    """After limit_run, for a sample that is no evidence: windows and timers have gone on, what it showed is counted apart.

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
