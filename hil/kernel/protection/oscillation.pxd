"""Oscillation detector: a Fourier transform of one band over a sliding window, behind a decimation.

Per decimated sample one term is added to each bin of the hop under way, its phase from a table by the sample's place in the
window. When a hop ends these sums enter those of the window in the place of the hop that leaves it; in the tick after that the
window is looked at. Definitions: docs/protection.md, "Oscillations".

In the arena from `offset` on, K bins, N samples a window, B hops a window, W = 2K + 10 sums a hop:

    sections of the anti-alias filter | cosine N | sine N | gain K
    hop under way W | window W | fresh W | hops B W | power K | earlier power B K

A hop's sums are K real parts, K imaginary parts, and the moments of value and square: mean, cosine and sine once a window,
twice a window. `fresh` replaces the window's sums once a window, so that rounding cannot accumulate; `gain` makes up for the
filter.
"""

from libc.math cimport M_PI, NAN, fabs, log, sin, sqrt
from libc.stdint cimport int64_t

from hil.kernel.protection.filters cimport MOST_SECTIONS, SECTION_WORDS, cascade_push, cascade_tidy
from hil.kernel.subnormal cimport flushed


cdef enum:
    OSCILLATION_OUTPUTS = 4      # amplitude of the strongest in the band, its frequency, its damping ratio, share of the band
    MOMENTS = 5                  # of the value, and as many of its square
    MOST_SAMPLES = 1048576


cdef struct OscillationParams:
    int64_t channel
    int64_t output
    int64_t blank
    int64_t offset
    int64_t sections             # of the anti-alias filter
    int64_t decimation           # ticks a sample
    int64_t samples              # in the window, a multiple of those in a hop
    int64_t hop                  # samples
    int64_t first                # lowest bin
    int64_t bins                 # from there on; the band, and enough on either side for the Hann window and its main lobe
    double low                   # edges of the band, in bins
    double high
    double bin_hz                # 1 / window
    double least                 # amplitude below which there is no oscillation


cdef struct OscillationState:
    int64_t begun
    int64_t phase                # ticks into the sample under way
    int64_t index                # of that sample in the window
    int64_t hops                 # that are over, as far as they matter: up to two windows
    double held                  # latest input that no stimulus voided, from `origin`
    double origin                # first input
    double sum                   # of the ticks of the sample under way
    double square
    double amplitude             # what the latest hop found
    double frequency_hz
    double damping
    double share


cdef inline int64_t oscillation_sums(const OscillationParams* p) noexcept nogil:
    return 2 * p.bins + 2 * MOMENTS


cdef inline int64_t oscillation_words(const OscillationParams* p) noexcept nogil:
    """Places in the arena."""
    return (SECTION_WORDS * p.sections + 2 * p.samples + 2 * p.bins + 3 * oscillation_sums(p)
            + p.samples // p.hop * (oscillation_sums(p) + p.bins))


cdef inline int64_t beyond(int64_t at, int64_t samples) noexcept nogil:
    """A place up to one turn beyond the end, brought back; without a branch, which would be mispredicted every other time."""
    at -= samples
    return at + (samples & (at >> 63))


cdef inline void oscillation_add(const OscillationParams* p, const OscillationState* s, double* arena, double y, double value,
                                 double square) noexcept nogil:
    """Add a filtered sample to the bins of the hop under way, and the means of its ticks to the moments."""
    cdef const double* cosine = arena + p.offset + SECTION_WORDS * p.sections
    cdef const double* sine = cosine + p.samples
    cdef double* real = arena + p.offset + SECTION_WORDS * p.sections + 2 * p.samples + p.bins
    cdef double* imaginary = real + p.bins
    cdef double* moments = imaginary + p.bins
    cdef int64_t samples = p.samples
    cdef int64_t m = s.index
    cdef int64_t step = 4 * m % samples
    cdef int64_t at = p.first * m % samples
    cdef int64_t i
    cdef int64_t one
    cdef int64_t two
    cdef int64_t three
    for i in range(0, p.bins - 3, 4):        # four at a time, so that their places are worked out side by side
        one = beyond(at + m, samples)
        two = beyond(one + m, samples)
        three = beyond(two + m, samples)
        real[i] += y * cosine[at]
        imaginary[i] -= y * sine[at]
        real[i + 1] += y * cosine[one]
        imaginary[i + 1] -= y * sine[one]
        real[i + 2] += y * cosine[two]
        imaginary[i + 2] -= y * sine[two]
        real[i + 3] += y * cosine[three]
        imaginary[i + 3] -= y * sine[three]
        at = beyond(at + step, samples)
    for i in range(p.bins - p.bins % 4, p.bins):
        real[i] += y * cosine[at]
        imaginary[i] -= y * sine[at]
        at = beyond(at + m, samples)
    at = 2 * m % samples
    moments[0] += value
    moments[1] += value * cosine[m]
    moments[2] += value * sine[m]
    moments[3] += value * cosine[at]
    moments[4] += value * sine[at]
    moments += MOMENTS
    moments[0] += square
    moments[1] += square * cosine[m]
    moments[2] += square * sine[m]
    moments[3] += square * cosine[at]
    moments[4] += square * sine[at]


cdef inline void oscillation_roll(const OscillationParams* p, const OscillationState* s, double* arena) noexcept nogil:
    """The hop that ended enters the window; that of a window ago leaves it."""
    cdef int64_t sums = oscillation_sums(p)
    cdef double* under_way = arena + p.offset + SECTION_WORDS * p.sections + 2 * p.samples + p.bins
    cdef double* window = under_way + sums
    cdef double* fresh = window + sums
    cdef double* hop = fresh + sums + s.index // p.hop * sums
    cdef double x
    cdef int64_t i
    for i in range(sums):
        x = under_way[i]
        window[i] += x - hop[i]
        fresh[i] += x
        hop[i] = x
        under_way[i] = 0.0
    if s.index + 1 == p.samples:
        for i in range(sums):
            window[i] = fresh[i]
            fresh[i] = 0.0


cdef inline double hann(const double* moments, double u, double v) noexcept nogil:
    """Sum over the window of the Hann weights times what `moments` are of; u + jv is the phase at which the window begins."""
    return 0.5 * (moments[0] - (moments[1] * u + moments[2] * v))


cdef inline double hann_squared(const double* moments, double u, double v, double uu, double vv) noexcept nogil:
    """Likewise of the squared weights; uu + jvv is the square of that phase."""
    return 0.375 * moments[0] - 0.5 * (moments[1] * u + moments[2] * v) + 0.125 * (moments[3] * uu + moments[4] * vv)


cdef inline double hann_offset(const double* three) noexcept nogil:
    """From the middle one of three bins, the highest, to a sine of constant amplitude between them, in bins."""
    cdef bint above = three[2] >= three[0]
    cdef double ratio = sqrt((three[2] if above else three[0]) / three[1])
    cdef double offset = (2.0 * ratio - 1.0) / (1.0 + ratio)
    return offset if above else -offset


cdef inline int64_t oscillation_strongest(const OscillationParams* p, const double* power) noexcept nogil:
    """Place of the highest bin that stands above its neighbours and whose sine lies in the band; 0 where there is none."""
    cdef int64_t found = 0
    cdef int64_t i
    cdef double most = 0.0
    cdef double bin
    for i in range(2, p.bins - 2):
        if power[i] > most and power[i] > power[i - 1] and power[i] >= power[i + 1]:
            bin = <double>(p.first + i) + hann_offset(power + i - 1)
            if p.low <= bin <= p.high:
                found = i
                most = power[i]
    return found


cdef inline double oscillation_damping(const OscillationParams* p, const double* three, const double* earlier,
                                       double frequency_hz) noexcept nogil:
    """Damping ratio: an exponential multiplies every bin by the same factor from one window to the next."""
    cdef double now = three[0] + three[1] + three[2]
    cdef double then = earlier[0] + earlier[1] + earlier[2]
    cdef double rate
    if not then > 0.0:
        return -1.0
    rate = 0.5 * log(now / then) * p.bin_hz
    return -rate / sqrt(rate * rate + 4.0 * M_PI * M_PI * frequency_hz * frequency_hz)


cdef inline void oscillation_look(const OscillationParams* p, OscillationState* s, double* arena) noexcept nogil:
    """Find out what the window holds; `index` is where the next sample goes, and where the window began."""
    cdef int64_t bins = p.bins
    cdef int64_t sums = oscillation_sums(p)
    cdef int64_t hops = p.samples // p.hop
    cdef const double* cosine = arena + p.offset + SECTION_WORDS * p.sections
    cdef const double* sine = cosine + p.samples
    cdef const double* gain = sine + p.samples
    cdef double* real = arena + p.offset + SECTION_WORDS * p.sections + 2 * p.samples + bins + sums
    cdef double* imaginary = real + bins
    cdef double* moments = imaginary + bins
    cdef double* power = real + 2 * sums + hops * sums
    cdef double* earlier = power + bins + s.index // p.hop * bins
    cdef double u = cosine[s.index]
    cdef double v = sine[s.index]
    cdef double uu = cosine[2 * s.index % p.samples]
    cdef double vv = sine[2 * s.index % p.samples]
    cdef double weight = 0.375 * <double>p.samples
    cdef double mean = hann(moments, u, v) / (0.5 * <double>p.samples)
    cdef double square = hann_squared(moments + MOMENTS, u, v, uu, vv) / weight
    cdef double variance = square + mean * (mean - 2.0 * hann_squared(moments, u, v, uu, vv) / weight)
    cdef double band = 0.0
    cdef double dc = mean * <double>p.samples if p.first == 0 else 0.0
    cdef double re
    cdef double im
    cdef double offset
    cdef double correction
    cdef int64_t i
    cdef int64_t found
    real[0] -= dc
    for i in range(1, bins - 1):
        re = 0.5 * real[i] - 0.25 * (u * (real[i - 1] + real[i + 1]) + v * (imaginary[i - 1] - imaginary[i + 1]))
        im = 0.5 * imaginary[i] - 0.25 * (u * (imaginary[i - 1] + imaginary[i + 1]) - v * (real[i - 1] - real[i + 1]))
        power[i] = re * re + im * im
    real[0] += dc
    s.amplitude = 0.0
    s.frequency_hz = s.damping = NAN
    s.share = 0.0
    found = oscillation_strongest(p, power) if variance > 1e-13 * square else 0
    if found > 0:
        offset = hann_offset(power + found - 1)
        correction = gain[found] + fabs(offset) * (gain[found + 1 if offset > 0.0 else found - 1] - gain[found])
        re = M_PI * offset
        re = sin(re) / re if fabs(re) > 1e-9 else 1.0
        s.amplitude = 4.0 / <double>p.samples * sqrt(power[found]) * correction * (1.0 - offset * offset) / re
        if s.amplitude > p.least:
            s.frequency_hz = (<double>(p.first + found) + offset) * p.bin_hz
            if s.hops >= 2 * hops:
                s.damping = oscillation_damping(p, power + found - 1, earlier + found - 1, s.frequency_hz)
    if variance > 1e-13 * square and 2.0 * variance > p.least * p.least:
        for i in range(2 if p.first == 0 else 1, bins - 1):        # not bin 1, which any trend fills
            band += power[i] * gain[i] * gain[i]
        s.share = 2.0 * band / (<double>p.samples * weight * variance)
        if s.share > 1.0:
            s.share = 1.0
    for i in range(bins):
        earlier[i] = power[i]


cdef inline void oscillation_sample(const OscillationParams* p, OscillationState* s, double* arena, double y) noexcept nogil:
    """A sample is complete."""
    cdef double share = 1.0 / <double>p.decimation
    cascade_tidy(arena + p.offset, p.sections)
    oscillation_add(p, s, arena, flushed(y), s.sum * share, s.square * share)
    s.sum = s.square = 0.0
    s.phase = 0
    if (s.index + 1) % p.hop == 0:
        oscillation_roll(p, s, arena)
        if s.hops < 2 * (p.samples // p.hop):
            s.hops += 1
    s.index = 0 if s.index + 1 == p.samples else s.index + 1


cdef inline void oscillation_step(const OscillationParams* p, OscillationState* s, double* arena, double* row, int64_t tick,
                                  const int64_t* blank_until) noexcept nogil:
    cdef double value = row[p.channel]
    cdef double y
    if fabs(value) <= 1e150:                 # else it is no number, or none whose square is one
        if not s.begun:
            s.begun = 1
            s.origin = value
            s.amplitude = s.frequency_hz = s.damping = s.share = NAN
        if tick >= blank_until[p.blank]:
            s.held = value - s.origin
    if not s.begun:
        row[p.output] = row[p.output + 1] = row[p.output + 2] = row[p.output + 3] = NAN
        return
    if s.phase == 0 and s.hops >= p.samples // p.hop and s.index % p.hop == 0:
        oscillation_look(p, s, arena)
    y = cascade_push(arena + p.offset, p.sections, s.held)
    s.sum += s.held
    s.square += s.held * s.held
    s.phase += 1
    if s.phase == p.decimation:
        oscillation_sample(p, s, arena, y)
    row[p.output] = s.amplitude
    row[p.output + 1] = s.frequency_hz
    row[p.output + 2] = s.damping
    row[p.output + 3] = s.share


cdef inline bint oscillation_is_sound(const OscillationParams* p, const OscillationState* s, int64_t words, int64_t arena_size,
                                      int64_t blanks) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.output <= words - OSCILLATION_OUTPUTS and 0 <= p.blank < blanks
            and 0 <= p.sections <= MOST_SECTIONS and p.decimation > 0 and 0 < p.samples <= MOST_SAMPLES
            and 0 < p.hop <= p.samples and p.samples % p.hop == 0 and p.first >= 0 and 5 <= p.bins <= p.samples
            and p.first <= p.samples - p.bins and 0 <= p.offset <= arena_size
            and oscillation_words(p) <= arena_size - p.offset and 0 <= s.phase < p.decimation and 0 <= s.index < p.samples
            and s.hops >= 0)
