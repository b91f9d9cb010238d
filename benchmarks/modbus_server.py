"""Our Modbus server against pymodbus's and one on libmodbus: function 3, 50 registers that change every millisecond.

Ours is the emulated SunSpec inverter of a site that runs in real time beside it, at 1 kHz, in the same process and on the same
core: the 50 registers are the first of model 701, thirteen of whose points live. The others' registers are mere numbers. Each
server is a process of its own on one core, started anew every round, in any order; the clients are one C program on another
core (`modbus_c/load.c`, closed loop), 1, 10 and 100 connections in turn. Every answer is checked. Servers and clients have
SCHED_RR where the machine grants it, so that what else runs on it is not measured.

Figures: `pymodbus_ratio` and `libmodbus_ratio`, our answers a second over theirs with 10 connections, round by round;
`pymodbus_cpu_ratio` and `libmodbus_cpu_ratio`, the processor time of theirs for each answer over that of our whole process,
ticks included, likewise; where others want the machine too, these say more. `many_p99_ms`: one
process with 200 devices, each asked ten times a second whether it answers or not (open loop): time to the answer;
`many_missed`: how many were not answered before the next was due, in all rounds; `many_cpu_percent`: what it took of its core.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench import cannot, report
from modbus_compiled import CannotBuild, compiled

HERE = Path(__file__).parent
CONNECTIONS = (1, 10, 100)
COMPARED = 10  # connections
FIRST, COUNT = 40_070, 50  # of model 701 of the emulated inverter
WARM_UP_S = 0.5  # a device's first answers take longer
LEAST_CHANGED = 100  # answers that differ from the one before on their connection
PRIORITY = 1  # below the loop of the ticks
DEVICES, POLLS_HZ = 200, 10
MANY_S = 3.0
SEED = 7


@dataclass(frozen=True)
class Load:
    """What the clients saw of a server, and what it cost."""

    answered_per_s: float
    p50_us: float
    p99_us: float
    missed: int
    cpu_us: float
    cpu_share: float


@dataclass(frozen=True)
class Place:
    """Programs and cores."""

    load: Path
    libmodbus: Path
    server_core: int
    load_core: int

    def commands(self) -> dict[str, list[str]]:
        """Of each server."""
        return {
            "ours": [sys.executable, str(HERE / "modbus_ours.py")],
            "pymodbus": [sys.executable, str(HERE / "modbus_pymodbus.py")],
            "libmodbus": [str(self.libmodbus), "live"],
        }

    @contextmanager
    def serving(self, command: list[str]) -> Iterator[tuple[int, list[str]]]:
        """A server on its core: its process and its ports."""
        pinned = ["taskset", "--cpu-list", str(self.server_core), *command]
        with subprocess.Popen(pinned, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                ports = process.stdout.readline().split()
                if not ports:
                    raise SystemExit(f"{command[-1]}: does not serve")
                for thread in Path(f"/proc/{process.pid}/task").iterdir():
                    prefer(int(thread.name))
                yield process.pid, ports
            finally:
                process.terminate()

    def asked(self, server: tuple[int, list[str]], seconds: float, rate_hz: int, connections: int) -> Load:
        """Put a load on it."""
        pid, ports = server
        numbers = map(str, (seconds, WARM_UP_S, rate_hz, FIRST, COUNT, connections))
        command = ["taskset", "--cpu-list", str(self.load_core), str(self.load), *numbers, *ports]
        before_ns = cpu_ns(pid)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as clients:
            prefer(clients.pid)
            said, _ = clients.communicate()
        used_ns = cpu_ns(pid) - before_ns
        seen = json.loads(said)
        if seen["wrong"] or seen["changed"] < LEAST_CHANGED:
            raise SystemExit(f"wrong answers, or registers that stand still: {connections} connections, {seen}")
        share = used_ns / 1e9 / (seconds + WARM_UP_S)
        return Load(
            answered_per_s=seen["answered"] / seconds,
            p50_us=seen["p50_us"],
            p99_us=seen["p99_us"],
            missed=seen["missed"],
            cpu_us=used_ns / 1e3 / seen["all"],
            cpu_share=share,
        )


def prefer(thread: int) -> None:
    """Give a thread of the ordinary scheduler precedence over what else the machine does, if it may be given."""
    with suppress(PermissionError, ProcessLookupError):
        if os.sched_getscheduler(thread) == os.SCHED_OTHER:
            os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(PRIORITY))


def cpu_ns(pid: int) -> int:
    """Processor time of all threads of a process (Linux: Documentation/scheduler/sched-stats, /proc/PID/schedstat)."""
    return sum(int(path.read_text(encoding="ascii").split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def main() -> None:
    """Measure and report."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=1.0, help="of each number of connections")
    given = options.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if not cores:
        cannot("cores to pin servers and clients to are Linux's")
    with tempfile.TemporaryDirectory() as folder:
        try:
            programs = compiled("load", Path(folder)), compiled("libmodbus_server", Path(folder), "modbus")
        except CannotBuild as problem:
            cannot(str(problem))
        measure(Place(*programs, cores[0], cores[-1]), given.rounds, given.seconds)


def measure(place: Place, rounds: int, seconds: float) -> None:
    """Every server in every round, in any order; then many devices."""
    draws = random.Random(SEED)
    taken: list[dict[tuple[str, int], Load]] = []
    many: list[Load] = []
    for number in range(rounds):
        commands = place.commands()
        one: dict[tuple[str, int], Load] = {}
        for name in draws.sample(list(commands), len(commands)):
            with place.serving(commands[name]) as server:
                one |= {(name, count): place.asked(server, seconds, 0, count) for count in CONNECTIONS}
        with place.serving([*commands["ours"], "--devices", str(DEVICES)]) as server:
            many.append(place.asked(server, MANY_S, POLLS_HZ, 1))
        taken.append(one)
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    peers = ("pymodbus", "libmodbus")
    ratios = {f"{peer}_ratio": [answers_ratio(one, peer) for one in taken] for peer in peers}
    ratios |= {f"{peer}_cpu_ratio": [cpu_ratio(one, peer) for one in taken] for peer in peers}
    p99_ms = [load.p99_us / 1e3 for load in many]
    report(
        "modbus_server",
        {
            **{name: statistics.median(values) for name, values in ratios.items()},
            "many_p99_ms": statistics.median(p99_ms),
            "many_missed": sum(load.missed for load in many),
            "many_cpu_percent": 100.0 * statistics.median(load.cpu_share for load in many),
        },
        rounds,
        spread={name: (min(values), max(values)) for name, values in (ratios | {"many_p99_ms": p99_ms}).items()},
        table=table(taken),
    )


def answers_ratio(one: Mapping[tuple[str, int], Load], peer: str) -> float:
    """Our answers a second over a peer's."""
    return one["ours", COMPARED].answered_per_s / one[peer, COMPARED].answered_per_s


def cpu_ratio(one: Mapping[tuple[str, int], Load], peer: str) -> float:
    """A peer's processor time for an answer over ours."""
    return one[peer, COMPARED].cpu_us / one["ours", COMPARED].cpu_us


def table(taken: list[dict[tuple[str, int], Load]]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Of each server and number of connections every figure: median, lowest and highest of the rounds."""
    rows: dict[str, dict[str, tuple[float, float, float]]] = {}
    for count in CONNECTIONS:
        for name in ("ours", "pymodbus", "libmodbus"):
            loads = [one[name, count] for one in taken]
            columns = {
                column: [getattr(load, column) for load in loads]
                for column in ("answered_per_s", "p50_us", "p99_us", "cpu_us")
            }
            rows[f"{count} connection{'s' * (count > 1)}: {name}"] = {
                column: (statistics.median(values), min(values), max(values)) for column, values in columns.items()
            }
    return rows


if __name__ == "__main__":
    main()
