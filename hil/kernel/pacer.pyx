"""The thread of the kernel: runs an engine's ticks at their deadlines on the wall clock, without the GIL.

See pacer.pyi for the documented interface.
"""

from libc.math cimport ceil, floor
from libc.stdint cimport int64_t, uint64_t, uintptr_t

from types import MappingProxyType

import numpy as np

from hil.kernel.engine cimport Engine
from hil.kernel.shared cimport copy_words, give_way, load_acquire, read_holds, store_release, swap, write_begins, write_ends
from hil.kernel.site cimport RunState
from hil.kernel.sound cimport unsound
from hil.kernel.system cimport (
    fine_timers, give_priority_back, monotonic_ns, pause, sleep_until, thread_usage, touch_stack, wake,
)
from hil.kernel.batches cimport suspect
from hil.kernel.timing cimport (
    OVERRUN_PLACES, Overruns, Timing, overrun_ends, overrun_grows, timing_busy, timing_late,
)

from hil.kernel.layout import timing_dtype

cdef enum:
    NEVER = 0x7fffffffffffffff
    WAKE_UP_NS = 100_000       # in faster than real time, shorter ticks than this share a wake-up
    MOST_TOGETHER = 1024       # ticks of a wake-up
    MOST_SKIPPED = 16384       # ticks that one wake-up makes up for
    LONGEST_SLEEP_NS = 20_000_000    # so that a stop is soon heard
    START_POLL_NS = 500_000
    AWAKE_NS = 100_000_000     # who has not slept for so long, and
    AWAKE_WAKE_UPS = 16        # so many wake-ups, gives its priority back
    TRIES = 64                 # of a look, before it lets the writer have the processor

cdef enum:
    SKIP = 0
    CATCH_UP = 1
    ABORT = 2

# `run` first: `look` finds its fields there.
PUBLISHED = ("run", "row", "pcs", "ups", "revenue_meters", "faults", "limits", "breakers", "commanded")
POLICIES = {"skip": SKIP, "catch_up": CATCH_UP, "abort": ABORT}


cdef class Pacer:
    cdef readonly double speed
    cdef readonly int64_t ticks_together
    cdef readonly object timing
    cdef public int64_t spin_ns
    cdef Engine engine
    cdef int fd
    cdef double wall_period_ns
    cdef int64_t policy
    cdef int64_t budget_ns         # of wall-clock time, as those below
    cdef int64_t catch_up_ns
    cdef bint prior                # runs at a priority that keeps others off the core
    cdef object kept
    cdef Timing* counts
    cdef Overruns late
    cdef int64_t[::1] part_at
    cdef int64_t[::1] part_words
    cdef uint64_t[::1] shared      # the image as the thread publishes it
    cdef uint64_t[::1] fresh       # a copy of it, until it is known to be whole
    cdef uint64_t[::1] seen        # the image as Python is shown it
    cdef int64_t sequence
    cdef int64_t wake_tick
    cdef int64_t start_ns          # NEVER until it is known
    cdef int64_t stop_wanted
    cdef int64_t usage[4]          # of the thread, when the first judged tick was due

    def __init__(self, Engine engine, *, double speed, int fd, str policy="skip", double budget_s=float("inf"),
                 double catch_up_s=0.0, int64_t spin_ns=0):
        if not 0.0 < speed < float("inf"):
            raise ValueError(f"speed {speed:g}: must be a positive number")
        if policy not in POLICIES:
            raise ValueError(f"policy {policy!r}: must be one of {', '.join(POLICIES)}")
        if engine.paced:
            raise RuntimeError("the engine has a pacer")
        self.engine = engine
        self.speed = speed
        self.fd = fd
        self.policy = POLICIES[policy]
        self.budget_ns = wall_ns(budget_s, speed)
        self.catch_up_ns = wall_ns(catch_up_s, speed)
        self.spin_ns = spin_ns
        self.wall_period_ns = engine.period_ns / speed
        self.ticks_together = 1
        if speed > 1.0:
            self.ticks_together = min(MOST_TOGETHER, max(1, int(ceil(WAKE_UP_NS / self.wall_period_ns))))
        self.timing = np.zeros(1, dtype=timing_dtype())
        self.timing["demoted_tick"] = self.timing["aborted_tick"] = -1
        self.counts = <Timing*> <uintptr_t> self.timing.ctypes.data
        self.wake_tick = NEVER
        self.start_ns = NEVER
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

    def run(self, int64_t until_tick=0x7fffffffffffffff, *, bint prior=False):
        cdef const char* problem = unsound(&self.engine.site)
        if not self.engine.paced:
            raise RuntimeError("the pacer was released")
        if problem != NULL:
            raise ValueError((<bytes> problem).decode())
        self.prior = prior
        with nogil:
            fine_timers()
            touch_stack()
            self.await_start()
            self.follow(until_tick)

    def start(self, int64_t start_ns):
        store_release(&self.start_ns, start_ns)

    def take_overruns(self):
        cdef int64_t tail = self.late.tail
        cdef int64_t head = load_acquire(&self.late.head)
        taken = [self.late.places[i & (OVERRUN_PLACES - 1)] for i in range(tail, head)]
        store_release(&self.late.tail, head)
        return [(one["tick"], one["ticks"], one["late_ns"]) for one in taken]

    @property
    def overruns_lost(self):
        return self.late.dropped

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

    cdef void await_start(self) noexcept nogil:
        while load_acquire(&self.start_ns) == NEVER and not load_acquire(&self.stop_wanted):
            sleep_until(monotonic_ns() + START_POLL_NS)

    cdef void follow(self, int64_t until_tick) noexcept nogil:
        """Run each wake-up's ticks once the last of them is due."""
        cdef RunState* run = self.engine.site.run
        cdef int64_t start_ns = load_acquire(&self.start_ns)
        cdef int64_t first = run.tick
        cdef int64_t awake_ns = monotonic_ns()    # since when it has not slept
        cdef int64_t wake_ups = 0                 # and how often it has run since
        cdef int64_t n
        cdef int64_t due_ns
        cdef int64_t now_ns
        cdef int64_t judged
        cdef bint counting = False
        while run.tick < until_tick and not load_acquire(&self.stop_wanted):
            n = min(self.ticks_together, until_tick - run.tick)
            due_ns = start_ns + <int64_t>ceil(<double>(run.tick - first + n) * self.wall_period_ns)
            now_ns = monotonic_ns()
            if now_ns < due_ns - self.spin_ns:
                sleep_until(min(due_ns - self.spin_ns, now_ns + LONGEST_SLEEP_NS))
                now_ns = awake_ns = monotonic_ns()    # at once: what follows is slow on a core that has cooled down
                wake_ups = 0
                if now_ns < due_ns - self.spin_ns:
                    continue
            while now_ns < due_ns:
                pause()
                now_ns = monotonic_ns()
            self.close_if_wanted()
            judged = run.end_tick - run.tick
            if judged > 0 and not counting:
                counting = True
                self.counts.usage_known = thread_usage(&self.usage[0], &self.usage[1], &self.usage[2], &self.usage[3])
            elif judged <= 0 and counting:
                counting = False
                self.count_usage()
            n = self.ticks_now(n, now_ns - due_ns, until_tick - run.tick)
            if judged > 0:
                judged = self.count_late(min(n, judged), now_ns - due_ns)
            self.engine.recording.late_ns = now_ns - due_ns
            self.engine.recording.step_ns = <int64_t>self.wall_period_ns if n > self.ticks_together else 0
            self.engine.run(n)
            self.engine.recording.busy_ns = (monotonic_ns() - now_ns) // n
            if judged > 0:
                timing_busy(self.counts, judged, self.engine.recording.busy_ns)
            self.publish()
            self.notify()
            wake_ups += 1
            if self.prior and wake_ups >= AWAKE_WAKE_UPS and now_ns - awake_ns > AWAKE_NS:
                self.prior = False
                self.counts.demoted_tick = run.tick
                give_priority_back()
        overrun_ends(&self.late)
        if counting:
            self.count_usage()

    cdef int64_t ticks_now(self, int64_t n, int64_t late_ns, int64_t left) noexcept nogil:
        """How many ticks the policy runs at a wake-up of `n` that is late; then the next deadline is the grid's again."""
        cdef double ahead_ns = <double>late_ns
        if self.policy == CATCH_UP:
            ahead_ns -= <double>self.catch_up_ns
        if ahead_ns < self.wall_period_ns * <double>n:
            return n
        n += <int64_t>floor(min(ahead_ns / self.wall_period_ns, <double>MOST_SKIPPED))
        return min(min(n, <int64_t>MOST_SKIPPED), left)

    cdef int64_t count_late(self, int64_t ticks, int64_t late_ns) noexcept nogil:
        """Count how late the judged ones of a wake-up's ticks are; returns how many of them are judged after that."""
        cdef RunState* run = self.engine.site.run
        cdef int64_t wake_ns = <int64_t>(<double>self.ticks_together * self.wall_period_ns)
        cdef int64_t done = 0
        cdef int64_t over = 0
        cdef int64_t beyond = 0
        cdef int64_t n
        self.counts.wake_ups += 1
        while done < ticks:    # the first are the latest: each group by its own deadline
            n = min(self.ticks_together, ticks - done)
            timing_late(self.counts, n, late_ns)
            if late_ns > wake_ns:
                over += n
            if late_ns > self.budget_ns:
                beyond += n
            if done == 0:
                if over:
                    overrun_grows(&self.late, run.tick, 0, late_ns)
                else:
                    overrun_ends(&self.late)
            done += n
            late_ns = max(0, late_ns - wake_ns)
        self.counts.overruns += over
        self.counts.beyond_budget += beyond
        self.late.open.ticks += over
        if beyond:
            suspect(&self.engine.site, run.tick + beyond - 1)
        if beyond and self.policy == ABORT:
            self.counts.aborted_tick = run.tick
            run.end_tick = run.tick
            overrun_ends(&self.late)
            return 0
        return ticks

    cdef void count_usage(self) noexcept nogil:
        cdef int64_t now[4]
        thread_usage(&now[0], &now[1], &now[2], &now[3])
        self.counts.minor_faults = now[0] - self.usage[0]
        self.counts.major_faults = now[1] - self.usage[1]
        self.counts.waits = now[2] - self.usage[2]
        self.counts.preemptions = now[3] - self.usage[3]


cdef int64_t wall_ns(double scenario_s, double speed) noexcept:
    cdef double ns = scenario_s * 1e9 / speed
    return <int64_t>ns if ns < 1e18 else 1_000_000_000_000_000_000
