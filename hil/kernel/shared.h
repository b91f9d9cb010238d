/* What the thread of the kernel and Python's share while both run: single words, and an image under a sequence lock.
 *
 * A plain header, so that C programs can take it as it is: tests/shared_memory.c runs it under ThreadSanitizer. Where each
 * order comes from, and what it becomes on ARM, stands in docs/wall_clock.md, "Shared memory". */
#ifndef RIDETHROUGH_SHARED_H
#define RIDETHROUGH_SHARED_H

#include <sched.h>
#include <stdint.h>

typedef uint64_t __attribute__((__may_alias__)) hil_any_word;  /* words of structs, whatever their fields */

static inline int64_t hil_load_acquire(const int64_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }

static inline void hil_store_release(int64_t *at, int64_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }

static inline int hil_swap(int64_t *at, int64_t from, int64_t to)
{
    return __atomic_compare_exchange_n(at, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline void hil_copy_words(void *to, const void *from, int64_t words)
{
    const hil_any_word *source = from;
    hil_any_word *target = to;
    for (int64_t i = 0; i < words; i++)
        __atomic_store_n(target + i, __atomic_load_n(source + i, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

static inline void hil_write_begins(int64_t *sequence)
{
    __atomic_store_n(sequence, *sequence + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void hil_write_ends(int64_t *sequence) { __atomic_store_n(sequence, *sequence + 1, __ATOMIC_RELEASE); }

static inline int hil_read_holds(const int64_t *sequence, int64_t begun)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(sequence, __ATOMIC_RELAXED) == begun && !(begun & 1);
}

#endif
