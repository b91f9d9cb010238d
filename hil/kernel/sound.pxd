"""Whether the arrays of a site can be run: they lie open to Python, and what a script writes there must not end the process.

Looks at what the tick divides by and what it uses as an index, once for every call of `advance`. Physics is not its business.
"""

from libc.stdint cimport int64_t

from controllers.kernel.law cimport LAW_USER
from hil.kernel.breakers cimport breaker_is_sound, trip_is_sound
from hil.kernel.forming cimport FORMING_OUTPUTS, SITE_OUTPUTS
from hil.kernel.genset cimport GENSET_OUTPUTS, genset_is_sound
from hil.kernel.limits cimport (
    BLANK_KINDS, LIMIT_LEVEL, LIMIT_RAMP, LIMIT_RANGE, LIMIT_RATE, LIMIT_RECOVERY, LIMIT_TIME, LimitParams, LimitState,
)
from hil.kernel.measure cimport Measurement, PhaseMeter
from hil.kernel.meter cimport MeterState
from hil.kernel.psu cimport psu_is_sound
from hil.kernel.protection.functions cimport unsound_function
from hil.kernel.site cimport MEASURED_LOAD, METERS, MOST_COMMANDS, Site
from hil.kernel.windows cimport DelayLine, Extremum, MeanWindow, PhaseWindow


cdef enum:
    MOST_TICKS = 0x2000000000000000    # ticks and numbers of candidates; far below where a sum of them could overflow


cdef inline bint fits(int64_t offset, int64_t length, int64_t each, int64_t size) noexcept nogil:
    """Whether `length` times `each` values from `offset` on lie within `size`; said without a product that could overflow."""
    return 0 <= offset <= size and 0 <= length <= (size - offset) // each


cdef inline bint mean_is_sound(const MeanWindow* w, int64_t size) noexcept nogil:
    return 0 <= w.index < w.length and fits(w.offset, w.length, 1, size)


cdef inline bint delay_is_sound(const DelayLine* w, int64_t size, int64_t signals=1) noexcept nogil:
    if w.length == 0:
        return True
    return 0 <= w.index < w.length and fits(w.offset, w.length, signals, size)


cdef inline bint extremum_is_sound(const Extremum* w, int64_t size) noexcept nogil:
    if w.ring == 0:
        return w.span == 0 and w.block == 0
    return (0 < w.block <= w.span < MOST_TICKS and (w.block < 4 or w.block % 4 == 0) and fits(w.offset, w.ring, 1, size)
            and w.ring % w.block == 0 and w.ring // w.block == w.span // w.block + 2
            and w.ring // w.block <= w.mask < MOST_TICKS and (w.mask & (w.mask + 1)) == 0
            and fits(w.offset + w.ring, w.block, 1, size) and fits(w.offset + w.ring + w.block, w.mask + 1, 2, size)
            and 0 <= w.base < w.ring and w.base % w.block == 0 and 0 <= w.index < w.block
            and 0 <= w.number < MOST_TICKS // w.block and 0 <= w.head <= w.tail < MOST_TICKS and w.tail - w.head <= w.mask)


cdef inline bint measurement_is_sound(const Measurement* m, int64_t size) noexcept nogil:
    return mean_is_sound(&m.window, size) and delay_is_sound(&m.delay, size)


cdef inline bint phases_are_sound(const PhaseWindow* w, int64_t size) noexcept nogil:
    return 0 <= w.index < w.length and fits(w.offset, w.length, 3, size)


cdef inline bint meter_is_sound(const PhaseMeter* m, int64_t size) noexcept nogil:
    return (phases_are_sound(&m.squares, size) and delay_is_sound(&m.lowest_delay, size)
            and delay_is_sound(&m.highest_delay, size))


cdef inline bint revenue_meter_is_sound(const MeterState* m, int64_t size) noexcept nogil:
    return (measurement_is_sound(&m.reactive, size) and measurement_is_sound(&m.current, size)
            and delay_is_sound(&m.phase_delay, size, 3) and delay_is_sound(&m.line_delay, size, 3)
            and phases_are_sound(&m.squares, size) and phases_are_sound(&m.line_squares, size))


cdef inline bint limit_is_sound(const LimitParams* p, const LimitState* s, int64_t size) noexcept nogil:
    """Whether the windows lie in the arena, and those are there that its kind and its delay use."""
    if not LIMIT_LEVEL <= p.kind <= LIMIT_RECOVERY:
        return False
    if (p.kind == LIMIT_TIME or p.kind == LIMIT_RECOVERY) and p.ticks_per_second <= 0:
        return False
    if (p.kind == LIMIT_RAMP or p.kind == LIMIT_RECOVERY) and not mean_is_sound(&s.mean, size):
        return False
    if (p.kind == LIMIT_RAMP or p.kind == LIMIT_RATE or p.kind == LIMIT_RECOVERY) and not delay_is_sound(&s.past, size):
        return False
    if p.kind == LIMIT_RECOVERY and not (p.lag_ticks == 0 or 0 < p.lag_ticks < s.past.length):
        return False
    if p.kind == LIMIT_RANGE and not (s.top.ring > 0 and s.bottom.ring > 0):
        return False
    if p.delay_ticks > 0 and ((p.has_high and s.held_high.ring == 0) or (p.has_low and s.held_low.ring == 0)):
        return False
    return (extremum_is_sound(&s.top, size) and extremum_is_sound(&s.bottom, size)
            and extremum_is_sound(&s.held_high, size) and extremum_is_sound(&s.held_low, size))


cdef inline const char* unsound(const Site* s) noexcept nogil:
    """What cannot be run, or NULL."""
    cdef int64_t i
    if not 0 <= s.run.tick < MOST_TICKS:
        return "run: tick"
    if not (0 <= s.run.command_tail <= s.run.command_head < MOST_TICKS
            and s.run.command_head - s.run.command_tail <= MOST_COMMANDS):
        return "run: command_head or command_tail"
    for i in range(s.run.command_tail, s.run.command_head):
        if not 0 <= s.commands[i & (MOST_COMMANDS - 1)].device <= s.bess_count + s.ups_count:
            return "commands: device"
    for i in range(s.bess_count):
        if s.law_params[i].update_ticks <= 0:
            return "law: update_ticks must be positive"
        if not 0 <= s.law_params[i].kind <= LAW_USER:
            return "law: kind"
        if s.law_params[i].kind == LAW_USER and s.user_laws[i].function == NULL:
            return "law: kind, the device has no law of one's own"
        if s.pcs_params[i].ticks_per_second <= 0:
            return "pcs: ticks_per_second must be positive"
    for i in range(s.ups_group_count):
        if not (s.ups_alone_count <= s.ups_group_params[i].first <= s.ups_count
                and 0 < s.ups_group_params[i].count <= s.ups_count - s.ups_group_params[i].first):
            return "ups_groups: first or count"
    for i in range(MEASURED_LOAD + s.bess_count):
        if not measurement_is_sound(&s.measured[i], s.arena_size):
            return "measured: window or delay"
    for i in range(METERS):
        if not meter_is_sound(&s.meters[i], s.arena_size):
            return "meters: window or delay"
    for i in range(s.revenue_meter_count):
        if not revenue_meter_is_sound(&s.revenue_meters[i], s.arena_size):
            return "revenue_meters: window or delay"
    for i in range(s.sequence_count):
        if not (0 <= s.sequences[i].output < s.row_words and measurement_is_sound(&s.sequences[i].measured, s.arena_size)):
            return "sequences: output, window or delay"
    for i in range(s.limit_count):
        if not 0 <= s.limit_params[i].channel < s.row_words or not 0 <= s.limit_params[i].voltage < s.row_words:
            return "limits: channel or voltage"
        if not 0 <= s.limit_params[i].blank < BLANK_KINDS:
            return "limits: blank"
        if not limit_is_sound(&s.limit_params[i], &s.limits[i], s.arena_size):
            return "limits: kind or a number of ticks, without a window for it, or a window outside the arena"
    for i in range(s.breaker_count):
        if not breaker_is_sound(&s.breaker_params[i], &s.breakers[i], s.bess_count, s.ups_count, s.row_words):
            return "breakers: place, device, output, or a number of ticks or log entries"
    for i in range(s.limit_count if s.breaker_count > 0 else 0):
        if not trip_is_sound(&s.trip_params[i], s.breaker_count, s.functions.relay_count):
            return "trips: breaker, behind, relay, or a number of ticks"
    if s.own_sources > 0 and not 0 <= s.sources.output <= s.row_words - SITE_OUTPUTS:
        return "sources: output"
    if s.genset_count > 0:
        if not 0 <= s.genset_params.output <= s.row_words - GENSET_OUTPUTS:
            return "genset: output"
        if not (genset_is_sound(s.genset_params, s.genset)):
            return "genset: a number of ticks"
    elif s.own_sources > 0:
        for i in range(s.bess_count):
            if not 0 <= s.forming_params[i].output <= s.row_words - FORMING_OUTPUTS:
                return "forming: output"
    for i in range(s.psu_count):
        if not psu_is_sound(&s.psu_params[i], s.ups_alone_count + 1, s.row_words):
            return "psu: feed, phase or output"
    return unsound_function(&s.functions, s.row_words, s.arena_size, BLANK_KINDS)
