"""What every benchmark shares: interleaved rounds, medians, one JSON line at the end."""

from __future__ import annotations

import json
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

CANNOT = 77  # exit code of a benchmark that has nothing to measure with; the number is automake's, for a test that is skipped
RESAMPLES = 10_000


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


def upper(ratios: list[float], seed: int) -> float:
    """Upper end of the 95 % bootstrap interval of the median (Efron's percentile interval), from whole rounds drawn anew."""
    draws = random.Random(seed)
    found = sorted(statistics.median(draws.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return found[round(0.975 * RESAMPLES) - 1]


def cannot(reason: str) -> NoReturn:
    """End a benchmark that has nothing to measure with; its table stays as it is."""
    print(reason, file=sys.stderr)
    raise SystemExit(CANNOT)


def report(
    benchmark: str,
    figures: Mapping[str, float],
    rounds: int,
    *,
    spread: Mapping[str, tuple[float, float]] | None = None,
    table: Mapping[str, Mapping[str, tuple[float, float, float]]] | None = None,
) -> None:
    """The one line on standard output.

    spread: lowest and highest round of a figure. table: rows of what is no figure: by column median, lowest, highest.
    """
    host = {"machine": platform.machine(), "system": platform.system(), "python": platform.python_version(), "cpu": cpu()}
    line = {"benchmark": benchmark, "figures": {name: _rounded(value) for name, value in figures.items()}}
    if spread is not None:
        line["spread"] = {name: [*map(_rounded, values)] for name, values in spread.items()}
    if table is not None:
        line["table"] = {
            row: {column: [*map(_rounded, values)] for column, values in columns.items()} for row, columns in table.items()
        }
    print(json.dumps({**line, "rounds": rounds, "host": host}, ensure_ascii=False))


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def cpu() -> str:
    """Model name of the processor, where the system tells."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"
