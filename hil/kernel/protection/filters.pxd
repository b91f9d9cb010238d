"""Filters: cascades of second-order sections, each `b0 b1 b2 a1 a2` (a0 = 1) in the direct form II transposed.

Coefficients and memories lie in the arena, seven values a section: the coefficients, then the two memories. While a scripted
stimulus acts, or where it is not a number, the input is held, so that what follows is the answer to the step from there to
where the site has come.
"""

from libc.stdint cimport int64_t

from hil.kernel.subnormal cimport flushed


cdef enum:
    SECTION_WORDS = 7
    MOST_SECTIONS = 16
    FILTER_TIDY_TICKS = 64


cdef struct FilterParams:
    int64_t channel
    int64_t output
    int64_t blank
    int64_t sections
    int64_t offset     # of the first section in the arena


cdef struct FilterState:
    double held        # latest input that no stimulus voided and that is a number


cdef inline double cascade_push(double* section, int64_t sections, double x) noexcept nogil:
    """Put a sample through `sections` sections that lie at `section`; who calls it tidies them now and then."""
    cdef double y
    cdef int64_t _i
    for _i in range(sections):
        y = section[0] * x + section[5]
        section[5] = section[1] * x - section[3] * y + section[6]
        section[6] = section[2] * x - section[4] * y
        x = y
        section += SECTION_WORDS
    return x


cdef inline void cascade_tidy(double* section, int64_t sections) noexcept nogil:
    """Take to 0 what decays, before it is too small to compute with fast."""
    cdef int64_t _i
    for _i in range(sections):
        section[5] = flushed(section[5])
        section[6] = flushed(section[6])
        section += SECTION_WORDS


cdef inline void filter_step(const FilterParams* p, FilterState* s, double* arena, double* row, int64_t tick,
                             const int64_t* blank_until) noexcept nogil:
    cdef double x = row[p.channel]
    if tick >= blank_until[p.blank] and x == x:
        s.held = x
    row[p.output] = cascade_push(arena + p.offset, p.sections, s.held)
    if tick % FILTER_TIDY_TICKS == 0:
        cascade_tidy(arena + p.offset, p.sections)


cdef inline bint filter_is_sound(const FilterParams* p, int64_t words, int64_t arena_size, int64_t blanks) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.output < words and 0 <= p.blank < blanks and 0 <= p.sections <= MOST_SECTIONS
            and 0 <= p.offset <= arena_size and p.sections * SECTION_WORDS <= arena_size - p.offset)
