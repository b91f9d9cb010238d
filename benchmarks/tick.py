"""One tick of a whole site: the product's own engine against hand-written C and against pure Python, waveforms equal.

The site is the flagship without controllers and without a record, on a load fed beforehand; only the advance is timed. The C
(tick_c) is compiled with the compiler and flags of the extension. Before anything is timed every channel of every tick must
agree, undisturbed and through dips, within 1e-12 of the channel's largest magnitude, and the limits with it.

Figures: `c_ratio`, our time over that of the C; `python_ratio`, over that of pure Python (which leaves out the hash);
`dertwin_ratio`, our whole tick over one step of dertwin's BESS model; `tick_ns`, `c_tick_ns`, `python_tick_us`;
`c_deviation`, `python_deviation`, the largest deviations found.
"""

from __future__ import annotations

import ctypes
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench import interleaved, median_ratio, report
from tick_compiled import CSite, compiled, flags
from tick_dertwin import step_timer
from tick_python import PythonSite
from tick_site import FrozenSite, blocks, check_same, frozen_site, product_rows

ROUNDS = 11
TICKS = 180_000
PYTHON_TICKS = 20_000
PYTHON_TIMED_TICKS = 5_000


def c_deviation(library: ctypes.CDLL) -> float:
    """Largest deviation of the C from the product, over the flagship and over the flagship with dips."""
    found = []
    for dips in (False, True):
        site = frozen_site(TICKS, dips=dips)
        engine, rows = product_rows(site)
        with CSite(library, site) as c:
            found.append(check_same(engine, rows, c.rows(rows.shape[1]), c.results()))
    return max(found)


def python_deviation() -> float:
    """The same of pure Python, over a shorter run, with dips."""
    site = frozen_site(PYTHON_TICKS, dips=True)
    engine, rows = product_rows(site)
    python = PythonSite(site)
    return check_same(engine, rows, python.rows(), python.results())


def main() -> None:
    """Check, measure and report."""
    print("tick:", *flags(), file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(Path(folder))
        deviations = {"c_deviation": c_deviation(library), "python_deviation": python_deviation()}
        site = frozen_site(TICKS)
        battery = site.scenario.bess["main"]
        subjects = {"product": lambda: product_ns(site), "c": lambda: c_ns(library, site), "python": lambda: python_ns(site)}
        dertwin = step_timer(battery.rating_va / 1e3, battery.energy_wh / 1e3, site.scenario.tick_s)
        if dertwin is not None:
            subjects["dertwin"] = dertwin
        taken = interleaved(ROUNDS, subjects)
    figures = {
        "c_ratio": median_ratio(taken["product"], taken["c"]),
        "python_ratio": median_ratio(taken["product"], taken["python"]),
        "tick_ns": statistics.median(taken["product"]),
        "c_tick_ns": statistics.median(taken["c"]),
        "python_tick_us": statistics.median(taken["python"]) / 1e3,
    }
    if dertwin is not None:
        figures["dertwin_ratio"] = median_ratio(taken["product"], taken["dertwin"])
    report("tick", {**figures, **deviations}, ROUNDS)


def product_ns(site: FrozenSite) -> float:
    """Time of a tick of the product."""
    engine = site.engine()
    took = 0
    for begin, end in blocks(engine, site):
        engine.feed(site.load_w[begin:end])
        began = time.perf_counter_ns()
        engine.advance(end)
        took += time.perf_counter_ns() - began
    return took / site.load_w.size


def c_ns(library: ctypes.CDLL, site: FrozenSite) -> float:
    """Time of a tick of the C, in the product's blocks."""
    took = 0
    with CSite(library, site) as c:
        for begin, end in blocks(site.engine(), site):
            began = time.perf_counter_ns()
            c.run(begin, end)
            took += time.perf_counter_ns() - began
    return took / site.load_w.size


def python_ns(site: FrozenSite) -> float:
    """Time of a tick of pure Python, over the first ticks only."""
    python = PythonSite(site)
    began = time.perf_counter_ns()
    python.run(0, PYTHON_TIMED_TICKS)
    return (time.perf_counter_ns() - began) / PYTHON_TIMED_TICKS


if __name__ == "__main__":
    main()
