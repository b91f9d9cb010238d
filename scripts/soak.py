"""A long run in real time with all at work: controllers over Modbus and MQTT, ten clients, a live reader (`.ci/run`).

The run has a process of its own, so have the clients and `hil tail`; this one looks at it from outside, once a second. Then
each check is printed with its figure; exit code 1 where one fails. Overruns are the host's: told, and no failure. The last
line is JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import random
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

import hil
from hil.record.reading import ArrowRecord
from hil.scenario.quantity import Frequency
from hil.session.run import Options, run_scenario
from hil.verdict.outcome import Outcome

CLIENTS, POLL_S = 10, 0.1
RECORD_HZ = 1000
WARM_SHARE = 0.2  # of the run; what grows is looked for after it
MOST_GROWTH_MB = 8.0  # pools of Arrow and of the interpreter, and the first thousand overruns, which are told
MOST_DRIFT_MS = 1.0
_READY_WITHIN_S = 60.0
_ANSWER_WITHIN_S = 10.0
_REGISTERS = (40_000, 300, 100)  # SunSpec: base, how many of the map are read, at most at a time
_QUANTILES = {"p50": 0.5, "p99": 0.99, "max": 1.0}
_LATE = ("clock: ", "not judged: ticks later than")  # reasons that are the host's


def scenario(minutes: float, tick: str) -> hil.Scenario:
    """The packaged hall, a dip on the way, every channel at 1 kHz."""
    duration_s = 60.0 * minutes
    return hil.load(
        "hall",
        [
            f"duration='{duration_s:g} s'",
            f"tick='{tick}'",
            f"record.rate='{RECORD_HZ} Hz'",
            f"events=[{{kind='grid_dip', at='{duration_s / 4:.3f} s', duration='150 ms', residual=0.4}}]",
            "limits.return, 60 s.required=false",  # a short run is too short for this window,
            "limits.on battery d.required=false",  # and for the last UPS to come back
            "bess.main.driver.timeout='20 s'",  # a busy host keeps Python waiting for seconds: that is not asked here
            "bess.main.driver.reversion='60 s'",
            "supervisor.energy.stale_after='20 s'",
            "supervisor.ups.stale_after='20 s'",
        ],
    )


class Lag:
    """How far the ticks are behind CLOCK_MONOTONIC, as the run's asyncio side sees it: least in the first and last fifth.

    Apart from the loop's own measurement: ticks counted against a clock that is read here, twenty times a second.
    """

    def __init__(self, ticks: int, tick_ns: int) -> None:
        self._ticks, self._tick_ns = ticks, tick_ns
        self._first_ns = self._last_ns = math.inf

    def look(self, tick: int) -> None:
        """Take a pair."""
        behind_ns = time.monotonic_ns() - tick * self._tick_ns
        if 0 < tick <= WARM_SHARE * self._ticks:
            self._first_ns = min(self._first_ns, behind_ns)
        elif (1.0 - WARM_SHARE) * self._ticks <= tick < self._ticks:
            self._last_ns = min(self._last_ns, behind_ns)

    @property
    def drift_ms(self) -> float:
        """How much more behind it is at the end."""
        return (self._last_ns - self._first_ns) / 1e6


def run(folder: Path, minutes: float, tick: str, ended: Connection) -> None:
    """The process that is looked at."""
    chosen = scenario(minutes, tick)
    lag = Lag(chosen.ticks, round(chosen.tick_s * 1e9))
    run_scenario(chosen, Options(folder=folder, clock="wall", progress=lag.look))
    ended.send({"drift_ms": lag.drift_ms})


def poll_all(port: int, until_s: float, seed: int, ended: Connection) -> None:
    """The process of the clients. until_s: on CLOCK_MONOTONIC."""
    tallies = [Tally() for _ in range(CLIENTS)]
    connected = threading.Barrier(CLIENTS + 1)
    threads = [
        threading.Thread(target=poll, args=(port, until_s, random.Random(seed + number), connected, tally))
        for number, tally in enumerate(tallies)
    ]
    for thread in threads:
        thread.start()
    connected.wait(_READY_WITHIN_S)
    ended.send(time.monotonic())
    for thread in threads:
        thread.join()
    answers_ms = sorted(answer_ms for tally in tallies for answer_ms in tally.answers_ms)
    problems = [problem for tally in tallies for problem in tally.problems]
    ended.send({"asked": sum(tally.asked for tally in tallies), "answers_ms": answers_ms, "problems": problems})


@dataclass
class Tally:
    """What a client asked, and how long each answer took."""

    asked: int = 0
    answers_ms: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def poll(port: int, until_s: float, moments: random.Random, connected: threading.Barrier, tally: Tally) -> None:
    """One client: a connection, a read of registers somewhere in the map ten times a second, each answer checked."""
    base, there, most = _REGISTERS
    with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_WITHIN_S) as sock, sock.makefile("rb") as answers:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.wait(_READY_WITHIN_S)
        due_s = time.monotonic() + moments.uniform(0.0, POLL_S)
        while due_s < until_s:
            time.sleep(max(0.0, due_s - time.monotonic()))
            due_s = max(due_s + POLL_S, time.monotonic())
            count = moments.randint(1, most)
            address = base + moments.randrange(there - count + 1)
            tally.asked += 1
            transaction = tally.asked & 0xFFFF
            asked_s = time.monotonic()
            try:
                sock.sendall(struct.pack(">HHHBBHH", transaction, 0, 6, 1, 3, address, count))
                answer = answers.read(9 + 2 * count)
            except OSError as error:
                tally.problems.append(f"read of {count} at {address}: {error}")
                return
            if (
                answer[:9] != struct.pack(">HHHBBB", transaction, 0, 3 + 2 * count, 1, 3, 2 * count)
                or len(answer) != 9 + 2 * count
            ):
                tally.problems.append(f"read of {count} at {address}: {answer[:9].hex()}, {len(answer)} bytes")
                return
            tally.answers_ms.append(1e3 * (time.monotonic() - asked_s))


class LiveReader:
    """`hil tail --json` beside the run: whether each row that it prints follows the one before."""

    def __init__(self, folder: Path) -> None:
        program = [sys.executable, "-c", "from hil.cli import main; main()"]
        command = [*program, "tail", str(folder), "--json", "--rows", "1000000000", "--channel", "pcc.power_w"]
        self.rows = self.jumps = 0
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        self._thread = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._thread.start()

    def wait(self) -> int:
        """Until it has ended by itself; its exit code."""
        self._thread.join()
        return self._process.wait()

    def stop(self) -> None:
        """End it on every way out."""
        self._process.kill()
        self.wait()

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            self.rows += 1
            self.jumps += round(json.loads(line)["time_s"] * RECORD_HZ) != self.rows


@dataclass
class Seen:
    """What the process of the run had, once a second."""

    rss_mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    def look(self, pid: int) -> None:
        """Look once."""
        place = Path(f"/proc/{pid}")
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
        self.rss_mb.append(int(status["VmRSS"].split()[0]) / 1024.0)
        self.threads.append(int(status["Threads"]))
        self.descriptors.append(len(os.listdir(place / "fd")))  # noqa: PTH208


def growth(values: list[float] | list[int]) -> float:
    """By how much the median of the last fifth is above that of the fifth after the warm-up."""
    fifth = max(1, round(WARM_SHARE * len(values)))
    return statistics.median(values[-fifth:]) - statistics.median(values[fifth : 2 * fifth])


def told(folder: Path, name: str, process: multiprocessing.process.BaseProcess) -> dict[str, Any]:
    """An event of the run, once it stands in its log."""
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline_s and process.exitcode is None:
        with suppress(hil.RunUnreadable):  # not all of the folder is there yet
            for event in hil.open_recording(folder).events:
                if event["event"] == name:
                    return event
        time.sleep(0.1)
    raise RuntimeError(f"no {name} in the log of the run within {_READY_WITHIN_S:g} s")


@dataclass
class Soak:
    """What is known once all have ended."""

    folder: Path
    of_run: dict[str, Any]
    polled: dict[str, Any]
    seen: Seen
    reader: LiveReader
    reader_exit: int


def soak(folder: Path, minutes: float, tick: str, seed: int) -> Soak:
    """Run and watch."""
    context = multiprocessing.get_context("spawn")
    run_end, told_by_run = context.Pipe(duplex=False)
    clients_end, told_by_clients = context.Pipe(duplex=False)
    process = context.Process(target=run, args=(folder, minutes, tick, told_by_run))
    process.start()
    told_by_run.close()  # so that whoever waits hears of its end
    started = [process]
    try:
        told(folder, "loop_started", process)
        until_s = time.monotonic() + 60.0 * minutes - 1.0
        port = told(folder, "server_started", process)["port"]
        clients = context.Process(target=poll_all, args=(port, until_s, seed, told_by_clients))
        clients.start()
        told_by_clients.close()
        started.append(clients)
        reader = LiveReader(folder)
        try:
            connected_s, seen = clients_end.recv(), Seen()
            while time.monotonic() < until_s and process.exitcode is None:
                seen.look(process.pid or 0)
                time.sleep(1.0)
            polled, of_run = clients_end.recv(), run_end.recv()
            polled["expected"] = CLIENTS * (until_s - connected_s) / POLL_S
            return Soak(folder, of_run, polled, seen, reader, reader.wait())
        finally:
            reader.stop()
    finally:
        for one in started:
            one.join(_READY_WITHIN_S if sys.exc_info()[0] is None else 0.0)
            one.kill()


def checks(done: Soak, minutes: float, tick_hz: float) -> Iterator[tuple[str, str, Any, bool]]:
    """Name of the figure, what is asked, the figure, whether it is good."""
    result = hil.open_run(done.folder)
    timing = result.timing
    assert timing is not None
    duration_s = 60.0 * minutes
    rows = round(duration_s * RECORD_HZ)
    other = [reason for reason in result.reasons if not any(late in reason for late in _LATE)]
    unsafe = {f"bess.{name}" for name in result.scenario.bess} | {f"ups.{name}" for name in result.scenario.ups}
    unsafe -= {event["device"] for event in result.events if event["event"] == "made_safe"}
    yield "verdict", "verdict", result.verdict.value, result.verdict is not Outcome.FAIL
    yield "other_reasons", "reasons besides late ticks (load, rows, lines, commands, silence)", other, not other
    yield "ticks", "ticks", timing.ticks, timing.ticks == round(duration_s * tick_hz)
    yield (
        "drift_ms",
        "drift of the ticks against CLOCK_MONOTONIC, ms",
        round(done.of_run["drift_ms"], 3),
        (abs(done.of_run["drift_ms"]) <= MOST_DRIFT_MS),
    )
    pairs = len((done.folder / "clocks.csv").read_text(encoding="ascii").splitlines()) - 1
    yield "clock_pairs", "pairs of clocks", pairs, pairs >= 0.8 * duration_s
    growth_mb = growth(done.seen.rss_mb)
    yield "memory_growth_mb", "growth of resident memory, MB", round(growth_mb, 2), growth_mb <= MOST_GROWTH_MB
    yield "descriptor_growth", "growth of open descriptors", growth(done.seen.descriptors), growth(done.seen.descriptors) <= 0
    yield "thread_growth", "growth of threads", growth(done.seen.threads), growth(done.seen.threads) <= 0
    time_ns, _ = ArrowRecord(done.folder / "record.arrow").column("pcc.power_w")
    whole = np.array_equal(time_ns, np.arange(1, rows + 1) * (1_000_000_000 // RECORD_HZ))
    yield "rows", "rows of the record", int(time_ns.size), whole
    yield "live_rows", "rows of the live reader", done.reader.rows, done.reader.rows == rows
    yield "live_rows_out_of_order", "rows of the live reader out of order", done.reader.jumps, done.reader.jumps == 0
    yield "live_reader_exit_code", "exit code of the live reader", done.reader_exit, done.reader_exit == 0
    asked, answered = done.polled["asked"], len(done.polled["answers_ms"])
    yield "polls_answered", "polls answered", answered, answered == asked >= 0.8 * done.polled["expected"]
    yield "client_problems", "trouble of clients", done.polled["problems"], not done.polled["problems"]
    yield "devices_not_safe", "devices not made safe", sorted(unsafe), not unsafe
    locked = timing.obtained["memory_locked"]
    yield "minor_faults", "page faults of the loop's thread", timing.minor_faults, not locked or timing.minor_faults == 0


def main() -> int:
    """Soak, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kernel-rate", default="1 kHz", help="such as '10 kHz'; the record has 1 kHz")
    parser.add_argument("--seed", type=int, default=1, help="of what the clients read")
    options = parser.parse_args()
    tick_hz = _hertz(options.kernel_rate)
    with tempfile.TemporaryDirectory() as folder:
        done = soak(Path(folder) / "run", options.minutes, f"{1e6 / tick_hz:g} us", options.seed)
        found = list(checks(done, options.minutes, tick_hz))
        timing = hil.open_run(done.folder).timing
    assert timing is not None
    for _, what, figure, good in found:
        print(f"{'ok  ' if good else 'FAIL'}  {what}: {figure}")
    answers_ms = done.polled["answers_ms"]
    print(
        json.dumps(
            {
                "minutes": options.minutes,
                "kernel_hz": tick_hz,
                "good": all(good for *_, good in found),
                **{name: figure for name, _, figure, _ in found},
                "rss_mb": round(done.seen.rss_mb[-1], 1),
                "scheduler": timing.obtained["scheduler"],
                "missing": timing.obtained["missing"],
                "lateness_us": timing.lateness_us,
                "overruns": timing.overruns,
                "beyond_budget": timing.beyond_budget,
                "stolen_share": timing.stolen_share,
                "answer_ms": {name: round(float(np.quantile(answers_ms, q)), 2) for name, q in _QUANTILES.items()},
            }
        )
    )
    return 0 if all(good for *_, good in found) else 1


def _hertz(text: str) -> float:
    """A frequency as scenarios write it."""
    try:
        return TypeAdapter(Frequency).validate_python(text)
    except ValidationError as error:
        print(f"--kernel-rate {text!r}: {error.errors()[0]['msg']}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    sys.exit(main())
