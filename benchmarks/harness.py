"""What every benchmark shares: interleaved rounds, medians, one JSON line at the end."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def interleaved(rounds: int, subjects: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Call every subject once a round, in turn; each returns its own figure. One round of warm-up is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            value = subject()
            if number:
                taken[name].append(value)
    return taken


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median_ratio(first: list[float], second: list[float]) -> float:
    """Median of the ratios round by round, so that a drift of the machine cancels."""
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


def report(benchmark: str, figures: Mapping[str, float], rounds: int) -> None:
    """The one line on standard output."""
    host = {"machine": platform.machine(), "system": platform.system(), "python": platform.python_version(), "cpu": cpu()}
    rounded = {name: float(f"{value:.4g}") for name, value in figures.items()}
    print(json.dumps({"benchmark": benchmark, "figures": rounded, "rounds": rounds, "host": host}))


def cpu() -> str:
    """Model name of the processor, where the system tells."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"
