"""What every kind of limit costs a tick, all on one site, with the protection functions behind them.

The site (limits_site.toml) has a battery, a UPS and each kind of limit, run with all of them and with none on the same load;
the first carries their channels in its row and its waveform hash too. Its flickermeter puts out from the first tick on, and
ends a block within the run. Times are of the thread's processor clock, so that what else runs on the machine is left out as
far as it does not share caches and cores.

A selection of the functions with one range behind them also runs in hand-written C (limits_c) over rows of the site, against
`Replay`. Before that is timed both must agree over 740,000 ticks, a P_st among them.

Figures: `tick_ns`, with less without; `site_c_ratio`, that over a tick of the flagship in the C of benchmarks/tick.py, in the
same round; `plain_tick_ns`, without; `lone_tick_ns`, the mean difference between one tick with and the same tick without,
advanced one by one, by the wall clock, and of each the least of the rounds, with what a call of `advance` does;
`worst_tick_ns`, the largest of these differences, and `worst_ratio`, that over the mean; `c_ratio`, our time of the selection
over that of the C; `selection_ns`, `c_selection_ns`; `c_deviation`, the largest deviation found.
"""

from __future__ import annotations

import ctypes
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from bench import interleaved, median_ratio, report
from limits_compiled import CLimits, compiled
from limits_site import COLUMNS, INPUTS, Array, LimitedSite, limited_site, rows_of, selection
from tick_compiled import CSite
from tick_compiled import compiled as compiled_site
from tick_site import FrozenSite, blocks, frozen_site

from hil.kernel.protection.replay import Replay

ROUNDS = 11
TICKS = 160_000
COMPARED_TICKS = 740_000
BLOCK_TICKS = 400  # of the selection at once: so few rows stay in the cache, as those of a site do
TOLERANCE = 1e-9  # of the largest magnitude that a channel has


def site_ns(site: LimitedSite, *, limits: bool) -> float:
    """Time of a tick of the whole site."""
    engine = site.engine(limits=limits, short=True)
    took = 0
    for begin in range(0, site.load_w.size, engine.load_room):
        load_w = site.load_w[begin : begin + engine.load_room]
        engine.feed(load_w)
        began = time.thread_time_ns()
        engine.advance(begin + load_w.size)
        took += time.thread_time_ns() - began
    return took / site.load_w.size


def ticks_ns(site: LimitedSite, *, limits: bool) -> Array:
    """Time of each tick of the whole site, advanced alone."""
    engine = site.engine(limits=limits, short=True)
    took = np.empty(site.load_w.size)
    tick = 0
    for begin in range(0, site.load_w.size, engine.load_room):
        load_w = site.load_w[begin : begin + engine.load_room]
        engine.feed(load_w)
        for _ in range(load_w.size):
            began = time.perf_counter_ns()
            engine.advance(tick + 1)
            took[tick] = time.perf_counter_ns() - began
            tick += 1
    return took


def single_ticks(site: LimitedSite, rounds: int) -> tuple[float, float]:
    """The largest difference that limits make to one tick, and the mean."""
    least = {limits: np.full(site.load_w.size, np.inf) for limits in (True, False)}
    for _ in range(rounds):
        for limits, found in least.items():
            np.minimum(found, ticks_ns(site, limits=limits), out=found)
    difference = least[True] - least[False]
    return float(difference.max()), float(difference.mean())


def flagship_ns(library: ctypes.CDLL, site: FrozenSite) -> float:
    """Time of a tick of the flagship in C."""
    took = 0
    with CSite(library, site) as c:
        for begin, end in blocks(site.engine(), site):
            began = time.thread_time_ns()
            c.run(begin, end)
            took += time.thread_time_ns() - began
    return took / site.load_w.size


def selection_ns(subject: Any, rows: Array) -> float:
    """Time of a tick of the selection, of a replay or of the C."""
    took = 0
    for begin in range(0, len(rows), BLOCK_TICKS):
        few = rows[begin : begin + BLOCK_TICKS].copy()
        began = time.thread_time_ns()
        subject.run(few)
        took += time.thread_time_ns() - began
    return took / len(rows)


def deviation(replay: Replay, c: CLimits, rows: Array) -> float:
    """Assert that both do the same; largest difference in any output, over the largest magnitude of that output."""
    ours, theirs = rows.copy(), rows.copy()
    replay.run(ours)
    c.run(theirs)
    found = 0.0
    for at in range(len(INPUTS), len(COLUMNS)):
        known = np.isfinite(ours[:, at])
        assert (known == np.isfinite(theirs[:, at])).all(), COLUMNS[at]
        scale = np.abs(ours[known, at]).max(initial=0.0)
        if scale > 0.0:
            found = max(found, float(np.abs(ours[known, at] - theirs[known, at]).max() / scale))
        else:
            assert not theirs[known, at].any(), COLUMNS[at]
    assert found <= TOLERANCE, f"outputs differ by {found:.3g}"
    state, results = replay.states["limits"][0], c.results()
    names = {"valid_ticks": "judged_ticks"} | {n: n for n in ("beyond_ticks", "excursions", "first_tick", "highest_tick")}
    for name, other in names.items():
        assert state[name] == getattr(results, other), (name, state[name], getattr(results, other))
    assert abs(state["highest"] - results.highest) <= TOLERANCE * state["highest"]
    assert replay.states["relays"][0]["pickups"] == results.pickups > 0
    assert replay.states["envelopes"][0]["disturbances"] == results.disturbances > 0
    return found


def main() -> None:
    """Check, measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        library, flagship_library = compiled(Path(folder)), compiled_site(Path(folder))
        long = limited_site(COMPARED_TICKS)
        rows = rows_of(long)
        with CLimits(library, selection(long)) as c:
            found = deviation(selection(long), c, rows)
        site = limited_site(TICKS)
        flagship = frozen_site(TICKS)
        rows = rows[:TICKS].copy()

        def in_c() -> float:
            with CLimits(library, selection(site, short=True)) as c:
                return selection_ns(c, rows)

        taken = interleaved(
            ROUNDS,
            {
                "with": lambda: site_ns(site, limits=True),
                "without": lambda: site_ns(site, limits=False),
                "flagship": lambda: flagship_ns(flagship_library, flagship),
                "ours": lambda: selection_ns(selection(site, short=True), rows),
                "c": in_c,
            },
        )
        worst_ns, lone_ns = single_ticks(site, ROUNDS)
    differences = [a - b for a, b in zip(taken["with"], taken["without"], strict=True)]
    figures = {
        "tick_ns": statistics.median(differences),
        "site_c_ratio": median_ratio(differences, taken["flagship"]),
        "plain_tick_ns": statistics.median(taken["without"]),
        "lone_tick_ns": lone_ns,
        "worst_tick_ns": worst_ns,
        "worst_ratio": worst_ns / lone_ns,
        "c_ratio": median_ratio(taken["ours"], taken["c"]),
        "selection_ns": statistics.median(taken["ours"]),
        "c_selection_ns": statistics.median(taken["c"]),
        "c_deviation": found,
    }
    ratios = [a / b for a, b in zip(taken["ours"], taken["c"], strict=True)]
    of_flagship = [a / b for a, b in zip(differences, taken["flagship"], strict=True)]
    spread = {
        "tick_ns": (min(differences), max(differences)),
        "site_c_ratio": (min(of_flagship), max(of_flagship)),
        **{
            figure: (min(taken[name]), max(taken[name]))
            for figure, name in (("plain_tick_ns", "without"), ("selection_ns", "ours"), ("c_selection_ns", "c"))
        },
        "c_ratio": (min(ratios), max(ratios)),
    }
    report("limits", figures, ROUNDS, spread=spread)


if __name__ == "__main__":
    main()
