"""What benchmarks/jitter.py makes of its measurements, and how `make bench` writes them down."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
MS = 1_000_000  # ns
HOST = {"machine": "", "system": "Linux", "python": "3.11.7", "cpu": "one"}


@pytest.fixture(scope="module", autouse=True)
def benchmarks():
    """The programs in benchmarks/ import each other as they lie there."""
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def test_a_histogram_of_cyclictest_is_what_it_was_made_from():
    from jitter_lateness import Lateness

    late = [12_345] * 900 + [40_000] * 95 + [250_000] * 3
    thread = {"histogram": {"12345": 900, "40000": 95, "250000": 3}, "cycles": 1000, "max": 7_654_321}
    ours = Lateness.of([*late, 3 * MS, 7_654_321], 100_000)
    theirs = Lateness.of_cyclictest(thread, 100_000)
    assert theirs.figures() == ours.figures()
    assert theirs.figures() == {
        "p50_us": 12.345, "p99_us": 40.0, "p99.9_us": 1000.0, "max_us": 7654.321, "misses_percent": 0.5,
    }  # fmt: skip


def test_a_quantile_is_that_of_the_sorted_wake_ups():
    from jitter_lateness import Lateness

    late = np.random.default_rng(1).permutation(10_000)
    assert Lateness.of(late, MS).quantile_ns(0.99) == np.quantile(late, 0.99, method="higher")


def test_ticks_that_a_late_wake_up_makes_up_for_are_not_counted_again():
    from jitter_lateness import Lateness

    # 2.5 periods late: its own tick and the two after it, at once; then in time; then a whole period late, and one more.
    ticks = [30, 2_500, 2_500, 2_500, 40, 1_000, 1_000, 50]
    assert Lateness.of_ticks(ticks, 1_000).late_ns.tolist() == [30, 40, 50, 1_000, 2_500]


def test_the_upper_bound_is_that_of_the_median():
    from bench import upper

    assert upper([1.1] * 9, seed=1) == 1.1
    even = np.random.default_rng(2).normal(1.0, 0.1, 101).tolist()
    bound = upper(even, seed=1)
    assert bound == upper(even, seed=1)
    # The median of n normal values has a standard error of 1.253 sigma/sqrt(n); of 101 drawn ones, within a third.
    error = 1.253 * statistics.stdev(even) / 101**0.5
    assert statistics.median(even) + 1.3 * error < bound < statistics.median(even) + 2.7 * error


def test_a_page_shows_the_spread_of_the_rounds():
    import all as bench

    result = {
        "figures": {"p99_ratio": 1.04, "p99_ratio_upper": 1.1}, "spread": {"p99_ratio": [0.9, 1.2]},
        "table": {"1 kHz, idle: loop": {"p50_us": [12.5, 11.0, 1400.0]}}, "rounds": 3, "host": HOST,
    }  # fmt: skip
    page = bench.rewritten("a\n<!-- jitter: begin -->\nold\n<!-- jitter: end -->\nz", "jitter", result)
    assert page.splitlines() == [
        "a",
        "<!-- jitter: begin -->",
        "| figure | value | of the rounds |",
        "|---|---|---|",
        "| `p99_ratio` | 1.04 | 0.9 to 1.2 |",
        "| `p99_ratio_upper` | 1.1 |  |",
        "",
        "| | `p50_us` |",
        "|---|---|",
        "| 1 kHz, idle: loop | 12.5 (11 to 1,400) |",
        "",
        "Median of 3 interleaved rounds; Python 3.11.7, one, Linux.",
        "<!-- jitter: end -->",
        "z",
    ]


def test_a_benchmark_that_cannot_measure_leaves_its_table(monkeypatch, tmp_path, capfd):
    import all as bench

    page = tmp_path / "performance.md"
    page.write_text("<!-- none: begin -->\nold\n<!-- none: end -->\n<!-- one: begin -->\nold\n<!-- one: end -->\n")
    result = {"figures": {"x": 1.0}, "rounds": 1, "host": HOST}
    (tmp_path / "none.py").write_text(
        f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r})\nimport bench; bench.cannot('no peer')"
    )
    (tmp_path / "one.py").write_text(f"print({json.dumps(result)!r})")
    monkeypatch.setattr(bench, "HERE", tmp_path)
    monkeypatch.setattr(bench, "PAGE", page)
    monkeypatch.setattr(bench, "BENCHMARKS", ("none", "one"))
    bench.main()
    assert page.read_text().startswith(
        "<!-- none: begin -->\nold\n<!-- none: end -->\n<!-- one: begin -->\n| figure | value |"
    )
    assert "no peer" in capfd.readouterr().err


def test_without_cyclictest_it_says_so(monkeypatch, capsys):
    import bench
    import jitter

    if not hasattr(os, "SCHED_FIFO"):
        pytest.skip("SCHED_FIFO is Linux's")
    monkeypatch.setattr(jitter.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        jitter.check_usable()
    assert ended.value.code == bench.CANNOT
    assert capsys.readouterr().err == "no cyclictest (Debian's package rt-tests)\n"


@pytest.mark.realtime
def test_the_loop_is_measured_tick_by_tick():
    import jitter

    try:
        jitter.check_usable()
    except SystemExit:
        pytest.skip("no SCHED_FIFO, or no cyclictest")
    options = [
        f"--core={max(os.sched_getaffinity(0))}",
        "--priority=80",
        "--rate=1000",
        "--spin=200",
        "--seconds=0.3",
        "--busy",
    ]
    run = subprocess.run([sys.executable, BENCHMARKS / "jitter_loop.py", *options], capture_output=True, check=True)
    late_ns = json.loads(run.stdout)
    assert len(late_ns) == 300
    assert min(late_ns) >= 0
