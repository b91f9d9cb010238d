"""The engine as other compiled modules see it."""

from libc.stdint cimport int64_t

from hil.kernel.recording cimport Recording
from hil.kernel.site cimport RunState, Site


cdef class Engine:
    cdef readonly int64_t period_ns
    cdef readonly tuple channels
    cdef readonly object parameters
    cdef readonly object states
    cdef public object shared_with
    cdef public int64_t command_valid_ticks  # for so long after it was given a command may be taken
    cdef object __weakref__
    cdef tuple made_of                      # names of devices, and settings: what a twin is made of besides arrays
    cdef tuple kept                         # keeps the memory that `site` points into
    cdef int64_t words
    cdef int64_t plant_words    # of the channels that every site has: what the waveform hash is over
    cdef Site site
    cdef Recording recording
    cdef readonly tuple recorded            # columns of the record's ring
    cdef tuple ring                         # and its arrays: rows, ticks, marks, channels
    cdef double[:, ::1] tap
    # What Python is shown: the states themselves, or a pacer's copies of them.
    cdef readonly object seen
    cdef const RunState* seen_run
    cdef const double* seen_row
    cdef bint paced
    cdef int64_t ticks_run                  # of a paced run: published after each wake-up, for who feeds it
    cdef int64_t close_wanted               # of a paced run: the thread of the kernel closes it

    cdef int keep_record(self, channels, int64_t every, int64_t capacity, bint marked) except -1
    cdef int bind(self, int64_t count, int64_t ups_count, user_laws) except -1
    cdef int adopt(self, user_laws, laws, int64_t count) except -1
    cdef int64_t taken(self) noexcept nogil
    cdef void run(self, int64_t n) noexcept nogil
    cdef void run_batch(self, int64_t count) noexcept nogil
