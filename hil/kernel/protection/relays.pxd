"""Relays: pick-up, a time by delay or curve, drop-out, reset. They put out the share of their operating time: 1 operates.

A sample holds from its tick to the next. So with a delay of d a relay operates at the sample that is d after the first beyond
pick-up, if none between was inside; a curve adds, at each sample, what the sample before it has earned until then.
Between drop-out and pick-up a definite time runs on, and a curve stands still. A cumulative time counts the samples beyond
pick-up, within a disturbance, which drop-out ends, or a rolling window. What is not a number is inside drop-out.
Sources: docs/protection.md, "Relays".
"""

from libc.math cimport expm1, fabs, log
from libc.stdint cimport int64_t


cdef enum:
    TIMING_DEFINITE = 0
    TIMING_INVERSE = 1         # dial · (a / (Mᵖ − 1) + b)
    TIMING_CUMULATIVE = 2      # all samples beyond pick-up, whether in a row or not

cdef enum:
    RESET_INSTANTANEOUS = 0    # at the first sample inside drop-out
    RESET_DEFINITE = 1         # what has been reached is kept for reset_ticks inside drop-out
    RESET_DISC = 2             # dial · tr / (1 − M²), as a disc turns back
    RESET_NEVER = 3            # what has been reached is kept


cdef struct RelayParams:
    int64_t channel
    int64_t output
    int64_t blank
    int64_t under              # 1: picks up below
    int64_t inclusive          # 1: at the pick-up value is beyond it
    int64_t magnitude          # 1: what it looks at counts without its sign
    int64_t timing
    int64_t reset
    int64_t delay_ticks        # definite, cumulative: its time; inverse: the least time
    int64_t reset_ticks
    int64_t window_ticks       # cumulative: rolling window, the latest sample is in it; 0: within a disturbance
    int64_t offset             # of the ring of a rolling window in the arena: one number a tick
    int64_t judged_from        # tick from which samples are evidence
    double pickup
    double dropout             # inside begins here
    double a                   # inverse: seconds
    double b
    double exponent
    double dial
    double most                # multiple of pick-up beyond which the curve is flat
    double tr                  # disc: seconds at M = 0
    double dt


cdef struct RelayState:
    int64_t picked             # 1 while picked up
    int64_t ticks              # picked up, or beyond (cumulative), less what a reset has forgotten
    int64_t inside_ticks       # since drop-out
    int64_t pickups
    int64_t operated           # 1 after a sample at which the share was 1
    int64_t index              # in the ring
    int64_t filled             # samples in the ring
    int64_t seen_ticks         # samples that were a number, and no stimulus voided, from judged_from on
    int64_t picked_ticks       # those of them at which it was picked up
    int64_t operated_ticks     # and at which it operated
    double share               # inverse: of the operating time
    double rate                # what the latest sample adds to the share by the next


cdef inline double inverse_rate(const RelayParams* p, double multiple) noexcept nogil:
    """Share of the operating time that a tick at a multiple of pick-up is; 0 at and below pick-up."""
    cdef double above    # Mᵖ − 1, close to pick-up too
    if not multiple > 1.0:
        return 0.0
    if multiple > p.most:
        multiple = p.most
    if p.exponent == 2.0:
        above = (multiple - 1.0) * (multiple + 1.0)
    elif p.exponent == 1.0:
        above = multiple - 1.0
    else:
        above = expm1(p.exponent * log(multiple))
    return p.dt / (p.dial * (p.a / above + p.b))


cdef inline double disc_rate(const RelayParams* p, double multiple) noexcept nogil:
    """Share that the disc turns back in a tick inside drop-out."""
    if not p.tr > 0.0 or multiple >= 1.0:
        return 0.0
    if not multiple > 0.0:    # the other way, or not a number: nothing holds it
        multiple = 0.0
    return -p.dt * (1.0 - multiple * multiple) / (p.dial * p.tr)


cdef inline void relay_forget(RelayState* s) noexcept nogil:
    s.picked = s.ticks = s.inside_ticks = 0
    s.operated = s.index = s.filled = 0
    s.share = s.rate = 0.0


cdef inline void relay_inside(const RelayParams* p, RelayState* s, double value) noexcept nogil:
    """A sample inside drop-out."""
    s.inside_ticks = 1 if s.picked else s.inside_ticks + 1
    s.picked = 0
    s.rate = 0.0
    if p.reset == RESET_INSTANTANEOUS:
        relay_forget(s)
    elif p.reset == RESET_DEFINITE:
        if s.operated or s.inside_ticks > p.reset_ticks:    # the contact drops out with the pick-up
            relay_forget(s)
    elif p.reset == RESET_DISC:
        if s.share > 1.0:    # its contact is its stop
            s.share = 1.0
        s.rate = disc_rate(p, value / p.pickup)


cdef inline void relay_earn(const RelayParams* p, RelayState* s) noexcept nogil:
    """What the sample before this one adds until now."""
    s.share += s.rate
    if s.picked:
        s.ticks += 1
    elif s.share <= 0.0:
        s.share = 0.0
        if p.reset == RESET_DISC:
            s.ticks = 0


cdef inline void relay_follow(const RelayParams* p, RelayState* s, double value, bint beyond, bint inside) noexcept nogil:
    """Pick-up, drop-out and reset by a sample."""
    if beyond:
        if not s.picked:
            s.picked = 1
            s.pickups += 1
        s.inside_ticks = 0
        s.rate = inverse_rate(p, value / p.pickup) if p.timing == TIMING_INVERSE else 0.0
    elif inside or not s.picked:
        relay_inside(p, s, value)
    else:
        s.rate = 0.0


cdef inline double relay_share(const RelayParams* p, const RelayState* s) noexcept nogil:
    """The share of its operating time that is used up."""
    if p.timing == TIMING_INVERSE:
        if p.delay_ticks > 0 and s.share * <double>p.delay_ticks > <double>s.ticks:
            return <double>s.ticks / <double>p.delay_ticks
        return s.share
    if p.delay_ticks > 0:
        return <double>s.ticks / <double>p.delay_ticks
    return <double>s.picked


cdef inline double relay_cumulate(const RelayParams* p, RelayState* s, double* arena, bint beyond, bint inside) noexcept nogil:
    """Count a sample; the share of the operating time, the latest of those beyond lasting no longer than its instant."""
    cdef double* slot
    if beyond and not s.picked:
        s.picked = 1
        s.pickups += 1
    elif inside:
        s.picked = 0
        if p.window_ticks < 1:    # the disturbance is over
            relay_forget(s)
    if p.window_ticks > 0:
        slot = arena + p.offset + s.index
        if s.filled < p.window_ticks:
            s.filled += 1
        elif slot[0] > 0.0:
            s.ticks -= 1
        slot[0] = <double>beyond
        s.index += 1
        if s.index == p.window_ticks:
            s.index = 0
    s.ticks += beyond
    return <double>(s.ticks - 1) / <double>p.delay_ticks if s.ticks > 0 else 0.0


cdef inline void relay_step(const RelayParams* p, RelayState* s, double* arena, double* row, int64_t tick,
                            const int64_t* blank_until) noexcept nogil:
    cdef double value = row[p.channel]
    cdef double share
    cdef bint beyond
    cdef bint inside
    if tick < blank_until[p.blank]:
        relay_forget(s)
        row[p.output] = 0.0
        return
    if p.magnitude:
        value = fabs(value)
    beyond = value < p.pickup if p.under else value > p.pickup
    beyond = beyond or (p.inclusive and value == p.pickup)
    inside = value > p.dropout if p.under else value < p.dropout
    inside = not beyond and (inside or value == p.dropout or value != value)
    if p.timing == TIMING_CUMULATIVE:
        share = relay_cumulate(p, s, arena, beyond, inside)
    else:
        relay_earn(p, s)
        relay_follow(p, s, value, beyond, inside)
        share = relay_share(p, s)
    s.operated = share >= 1.0
    if tick >= p.judged_from and value == value:
        s.seen_ticks += 1
        s.picked_ticks += s.picked
        s.operated_ticks += s.operated
    row[p.output] = share


cdef inline bint relay_is_sound(const RelayParams* p, const RelayState* s, int64_t words, int64_t arena_size,
                                int64_t blanks) noexcept nogil:
    if not (0 <= p.channel < words and 0 <= p.output < words and 0 <= p.blank < blanks and p.delay_ticks >= 0
            and p.reset_ticks >= 0 and RESET_INSTANTANEOUS <= p.reset <= RESET_NEVER):
        return False
    if p.timing == TIMING_DEFINITE:
        return p.reset != RESET_DISC
    if p.timing == TIMING_CUMULATIVE:
        return (p.delay_ticks > 0 and p.reset == RESET_INSTANTANEOUS and p.window_ticks >= 0
                and (p.window_ticks == 0 or (p.delay_ticks < p.window_ticks and 0 <= s.filled <= p.window_ticks
                                             and 0 <= s.index < p.window_ticks and 0 <= p.offset <= arena_size
                                             and p.window_ticks <= arena_size - p.offset)))
    return (p.timing == TIMING_INVERSE and (p.reset != RESET_DISC or p.dial * p.tr > 0.0)
            and p.pickup != 0.0 and (p.pickup < 0.0) == (p.under != 0) and p.most > 1.0 and p.dial > 0.0 and p.a > 0.0
            and p.b >= 0.0 and p.exponent > 0.0)
