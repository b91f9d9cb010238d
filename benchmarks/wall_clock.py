"""How late a tick is on the wall clock, against a coroutine that sleeps a period at a time.

The flagship with its controller over Modbus, paced at 1 ms. Figures in wall-clock time: `lateness_p50_us`, `lateness_p99_us`,
`lateness_p999_us`, `lateness_max_us` of ticks, `overrun_share`; `asyncio_p50_us` and `asyncio_p99_us` of `asyncio.sleep` with
absolute deadlines and the same period, in the same round, and `p50_ratio`, ours over theirs. The loop asks for what a scenario
asks for by default, SCHED_FIFO, locked memory and a spin found by rehearsal, and has what the machine grants of it; the
coroutine has the ordinary priority. `benchmarks/jitter.py` compares like with like.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from bench import interleaved, median_ratio, report

import hil
from hil.session.run import Options, run_scenario

ROUNDS = 3
DURATION_S = 10.0
PERIOD_S = 0.001


def paced() -> hil.Result:
    """A run in real time."""
    scenario = hil.load("training_job", [f"duration='{DURATION_S} s'", "events=[]"])
    return run_scenario(scenario, Options(clock="wall"))


async def sleeping() -> list[float]:
    """Lateness of a coroutine's wake-ups, s, in rising order."""
    late = []
    start = time.perf_counter()
    for count in range(1, round(DURATION_S / PERIOD_S)):
        due = start + count * PERIOD_S
        await asyncio.sleep(due - time.perf_counter())
        late.append(time.perf_counter() - due)
    return sorted(late)


def main() -> None:
    """Measure and report."""
    runs: list[hil.Result] = []
    slept: list[list[float]] = []

    def pace() -> float:
        runs.append(paced())
        assert runs[-1].timing is not None
        return runs[-1].timing.lateness_us["p50"]

    def sleep() -> float:
        slept.append(asyncio.run(sleeping()))
        return 1e6 * statistics.median(slept[-1])

    taken = interleaved(ROUNDS, {"paced": pace, "sleep": sleep})
    timings = [run.timing for run in runs[1:] if run.timing is not None]

    def of(name: str) -> float:
        return statistics.median(timing.lateness_us[name] for timing in timings)

    report(
        "wall_clock",
        {
            "lateness_p50_us": of("p50"),
            "lateness_p99_us": of("p99"),
            "lateness_p999_us": of("p99.9"),
            "lateness_max_us": max(timing.lateness_us["max"] for timing in timings),
            "overrun_share": statistics.median(timing.overrun_share for timing in timings),
            "asyncio_p50_us": statistics.median(taken["sleep"]),
            "asyncio_p99_us": statistics.median(1e6 * late[int(0.99 * len(late))] for late in slept[1:]),
            "p50_ratio": median_ratio(taken["paced"], taken["sleep"]),
        },
        ROUNDS,
    )


if __name__ == "__main__":
    main()
