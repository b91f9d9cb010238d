"""A day of inference on 10,000 GPUs at 1 kHz: requests, fleet, kernel, limits and record, as `hil run` does it.

1,250 replicas of 8 GPUs serve 78 independent streams of conversation requests, 431 a second on average, whose rate swings by
30 % over the day. The site is that of `inference_replay`, with its battery, its limits and as much power; the record has 1 Hz.

Figures: `wall_s`; `cpu_s`, processor time of the whole process; `realtime_factor`; `peak_rss_mib`, the most memory that the
process held; `requests`, served.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from bench import report

import hil
from hil.session.run import Options, run_scenario

HOURS = 24.0
SITE = (
    "duration='{hours} h'",
    "record.rate='1 Hz'",
    "load.arrivals='azure_conversation'",
    "load.replicas=1250",
    "load.streams=78",
    "load.diurnal=0.3",
    "load.scale=3.2",
)


def main(hours: float = HOURS) -> None:
    """Measure and report."""
    scenario = hil.load("inference_replay", [key.format(hours=hours) for key in SITE])
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.perf_counter(), time.process_time()
        result = run_scenario(scenario, Options(controllers=False, folder=Path(folder) / "day", picture=False))
        wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = {
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "realtime_factor": 3600.0 * hours / wall_s,
        "peak_rss_mib": peak_kib / 1024,
        "requests": float(result.load["requests_served"]),
    }
    report("inference_day", figures, 1)


if __name__ == "__main__":
    main()
