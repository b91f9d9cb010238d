"""Ride-through envelopes: how long a voltage or a frequency may be beyond each of some thresholds before a device may trip.

A disturbance begins where the value leaves the continuous band and ends where it is back. Each threshold counts the samples
beyond it, in the disturbance or in a rolling window, and has an allowed time, which may follow a sloping line; once it is
exceeded the device may trip until the recovery is over. A disturbance in the recovery after another counts by itself, but who
may trip still may, and who has let go has. What is not a number is outside the band, and no subject that stays. Sources:
docs/protection.md, "Envelopes".

Outputs, side by side: the largest share of an allowed time that is used up, above 1 where the device may trip; and, in a
disturbance and the recovery after it, 1 from where the subject has let go although it had to stay, or has not come back in
time, 0 while it does what it must, and not a number where nothing is asked of it.
"""

from libc.math cimport NAN, floor
from libc.stdint cimport int64_t

from hil.kernel.subnormal cimport flushed


cdef enum:
    MOST_THRESHOLDS = 16
    ENVELOPE_OUTPUTS = 2


cdef struct EnvelopeParams:
    int64_t channel
    int64_t output
    int64_t subject            # channel that shows whether the subject stays
    int64_t thresholds
    int64_t window_ticks       # 0: times count within a disturbance; else within this rolling window
    int64_t offset             # of the ring of a rolling window in the arena: one number a tick
    int64_t recovery_ticks     # after a disturbance, until the subject must be back
    int64_t relative           # 1: `stays` is a share of the subject before the disturbance, 0: a value
    int64_t has_breaker        # 1: there is one that can take the subject off the grid
    int64_t breaker            # channels: it is closed; and, next to it, it is about to open
    double low                 # the continuous band; both belong to it
    double high
    double stays               # the subject has let go where it is below
    double mean_gain           # of the mean of the subject before a disturbance
    double level[16]
    int64_t under[16]          # 1: below the level is beyond it
    int64_t inclusive[16]      # 1: at the level is beyond it
    int64_t allowed_ticks[16]  # at the level; -1: any time
    double slope[16]           # sloping line: ticks that the allowed time grows by with each unit of the value; 0: it stands
    double least_ticks[16]     # sloping line: where it ends


cdef struct EnvelopeState:
    int64_t disturbed          # 1 in a disturbance, 2 in the recovery after it
    int64_t ticks              # since the end of the disturbance
    int64_t may_trip
    int64_t failed
    int64_t disturbances
    int64_t exceeded           # of them those in which the device was allowed to trip
    int64_t index              # in the ring
    double before              # the subject before the disturbance
    int64_t count[16]          # samples beyond each threshold


cdef inline bint beyond_threshold(const EnvelopeParams* p, int64_t i, double value) noexcept nogil:
    if value == p.level[i]:
        return p.inclusive[i]
    return value < p.level[i] if p.under[i] else value > p.level[i]


cdef inline void envelope_count(const EnvelopeParams* p, EnvelopeState* s, double* arena, double value) noexcept nogil:
    """Count the samples beyond each threshold; in a rolling window the ring holds, a bit each, what a sample was beyond."""
    cdef int64_t i
    cdef int64_t now = 0
    cdef int64_t then = 0
    for i in range(p.thresholds):
        if beyond_threshold(p, i, value):
            now |= (<int64_t>1) << i
    if p.window_ticks > 0:
        then = <int64_t>arena[p.offset + s.index]
        arena[p.offset + s.index] = <double>now
        s.index += 1
        if s.index == p.window_ticks:
            s.index = 0
    for i in range(p.thresholds):
        s.count[i] += (now >> i & 1) - (then >> i & 1)


cdef inline double allowed_ticks(const EnvelopeParams* p, int64_t i, double value) noexcept nogil:
    """Time allowed beyond a threshold: of a sloping line at the value, and at the level while that is not beyond it."""
    cdef double most = <double>p.allowed_ticks[i]
    cdef double ticks
    if p.slope[i] == 0.0 or not beyond_threshold(p, i, value):
        return most
    ticks = floor(most + p.slope[i] * (value - p.level[i]) + 0.5)
    return ticks if ticks > p.least_ticks[i] else p.least_ticks[i]


cdef inline void envelope_anew(const EnvelopeParams* p, EnvelopeState* s) noexcept nogil:
    cdef int64_t i
    for i in range(p.thresholds):
        s.count[i] = 0


cdef inline bint subject_stays(const EnvelopeParams* p, const EnvelopeState* s, double subject) noexcept nogil:
    if not p.relative:
        return subject >= p.stays
    if s.before < 0.0:    # fed in, and back where as much is fed in again
        return subject <= p.stays * s.before
    return subject >= p.stays * s.before


cdef inline double envelope_used(const EnvelopeParams* p, EnvelopeState* s, double value) noexcept nogil:
    """The largest share of an allowed time that is used up."""
    cdef double used = 0.0
    cdef double allowed
    cdef double share
    cdef int64_t i
    for i in range(p.thresholds):
        if p.allowed_ticks[i] < 0 or s.count[i] == 0:
            continue
        allowed = allowed_ticks(p, i, value)
        share = <double>s.count[i] / allowed if allowed > 0.0 else 2.0
        if share > used:
            used = share
    return used


cdef inline void envelope_step(const EnvelopeParams* p, EnvelopeState* s, double* arena, double* row) noexcept nogil:
    cdef double value = row[p.channel]
    cdef double subject = row[p.subject]
    cdef double used
    cdef bint stays
    cdef bint asked
    cdef bint outside = not (p.low <= value <= p.high)
    cdef bint apart = p.has_breaker and row[p.breaker] == 0.0
    if apart and s.disturbed == 0:    # it let go when nothing was asked of it, and nothing is until it is back
        row[p.output] = 0.0
        row[p.output + 1] = NAN
        return
    if outside and s.disturbed != 1:
        s.disturbances += 1
        s.disturbed = 1
        if p.window_ticks == 0:
            envelope_anew(p, s)
    elif s.disturbed == 1 and not outside:
        s.disturbed = 2
        s.ticks = 0
    if p.window_ticks > 0 or s.disturbed == 1:
        envelope_count(p, s, arena, value)
    used = envelope_used(p, s, value) if p.window_ticks > 0 or s.disturbed != 0 else 0.0    # undisturbed nothing is counted
    if s.disturbed == 1 and used > 1.0 and not s.may_trip:
        s.may_trip = 1
        s.exceeded += 1
    row[p.output] = used
    if s.disturbed == 0:
        if subject == subject:
            s.before = flushed(s.before + (subject - s.before) * p.mean_gain)
        row[p.output + 1] = NAN
        return
    stays = subject_stays(p, s, subject)
    # A power follows the voltage and needs its time to come back; what is no power has to stay all the while.
    # But who has been taken off the grid has let go, whatever the power.
    asked = not s.may_trip and (apart or not p.relative or (s.disturbed == 2 and s.ticks >= p.recovery_ticks))
    if asked and (apart or not stays):
        s.failed = 1
    row[p.output + 1] = <double>s.failed if asked or s.failed else NAN
    if s.disturbed == 2:
        if s.ticks >= p.recovery_ticks and stays and not apart and not (p.has_breaker and row[p.breaker + 1] != 0.0):
            s.disturbed = s.may_trip = s.failed = 0
            if p.window_ticks == 0:
                envelope_anew(p, s)
        s.ticks += 1


cdef inline bint envelope_is_sound(const EnvelopeParams* p, const EnvelopeState* s, int64_t words,
                                   int64_t arena_size) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.subject < words and 0 <= p.output <= words - ENVELOPE_OUTPUTS
            and 0 <= p.thresholds <= MOST_THRESHOLDS and p.window_ticks >= 0 and p.recovery_ticks >= 0
            and (not p.has_breaker or 0 <= p.breaker < words - 1)
            and (p.window_ticks == 0 or (0 <= s.index < p.window_ticks and 0 <= p.offset <= arena_size
                                         and p.window_ticks <= arena_size - p.offset)))
