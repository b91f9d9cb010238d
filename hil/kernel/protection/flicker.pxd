"""Flickermeter on the envelope of a voltage (IEC 61000-4-15, blocks 1 to 5).

The input is divided by its slow mean, squared, and put back on the carrier whose square a lamp sees; band filter and the
weighting of lamp and eye are one cascade; its square is smoothed, scaled to 1 at the threshold of perception, and sorted into
classes, of which a block's end makes Pst. What depends on lamp, frequency and tick is a parameter (hil/limits/flicker.py).

A class is named by the exponent and the six leading bits of the mantissa of a double: 64 an octave, of equal width within it,
so that sorting takes no logarithm. They lie in the arena behind the sections.
"""

from libc.math cimport NAN, cbrt, fabs, sqrt
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from hil.kernel.protection.filters cimport SECTION_WORDS, cascade_push


cdef enum:
    FLICKER_OUTPUTS = 3        # instantaneous flicker, Pst, Plt
    FLICKER_SECTIONS = 6       # high-pass, three of the low-pass, two of the weighting
    FLICKER_PERCENTILES = 15
    FLICKER_RECENT = 12        # Pst that make a Plt
    CLASS_BITS = 46            # of a double below those that name a class
    LOWEST_CLASS = 63936       # (1023 − 24) · 64: the one that begins at 2⁻²⁴
    CLASSES = 2816             # 44 octaves, up to 2²⁰
    FLICKER_WORDS = 2858       # of the arena: 6 sections of 7, and the classes
    TIDY_TICKS = 1024

cdef struct FlickerParams:
    int64_t channel            # RMS voltage of a phase, any unit
    int64_t output
    int64_t blank
    int64_t offset             # of sections and classes in the arena
    int64_t settle_ticks       # before anything is put out
    int64_t block_ticks        # that make a Pst
    double mean_gain           # of the mean that the input is divided by
    double carrier_re          # turn of the squared carrier in a tick
    double carrier_im
    double smooth_gain
    double scale               # of the squared answer
    double exceeded[15]        # shares of a block, growing
    double weight[15]          # of the levels exceeded for that share, in Pst²


cdef struct FlickerState:
    double held                # latest input that no stimulus voided
    double mean                # 0 before the first input
    double carrier_re
    double carrier_im
    double level               # instantaneous flicker
    double least               # of the levels in this block
    double largest
    double pst
    double plt
    double recent[12]          # Pst
    int64_t settled_ticks
    int64_t ticks              # in this block
    int64_t recent_count
    int64_t recent_next


cdef inline double flicker_class_edge(int64_t i) noexcept nogil:
    """Where class `i` begins."""
    cdef int64_t bits = (i + LOWEST_CLASS) << CLASS_BITS
    cdef double edge
    memcpy(&edge, &bits, sizeof(double))
    return 0.0 if i == 0 else edge


cdef inline int64_t flicker_class(double level) noexcept nogil:
    """The class of a level; the first holds what is below it too, the last what is above it, infinities and no numbers."""
    cdef int64_t bits
    memcpy(&bits, &level, sizeof(double))
    if bits < 0:
        return 0
    bits = (bits >> CLASS_BITS) - LOWEST_CLASS
    return 0 if bits < 0 else CLASSES - 1 if bits >= CLASSES else bits


cdef inline double flicker_pst(const FlickerParams* p, const FlickerState* s, const double* classes) noexcept nogil:
    """Pst of the levels in the classes: block 5. Within a class they are taken as evenly spread."""
    cdef double above = 0.0    # levels in the classes above this one
    cdef double sought = p.exceeded[0] * <double>s.ticks
    cdef double square = 0.0
    cdef double low
    cdef double high
    cdef int64_t found = 0
    cdef int64_t i
    for i in range(CLASSES - 1, -1, -1):
        while above + classes[i] >= sought and classes[i] > 0.0:
            low = flicker_class_edge(i)
            high = flicker_class_edge(i + 1)
            if low < s.least:
                low = s.least
            if high > s.largest or i == CLASSES - 1:  # the last has no end
                high = s.largest
            square += p.weight[found] * (high - (high - low) * (sought - above) / classes[i])
            found += 1
            if found == FLICKER_PERCENTILES:
                return sqrt(square)
            sought = p.exceeded[found] * <double>s.ticks
        above += classes[i]
    return NAN


cdef inline void flicker_end_block(const FlickerParams* p, FlickerState* s, double* classes) noexcept nogil:
    cdef double cubes = 0.0
    cdef int64_t i
    s.pst = flicker_pst(p, s, classes)
    memset(classes, 0, CLASSES * sizeof(double))
    s.ticks = 0
    s.recent[s.recent_next] = s.pst
    s.recent_next += 1
    if s.recent_next == FLICKER_RECENT:
        s.recent_next = 0
    if s.recent_count < FLICKER_RECENT:
        s.recent_count += 1
    if s.recent_count == FLICKER_RECENT:
        for i in range(FLICKER_RECENT):
            cubes += s.recent[i] * s.recent[i] * s.recent[i]
        s.plt = cbrt(cubes / FLICKER_RECENT)


cdef inline double flicker_input(const FlickerParams* p, FlickerState* s) noexcept nogil:
    """Blocks 1 and 2 without the steady part: what a lamp sees change, of mean square 1 at the mean voltage."""
    cdef double re = s.carrier_re
    cdef double ratio
    if not s.mean > 0.0:
        s.mean = s.held
    s.mean += (s.held - s.mean) * p.mean_gain
    ratio = s.held / s.mean if s.mean > 0.0 else 1.0
    if not ratio < 100.0:      # back after hours without voltage
        ratio = 100.0
    s.carrier_re = re * p.carrier_re - s.carrier_im * p.carrier_im
    s.carrier_im = re * p.carrier_im + s.carrier_im * p.carrier_re
    return (ratio * ratio - 1.0) * (1.0 - re)


cdef inline void flicker_tidy(FlickerState* s, double* sections) noexcept nogil:
    """Now and then: keep the carrier's length, and take to 0 what decays, before it is too small to compute with fast."""
    cdef double length = 1.5 - 0.5 * (s.carrier_re * s.carrier_re + s.carrier_im * s.carrier_im)
    cdef int64_t _i
    s.carrier_re *= length
    s.carrier_im *= length
    for _i in range(FLICKER_SECTIONS):
        if fabs(sections[5]) < 1e-60:
            sections[5] = 0.0
        if fabs(sections[6]) < 1e-60:
            sections[6] = 0.0
        sections += SECTION_WORDS
    if s.level < 1e-60:
        s.level = 0.0
    if s.mean < 1e-60:
        s.mean = 0.0


cdef inline void flicker_step(const FlickerParams* p, FlickerState* s, double* arena, double* row, int64_t tick,
                              const int64_t* blank_until) noexcept nogil:
    cdef double value = row[p.channel]
    cdef double* sections = arena + p.offset
    cdef double* classes = sections + FLICKER_SECTIONS * SECTION_WORDS
    cdef double y
    if tick >= blank_until[p.blank] and 0.0 <= value <= 1e100:  # of what is no voltage, no trace must stay
        s.held = value
    y = cascade_push(sections, FLICKER_SECTIONS, flicker_input(p, s))
    s.level += (y * y * p.scale - s.level) * p.smooth_gain
    if tick % TIDY_TICKS == 0:
        flicker_tidy(s, sections)
    if s.settled_ticks < p.settle_ticks:
        s.settled_ticks += 1
        row[p.output] = row[p.output + 1] = row[p.output + 2] = NAN
        return
    if s.ticks == 0:
        s.least = s.largest = s.level
    elif s.level < s.least:
        s.least = s.level
    elif s.level > s.largest:
        s.largest = s.level
    classes[flicker_class(s.level)] += 1.0
    s.ticks += 1
    if s.ticks >= p.block_ticks:
        flicker_end_block(p, s, classes)
    row[p.output] = s.level
    row[p.output + 1] = s.pst
    row[p.output + 2] = s.plt


cdef inline bint flicker_is_sound(const FlickerParams* p, const FlickerState* s, int64_t words, int64_t arena_size,
                                  int64_t blanks) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.output <= words - FLICKER_OUTPUTS and 0 <= p.blank < blanks
            and 0 <= p.offset <= arena_size and FLICKER_WORDS <= arena_size - p.offset and p.settle_ticks >= 0
            and 0 <= s.settled_ticks <= p.settle_ticks and 0 <= s.ticks < p.block_ticks
            and 0 <= s.recent_count <= FLICKER_RECENT and 0 <= s.recent_next < FLICKER_RECENT)
