"""The engine as other compiled modules see it."""

from libc.stdint cimport int64_t

from hil.kernel.tick cimport RunState, Site


cdef class Engine:
    cdef readonly int64_t period_ns
    cdef readonly tuple channels
    cdef readonly object parameters
    cdef readonly object states
    cdef readonly int64_t dropped_rows
    cdef public object shared_with
    cdef public int64_t command_valid_ticks  # for so long after it was given a command may be taken
    cdef int64_t loop_late_ns               # of a paced run: lateness of the tick
    cdef int64_t loop_step_ns               # by which the next one of the wake-up is less late
    cdef int64_t loop_busy_ns               # and what a tick of the last one took
    cdef object __weakref__
    cdef tuple made_of                      # names of devices, and settings: what a twin is made of besides arrays
    cdef tuple kept                         # keeps the memory that `site` points into
    cdef int64_t words
    cdef int64_t record_every
    cdef int64_t record_head                # rows written
    cdef int64_t record_tail                # rows read
    cdef int64_t tap_rows
    cdef Site site
    cdef readonly tuple recorded            # columns of the record's ring
    cdef int64_t[::1] record_channels
    cdef bint record_loop                   # two more columns, LOOP_CHANNELS
    cdef float[:, ::1] record_rows
    cdef int64_t[::1] record_ticks
    cdef int64_t[::1] record_marks          # what began in the tick of each row; None where nobody asks
    cdef int64_t marked                     # since the last row that was kept
    cdef int64_t excursions                 # of all limits, reversions of all devices, entries of all UPSs' logs so far
    cdef int64_t reversions
    cdef int64_t ups_entries
    cdef double[:, ::1] tap
    # What Python is shown: the states themselves, or a pacer's copies of them.
    cdef readonly object seen
    cdef const RunState* seen_run
    cdef const double* seen_row
    cdef bint paced
    cdef int64_t ticks_run                  # of a paced run: published after each wake-up, for who feeds it
    cdef int64_t close_wanted               # of a paced run: the thread of the kernel closes it

    cdef int bind(self, int64_t count, int64_t ups_count, user_laws) except -1
    cdef int adopt(self, user_laws, laws, int64_t count) except -1
    cdef int64_t taken(self) noexcept nogil
    cdef int64_t marks(self) noexcept nogil
    cdef void record(self, int64_t tick) noexcept nogil
    cdef void run(self, int64_t n) noexcept nogil
