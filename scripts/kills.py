"""Recordings killed with SIGKILL at random moments: what each has lost (`.ci/run`).

Nothing older than 0.5 s at the kill may be missing, in either stream; rows follow each other from the first; events can be
read, and the record drawn. Exit code 1 where that is not so. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import hil
from hil.record.composite import stream_files
from hil.record.reading import ArrowRecord
from hil.session.run import Options, run_scenario

BOUND_MS = 500.0
EARLIEST_S, LATEST_S = 0.3, 1.5  # after the beginning of a recording's time
AT_ONCE = 5
SITE = [
    "record.rate='1 kHz'",
    "record.also.mean={rate='100 Hz', decimation='min_max_mean', channels=['pcc.*', 'bess.*']}",
    "bess.main.driver.timeout='20 s'",  # a busy machine is no matter here
    "bess.main.driver.reversion='60 s'",
]
_BEGINS_WITHIN_S = 60.0
_DRAWN_EVERY = 10
_LOOKS_EVERY_S = 0.01


@dataclass(frozen=True)
class Killed:
    """A recording after its kill, `at_s` after its time began: rows kept, how much the stream that lost most has lost."""

    at_s: float
    rows: int
    lost_ms: float
    problems: list[str]


class Holes:
    """A thread that only looks at the clock: for how long this process did not run, at most."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        before_s = time.monotonic()
        while not self._stop.wait(_LOOKS_EVERY_S):
            now_s = time.monotonic()
            self.longest_s = max(self.longest_s, now_s - before_s - _LOOKS_EVERY_S)
            before_s = now_s


def record(folder: Path) -> None:
    """What is killed: the flagship in real time, its controller over Modbus."""
    run_scenario(hil.load("training_job", SITE), Options(folder=folder, clock="wall"))


def kill_all(places: Sequence[Path], moments_s: Sequence[float]) -> list[Killed]:
    """Record in each place, some at once, and kill each so long after its time began."""
    context = multiprocessing.get_context("forkserver")  # whose children find everything imported, and no thread
    preload = ["hil.session.run", "hil.report.saved", "hil.record.parquet", "pandas"]  # the last by pyarrow, where it is there
    context.set_forkserver_preload(preload)

    def one(number: int) -> Killed:
        process = context.Process(target=record, args=(places[number],))
        process.start()
        try:
            began_ns = _began_ns(places[number], process)
            time.sleep(max(0.0, moments_s[number] - (time.monotonic_ns() - began_ns) / 1e9))
            killed_ns = time.monotonic_ns()
            os.kill(process.pid or 0, signal.SIGKILL)
        finally:
            process.kill()
            process.join()
        return read_back(places[number], (killed_ns - began_ns) / 1e9, drawn=number % _DRAWN_EVERY == 0)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(len(places))))


def _began_ns(folder: Path, process: multiprocessing.process.BaseProcess) -> int:
    """When a recording's time began, on CLOCK_MONOTONIC, once that is known."""
    clocks = folder / "clocks.csv"
    deadline_s = time.monotonic() + _BEGINS_WITHIN_S
    while time.monotonic() < deadline_s:
        if clocks.exists() and len(lines := clocks.read_text(encoding="ascii").split("\n")) > 2:
            time_s, monotonic_ns, _ = lines[1].split(",")
            return int(monotonic_ns) - round(float(time_s) * 1e9)
        if process.exitcode is not None:
            raise RuntimeError(f"{folder}: the recording ended by itself, with exit code {process.exitcode}")
        time.sleep(_LOOKS_EVERY_S)
    raise TimeoutError(f"{folder}: its time did not begin within {_BEGINS_WITHIN_S:g} s")


def read_back(folder: Path, at_s: float, *, drawn: bool) -> Killed:
    """What is left of a recording that was killed at a scenario time, as the product's own reader finds it."""
    problems: list[str] = []
    rows, lost_ms = 0, 0.0
    for name, file in stream_files(folder).items():
        stream = ArrowRecord(file, whole=False)
        every_ms = int(stream.schema.metadata[b"every"]) * int(stream.schema.metadata[b"period_ns"]) // 1_000_000
        times_ms = (stream.column(stream.channels[0])[0] // 1_000_000).tolist() if stream.channels else []
        if times_ms[:1] != [every_ms] or any(later - earlier != every_ms for earlier, later in pairwise(times_ms)):
            problems.append(f"{name}: {len(times_ms)} rows do not follow each other from the first")
            continue
        rows = max(rows, len(times_ms))
        lost_ms = max(lost_ms, at_s * 1e3 - times_ms[-1] - every_ms)  # age of the oldest that is missing
    try:
        recording = hil.open_recording(folder)
        if not any(event["event"] == "loop_started" for event in recording.events):
            problems.append("events.jsonl: does not tell of the start")
        if drawn:
            recording.plot(folder / "picture.png")
    except hil.RunUnreadable as error:
        problems.append(str(error))
    return Killed(at_s, rows, lost_ms, problems)


def main() -> int:
    """Record, kill, read back, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="how many recordings")
    parser.add_argument("--seed", type=int, default=None, help="of the moments; left out: another one each time")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    moments = random.Random(seed)
    print(f"seed {seed}: {options.count} recordings, {AT_ONCE} at once", flush=True)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Holes() as holes:
        killed = kill_all(
            [Path(folder) / f"{number}" for number in range(options.count)],
            [moments.uniform(EARLIEST_S, LATEST_S) for _ in range(options.count)],
        )
    for number, one in enumerate(killed):
        for problem in one.problems:
            print(f"recording {number}, killed at {one.at_s:.3f} s: {problem}")
    largest_ms = max(one.lost_ms for one in killed)
    good = largest_ms <= BOUND_MS and not any(one.problems for one in killed)
    figures = {
        "kills": len(killed),
        "seed": seed,
        "largest_loss_ms": round(largest_ms, 1),
        "median_loss_ms": round(sorted(one.lost_ms for one in killed)[len(killed) // 2], 1),
        "rows_kept": sum(one.rows for one in killed),
        "unreadable": sum(bool(one.problems) for one in killed),
        "longest_hole_ms": round(1e3 * holes.longest_s, 1),
        "seconds": round(time.monotonic() - began_s, 1),
    }
    print(f"the newest {largest_ms:.0f} ms were lost at most, allowed {BOUND_MS:g} ms: {'good' if good else 'NOT GOOD'}")
    print(json.dumps(figures))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
