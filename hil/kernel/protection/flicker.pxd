"""Flickermeter on the envelope of a voltage (IEC 61000-4-15): TO BE WRITTEN."""

from libc.math cimport NAN
from libc.stdint cimport int64_t

from hil.kernel.protection.filters cimport MOST_SECTIONS, SECTION_WORDS, cascade_push


cdef enum:
    FLICKER_OUTPUTS = 3        # instantaneous flicker, Pst, Plt


cdef struct FlickerParams:
    int64_t channel            # RMS voltage of a phase, pu
    int64_t output
    int64_t blank
    int64_t offset             # of everything below in the arena


cdef struct FlickerState:
    double held


cdef inline void flicker_step(const FlickerParams* p, FlickerState* s, double* arena, double* row, int64_t tick,
                              const int64_t* blank_until) noexcept nogil:
    row[p.output] = row[p.output + 1] = row[p.output + 2] = NAN


cdef inline bint flicker_is_sound(const FlickerParams* p, const FlickerState* s, int64_t words, int64_t arena_size,
                                  int64_t blanks) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.output <= words - FLICKER_OUTPUTS and 0 <= p.blank < blanks
            and 0 <= p.offset <= arena_size)
