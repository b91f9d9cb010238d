"""What the thread of the kernel and Python's share while both run: single words, and an image under a sequence lock.

Words are published with release and read with acquire: on x86 plain moves, so that lock-step pays nothing. The image has one
writer, which never waits, and a reader that copies again where the writer was at work (Boehm, "Can seqlocks get along with
programming language memory models?", HPL-2012-68).
"""

from libc.stdint cimport int64_t


cdef extern from "hil/kernel/shared.h" nogil:
    int64_t load_acquire "hil_load_acquire"(const int64_t* at) noexcept
    void store_release "hil_store_release"(int64_t* at, int64_t value) noexcept
    bint swap "hil_swap"(int64_t* at, int64_t from_, int64_t to) noexcept
    void copy_words "hil_copy_words"(void* to, const void* from_, int64_t words) noexcept
    void write_begins "hil_write_begins"(int64_t* sequence) noexcept
    void write_ends "hil_write_ends"(int64_t* sequence) noexcept
    void give_way "sched_yield"() noexcept
    bint read_holds "hil_read_holds"(const int64_t* sequence, int64_t begun) noexcept
