"""Sliding windows over per-tick samples: mean, delay line, extremum.

Each window is a struct of indices; its samples live in the site's arena (one array of float64), so that a state can be
copied, inspected and restored as plain arrays.
"""

from libc.math cimport INFINITY
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
    # In the arena: `ring` samples, `block` maxima of what is older than the current block, candidates (maxima of blocks that
    # no later one reaches), and their blocks.
    int64_t offset
    int64_t ring      # whole blocks, of which the current one is the latest
    int64_t block     # samples in a block: less than four, or a multiple of it
    int64_t base      # of the current block in the ring
    int64_t index     # where in it the next sample goes
    double newest     # largest of the current block
    int64_t span      # samples the window holds
    int64_t number    # of the current block; counted from the first sample after a clear
    int64_t mask      # places for candidates, a power of two, less one
    int64_t head      # of the oldest candidate; candidates are numbered on and on, number k is at place k & mask
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


cdef inline void extremum_clear(Extremum* w, double* arena) noexcept nogil:
    """Forget all samples."""
    cdef int64_t i
    cdef double* older = arena + w.offset + w.ring
    if w.index == 0 and w.number == 0:
        return
    w.index = w.number = w.head = w.tail = 0
    w.newest = -INFINITY
    for i in range(w.block):
        older[i] = -INFINITY


cdef inline double larger(double a, double b) noexcept nogil:
    return a if a > b else b


cdef inline void raise_to(double* values, const double* given, int64_t count, double least) noexcept nogil:
    cdef int64_t i
    for i in range(count):
        values[i] = larger(given[i], least)


cdef inline void carry_back(double* values, int64_t count) noexcept nogil:
    """Make each value the maximum from there to the end: quarter by quarter, side by side, so that none waits for another."""
    cdef int64_t quarter = count // 4
    cdef int64_t i
    cdef double* second = values + quarter
    cdef double* third = second + quarter
    cdef double* last = third + quarter
    if count < 4:
        for i in range(count - 2, -1, -1):
            values[i] = larger(values[i], values[i + 1])
        return
    for i in range(quarter - 2, -1, -1):
        values[i] = larger(values[i], values[i + 1])
        second[i] = larger(second[i], second[i + 1])
        third[i] = larger(third[i], third[i + 1])
        last[i] = larger(last[i], last[i + 1])
    raise_to(third, third, quarter, last[0])
    raise_to(second, second, quarter, third[0])
    raise_to(values, values, quarter, second[0])


cdef inline double* block_of(const Extremum* w, double* arena, int64_t back) noexcept nogil:
    """Where the block lies that is so many before the current one."""
    cdef int64_t base = w.base - back * w.block
    return arena + w.offset + (base if base >= 0 else base + w.ring)


cdef inline void extremum_turn(Extremum* w, double* arena) noexcept nogil:
    """A block is full: it becomes a candidate, and for each sample of the next one the maximum of what is older is worked out.

    With sample i of the next block the window holds `whole` blocks before it, and the end of those before them, the longer
    the smaller i is: of one block, and for the first `rest` - 1 samples of another. These two are looked into only where they
    are candidates still; the one is carried back in its place when the window first begins in it, and so stays as the other.
    """
    cdef double* older = arena + w.offset + w.ring
    cdef double* values = older + w.block
    cdef double* blocks = values + w.mask + 1
    cdef double* partial
    cdef int64_t whole = w.span // w.block - 1
    cdef int64_t rest = w.span % w.block
    cdef int64_t at
    cdef int64_t i
    cdef double first
    cdef double most = w.newest
    cdef bint other
    while w.tail != w.head and not values[(w.tail - 1) & w.mask] > most:
        w.tail -= 1
    values[w.tail & w.mask] = most
    blocks[w.tail & w.mask] = <double>w.number
    w.tail += 1
    w.number += 1
    w.index = 0
    w.newest = -INFINITY
    w.base += w.block
    if w.base == w.ring:
        w.base = 0
    first = <double>(w.number - whole)
    while w.head != w.tail and blocks[w.head & w.mask] < first - 2.0:
        w.head += 1
    at = w.head
    other = at != w.tail and blocks[at & w.mask] == first - 2.0
    at += other
    if at != w.tail and blocks[at & w.mask] == first - 1.0:
        most = values[(at + 1) & w.mask] if at + 1 != w.tail else -INFINITY
        partial = block_of(w, arena, whole + 1)
        carry_back(partial, w.block)
        if rest == 0:
            raise_to(older, partial + 1, w.block - 1, most)
            older[w.block - 1] = most
        else:
            raise_to(older + rest - 1, partial, w.block - rest + 1, most)
        most = values[at & w.mask]
        at = rest - 1
    else:
        most = values[at & w.mask] if at != w.tail else -INFINITY
        at = w.block
    if other and rest > 1:
        raise_to(older, block_of(w, arena, whole + 2) + w.block - rest + 1, rest - 1, most)
        i = rest - 1
    else:
        i = 0
    while i < at:
        older[i] = most
        i += 1


ctypedef void (*turn_fn)(Extremum* w, double* arena) noexcept nogil


cdef extern from "hil/kernel/far.h":
    turn_fn far "RIDETHROUGH_FAR"(turn_fn function) noexcept nogil


cdef inline void extremum_run(Extremum* w, double* arena, const double* given, double* found, int64_t count) noexcept nogil:
    """Add samples; `found`, which may be `given`, gets after each the maximum of the last `span` (give -x for minima).

    NaN is none.

    In blocks: what is older than the current one is known when it begins, so that a sample costs two comparisons, whatever the
    window and whatever the samples do, and the last of a block as many more as it has samples.
    """
    cdef double* samples
    cdef double* older
    cdef double newest
    cdef double x
    cdef int64_t done = 0
    cdef int64_t room
    cdef int64_t i
    while done < count:
        room = min(count - done, w.block - w.index)
        samples = arena + w.offset + w.base + w.index
        older = arena + w.offset + w.ring + w.index
        newest = w.newest
        for i in range(room):
            x = given[done + i]
            samples[i] = x
            if x > newest:
                newest = x
            found[done + i] = newest if newest > older[i] else older[i]
        w.newest = newest
        w.index += room
        done += room
        if w.index == w.block:
            far(extremum_turn)(w, arena)
