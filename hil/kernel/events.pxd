"""Stimuli of the plant, scripted or given while it runs: dips and outages of the grid, losses of generation."""

from libc.stdint cimport int64_t

from hil.kernel.area cimport AreaState
from hil.kernel.limits cimport BLANK_FREQUENCY, BLANK_VOLTAGE
from hil.kernel.network cimport APART_OUTAGE, NetworkParams, NetworkState


cdef enum:
    EVENT_DIP = 0
    EVENT_GENERATION_LOSS = 1
    EVENT_OUTAGE = 2


cdef enum:
    MOST_STIMULI = 32          # given to the running plant that act at one time
    FOR_GOOD = 0x7fffffffffffffff
    NEVER_ENDS = 0x4000000000000000
    LONGEST = 0x2000000000000000

cdef enum:
    # Points of the grid, which stands behind all devices: values of a stimulus, and what lets it act.
    STIMULUS_KIND = 0
    STIMULUS_VALUE = 1
    STIMULUS_NEGATIVE_RE = 2
    STIMULUS_NEGATIVE_IM = 3
    STIMULUS_ZERO_RE = 4
    STIMULUS_ZERO_IM = 5
    STIMULUS_BLANKS = 6
    STIMULUS_BLANK_TICKS = 7
    STIMULUS_BEGIN = 8         # ticks; negative: for good
    STIMULUS_END_ALL = 9
    STIMULUS_RESET_BREAKER = 10    # which of them; no stimulus


cdef struct Event:
    int64_t kind
    int64_t start_tick
    int64_t end_tick
    int64_t blanks             # 1: the limits it stimulates are blanked while it acts
    int64_t blank_ticks        # and so long after its end
    double value               # dip: positive sequence, share of the source voltage; generation loss: W
    double negative_re         # dip: negative and zero sequence, likewise
    double negative_im
    double zero_re
    double zero_im


cdef inline int64_t act(const Event* events, int64_t count, const NetworkParams* p, NetworkState* network,
                        AreaState* area, int64_t* blank_until, int64_t tick) noexcept nogil:
    """Add what the stimuli of a list do now; return the tick of their next change."""
    cdef int64_t i
    cdef int64_t kind
    cdef int64_t following = FOR_GOOD
    cdef const Event* e
    for i in range(count):
        e = &events[i]
        if e.start_tick <= tick < e.end_tick:
            if e.kind == EVENT_DIP:
                network.source_pu *= e.value
                network.negative_re_pu += p.source_pu * e.negative_re
                network.negative_im_pu += p.source_pu * e.negative_im
                network.zero_re_pu += p.source_pu * e.zero_re
                network.zero_im_pu += p.source_pu * e.zero_im
            elif e.kind == EVENT_OUTAGE:
                network.disconnected |= APART_OUTAGE
            else:
                area.lost_generation_w += e.value
        if e.blanks and e.start_tick <= tick:
            kind = BLANK_FREQUENCY if e.kind == EVENT_GENERATION_LOSS else BLANK_VOLTAGE
            if blank_until[kind] < e.end_tick + e.blank_ticks:
                blank_until[kind] = e.end_tick + e.blank_ticks
        if tick < e.start_tick < following:
            following = e.start_tick
        if tick < e.end_tick < following:
            following = e.end_tick
    return following


cdef inline int64_t apply_events(const Event* events, int64_t count, const Event* stimuli, const NetworkParams* p,
                                 NetworkState* network, AreaState* area, int64_t* blank_until,
                                 int64_t tick) noexcept nogil:
    """Work out what the stimuli do now, those of the script and those given since; return the tick of the next change."""
    cdef int64_t following
    network.source_pu = p.source_pu
    network.negative_re_pu = network.negative_im_pu = 0.0
    network.zero_re_pu = network.zero_im_pu = 0.0
    network.disconnected &= ~APART_OUTAGE
    area.lost_generation_w = 0.0
    following = min(act(events, count, p, network, area, blank_until, tick),
                    act(stimuli, MOST_STIMULI, p, network, area, blank_until, tick))
    if network.disconnected & APART_OUTAGE:    # nothing is left, whatever else acts
        network.source_pu = 0.0
        network.negative_re_pu = network.negative_im_pu = 0.0
        network.zero_re_pu = network.zero_im_pu = 0.0
    return following


cdef inline void stimulus_command(Event* stimuli, int64_t point, double value, int64_t tick) noexcept nogil:
    """Prepare a stimulus, value by value, in the row behind the others; BEGIN lets it act, for so many ticks.

    Where MOST_STIMULI act already it is left out.
    """
    cdef int64_t i
    cdef Event* e = &stimuli[MOST_STIMULI]
    if point == STIMULUS_KIND:
        e.kind = <int64_t>value
    elif point == STIMULUS_VALUE:
        e.value = value
    elif point == STIMULUS_NEGATIVE_RE:
        e.negative_re = value
    elif point == STIMULUS_NEGATIVE_IM:
        e.negative_im = value
    elif point == STIMULUS_ZERO_RE:
        e.zero_re = value
    elif point == STIMULUS_ZERO_IM:
        e.zero_im = value
    elif point == STIMULUS_BLANKS:
        e.blanks = value != 0.0
    elif point == STIMULUS_BLANK_TICKS:
        e.blank_ticks = <int64_t>value
    elif point == STIMULUS_BEGIN:
        for i in range(MOST_STIMULI):
            if stimuli[i].end_tick <= tick:
                stimuli[i] = e[0]
                stimuli[i].start_tick = tick
                stimuli[i].end_tick = tick + <int64_t>value if 0.0 <= value < LONGEST else NEVER_ENDS
                return
    elif point == STIMULUS_END_ALL:
        for i in range(MOST_STIMULI):
            stimuli[i].end_tick = min(stimuli[i].end_tick, tick)
