"""How late the loop wakes up, against cyclictest: same priority, core and period, in turn, in processes of their own.

Ours runs the real tick of a small site (one battery, one limit) and nothing else: no devices, no asyncio. At 1 kHz and 10 kHz,
each idle and busy. Busy is one Python that never sleeps, at the ordinary priority, pinned to the core that is measured: in our
case a thread of the loop's own process, which wants its GIL; beside cyclictest, which has no Python, a process. Both have to
be preempted at each wake-up; left to the scheduler it would sit on either core for a whole measurement, and the luck of that
would be the figure.

Both are taken in ns (cyclictest rounds down to µs unless told not to) and by the wake-up: where one comes periods late,
cyclictest passes over those periods and the loop makes up for their ticks at once, and neither counts them again. What is
later than 1 ms, where cyclictest's histogram ends, counts as 1 ms, except in the largest.

Figures: `p99_ratio`, our p99 without a spin over cyclictest's, the median over the rounds of the geometric mean over the four
settings of a round, and `p99_ratio_upper`, the upper end of its 95 % bootstrap interval; the same for `spin_p99_ratio` (200 µs
at 1 kHz) and `spin_10k_p99_ratio` (50 µs at 10 kHz), over idle and busy; and the ratio without a spin of each setting.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from bench import cannot, report, upper
from jitter_lateness import END_NS, Lateness

HERE = Path(__file__).parent
PRIORITY = 80
SUBJECTS = ("cyclictest", "loop", "loop, spin")
SHORTER = 0.4  # a measurement at 10 kHz, against one at 1 kHz: it has ten times the wake-ups a second
LEAST_S = 0.1
BUSY_MARGIN_S = 60
SEED = 6


@dataclass(frozen=True)
class Setting:
    """At which rate, beside what."""

    name: str
    rate_hz: int
    spin_us: int
    busy: bool

    @property
    def period_ns(self) -> int:
        """From one wake-up to the next."""
        return 1_000_000_000 // self.rate_hz

    @property
    def words(self) -> str:
        """For the table."""
        return f"{self.rate_hz // 1000} kHz, {'busy' if self.busy else 'idle'}"


SETTINGS = (
    Setting("1k_idle", 1_000, 200, busy=False),
    Setting("1k_busy", 1_000, 200, busy=True),
    Setting("10k_idle", 10_000, 50, busy=False),
    Setting("10k_busy", 10_000, 50, busy=True),
)
Measured = dict[tuple[Setting, str], Lateness]


def main() -> None:
    """Measure and report."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--seconds", type=float, default=2.0, help=f"of a measurement at 1 kHz; at 10 kHz {SHORTER:g} of it")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    options.add_argument("--core", type=int, choices=cores, default=cores[-1], help="default: the last that it may use")
    given = options.parse_args()
    if given.rounds < 1 or not given.seconds >= LEAST_S:
        options.error(f"--rounds must be at least 1, --seconds at least {LEAST_S}")
    check_usable()
    draws = random.Random(SEED)
    rounds = []
    for number in range(given.rounds):
        rounds.append(one_round(given.core, given.seconds, draws))
        print(f"round {number + 1} of {given.rounds}", file=sys.stderr)
    ratios = {name: [of(taken) for taken in rounds] for name, of in RATIOS.items()}
    bounds = {f"{name}_upper": upper(ratios[name], SEED) for name in ("p99_ratio", "spin_p99_ratio", "spin_10k_p99_ratio")}
    report(
        "jitter",
        {name: statistics.median(values) for name, values in ratios.items()} | bounds,
        given.rounds,
        spread={name: (min(values), max(values)) for name, values in ratios.items()},
        table=table(rounds),
    )


def check_usable() -> None:
    """Where there is nothing to measure with, ends the program and says so."""
    if not hasattr(os, "SCHED_FIFO"):
        cannot("SCHED_FIFO and cyclictest are Linux's")
    if shutil.which("cyclictest") is None:
        cannot("no cyclictest (Debian's package rt-tests)")
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except OSError as error:
        cannot(f"SCHED_FIFO at priority {PRIORITY}: {error.strerror}")


def one_round(core: int, seconds: float, draws: random.Random) -> Measured:
    """Every subject in every setting: settings in any order, the subjects of one after the other, in any order."""
    taken: Measured = {}
    for setting in draws.sample(SETTINGS, len(SETTINGS)):
        length_s = seconds * (SHORTER if setting.rate_hz > 1_000 else 1.0)
        for subject in draws.sample(SUBJECTS, len(SUBJECTS)):
            if subject == "cyclictest":
                taken[setting, subject] = cyclictest(setting, core, length_s)
            else:
                spin_us = setting.spin_us if subject == "loop, spin" else 0
                taken[setting, subject] = loop(setting, core, length_s, spin_us)
    return taken


def loop(setting: Setting, core: int, seconds: float, spin_us: int) -> Lateness:
    """Ours, in a process of its own as the peer is."""
    wanted = {"core": core, "priority": PRIORITY, "rate": setting.rate_hz, "spin": spin_us, "seconds": seconds}
    options = [f"--{name}={value}" for name, value in wanted.items()] + ["--busy"] * setting.busy
    run = subprocess.run([sys.executable, str(HERE / "jitter_loop.py"), *options], stdout=subprocess.PIPE, check=True)
    return Lateness.of_ticks(json.loads(run.stdout), setting.period_ns)


def cyclictest(setting: Setting, core: int, seconds: float) -> Lateness:
    """The peer, which locks its memory, holds /dev/cpu_dma_latency at 0 and sleeps to absolute deadlines as the loop does."""
    company = busy_process(core, seconds) if setting.busy else contextlib.nullcontext()
    with tempfile.TemporaryDirectory() as folder, company:
        file = Path(folder) / "cyclictest.json"
        wanted = {
            "affinity": core,
            "threads": 1,
            "priority": PRIORITY,
            "interval": setting.period_ns // 1_000,
            "loops": round(seconds * setting.rate_hz),
            "histogram": END_NS,
            "json": file,
        }
        options = ["--quiet", "--mlockall", "--nsecs", *(f"--{name}={value}" for name, value in wanted.items())]
        run = subprocess.run(
            ["cyclictest", *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if run.returncode:
            cannot(f"cyclictest: {run.stderr.strip()}")
        thread = json.loads(file.read_text(encoding="utf-8"))["thread"]["0"]
    return Lateness.of_cyclictest(thread, setting.period_ns)


@contextlib.contextmanager
def busy_process(core: int, seconds: float) -> Iterator[None]:
    """Python that is busy beside a program that has none, for the seconds that this takes and some more at the most."""
    command = [sys.executable, str(HERE / "jitter_busy.py"), str(core), str(ceil(seconds) + BUSY_MARGIN_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def p99_ratio(taken: Measured, subject: str, settings: tuple[Setting, ...]) -> float:
    """Of one round: a subject's p99 over cyclictest's, geometric mean over settings."""
    return statistics.geometric_mean(
        taken[setting, subject].quantile_ns(0.99) / taken[setting, "cyclictest"].quantile_ns(0.99) for setting in settings
    )


RATIOS = {
    "p99_ratio": lambda taken: p99_ratio(taken, "loop", SETTINGS),
    "spin_p99_ratio": lambda taken: p99_ratio(taken, "loop, spin", SETTINGS[:2]),
    "spin_10k_p99_ratio": lambda taken: p99_ratio(taken, "loop, spin", SETTINGS[2:]),
    **{
        f"p99_ratio_{setting.name}": lambda taken, setting=setting: p99_ratio(taken, "loop", (setting,))
        for setting in SETTINGS
    },
}


def table(rounds: list[Measured]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Of each setting and subject every figure: median, lowest and highest of the rounds."""
    rows: dict[str, dict[str, tuple[float, float, float]]] = {}
    for setting in SETTINGS:
        for subject in SUBJECTS:
            words = f"{subject} {setting.spin_us} µs" if subject == "loop, spin" else subject
            taken = [measured[setting, subject].figures() for measured in rounds]
            columns = {name: [figures[name] for figures in taken] for name in taken[0]}
            rows[f"{setting.words}: {words}"] = {
                name: (statistics.median(values), min(values), max(values)) for name, values in columns.items()
            }
    return rows


if __name__ == "__main__":
    main()
