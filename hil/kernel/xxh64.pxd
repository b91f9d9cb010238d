"""Waveform hash: XXH64 (seed 0) over rows of float64, a streaming form for rows filled up with zeros to 32-byte stripes.

The algorithm is Yann Collet's public specification (xxHash fast digest algorithm, version 0.2.0); the test compares with the
`xxhash` package over the same bytes.
"""

cimport cython
from libc.stdint cimport int64_t, uint64_t


cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #define HIL_P1 0x9E3779B185EBCA87ULL
    #define HIL_P2 0xC2B2AE3D27D4EB4FULL
    #define HIL_P3 0x165667B19E3779F9ULL
    #define HIL_P4 0x85EBCA77C2B2AE63ULL
    static inline uint64_t hil_rotl(uint64_t x, int r) { return (x << r) | (x >> (64 - r)); }
    static inline uint64_t hil_round(uint64_t acc, uint64_t word) {
        return hil_rotl(acc + word * HIL_P2, 31) * HIL_P1;
    }
    static inline uint64_t hil_word(const double *x) {
        uint64_t word;
        memcpy(&word, x, sizeof word);
        return word;
    }
    static inline uint64_t hil_merge(uint64_t h, uint64_t lane) {
        return (h ^ hil_round(0, lane)) * HIL_P1 + HIL_P4;
    }
    """
    uint64_t HIL_P1
    uint64_t HIL_P2
    uint64_t HIL_P3
    uint64_t hil_rotl(uint64_t x, int r) noexcept nogil
    uint64_t hil_round(uint64_t acc, uint64_t word) noexcept nogil
    uint64_t hil_word(const double* x) noexcept nogil
    uint64_t hil_merge(uint64_t h, uint64_t lane) noexcept nogil


cdef struct Xxh64:
    uint64_t lane[4]
    uint64_t length      # bytes so far


@cython.overflowcheck(False)  # wraps around, as XXH64 does
cdef inline void xxh64_reset(Xxh64* s) noexcept nogil:
    s.lane[0] = HIL_P1 + HIL_P2
    s.lane[1] = HIL_P2
    s.lane[2] = 0
    s.lane[3] = 0 - HIL_P1
    s.length = 0


cdef inline void xxh64_row(Xxh64* s, const double* row, int64_t words) noexcept nogil:
    """Absorb `words` float64 values, and zeros up to the next multiple of 4."""
    cdef double tail[4]
    cdef int64_t whole = words & ~3
    cdef int64_t i
    # In registers: in memory, which the compiler must take the row for too, every round would wait for a store.
    cdef uint64_t a = s.lane[0]
    cdef uint64_t b = s.lane[1]
    cdef uint64_t c = s.lane[2]
    cdef uint64_t d = s.lane[3]
    for i in range(0, whole, 4):
        a = hil_round(a, hil_word(row + i))
        b = hil_round(b, hil_word(row + i + 1))
        c = hil_round(c, hil_word(row + i + 2))
        d = hil_round(d, hil_word(row + i + 3))
    if whole < words:
        for i in range(4):
            tail[i] = row[whole + i] if whole + i < words else 0.0
        a = hil_round(a, hil_word(tail))
        b = hil_round(b, hil_word(tail + 1))
        c = hil_round(c, hil_word(tail + 2))
        d = hil_round(d, hil_word(tail + 3))
    s.lane[0] = a
    s.lane[1] = b
    s.lane[2] = c
    s.lane[3] = d
    s.length += <uint64_t>((words + 3) & ~3) * 8


@cython.overflowcheck(False)  # wraps around, as XXH64 does
cdef inline uint64_t xxh64_digest(const Xxh64* s) noexcept nogil:
    cdef uint64_t h
    cdef int i
    if s.length >= 32:
        h = (hil_rotl(s.lane[0], 1) + hil_rotl(s.lane[1], 7)
             + hil_rotl(s.lane[2], 12) + hil_rotl(s.lane[3], 18))
        for i in range(4):
            h = hil_merge(h, s.lane[i])
    else:
        h = 0x27D4EB2F165667C5
    h += s.length
    h ^= h >> 33
    h *= HIL_P2
    h ^= h >> 29
    h *= HIL_P3
    h ^= h >> 32
    return h
