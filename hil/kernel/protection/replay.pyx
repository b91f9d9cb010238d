"""Protection functions and limits on rows that came from elsewhere: a recording, a reference vector, a random waveform.

See replay.pyi for the documented interface.
"""

from libc.stdint cimport int64_t

import numpy as np

from hil.kernel.binding cimport address, bind_functions
from hil.kernel.judging cimport limit_put_back, limit_run, ticks_alike
from hil.kernel.limits cimport BLANK_KINDS, LimitParams, LimitState
from hil.kernel.protection.functions cimport Functions, functions_run, unsound_function
from hil.kernel.sound cimport limit_is_sound

from hil.kernel.layout import FUNCTIONS, parameter_dtypes, state_dtypes


cdef class Replay:
    cdef readonly dict parameters
    cdef readonly dict states
    cdef readonly int64_t tick
    cdef public int64_t warm_up_ticks
    cdef Functions functions
    cdef int64_t limit_count
    cdef const LimitParams* limit_params
    cdef LimitState* limits
    cdef double* arena
    cdef int64_t* blank_until

    def __init__(self, parameters, states):
        wanted, of = parameter_dtypes(), state_dtypes()
        names = ("limits", *FUNCTIONS)
        params = {name: parameters.get(name, np.zeros(0, wanted[name])) for name in names}
        kept = {name: states.get(name, np.zeros(0, of[name])) for name in names if name in of}
        kept["arena"] = states.get("arena", np.zeros(1))
        kept["blank_until"] = states.get("blank_until", np.zeros(BLANK_KINDS, np.int64))
        self.parameters, self.states = params, kept
        self.limit_count = len(params["limits"])
        self.limit_params = <const LimitParams*> address(params, "limits", wanted["limits"], -1)
        self.limits = <LimitState*> address(kept, "limits", of["limits"], self.limit_count)
        bind_functions(&self.functions, params, kept)
        self.arena = <double*> address(kept, "arena", of["arena"], -1)
        self.blank_until = <int64_t*> address(kept, "blank_until", of["blank_until"], BLANK_KINDS)

    def run(self, double[:, ::1] rows):
        cdef int64_t words = rows.shape[1]
        cdef int64_t arena_size = len(self.states["arena"])
        cdef const char* problem = unsound_function(&self.functions, words, arena_size, BLANK_KINDS)
        cdef int64_t i
        cdef int64_t done = 0
        cdef int64_t count
        if problem != NULL:
            raise ValueError(problem.decode())
        for i in range(self.limit_count):
            if (not 0 <= self.limit_params[i].channel < words or not 0 <= self.limit_params[i].voltage < words
                    or not 0 <= self.limit_params[i].blank < BLANK_KINDS
                    or not limit_is_sound(&self.limit_params[i], &self.limits[i], arena_size)):
                raise ValueError("limits: kind, channel, or a window outside the arena")
        with nogil:
            while done < rows.shape[0]:
                count = ticks_alike(rows.shape[0] - done, self.tick, self.blank_until)
                self.judge(&rows[done, 0], words, count)
                self.tick += count
                done += count

    cdef void judge(self, double* rows, int64_t words, int64_t count) noexcept nogil:
        """Judge the rows of a batch; those that are no evidence for a limit, one by one."""
        cdef int64_t i
        cdef int64_t j
        cdef LimitState before
        functions_run(&self.functions, self.arena, rows, words, count, self.tick, self.blank_until)
        for i in range(self.limit_count):
            j = 0
            while j < count and self.tick + j < self.limits[i].suspect_until:
                before = self.limits[i]
                limit_run(&self.limit_params[i], &self.limits[i], self.arena, rows + j * words, words, 1, self.tick + j,
                          self.blank_until, NULL)
                limit_put_back(&self.limit_params[i], &self.limits[i], &before, self.tick + j,
                               self.tick + j >= self.warm_up_ticks)
                j += 1
            if j < count:
                limit_run(&self.limit_params[i], &self.limits[i], self.arena, rows + j * words, words, count - j,
                          self.tick + j, self.blank_until, NULL)
