"""How punctual paced ticks were: histograms of lateness and of the time that a tick takes, the overruns one by one, the cost.

Bins are those of an HDR histogram: 32 to an octave, so that a value is known to 3 % from 1 ns to half an hour.
"""

from libc.stdint cimport int64_t

from hil.kernel.shared cimport load_acquire, store_release


cdef extern from *:
    """
    static inline int hil_octave(int64_t x) { return 63 - __builtin_clzll((uint64_t)x); }
    """
    int octave "hil_octave"(int64_t x) noexcept nogil


cdef enum:
    TIMING_BINS = 1184           # to 2^41 ns; what is longer goes to the last
    OVERRUN_PLACES = 1024        # of the ring of overruns; a power of two


cdef struct Timing:
    int64_t ticks                # judged ticks that were paced
    int64_t wake_ups             # in which they were run
    int64_t overruns             # of the ticks, those that began a whole wake-up too late
    int64_t beyond_budget        # and those that were later than the budget allows
    int64_t late_max_ns          # after their deadline
    int64_t busy_max_ns          # time that a tick took
    int64_t usage_known          # 1: the system counts the four below, from the first judged tick to the last
    int64_t minor_faults
    int64_t major_faults
    int64_t waits                # voluntary context switches
    int64_t preemptions          # involuntary ones
    int64_t demoted_tick         # -1, or where it gave its priority back because it never slept
    int64_t aborted_tick         # -1, or the tick that was too late for the policy `abort`
    int64_t late[TIMING_BINS]    # ticks, by lateness
    int64_t busy[TIMING_BINS]    # ticks, by the time they took


cdef struct Overrun:
    int64_t tick                 # the first that was late by a wake-up or more
    int64_t ticks                # how many in a row
    int64_t late_ns              # the latest of them


cdef struct Overruns:
    # A ring with one writer and one reader; full, it drops the newest.
    int64_t head
    int64_t tail
    int64_t dropped
    Overrun open                 # the one under way: ticks is 0 where there is none
    Overrun places[OVERRUN_PLACES]


cdef inline int64_t timing_bin(int64_t ns) noexcept nogil:
    cdef int e
    if ns < 32:
        return ns if ns > 0 else 0
    e = octave(ns)
    if e > 40:
        return TIMING_BINS - 1
    return (e - 4) * 32 + ((ns >> (e - 5)) & 31)


cdef inline void timing_late(Timing* t, int64_t ticks, int64_t late_ns) noexcept nogil:
    """Count ticks that began `late_ns` after their deadline."""
    t.ticks += ticks
    t.late[timing_bin(late_ns)] += ticks
    if late_ns > t.late_max_ns:
        t.late_max_ns = late_ns


cdef inline void timing_busy(Timing* t, int64_t ticks, int64_t busy_ns) noexcept nogil:
    """Count ticks that took `busy_ns` each."""
    t.busy[timing_bin(busy_ns)] += ticks
    if busy_ns > t.busy_max_ns:
        t.busy_max_ns = busy_ns


cdef inline void overrun_grows(Overruns* o, int64_t tick, int64_t ticks, int64_t late_ns) noexcept nogil:
    """Ticks from `tick` on were overruns."""
    if o.open.ticks == 0:
        o.open.tick = tick
        o.open.late_ns = late_ns
    o.open.ticks += ticks
    if late_ns > o.open.late_ns:
        o.open.late_ns = late_ns


cdef inline void overrun_ends(Overruns* o) noexcept nogil:
    """A tick was in time, or was the last: hand on the overrun before it, if there was one."""
    if o.open.ticks == 0:
        return
    if o.head - load_acquire(&o.tail) < OVERRUN_PLACES:
        o.places[o.head & (OVERRUN_PLACES - 1)] = o.open
        store_release(&o.head, o.head + 1)
    else:
        o.dropped += 1
    o.open.ticks = 0
