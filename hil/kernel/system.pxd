"""What the thread of the kernel asks of the operating system, without the GIL: the time, sleep, and what it has cost.

Linux has all of it. Other Unixes fall back: no priority to give back, no exact timers to ask for, no count of faults
(RIDETHROUGH_PLAIN_UNIX builds that part on Linux, for tests).
"""

from libc.stdint cimport int64_t


cdef extern from *:
    """
    #include <pthread.h>
    #include <sched.h>
    #include <stdint.h>
    #include <sys/resource.h>
    #include <time.h>
    #include <unistd.h>
    #if defined(__linux__) && !defined(RIDETHROUGH_PLAIN_UNIX)
    #define HIL_LINUX 1
    #include <sys/prctl.h>
    #else
    #define HIL_LINUX 0
    #endif

    static inline int64_t hil_monotonic_ns(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    }
    static inline void hil_sleep_until(int64_t ns) {  /* a signal may end it early: the caller looks at the clock */
    #if HIL_LINUX
        struct timespec until = {ns / 1000000000, ns % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    #else
        int64_t left_ns = ns - hil_monotonic_ns();
        struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
        if (left_ns > 0)
            nanosleep(&left, NULL);
    #endif
    }
    static inline void hil_pause(void) {  /* in a loop that waits, for the sake of the core's other thread */
    #if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
    #elif defined(__aarch64__)
        __asm__ __volatile__("yield");
    #endif
    }
    static inline void hil_wake(int fd) {
        uint64_t one = 1;
        ssize_t ignored = write(fd, &one, sizeof one);  /* fails only where wake-ups that nobody took fill it */
        (void)ignored;
    }
    static inline void hil_fine_timers(void) {
    #if HIL_LINUX
        prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    #endif
    }
    static inline void hil_give_priority_back(void) {
    #if HIL_LINUX
        struct sched_param none = {0};
        pthread_setschedparam(pthread_self(), SCHED_OTHER, &none);
    #endif
    }
    static inline int hil_thread_usage(int64_t *faults, int64_t *loads, int64_t *waits, int64_t *taken) {
    #if HIL_LINUX && defined(RUSAGE_THREAD)
        struct rusage usage;
        getrusage(RUSAGE_THREAD, &usage);
        *faults = usage.ru_minflt;
        *loads = usage.ru_majflt;
        *waits = usage.ru_nvcsw;
        *taken = usage.ru_nivcsw;
        return 1;
    #else
        *faults = *loads = *waits = *taken = 0;
        return 0;
    #endif
    }
    static void __attribute__((noinline)) hil_touch_stack(void) {  /* so that no tick is the first to meet a page of it */
        volatile char pages[131072];
        for (size_t i = 0; i < sizeof pages; i += 1024)
            pages[i] = 0;
    }
    """
    int64_t monotonic_ns "hil_monotonic_ns"() noexcept nogil
    void sleep_until "hil_sleep_until"(int64_t ns) noexcept nogil
    void pause "hil_pause"() noexcept nogil
    void wake "hil_wake"(int fd) noexcept nogil
    void fine_timers "hil_fine_timers"() noexcept nogil
    void give_priority_back "hil_give_priority_back"() noexcept nogil
    bint thread_usage "hil_thread_usage"(int64_t* faults, int64_t* loads, int64_t* waits, int64_t* taken) noexcept nogil
    void touch_stack "hil_touch_stack"() noexcept nogil
