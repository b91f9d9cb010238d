"""Whatever integer a script writes into a run's arrays: the run goes on, or says what cannot be run; the process lives.

In a process of its own, which names each case before it tries it. The arena is small, so that what reads or writes outside it
meets memory that is not its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

VALUES = (0, -1, 1, 3, 2**31, 2**62, 2**63 - 1, -(2**62))
SITE = """
import sys
sys.path.insert(0, TESTS)
import hil, numpy as np
from hil.scenario.files import from_document
from hil.session.plant import top_up
from rig import BESS, document

dip = {"kind": "grid_dip", "at": "0.5 s", "duration": "0.2 s", "residual": 0.5, "fault": "ag", "judged": True}
limits = [
    {"name": "27", "kind": "undervoltage", "min": 0.9, "delay": "20 ms", "action": "trip", "trips": "ups.a", "lockout": False,
     "reclose_after": "10 ms"},
    {"name": "59", "kind": "overvoltage", "max": 1.1, "node": "bus"},
    {"name": "ramp", "kind": "ramp", "max": "1 MW/s", "window": "50 ms", "mean": "10 ms"},
    {"name": "swing", "kind": "peak_to_peak", "max": "1 MW", "window": "30 ms"},
    {"name": "81R", "kind": "rocof", "max": "1 Hz/s", "window": "40 ms", "delay": "5 ms"},
    {"name": "on battery", "kind": "on_battery", "node": "ups.a", "max": "1 s"},
    {"name": "recovery", "kind": "recovery", "max": "1 s", "mean": "20 ms"},
    {"name": "SoC", "kind": "soc_window", "node": "bess.a", "window": [0.1, 0.9]},
    {"name": "V/Hz", "kind": "volts_per_hertz", "max": 1.1},
    {"name": "variation", "kind": "variation", "band": ["1 Hz", "55 Hz"], "order": 2, "max": "1 MW", "window": "20 ms"},
    {"name": "oscillation", "kind": "oscillation", "band": ["20 Hz", "60 Hz"], "window": "500 ms", "max": "1 MW"},
    {"name": "flicker", "kind": "flicker", "lamp": "120 V", "max": 1.0},
    {"name": "51", "kind": "overcurrent", "base": "10 MVA", "pickup": 0.5, "curve": "ieee_very_inverse", "reset": "disc",
     "action": "trip"},
    {"name": "49", "kind": "thermal_overload", "node": "bess.a", "time_constant": "60 s", "action": "trip"},
    {"name": "47", "kind": "negative_sequence_voltage", "max": 0.1,
     "timer": "cumulative", "delay": "9 ms", "timer_window": "50 ms"},
    {"name": "81R relay", "kind": "rocof", "max": "1 Hz/s", "window": "40 ms", "delay": "5 ms", "acts_as": "relay"},
    {"name": "transfers", "kind": "transfers", "node": "ups.a", "max": 1, "window": "100 ms"},
    {"name": "slope", "kind": "ramp", "form": "slope", "max": "1 MW/s", "window": "20 ms"},
    {"name": "blocks", "kind": "ramp", "form": "block_average", "block_start": "0 s", "max": "1 MW/s", "window": "20 ms"},
    {"name": "ride", "kind": "ride_through", "below": [["0.9 pu", "1 s"]], "recovery": "100 ms", "window": "50 ms"},
]
scenario = from_document(document(
    bess={"a": BESS, "b": {**BESS, "control": CONTROL}}, absorber={
        "a": {"kind": "ramp_limit", "device": "bess.a", "ramp": "1 MW/s", "delay": "7 ms"},
        "b": {"kind": "high_pass", "device": "bess.b", "time": "1 s"},
    },
    ups={"a": {"rating": "4 MW", "counter": True}, "b": {"rating": "8 MW", "share": 0.5}},
    meter={"a": {"rating": "40 MVA"}},
    events=[dip, {"kind": "grid_outage", "at": "1.2 s", "duration": "1 s"},
            {"kind": "reset_lockout", "at": "2 s", "breaker": "pcc"}], limits=limits,
    measurement={"delay": "3 ms"}, cooling={"drop_below": 0.7}, transformer={"rating": "40 MVA"},
    psu={"banks": 2, "hold_up_spread": "40 ms"}, **OWN,
))


def cases():
    run = hil.KernelRun(scenario)
    for kind in ("parameters", "states"):
        for array, values in getattr(run, kind).items():
            for path in leaves(values.dtype):
                yield kind, array, path


def leaves(dtype, path=()):
    if dtype.names is None:
        if path and dtype.base.kind in "iu":
            yield path
        return
    for name in dtype.names:
        yield from leaves(dtype[name], (*path, name))


count = told = 0
for number, (kind, array, path) in enumerate(cases()):
    if not EVERY and number % 3:  # all of them take a while
        continue
    for value in VALUES if EVERY else VALUES[number % len(VALUES):][:1]:
        print(kind, array, ".".join(path), value, file=sys.stderr, flush=True)
        run = hil.KernelRun(scenario)
        run.advance(0.05)
        field = getattr(run, kind)[array]
        for name in path:
            field = field[name]
        field[...] = np.array(value).astype(field.dtype)
        count += 1
        try:
            for _ in range(4):
                top_up(run._engine, run._source.feed)
                run._engine.advance(run.tick + 1_000)
        except (ValueError, OverflowError):
            told += 1
print(count, told)
"""


@pytest.mark.parametrize("forms", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["sets", "forming"])
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["one each", "all"])
def test_no_integer_in_an_array_ends_the_process(every, forms):
    """Of a site with generating sets, and of one with a converter that forms a voltage."""
    here = Path(__file__).parent
    own = {} if forms else {"gensets": {"rating": "3 MW", "count": 4, "transfer_after": "0.1 s", "start_delay": "0.1 s"}}
    code = SITE.replace("TESTS", repr(str(here))).replace("VALUES", repr(VALUES)).replace("EVERY", repr(every))
    code = code.replace("OWN", repr(own)).replace("CONTROL", repr("forming" if forms else "following"))
    run = subprocess.run([sys.executable, "-X", "faulthandler", "-c", code], capture_output=True, text=True, timeout=400)
    assert run.returncode == 0, run.stderr[-2000:]
    count, told = map(int, run.stdout.split())
    cases = 600 if every else 75
    assert count > cases
    assert told > cases / 6
