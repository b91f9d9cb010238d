"""Scripted stimuli of the plant: dips of the source voltage, losses of generation."""

from libc.stdint cimport int64_t

from hil.kernel.area cimport AreaState
from hil.kernel.limits cimport BLANK_FREQUENCY, BLANK_VOLTAGE
from hil.kernel.network cimport NetworkParams, NetworkState


cdef enum:
    EVENT_DIP = 0
    EVENT_GENERATION_LOSS = 1


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


cdef inline int64_t apply_events(const Event* events, int64_t count, const NetworkParams* p, NetworkState* network,
                                 AreaState* area, int64_t* blank_until, int64_t tick) noexcept nogil:
    """Work out what the stimuli do now; return the tick of the next change."""
    cdef int64_t i
    cdef int64_t kind
    cdef int64_t following = 0x7fffffffffffffff
    cdef const Event* e
    network.source_pu = p.source_pu
    network.negative_re_pu = network.negative_im_pu = 0.0
    network.zero_re_pu = network.zero_im_pu = 0.0
    area.lost_generation_w = 0.0
    for i in range(count):
        e = &events[i]
        if e.start_tick <= tick < e.end_tick:
            if e.kind == EVENT_DIP:
                network.source_pu *= e.value
                network.negative_re_pu += p.source_pu * e.negative_re
                network.negative_im_pu += p.source_pu * e.negative_im
                network.zero_re_pu += p.source_pu * e.zero_re
                network.zero_im_pu += p.source_pu * e.zero_im
            else:
                area.lost_generation_w += e.value
        if e.blanks and e.start_tick <= tick:
            kind = BLANK_VOLTAGE if e.kind == EVENT_DIP else BLANK_FREQUENCY
            if blank_until[kind] < e.end_tick + e.blank_ticks:
                blank_until[kind] = e.end_tick + e.blank_ticks
        if tick < e.start_tick < following:
            following = e.start_tick
        if tick < e.end_tick < following:
            following = e.end_tick
    return following
