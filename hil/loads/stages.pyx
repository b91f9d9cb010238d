"""What acts on a load's power tick by tick: filler, smoothing, capping, rack capacitors, power supply.

Each stage is one function over a block, in place, and one record of what it is and has come to (`DTYPES`). A tick's result
depends on that record and the tick's power alone, so blocks of any size give the same bits. Equations: docs/loads.md.
"""

import numpy as np

cdef packed struct FillerState:
    double fill_w
    double limit_w
    double extra_w   # sum over ticks, as every other sum here
    long long at     # in the line of powers that it has yet to see

cdef packed struct SmoothingState:
    double floor_w
    double up_w      # rise a tick
    double down_w    # fall a tick
    double level_w   # below which the output is held
    double top_w     # to which a start has come
    double burnt_w
    double held_w
    long long hold_ticks
    long long below_ticks
    long long started
    long long limited_ticks

cdef packed struct CapState:
    double on_w
    double off_w
    double factor
    long long latency
    long long active
    long long wanted
    long long due    # tick at which what is wanted begins; -1: nothing is under way
    long long count
    long long first
    long long ticks

cdef packed struct RowState:
    double provisioned_w
    double other_w
    double largest_w
    double taken_w
    long long tick
    long long above_ticks
    long long above_now
    long long above_longest
    long long above_first
    long long largest_at

cdef packed struct RackState:
    double capacity_w   # energy in W and ticks, as the next four
    double energy_w
    double target_w
    double low_w
    double high_w
    double most_w
    double mean_w
    double follow       # share of the difference that the mean makes up in a tick
    double restore      # likewise of the energy
    double given_w
    double taken_w
    double missing_w
    long long short_ticks

cdef packed struct SupplyState:
    double efficiency
    double follow
    double within       # share of the difference that is left in the mean of a tick
    double output_w
    double input_sum_w
    double output_sum_w


def _dtype(names, integers=""):
    return np.dtype([(name, np.int64 if name in integers.split() else np.float64) for name in names.split()])


DTYPES = {
    "filler": _dtype("fill_w limit_w extra_w at", "at"),
    "smoothing": _dtype(
        "floor_w up_w down_w level_w top_w burnt_w held_w hold_ticks below_ticks started limited_ticks",
        "hold_ticks below_ticks started limited_ticks",
    ),
    "cap": _dtype(
        "on_w off_w factor latency active wanted due count first ticks", "latency active wanted due count first ticks"
    ),
    "row": _dtype(
        "provisioned_w other_w largest_w taken_w tick above_ticks above_now above_longest above_first largest_at",
        "tick above_ticks above_now above_longest above_first largest_at",
    ),
    "rack": _dtype(
        "capacity_w energy_w target_w low_w high_w most_w mean_w follow restore given_w taken_w missing_w short_ticks",
        "short_ticks",
    ),
    "supply": _dtype("efficiency follow within output_w input_sum_w output_sum_w"),
}


def total(const double[::1] power_w, double before_w):
    """Sum of a block on top of what was before it, in order."""
    cdef Py_ssize_t k
    for k in range(power_w.shape[0]):
        before_w += power_w[k]
    return before_w


def fill(FillerState[::1] states, double[::1] line, double[::1] power_w):
    """Fill up to `fill_w` by what was seen `len(line)` ticks ago, as far as `limit_w` leaves room."""
    cdef FillerState *s = &states[0]
    cdef Py_ssize_t k
    cdef Py_ssize_t n = line.shape[0]
    cdef double seen, extra, room
    with nogil:
        for k in range(power_w.shape[0]):
            seen = power_w[k]
            if n:
                seen = line[s.at]
                line[s.at] = power_w[k]
                s.at = s.at + 1 if s.at + 1 < n else 0
            extra = s.fill_w - seen
            room = s.limit_w - power_w[k]
            if extra > room:
                extra = room
            if extra > 0.0:
                power_w[k] += extra
                s.extra_w += extra


def smooth(SmoothingState[::1] states, double[::1] power_w):
    """Hold the level reached, up to the floor; ramp down after the hysteresis, and up at a start."""
    cdef SmoothingState *s = &states[0]
    cdef Py_ssize_t k
    cdef double asked, out, top
    with nogil:
        for k in range(power_w.shape[0]):
            asked = power_w[k]
            s.below_ticks = 0 if asked >= s.level_w else s.below_ticks + 1
            if s.below_ticks > s.hold_ticks:
                s.level_w -= s.down_w
                if s.level_w < 0.0:
                    s.level_w = 0.0
                s.started = 0
            out = asked
            if not s.started:
                top = s.top_w + s.up_w
                if out > top:
                    out = top
                    s.limited_ticks += 1
                elif top >= s.floor_w and asked >= s.floor_w:
                    s.started = 1
            if out < s.level_w:
                out = s.level_w
            if s.below_ticks > s.hold_ticks or out > s.top_w:
                s.top_w = out
            if s.below_ticks <= s.hold_ticks and out > s.level_w:
                s.level_w = out if out < s.floor_w else s.floor_w
            if out > asked:
                s.burnt_w += out - asked
            else:
                s.held_w += asked - out
            power_w[k] = out


def cap(RowState[::1] rows, CapState[::1] caps, double[::1] power_w):
    """Compare the row's power with each threshold; what is wanted begins a latency later."""
    cdef RowState *row = &rows[0]
    cdef CapState *c
    cdef Py_ssize_t k, i
    cdef double factor, whole
    with nogil:
        for k in range(power_w.shape[0]):
            factor = 1.0
            for i in range(caps.shape[0]):
                c = &caps[i]
                if c.due == row.tick:
                    c.due = -1
                    c.active = c.wanted
                    if c.active:
                        c.count += 1
                        if c.first < 0:
                            c.first = row.tick
                if c.active:
                    c.ticks += 1
                    if c.factor < factor:
                        factor = c.factor
            row.taken_w += power_w[k] - power_w[k] * factor
            power_w[k] *= factor
            whole = power_w[k] + row.other_w
            for i in range(caps.shape[0]):
                c = &caps[i]
                if c.due < 0 and (whole < c.off_w if c.active else whole >= c.on_w):
                    c.wanted = 0 if c.active else 1
                    c.due = row.tick + c.latency
            if whole > row.largest_w:
                row.largest_w = whole
                row.largest_at = row.tick
            if whole > row.provisioned_w:
                row.above_ticks += 1
                row.above_now += 1
                if row.above_now > row.above_longest:
                    row.above_longest = row.above_now
                if row.above_first < 0:
                    row.above_first = row.tick
            else:
                row.above_now = 0
            row.tick += 1


def hold(RackState[::1] states, double[::1] power_w):
    """Give or take what the power is off its mean, as far as power and energy allow."""
    cdef RackState *s = &states[0]
    cdef Py_ssize_t k
    cdef double wanted, given
    with nogil:
        for k in range(power_w.shape[0]):
            s.mean_w += s.follow * (power_w[k] - s.mean_w)
            wanted = power_w[k] - s.mean_w + s.restore * (s.energy_w - s.target_w)
            if wanted > power_w[k]:  # nothing is fed back
                wanted = power_w[k]
            given = wanted
            if given > s.most_w:
                given = s.most_w
            elif given < -s.most_w:
                given = -s.most_w
            if given > s.energy_w:
                given = s.energy_w
            elif given < s.energy_w - s.capacity_w:
                given = s.energy_w - s.capacity_w
            if given != wanted:
                s.missing_w += wanted - given if wanted > given else given - wanted
                s.short_ticks += 1
            s.energy_w -= given
            if given > 0.0:
                s.given_w += given
            else:
                s.taken_w -= given
            if s.energy_w < s.low_w:
                s.low_w = s.energy_w
            if s.energy_w > s.high_w:
                s.high_w = s.energy_w
            power_w[k] -= given


def supply(SupplyState[::1] states, double[::1] power_w):
    """Losses, and the mean over each tick of a first-order lag."""
    cdef SupplyState *s = &states[0]
    cdef Py_ssize_t k
    cdef double into, before
    with nogil:
        for k in range(power_w.shape[0]):
            s.input_sum_w += power_w[k]
            into = power_w[k] / s.efficiency
            before = s.output_w
            s.output_w = before + s.follow * (into - before)
            power_w[k] = into + s.within * (before - into)
            s.output_sum_w += power_w[k]
