"""A long run in constant memory: days of scenario time at 1 kHz, decimated, in lock-step without controllers.

Prints what was kept and how the memory of the process grew from a tenth of the run on; fails where that is more than 32 MB,
or a row is missing.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import hil
from hil.session.run import Options, run_scenario

_MOST_GROWTH_MB = 32.0
_RECORD = [
    "record.channels=['pcc.power_w', 'bess.main.soc']",
    "record.rate='1 Hz'",
    "record.decimation='min_max_mean'",
    "record.also.violations.channels=['pcc.power_w']",
    "record.also.violations.around=['limit']",
]


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> int:
    """Run, measure, print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=float, default=7.0)
    seconds = round(86_400 * parser.parse_args().days)
    scenario = hil.load("training_job", [f"duration='{seconds} s'", "events=[]", *_RECORD])
    seen: list[tuple[int, float]] = []

    def progress(tick: int) -> None:
        if not seen or tick - seen[-1][0] >= scenario.ticks // 200:
            seen.append((tick, resident_mb()))

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        options = Options(folder=Path(folder), controllers=False, progress=progress)
        result = run_scenario(scenario, options)
        took_s = time.perf_counter() - began
        times, _ = result.signal("pcc.power_w")
        size_mb = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
    settled_mb = next(mb for tick, mb in seen if tick >= scenario.ticks // 10)
    growth_mb = max(mb for _, mb in seen) - settled_mb
    whole = np.array_equal(times, np.arange(1, seconds + 1, dtype=float))
    figures = {"days": seconds / 86_400, "rows": int(times.size), "folder_mb": size_mb, "settled_mb": settled_mb}
    print(json.dumps({**figures, "growth_mb": growth_mb, "whole": whole, "took_s": took_s, "verdict": result.verdict}))
    return 0 if whole and growth_mb <= _MOST_GROWTH_MB else 1


if __name__ == "__main__":
    sys.exit(main())
