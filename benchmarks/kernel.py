"""The flagship without controllers: all limits, load generation and waveform hash included, recorded at 100 Hz or every tick.

Figures: `realtime_factor` (scenario time over wall-clock time at 1 kHz, record at 100 Hz), `tick_ns`, and
`every_tick_ratio`, the time with every tick recorded over the time at 100 Hz.
"""

from __future__ import annotations

import statistics

from bench import interleaved, report

import hil
from hil.session.run import Options, run_scenario

ROUNDS = 7
DURATION_S = 3600.0


def main() -> None:
    """Measure and report."""

    def wall_s(rate: str) -> float:
        scenario = hil.load("training_job", [f"duration='{DURATION_S} s'", f"record.rate='{rate}'"])
        return run_scenario(scenario, Options(controllers=False)).wall_s

    taken = interleaved(ROUNDS, {"plain": lambda: wall_s("100 Hz"), "every": lambda: wall_s("1000 Hz")})
    plain = statistics.median(taken["plain"])
    ratio = statistics.median(b / a for a, b in zip(taken["plain"], taken["every"], strict=True))
    report(
        "kernel",
        {"realtime_factor": DURATION_S / plain, "tick_ns": plain / DURATION_S * 1e6, "every_tick_ratio": ratio},
        ROUNDS,
    )


if __name__ == "__main__":
    main()
