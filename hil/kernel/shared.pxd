"""What the thread of the kernel and Python's share while both run: single words, and an image under a sequence lock.

Words are published with release and read with acquire: on x86 plain moves, so that lock-step pays nothing. The image has one
writer, which never waits, and a reader that copies again where the writer was at work (Boehm, "Can seqlocks get along with
programming language memory models?", HPL-2012-68).
"""

from libc.stdint cimport int64_t, uint64_t


cdef extern from *:
    """
    #include <sched.h>
    #include <stdint.h>
    typedef uint64_t __attribute__((__may_alias__)) hil_any_word;  /* words of structs, whatever their fields */
    static inline int64_t hil_load_acquire(const int64_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
    static inline void hil_store_release(int64_t *at, int64_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
    static inline int hil_swap(int64_t *at, int64_t from, int64_t to) {
        return __atomic_compare_exchange_n(at, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
    static inline void hil_copy_words(void *to, const void *from, int64_t words) {
        const hil_any_word *source = from;
        hil_any_word *target = to;
        for (int64_t i = 0; i < words; i++)
            __atomic_store_n(target + i, __atomic_load_n(source + i, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    }
    static inline void hil_write_begins(int64_t *sequence) {
        __atomic_store_n(sequence, *sequence + 1, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_RELEASE);
    }
    static inline void hil_write_ends(int64_t *sequence) { __atomic_store_n(sequence, *sequence + 1, __ATOMIC_RELEASE); }
    static inline int hil_read_holds(const int64_t *sequence, int64_t begun) {
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        return __atomic_load_n(sequence, __ATOMIC_RELAXED) == begun && !(begun & 1);
    }
    """
    int64_t load_acquire "hil_load_acquire"(const int64_t* at) noexcept nogil
    void store_release "hil_store_release"(int64_t* at, int64_t value) noexcept nogil
    bint swap "hil_swap"(int64_t* at, int64_t from_, int64_t to) noexcept nogil
    void copy_words "hil_copy_words"(void* to, const void* from_, int64_t words) noexcept nogil
    void write_begins "hil_write_begins"(int64_t* sequence) noexcept nogil
    void write_ends "hil_write_ends"(int64_t* sequence) noexcept nogil
    void give_way "sched_yield"() noexcept nogil
    bint read_holds "hil_read_holds"(const int64_t* sequence, int64_t begun) noexcept nogil
