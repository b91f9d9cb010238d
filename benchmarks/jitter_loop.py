"""One measurement of benchmarks/jitter.py: the product's loop in a process of its own, with the real tick of a small site.

Prints the lateness of each tick, ns, in their order.
"""

from __future__ import annotations

import argparse
import json
import threading
import time

import numpy as np
from jitter_busy import keep_busy

from hil.kernel.engine import Engine
from hil.realtime.loop_thread import LoopThread
from hil.realtime.wanted import Wanted
from hil.scenario.files import from_document
from hil.site.build import build_engine

LATENESS = "loop.lateness_us"
POWER_W = 20e6
PUMP_S = 0.1


def small_site(rate_hz: int, seconds: float) -> Engine:
    """One battery, one limit; of its ticks it records how late they were."""
    document = {
        "duration": f"{seconds} s",
        "tick": f"{1e6 / rate_hz} us",
        "grid": {"short_circuit": "220 MVA"},
        "load": {"kind": "training", "power": f"{POWER_W} W"},
        "bess": {"main": {"rating": "25 MVA", "energy": "6.25 MWh"}},
        "absorber": {"main": {"kind": "ramp_limit", "device": "bess.main", "ramp": "17 MW/min"}},
        "limits": [{"name": "27", "kind": "undervoltage", "min": 0.9}],
        "record": {"rate": f"{rate_hz} Hz", "channels": [LATENESS]},
    }
    return build_engine(from_document(document), POWER_W)


def lateness_ns(engine: Engine, wanted: Wanted) -> list[int]:
    """Run it to its end in real time, feeding it and taking its record meanwhile.

    Raises SystemExit without the priority or the core. What else the machine does not give, it does not give the peer either.
    """
    taken = []
    with LoopThread(engine, wanted) as loop:
        if (loop.obtained.priority, loop.obtained.cpu) != (wanted.priority, wanted.cpu):
            raise SystemExit("; ".join(loop.obtained.missing))
        loop.start()
        while loop.error is None and loop.pacer.look() < engine.end_tick:
            engine.feed(np.full(engine.load_room, POWER_W))
            taken.append(engine.take_rows()[1])
            time.sleep(PUMP_S)
    if loop.error is not None:
        raise loop.error
    while taken[-1].size or len(taken) < 2:
        taken.append(engine.take_rows()[1])
    assert engine.dropped_rows == 0
    late_us = np.concatenate(taken)[:, engine.recorded.index(LATENESS)]
    return np.rint(1e3 * late_us.astype(np.float64)).astype(np.int64).tolist()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--core", type=int, required=True)
    options.add_argument("--priority", type=int, required=True)
    options.add_argument("--rate", type=int, required=True, help="Hz")
    options.add_argument("--spin", type=int, required=True, help="µs")
    options.add_argument("--seconds", type=float, required=True)
    options.add_argument("--busy", action="store_true", help="beside a busy Python thread on the same core")
    given = options.parse_args()
    if given.busy:
        busy = threading.Event()
        threading.Thread(target=keep_busy, args=(given.core, busy.set), daemon=True).start()
        busy.wait()
    wanted = Wanted(priority=given.priority, cpu=given.core, spin_s=given.spin * 1e-6)
    print(json.dumps(lateness_ns(small_site(given.rate, given.seconds), wanted)))


if __name__ == "__main__":
    main()
