"""What breakers do to a site, and relays to breakers: far from the tick's loop, and only in sites that have any."""

from libc.stdint cimport int64_t

from hil.kernel.breakers cimport (
    BREAKER_BESS, BREAKER_CLOSED, BREAKER_NOT_OPEN, BREAKER_OPENED, BREAKER_PCC, BREAKER_RESET, FOR_GOOD, BreakerState,
    TripParams, TripState, breaker_logged, breaker_recloses, breaker_trips,
)
from hil.kernel.judging cimport limit_anew, limit_put_back
from hil.kernel.limits cimport LimitState
from hil.kernel.network cimport APART_BREAKER
from hil.kernel.protection.relays cimport relay_forget
from hil.kernel.site cimport Site


cdef inline void judge_no_more(Site* s, int64_t breaker, bint opened, int64_t tick) noexcept nogil:
    """What stands behind a breaker is not judged while it is open, nor while that is still within a limit's window."""
    cdef int64_t i
    cdef int64_t until
    s.run.suspect_until = 0
    for i in range(s.limit_count):
        if s.trip_params[i].behind == breaker:
            s.trips[i].blocked_until = FOR_GOOD if opened else tick + s.trip_params[i].settle_ticks
            s.trips[i].away_until = s.trips[i].blocked_until if opened else (
                s.trips[i].blocked_until + s.limit_params[i].look_back_ticks)
            if opened and s.trips[i].away_from < 0:
                s.trips[i].away_from = tick
        if not opened and s.trip_params[i].breaker == breaker:
            s.trips[i].tripped = 0
        until = max(s.trips[i].away_until, s.limits[i].suspect_until)
        if s.run.suspect_until < until:
            s.run.suspect_until = until


cdef inline void switch_breaker(Site* s, int64_t breaker, bint opened, int64_t tick) noexcept nogil:
    """Open or close it from this tick on. Who is led by what is behind it has its turn in this tick."""
    cdef int64_t i
    cdef int64_t device = s.breaker_params[breaker].device
    cdef BreakerState* b = &s.breakers[breaker]
    b.open = opened
    b.closes_at = -1
    b.held = 0
    if not opened:
        b.lockout = 0
        b.reclose_ticks = 0
    breaker_logged(b, BREAKER_OPENED if opened else BREAKER_CLOSED, tick, -1)
    if s.breaker_params[breaker].place == BREAKER_PCC:
        s.network.disconnected = (s.network.disconnected & ~APART_BREAKER) | (APART_BREAKER if opened else 0)
        for i in range(s.bess_count):
            s.pcs[i].due_at = tick
    elif s.breaker_params[breaker].place == BREAKER_BESS:
        s.converter[device].disconnected = opened
        s.pcs[device].due_at = tick
    else:
        s.ups_power[device].disconnected = opened
    judge_no_more(s, breaker, opened, tick)


cdef inline int64_t switch_breakers(Site* s, int64_t tick) noexcept nogil:
    """Before a tick: what opens, is reset or closes in it; returns the tick of the next that is known."""
    cdef int64_t i
    cdef int64_t j
    cdef int64_t due = FOR_GOOD
    cdef bint reset
    cdef BreakerState* b
    for i in range(s.breaker_count):
        b = &s.breakers[i]
        reset = b.reset != 0
        b.reset = 0
        for j in range(s.reset_count):
            if s.resets[j].breaker == i and s.resets[j].tick == tick:
                reset = True
            elif tick < s.resets[j].tick < due:
                due = s.resets[j].tick
        if reset:
            breaker_logged(b, BREAKER_RESET if b.open else BREAKER_NOT_OPEN, tick, -1)
        if b.open and (reset or (b.closes_at >= 0 and tick >= b.closes_at)):
            switch_breaker(s, i, False, tick)
        elif b.opens_at >= 0 and tick >= b.opens_at:
            b.opens_at = -1
            switch_breaker(s, i, True, tick)
        if 0 <= b.opens_at < due:
            due = b.opens_at
        if 0 <= b.closes_at < due:
            due = b.closes_at
    return due


cdef inline void watch_relays(Site* s, int64_t tick) noexcept nogil:
    """After the limits of a tick: which relays operate, be their samples evidence or not, and which breakers reclose."""
    cdef int64_t i
    cdef const TripParams* p
    cdef TripState* t
    cdef BreakerState* b
    for i in range(s.limit_count):
        p = &s.trip_params[i]
        t = &s.trips[i]
        if p.blocked and tick < t.blocked_until:
            limit_anew(&s.limits[i], s.arena)
            if p.relay >= 0:
                relay_forget(&s.functions.relays[p.relay])
        if p.breaker < 0 or not s.limits[i].beyond:
            continue
        b = &s.breakers[p.breaker]
        if not b.open:
            breaker_trips(b, p, t, i, tick)
        elif t.tripped:
            b.held = 1
    for i in range(s.breaker_count):
        b = &s.breakers[i]
        if b.open:
            breaker_recloses(b, tick)
        if 0 <= b.opens_at < s.run.due_tick:
            s.run.due_tick = b.opens_at
        if 0 <= b.closes_at < s.run.due_tick:
            s.run.due_tick = b.closes_at


cdef inline void write_breakers(Site* s, int64_t tick) noexcept nogil:
    """Channels of breakers, as they stand in the tick."""
    cdef int64_t i
    cdef double* out
    for i in range(s.breaker_count):
        out = s.row + s.breaker_params[i].output
        out[0] = 0.0 if s.breakers[i].open else 1.0
        out[1] = 1.0 if s.breakers[i].opens_at >= 0 else 0.0
        out[2] = 1.0 if s.breakers[i].lockout else 0.0


cdef inline void put_limits_back(Site* s, int64_t tick) noexcept nogil:
    """After the limits of a tick: what is not judged is as before; what was away is counted apart from what is late."""
    cdef int64_t i
    cdef bint away
    cdef LimitState* now
    cdef const LimitState* before
    for i in range(s.limit_count):
        now = &s.limits[i]
        before = &s.limits_before[i]
        away = s.breaker_count > 0 and tick < s.trips[i].away_until
        if not away and tick >= now.suspect_until:
            continue
        limit_put_back(&s.limit_params[i], now, before, tick, tick >= s.run.warm_up_ticks)
        if away:
            s.trips[i].away_ticks += now.suspect_ticks - before.suspect_ticks
            now.suspect_ticks = before.suspect_ticks
            now.suspect_beyond_ticks = before.suspect_beyond_ticks
        if s.run.suspect_until < now.suspect_until:
            s.run.suspect_until = now.suspect_until
