"""How punctual paced ticks were: histograms of lateness and of the time that a tick takes, and the clock they are read from.

Bins are those of an HDR histogram: 32 to an octave, so that a value is known to 3 % from 1 ns to half an hour.
"""

from libc.stdint cimport int64_t


cdef extern from *:
    """
    #include <errno.h>
    #include <stdint.h>
    #include <sys/prctl.h>
    #include <time.h>
    #include <unistd.h>
    static inline int64_t hil_monotonic_ns(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    }
    static inline void hil_sleep_until(int64_t ns) {  /* a signal may end it early: the caller looks at the clock */
        struct timespec until = {ns / 1000000000, ns % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    static inline void hil_wake(int fd) {
        uint64_t one = 1;
        ssize_t ignored = write(fd, &one, sizeof one);  /* fails only where wake-ups that nobody took fill the counter */
        (void)ignored;
    }
    static inline void hil_fine_timers(void) { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }
    static inline int hil_octave(int64_t x) { return 63 - __builtin_clzll((uint64_t)x); }
    """
    int64_t monotonic_ns "hil_monotonic_ns"() noexcept nogil
    void sleep_until "hil_sleep_until"(int64_t ns) noexcept nogil
    void wake "hil_wake"(int fd) noexcept nogil
    void fine_timers "hil_fine_timers"() noexcept nogil
    int octave "hil_octave"(int64_t x) noexcept nogil


cdef enum:
    TIMING_BINS = 1184           # to 2^41 ns; what is longer goes to the last


cdef struct Timing:
    int64_t ticks                # judged ticks that were paced
    int64_t overruns             # of them, those that began a whole wake-up too late
    int64_t late_max_ns          # after their deadline
    int64_t busy_max_ns          # time that a tick took
    int64_t late[TIMING_BINS]    # ticks, by lateness
    int64_t busy[TIMING_BINS]    # ticks, by the time they took


cdef inline int64_t timing_bin(int64_t ns) noexcept nogil:
    cdef int e
    if ns < 32:
        return ns if ns > 0 else 0
    e = octave(ns)
    if e > 40:
        return TIMING_BINS - 1
    return (e - 4) * 32 + ((ns >> (e - 5)) & 31)


cdef inline void timing_count(Timing* t, int64_t ticks, int64_t late_ns, int64_t busy_ns, int64_t allowed_ns) noexcept nogil:
    """Count the ticks of one wake-up: late by `late_ns`, each taking `busy_ns`, overrun beyond `allowed_ns`."""
    t.ticks += ticks
    t.late[timing_bin(late_ns)] += ticks
    t.busy[timing_bin(busy_ns)] += ticks
    if late_ns > allowed_ns:
        t.overruns += ticks
    if late_ns > t.late_max_ns:
        t.late_max_ns = late_ns
    if busy_ns > t.busy_max_ns:
        t.busy_max_ns = busy_ns
