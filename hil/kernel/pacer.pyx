"""The thread of the kernel: runs an engine's ticks at their deadlines on the wall clock, without the GIL.

See pacer.pyi for the documented interface.
"""

from libc.math cimport ceil
from libc.stdint cimport int64_t, uint64_t, uintptr_t

from types import MappingProxyType

import numpy as np

from hil.kernel.engine cimport Engine
from hil.kernel.shared cimport copy_words, give_way, load_acquire, read_holds, store_release, swap, write_begins, write_ends
from hil.kernel.sound cimport unsound
from hil.kernel.tick cimport RunState
from hil.kernel.timing cimport Timing, fine_timers, monotonic_ns, sleep_until, timing_count, wake

from hil.kernel.layout import timing_dtype

cdef enum:
    NEVER = 0x7fffffffffffffff
    WAKE_UP_NS = 100_000       # in faster than real time, shorter ticks than this share a wake-up
    MOST_TOGETHER = 1024       # ticks of a wake-up
    LONGEST_SLEEP_NS = 20_000_000    # so that a stop is soon heard
    TRIES = 64                 # of a look, before it lets the writer have the processor

PUBLISHED = ("run", "row", "pcs", "ups", "limits")    # `run` first: `look` finds its fields there


cdef class Pacer:
    cdef readonly double speed
    cdef readonly int64_t ticks_together
    cdef readonly object timing
    cdef Engine engine
    cdef int fd
    cdef double wall_period_ns
    cdef object kept
    cdef Timing* counts
    cdef int64_t[::1] part_at
    cdef int64_t[::1] part_words
    cdef uint64_t[::1] shared      # the image as the thread publishes it
    cdef uint64_t[::1] fresh       # a copy of it, until it is known to be whole
    cdef uint64_t[::1] seen        # the image as Python is shown it
    cdef int64_t sequence
    cdef int64_t wake_tick
    cdef int64_t stop_wanted

    def __init__(self, Engine engine, *, double speed, int fd):
        if not 0.0 < speed < float("inf"):
            raise ValueError(f"speed {speed:g}: must be a positive number")
        if engine.paced:
            raise RuntimeError("the engine has a pacer")
        self.engine = engine
        self.speed = speed
        self.fd = fd
        self.wall_period_ns = engine.period_ns / speed
        self.ticks_together = 1
        if speed > 1.0:
            self.ticks_together = min(MOST_TOGETHER, max(1, int(ceil(WAKE_UP_NS / self.wall_period_ns))))
        self.timing = np.zeros(1, dtype=timing_dtype())
        self.counts = <Timing*> <uintptr_t> self.timing.ctypes.data
        self.wake_tick = NEVER
        arrays = {name: engine.states[name] for name in PUBLISHED}
        words = np.array([array.nbytes // 8 for array in arrays.values()], dtype=np.int64)
        self.part_at = np.array([array.ctypes.data for array in arrays.values()], dtype=np.uint64).astype(np.int64)
        self.part_words = words
        self.shared, self.fresh = np.zeros(words.sum(), np.uint64), np.zeros(words.sum(), np.uint64)
        seen = np.zeros(words.sum(), np.uint64)
        self.seen = seen
        parts = np.split(seen, np.cumsum(words)[: len(words) - 1])
        shown = {name: part.view(arrays[name].dtype) for name, part in zip(arrays, parts, strict=True)}
        self.kept = (arrays, shown)
        self.publish()
        self.look()
        engine.seen = MappingProxyType({**engine.states, **shown})
        engine.seen_run = <const RunState*> <uintptr_t> shown["run"].ctypes.data
        engine.seen_row = <const double*> <uintptr_t> shown["row"].ctypes.data
        engine.close_wanted = 0
        engine.ticks_run = engine.site.run.tick
        engine.paced = True

    def run(self, int64_t start_ns, int64_t until_tick=NEVER):
        cdef const char* problem = unsound(&self.engine.site)
        if not self.engine.paced:
            raise RuntimeError("the pacer was released")
        if problem != NULL:
            raise ValueError((<bytes> problem).decode())
        with nogil:
            fine_timers()
            self.follow(start_ns, until_tick)

    def stop(self):
        store_release(&self.stop_wanted, 1)

    def release(self):
        self.look()
        self.close_if_wanted()
        self.engine.seen = self.engine.states
        self.engine.seen_run = self.engine.site.run
        self.engine.seen_row = self.engine.site.row
        self.engine.paced = False

    def wake_at(self, int64_t tick):
        store_release(&self.wake_tick, tick)

    def look(self):
        cdef int64_t begun
        cdef int64_t words = self.seen.shape[0]
        cdef int64_t tries = 0
        cdef const RunState* fresh = <const RunState*> &self.fresh[0]
        while True:
            begun = load_acquire(&self.sequence)
            copy_words(&self.fresh[0], &self.shared[0], words)
            if read_holds(&self.sequence, begun):
                break
            tries += 1
            if tries % TRIES == 0:
                with nogil:
                    give_way()
        # What was commanded must show in what is seen: until a tick has applied it, the picture stays.
        if fresh.command_tail == self.engine.site.run.command_head:
            copy_words(&self.seen[0], &self.fresh[0], words)
        return (<const RunState*> &self.seen[0]).tick

    cdef void publish(self) noexcept nogil:
        cdef uint64_t* to = &self.shared[0]
        cdef int64_t i
        write_begins(&self.sequence)
        for i in range(self.part_at.shape[0]):
            copy_words(to, <const void*> <uintptr_t> self.part_at[i], self.part_words[i])
            to += self.part_words[i]
        write_ends(&self.sequence)

    cdef void close_if_wanted(self) noexcept nogil:
        cdef RunState* run = self.engine.site.run
        if load_acquire(&self.engine.close_wanted) and run.tick < run.end_tick:
            run.end_tick = run.tick

    cdef void notify(self) noexcept nogil:
        """Wake the one who waits, once for each time that it asked; not before it can see what it has commanded."""
        cdef int64_t wanted = load_acquire(&self.wake_tick)
        cdef RunState* run = self.engine.site.run
        if run.tick >= wanted and load_acquire(&run.command_head) == run.command_tail and swap(&self.wake_tick, wanted, NEVER):
            wake(self.fd)

    cdef void follow(self, int64_t start_ns, int64_t until_tick) noexcept nogil:
        """Run each wake-up's ticks once the last of them is due; late, one wake-up's after the other, without a sleep."""
        cdef RunState* run = self.engine.site.run
        cdef int64_t first = run.tick
        cdef int64_t n
        cdef int64_t due_ns
        cdef int64_t now_ns
        cdef int64_t busy_ns
        cdef bint judged
        while run.tick < until_tick and not load_acquire(&self.stop_wanted):
            n = min(self.ticks_together, until_tick - run.tick)
            due_ns = start_ns + <int64_t>ceil(<double>(run.tick - first + n) * self.wall_period_ns)
            now_ns = monotonic_ns()
            if now_ns < due_ns:
                sleep_until(min(due_ns, now_ns + LONGEST_SLEEP_NS))
                continue
            self.close_if_wanted()
            judged = run.tick < run.end_tick
            self.engine.run(n)
            busy_ns = (monotonic_ns() - now_ns) // n
            if judged:
                timing_count(self.counts, n, now_ns - due_ns, busy_ns, <int64_t>(<double>n * self.wall_period_ns))
            self.publish()
            self.notify()
