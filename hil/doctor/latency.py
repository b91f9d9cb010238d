"""The latency test: the loop of a run on a small site of its own, without controllers and record."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.doctor.bands import Lateness
from hil.realtime.evidence import Timing, upper_ns
from hil.realtime.loop_thread import LoopThread
from hil.realtime.stolen import stolen_and_all, stolen_share
from hil.realtime.wanted import Wanted
from hil.scenario.files import from_document
from hil.site.build import build_engine

_LOAD_W = 5e6
_SITE: dict[str, Any] = {
    "grid": {"short_circuit": "200 MVA"},
    "load": {"kind": "training", "power": "10 MW"},
    "bess": {"main": {"rating": "10 MVA", "energy": "5 MWh"}},
    "absorber": {"main": {"kind": "ramp_limit", "device": "bess.main", "ramp": "10 MW/min"}},
    "limits": [
        {"name": "undervoltage", "kind": "undervoltage", "min": 0.95, "delay": "100 ms"},
        {"name": "ramp", "kind": "ramp", "max": "20 MW/min", "window": "1 s"},
        {"name": "current", "kind": "converter_current", "node": "bess.main", "max": 1.0},
    ],
}
_PAUSE_S = 0.2


@dataclass(frozen=True)
class Measured:
    """What a latency test found: the histogram of lateness, and the timing that a run of it would have recorded."""

    rate_hz: float
    seconds: float
    lateness: Lateness
    timing: Timing

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        timing = self.timing
        return {
            "rate_hz": self.rate_hz,
            "seconds": self.seconds,
            "ticks": timing.ticks,
            "missed": timing.overruns,
            "lateness_us": timing.lateness_us,
            "tick_us": timing.tick_us,
            "minor_faults": timing.minor_faults,
            "major_faults": timing.major_faults,
            "preemptions": timing.preemptions,
            "stolen_share": timing.stolen_share,
            "obtained": timing.obtained,
        }


def measure(seconds: float, rate_hz: float) -> Measured:
    """Run ticks for so long at this rate, as a run on the wall clock runs them. Raises HilError where the system cannot."""
    tick_ns = round(1e9 / rate_hz)
    engine = build_engine(from_document({"duration": f"{seconds} s", "tick": f"{tick_ns} ns", **_SITE}), _LOAD_W, record=False)
    engine.feed(np.full(engine.load_room, _LOAD_W))
    before = stolen_and_all()
    with LoopThread(engine, Wanted()) as loop:
        loop.start()
        while loop.error is None and loop.pacer.look() < engine.end_tick:
            engine.feed(np.full(engine.load_room, _LOAD_W))
            time.sleep(min(_PAUSE_S, max(0.0, (engine.end_tick - engine.tick) * tick_ns * 1e-9)))
    if loop.error is not None:
        raise loop.error
    counts = loop.pacer.timing[0]
    bins = tuple((upper_ns(int(place)), int(counts["late"][place])) for place in np.flatnonzero(counts["late"]))
    stolen = stolen_share(before, stolen_and_all())
    timing = Timing.of(counts, 1.0, tick_ns * 1e-9, stolen_share=stolen, obtained=loop.obtained.summary())
    return Measured(rate_hz, seconds, Lateness(bins, int(counts["late_max_ns"])), timing)
