"""Oscillation detector: a sliding Fourier transform of a band: TO BE WRITTEN."""

from libc.math cimport NAN
from libc.stdint cimport int64_t

from hil.kernel.protection.filters cimport MOST_SECTIONS, SECTION_WORDS, cascade_push


cdef enum:
    OSCILLATION_OUTPUTS = 4    # amplitude of the strongest in the band, its frequency, its damping ratio, share of the band


cdef struct OscillationParams:
    int64_t channel
    int64_t output
    int64_t blank
    int64_t offset             # of everything below in the arena


cdef struct OscillationState:
    double held


cdef inline void oscillation_step(const OscillationParams* p, OscillationState* s, double* arena, double* row, int64_t tick,
                                  const int64_t* blank_until) noexcept nogil:
    row[p.output] = row[p.output + 1] = row[p.output + 2] = row[p.output + 3] = NAN


cdef inline bint oscillation_is_sound(const OscillationParams* p, const OscillationState* s, int64_t words, int64_t arena_size,
                                      int64_t blanks) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.output <= words - OSCILLATION_OUTPUTS and 0 <= p.blank < blanks
            and 0 <= p.offset <= arena_size)
