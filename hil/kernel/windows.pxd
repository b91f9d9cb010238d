"""Sliding windows over per-tick samples: mean, delay line, extremum.

Each window is a struct of indices; its samples live in the site's arena (one array of float64), so that a state can be
copied, inspected and restored as plain arrays.
"""

from libc.stdint cimport int64_t


cdef struct MeanWindow:
    int64_t offset    # of the first sample in the arena
    int64_t length    # ticks
    int64_t index     # where the next sample goes
    double total      # of the samples now in the window
    double fresh      # of the samples since the last wrap: replaces `total` there, so that rounding cannot accumulate


cdef struct PhaseWindow:
    # Three MeanWindows that move together; their samples lie side by side.
    int64_t offset
    int64_t length
    int64_t index
    double total[3]
    double fresh[3]


cdef struct DelayLine:
    int64_t offset
    int64_t length    # ticks; 0 passes the sample through
    int64_t index


cdef struct Extremum:
    int64_t offset    # `ring` values, then `ring` ticks
    int64_t ring      # places, a power of two beyond `span`
    int64_t span      # ticks the window holds, both ends included
    int64_t head      # of the oldest candidate; candidates are numbered on and on, number k is at place k modulo `ring`
    int64_t tail      # of the next one


cdef inline double mean_push(MeanWindow* w, double* arena, double x) noexcept nogil:
    """Add a sample; return the mean of the last `length` samples."""
    cdef int64_t index = w.index
    cdef double* slot = arena + w.offset + index
    cdef double total = w.total + (x - slot[0])
    cdef double fresh = w.fresh + x
    slot[0] = x
    index += 1
    if index == w.length:
        index = 0
        total = fresh
        fresh = 0.0
    w.index = index
    w.total = total
    w.fresh = fresh
    return total / <double>w.length


cdef inline void phase_push(PhaseWindow* w, double* arena, const double* x, double* mean) noexcept nogil:
    """Add a sample of each phase; `mean` gets the means of the last `length` samples."""
    cdef double* slot = arena + w.offset + 3 * w.index
    cdef double total
    cdef int64_t i
    cdef int64_t index = w.index + 1
    cdef bint wraps = index == w.length
    w.index = 0 if wraps else index
    for i in range(3):
        total = w.total[i] + (x[i] - slot[i])
        w.fresh[i] += x[i]
        slot[i] = x[i]
        if wraps:
            total = w.fresh[i]
            w.fresh[i] = 0.0
        w.total[i] = total
        mean[i] = total / <double>w.length


cdef inline double delay_push(DelayLine* w, double* arena, double x) noexcept nogil:
    """Add a sample; return the one of `length` ticks ago."""
    cdef double oldest
    cdef double* slot
    if w.length == 0:
        return x
    slot = arena + w.offset + w.index
    oldest = slot[0]
    slot[0] = x
    w.index += 1
    if w.index == w.length:
        w.index = 0
    return oldest


cdef inline void delay_phases(DelayLine* w, double* arena, double* x) noexcept nogil:
    """Put a sample of each phase in, side by side; `x` gets those of `length` ticks ago."""
    cdef double oldest
    cdef double* slot
    cdef int64_t i
    if w.length == 0:
        return
    slot = arena + w.offset + 3 * w.index
    for i in range(3):
        oldest = slot[i]
        slot[i] = x[i]
        x[i] = oldest
    w.index += 1
    if w.index == w.length:
        w.index = 0


cdef inline void extremum_clear(Extremum* w) noexcept nogil:
    w.head = w.tail


cdef inline double extremum_push(Extremum* w, double* arena, double x, int64_t tick) noexcept nogil:
    """Add a sample; return the maximum of the last `span` samples (push -x for the minimum).

    A queue of falling candidates: amortised constant time, whatever the window.
    """
    cdef int64_t mask = w.ring - 1
    cdef int64_t head = w.head
    cdef int64_t tail = w.tail
    cdef double* values = arena + w.offset
    cdef double* ticks = values + w.ring
    while tail != head and not values[(tail - 1) & mask] > x:
        tail -= 1
    values[tail & mask] = x
    ticks[tail & mask] = <double>tick
    w.tail = tail + 1
    if ticks[head & mask] <= <double>(tick - w.span):
        head += 1
        w.head = head
    return values[head & mask]
