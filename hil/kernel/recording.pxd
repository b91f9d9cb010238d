"""What the engine keeps of a tick: a copy of the row for the tap, and a row of the record's ring with what began in it."""

from libc.stdint cimport int64_t

from hil.kernel.shared cimport load_acquire, store_release
from hil.kernel.site cimport Site


cdef enum:
    # Bits of a recorded row's marks.
    MARKED_LIMIT = 1           # an excursion of a limit began in its tick
    MARKED_REVERSION = 2       # a device fell back to what it does without its controller
    MARKED_UPS = 4             # a UPS logged something


cdef struct Recording:
    int64_t every              # ticks from row to row
    int64_t capacity           # of the ring, in rows
    int64_t columns            # channels of the row, and the loop's
    int64_t row_channels
    const int64_t* channels    # of the row, by their position
    bint loop                  # two more columns, LOOP_CHANNELS
    float* rows                # capacity × columns
    int64_t* ticks
    int64_t* marks             # what began in the tick of each row; NULL where nobody asks
    int64_t head               # rows written
    int64_t tail               # rows read
    int64_t dropped
    int64_t marked             # since the last row that was kept
    int64_t reversions         # of all devices, and entries of all UPSs' logs, so far
    int64_t ups_entries
    int64_t late_ns            # of a paced run: lateness of the tick
    int64_t step_ns            # by which the next one of the wake-up is less late
    int64_t busy_ns            # and what a tick of the last one took
    double* tap                # NULL: none
    int64_t tap_rows           # taken
    int64_t tap_capacity
    int64_t tap_columns


cdef inline int64_t device_marks(Recording* r, const Site* s) noexcept nogil:
    """What has begun with a device since this was last asked, in the tick before."""
    cdef int64_t i
    cdef int64_t found = 0
    cdef int64_t count = 0
    for i in range(s.bess_count):
        count += s.pcs[i].reversions + s.pcs[i].limit_reversions + s.pcs[i].connect_reversions
    for i in range(s.ups_alone_count):
        count += s.ups[i].support_reversions
    for i in range(s.ups_group_count):
        count += s.ups_groups[i].reversions
    if count != r.reversions:
        found |= MARKED_REVERSION
        r.reversions = count
    count = 0
    for i in range(s.ups_alone_count):
        count += s.ups[i].log_count
    for i in range(s.ups_group_count):
        count += s.ups_groups[i].entries
    if count != r.ups_entries:
        found |= MARKED_UPS
        r.ups_entries = count
    return found


cdef inline void record(Recording* r, const double* row, int64_t marks, int64_t tick) noexcept nogil:
    """Copy a row to the tap and, where it is due, to the record's ring, with what began in it; full, it drops the newest."""
    cdef int64_t j
    cdef int64_t slot
    cdef int64_t late_ns = r.late_ns
    cdef float* kept
    r.late_ns = max(0, late_ns - r.step_ns)
    if r.tap != NULL and r.tap_rows < r.tap_capacity:
        for j in range(r.tap_columns):
            r.tap[r.tap_rows * r.tap_columns + j] = row[j]
        r.tap_rows += 1
    r.marked |= marks
    if tick % r.every == 0 and r.columns > 0:
        if r.head - load_acquire(&r.tail) >= r.capacity:
            r.dropped += 1
            return
        slot = r.head % r.capacity
        r.ticks[slot] = tick
        kept = r.rows + slot * r.columns
        for j in range(r.row_channels):
            kept[j] = <float>row[r.channels[j]]
        if r.loop:
            kept[r.row_channels] = <float>(<double>late_ns * 1e-3)
            kept[r.row_channels + 1] = <float>(<double>r.busy_ns * 1e-3)
        if r.marks != NULL:
            r.marks[slot] = r.marked
            r.marked = 0
        store_release(&r.head, r.head + 1)
