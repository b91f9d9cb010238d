"""What is made of the rows of a site: protection functions, limits, and relays that act on breakers.

Nothing of the plant waits for it but breakers. So the rows of a site without any are judged in batches, where a sample costs a
fraction of what it costs alone; what comes of it is the same, bit for bit. On the wall clock every tick is judged as it ends.
"""

from libc.stdint cimport int64_t

from hil.kernel.judging cimport limit_run, ticks_alike
from hil.kernel.protection.functions cimport functions_run
from hil.kernel.site cimport Site, far
from hil.kernel.switching cimport put_limits_back, watch_relays


cdef inline int64_t batch_ticks(const Site* s, int64_t count) noexcept nogil:
    """How many of the next ticks, at most so many, may be run before they are judged."""
    cdef int64_t tick = s.run.tick
    if s.breaker_count > 0 or tick < s.run.suspect_until or tick >= s.run.next_event_tick or tick >= s.run.end_tick:
        return min(count, <int64_t>1)
    return ticks_alike(min(count, s.run.next_event_tick - tick, s.run.end_tick - tick), tick, s.blank_until)


cdef inline void keep_limits(Site* s, int64_t tick) noexcept nogil:
    """Before the limits of a tick, while one at least is not judged: warm-up, a tick that came too late, an open breaker."""
    cdef int64_t i
    for i in range(s.limit_count):
        s.limits_before[i] = s.limits[i]


cdef inline void suspect(Site* s, int64_t last_tick) noexcept nogil:
    """The ticks up to this one come too late for their samples to be evidence."""
    cdef int64_t i
    cdef int64_t until
    for i in range(s.limit_count):
        until = last_tick + 1 + s.limit_params[i].look_back_ticks
        if s.limits[i].suspect_until < until:
            s.limits[i].suspect_until = until
        if s.run.suspect_until < until:
            s.run.suspect_until = until


cdef inline bint any_began(const Site* s) noexcept nogil:
    """Whether an excursion that counts began in the tick for which the limits were kept."""
    cdef int64_t i
    for i in range(s.limit_count):
        if s.limits[i].excursions != s.limits_before[i].excursions:
            return True
    return False


cdef inline void judge(Site* s, double* rows, int64_t count, int64_t tick, int64_t* began) noexcept nogil:
    """Judge as many rows as `batch_ticks` allowed, the first of tick `tick`; `began` gets a 1 where an excursion begins."""
    cdef int64_t i
    cdef bint suspected = tick < s.run.suspect_until
    if s.function_count > 0:
        functions_run(&s.functions, s.arena, rows, s.row_words, count, tick, s.blank_until)
    if suspected:
        far(keep_limits)(s, tick)
    for i in range(s.limit_count):    # the only call of limit_run, so that it is inlined
        limit_run(&s.limit_params[i], &s.limits[i], s.arena, rows, s.row_words, count, tick, s.blank_until, began)
    if s.breaker_count > 0:
        far(watch_relays)(s, tick)
    if suspected:
        far(put_limits_back)(s, tick)
        began[0] = any_began(s)
