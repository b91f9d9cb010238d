"""Power supplies of IT: hold-up by their capacitors, drop-out below a voltage, restart.

Equations and sources: docs/model.md, "Power supplies".
"""

from libc.stdint cimport int64_t


cdef enum:
    PSU_OUTPUTS = 2            # shares of the IT demand: off, on capacitors


cdef struct PsuParams:
    # A bank: supplies of one feed that are alike, and on one phase.
    int64_t feed               # 0: the bus, k: output of UPS k - 1
    int64_t phase
    double share               # of the feed's IT demand
    double drop_below_pu       # below this voltage they take nothing
    int64_t hold_ticks         # for so long they go on without
    double refill              # power beyond their load's with which capacitors are refilled, share of it
    int64_t restart_ticks      # after so many with voltage what has dropped out restarts; negative: never
    double restart_step        # rise of the running share a tick while it does
    int64_t output             # first of their channels in the row


cdef struct PsuState:
    double spent_ticks         # of the hold-up
    double running             # share of the bank's load that runs
    int64_t dropped            # 1: off, waiting for its restart
    int64_t well_ticks         # with voltage, in a row
    int64_t drops


cdef struct PsuFeed:
    # Of all banks of a feed, shares of its IT demand.
    double draws               # asked of the feed
    double works               # runs
    double held                # of that, on capacitors


cdef inline void psu_step(const PsuParams* p, PsuState* s, PsuFeed* feed, double voltage_pu) noexcept nogil:
    """A tick of one bank, on the voltage of its phase at the end of the last tick; adds to what its feed is asked for."""
    cdef double refilled = 0.0
    if voltage_pu < p.drop_below_pu:
        s.well_ticks = 0
        if s.dropped:
            return
        s.spent_ticks += 1.0
        if s.spent_ticks > <double>p.hold_ticks:
            s.dropped = 1
            s.drops += 1
            s.running = 0.0
            return
        feed.held += p.share * s.running
        feed.works += p.share * s.running
        return
    s.well_ticks += 1
    if s.dropped:
        s.spent_ticks = 0.0
        if p.restart_ticks < 0 or s.well_ticks <= p.restart_ticks:
            return
        s.dropped = 0
    if s.running < 1.0:
        s.running += p.restart_step
        if s.running > 1.0:
            s.running = 1.0
    if s.spent_ticks > 0.0:
        refilled = p.refill if p.refill < s.spent_ticks else s.spent_ticks
        s.spent_ticks -= refilled
    feed.draws += p.share * s.running * (1.0 + refilled)
    feed.works += p.share * s.running


cdef inline bint psu_is_sound(const PsuParams* p, int64_t feeds, int64_t words) noexcept nogil:
    return 0 <= p.feed < feeds and 0 <= p.phase < 3 and 0 <= p.output <= words - PSU_OUTPUTS
