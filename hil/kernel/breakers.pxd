"""Circuit breakers and the relays that trip them: what the tick keeps of both, and what stands in the run's log.

A relay is a limit that trips. Once it operates nothing calls the trip back: its breaker is open for the first time in the tick
that begins `breaker_ticks` after the sample at which it operated. What an open breaker does to the site is in `switching.pxd`.
Equations: docs/model.md, "Breakers".
"""

from libc.stdint cimport int64_t


cdef enum:
    BREAKER_PCC = 0            # between the grid and the site
    BREAKER_BESS = 1           # between the bus and a converter
    BREAKER_UPS = 2            # at the input of a UPS

cdef enum:
    # What its log says.
    BREAKER_TRIPPED = 1        # a relay has operated
    BREAKER_LOCKED_OUT = 2
    BREAKER_OPENED = 3
    BREAKER_RESET = 4
    BREAKER_CLOSED = 5
    BREAKER_NOT_OPEN = 6       # a reset found it closed, and did nothing

cdef enum:
    BREAKER_LOG = 64           # entries kept; a power of two
    BREAKER_OUTPUTS = 3        # closed, tripping, locked out
    FOR_GOOD = 0x2000000000000000


cdef struct BreakerParams:
    int64_t place
    int64_t device             # of the BESSs, or of the UPSs
    int64_t output             # channels


cdef struct BreakerReset:
    int64_t breaker
    int64_t tick               # in which it acts


cdef struct BreakerState:
    int64_t open
    int64_t opens_at           # first tick in which it will be open, -1: nobody trips it
    int64_t closes_at          # first tick in which it will be closed again, -1: not known
    int64_t lockout            # 86
    int64_t reset              # 1: asked for, before the next tick
    int64_t held               # 1: a relay that has tripped it is still beyond its limit
    int64_t reclose_ticks      # the longest of those that have tripped it
    int64_t log_count
    int64_t log_at[64]         # number k is at place k modulo BREAKER_LOG; as a number of ticks since the start
    int64_t log_code[64]
    int64_t log_limit[64]      # of a trip: the entry of the limits


cdef struct TripParams:
    # For each entry of the limits, of a site that has breakers.
    int64_t breaker            # that it trips, -1: none
    int64_t breaker_ticks
    int64_t locks_out
    int64_t reclose_ticks
    int64_t behind             # the breaker that leaves nothing to judge here while it is open, -1: none
    int64_t blocked            # 1: nor anything to measure, so that its relay is blocked by the breaker's contact (52a)
    int64_t settle_ticks       # for how long what is measured still shows that the breaker was open
    int64_t relay              # function that forgets while it is blocked, -1: none


cdef struct TripState:
    int64_t tripped            # 1: since its breaker was closed last
    int64_t operations
    int64_t first_tick         # of the first, -1: none
    int64_t blocked_until
    int64_t away_until         # before this tick it is not judged, since its breaker is open, or was within its window
    int64_t away_ticks         # samples that were therefore not judged
    int64_t away_from          # the first tick of them, -1: none


cdef inline void breaker_logged(BreakerState* s, int64_t code, int64_t at, int64_t limit) noexcept nogil:
    cdef int64_t place = s.log_count & (BREAKER_LOG - 1)
    s.log_at[place] = at
    s.log_code[place] = code
    s.log_limit[place] = limit
    s.log_count += 1


cdef inline void breaker_trips(BreakerState* b, const TripParams* p, TripState* t, int64_t limit, int64_t tick) noexcept nogil:
    """A relay has operated at the sample of a tick, and its breaker is closed, or about to open."""
    cdef int64_t opens_at = tick + 1 + p.breaker_ticks
    if t.tripped:
        return
    t.tripped = 1
    t.operations += 1
    if t.first_tick < 0:
        t.first_tick = tick
    breaker_logged(b, BREAKER_TRIPPED, tick + 1, limit)
    if p.locks_out and not b.lockout:
        b.lockout = 1
        breaker_logged(b, BREAKER_LOCKED_OUT, tick + 1, limit)
    if b.opens_at < 0 or opens_at < b.opens_at:
        b.opens_at = opens_at
    if b.reclose_ticks < p.reclose_ticks:
        b.reclose_ticks = p.reclose_ticks


cdef inline void breaker_recloses(BreakerState* b, int64_t tick) noexcept nogil:
    """At the end of a tick in which it was open: without a lock-out, and once no relay holds it, it closes by itself."""
    if b.lockout or b.held:
        b.closes_at = -1
    elif b.closes_at < 0:
        b.closes_at = tick + 1 + b.reclose_ticks
    b.held = 0


cdef inline bint few(int64_t ticks) noexcept nogil:
    """Whether sums of it cannot overflow."""
    return 0 <= ticks < <int64_t>FOR_GOOD


cdef inline bint breaker_is_sound(const BreakerParams* p, const BreakerState* s, int64_t bess, int64_t upss,
                                  int64_t words) noexcept nogil:
    if p.place == BREAKER_BESS and not 0 <= p.device < bess:
        return False
    if p.place == BREAKER_UPS and not 0 <= p.device < upss:
        return False
    return (BREAKER_PCC <= p.place <= BREAKER_UPS and 0 <= p.output <= words - BREAKER_OUTPUTS
            and few(s.reclose_ticks) and few(s.log_count) and few(s.opens_at + 1) and few(s.closes_at + 1))


cdef inline bint trip_is_sound(const TripParams* p, int64_t breakers, int64_t relays) noexcept nogil:
    return (-1 <= p.breaker < breakers and -1 <= p.behind < breakers and -1 <= p.relay < relays
            and few(p.breaker_ticks) and few(p.reclose_ticks) and few(p.settle_ticks))
