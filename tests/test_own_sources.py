"""Sites with sources of their own as runs: snapshots to the bit, controllers beside them, events by hand, spoilt arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rig import BESS, document
from ups_support import dip

import hil
from hil.kernel.layout import CODES, state_dtypes
from hil.scenario.files import from_document
from hil.serve.commands import event_of
from hil.site.build import build_engine
from hil.site.events import stimulate, stimulate_no_more

SETS = {
    "rating": "4 MW",
    "count": 4,
    "transfer_after": "0.2 s",
    "start_delay": "0.5 s",
    "return_after": "1 s",
    "cool_down": "1 s",
}
OUTAGE = {"kind": "grid_outage", "at": "1 s", "duration": "4 s"}
PSU = {"banks": 4, "hold_up_spread": "100 ms", "restart_after": "0.5 s", "restart_ramp": "1 s"}
MOMENTS = (0.5, 1.01, 1.3, 1.9, 2.4, 4.9, 5.3, 6.9, 8.0)


def site(forms: bool, **more: Any) -> hil.Scenario:
    own: dict[str, Any] = {} if forms else {"gensets": SETS}
    own["bess"] = {"a": {**BESS, "control": "forming" if forms else "following"}}
    sections = {"duration": "10 s", "events": [OUTAGE, dip(7.0, 0.05, 0.4)], "psu": PSU} | own
    sections["ups"] = {"a": {"rating": "8 MW", "share": 0.5, "qualify": "0.3 s", "walk_in": "1 s", "input_frequency": "5 Hz"}}
    return from_document(document(**sections, **more))


@pytest.mark.parametrize("forms", [False, True], ids=["sets", "forming"])
def test_a_run_goes_on_from_any_moment_to_the_bit(forms):
    scenario = site(forms)
    whole = hil.KernelRun(scenario)
    rows = whole.rows(10.0)
    end = {name: whole.states[name].tobytes() for name in state_dtypes()}
    assert np.ptp(rows[:, whole.channels.index("bus.frequency_hz")]) > 0.1
    run = hil.KernelRun(scenario)
    snapshots = []
    for moment in MOMENTS:
        run.advance(moment)
        snapshots.append(run.snapshot())
    for snapshot in reversed(snapshots):
        other = hil.KernelRun(scenario)
        other.restore(snapshot)
        assert np.array_equal(other.rows(10.0), rows[snapshot.tick :], equal_nan=True)
        assert {name: other.states[name].tobytes() for name in state_dtypes()} == end


@pytest.mark.parametrize("forms", [False, True], ids=["sets", "forming"])
def test_limits_judge_what_the_site_makes_of_its_voltage(forms):
    """An outage that is judged: the bus is dead while sets start, and never where a converter forms its voltage."""
    limits = [
        {"name": "27", "kind": "undervoltage", "node": "bus", "min": 0.5},
        {"name": "81U", "kind": "underfrequency", "min": "54 Hz"},
    ]
    scenario = site(forms, limits=limits)
    scenario.events[0].judged = True
    scenario.psu = None
    result = hil.run(scenario)
    assert result.limits["27"].outcome == ("PASS" if forms else "FAIL")
    assert result.limits["81U"].worst < 59.9
    assert result.limits["81U"].outcome == "PASS"
    assert result.signal("bus.frequency_hz")[1].min() < 59.9


@pytest.mark.parametrize("forms", [False, True], ids=["sets", "forming"])
def test_an_outage_by_hand_is_one_by_script(forms):
    scenario = site(forms)
    scenario.events = []
    scripted = site(forms)
    scripted.events = [scripted.events[0]]
    engines = [build_engine(each, 6e6) for each in (scenario, scripted)]
    event = event_of("outage 4s", scenario)
    assert event.kind == "grid_outage"
    for engine in engines:
        engine.feed(np.full(8_000, 6e6))
        engine.advance(1_000)
    stimulate(engines[0], scenario, event)
    for engine in engines:
        engine.advance(8_000)
    assert engines[0].waveform_hash == engines[1].waveform_hash
    assert engines[0].value(engines[0].channels.index("load.power_w")) > 0.0


def test_an_outage_by_hand_ends_when_all_is_called_off():
    scenario = from_document(document())
    engine = build_engine(scenario, 6e6)
    engine.feed(np.full(1_000, 6e6))
    stimulate(engine, scenario, event_of("outage", scenario))
    engine.advance(500)
    voltage = engine.channels.index("bus.voltage_pu")
    assert engine.value(voltage) == 0.0
    stimulate_no_more(engine, scenario)
    engine.advance(501)
    assert engine.value(voltage) > 0.9


@pytest.mark.parametrize(
    ("forms", "kind", "array", "field", "problem"),
    [
        (False, "parameters", "genset", "output", "genset: output"),
        (False, "parameters", "genset", "transfer_ticks", "genset: a number of ticks"),
        (False, "states", "genset", "lost_ticks", "genset: a number of ticks"),
        (False, "states", "sources", "output", "sources: output"),
        (True, "parameters", "forming", "output", "forming: output"),
        (True, "parameters", "psu", "feed", "psu: feed, phase or output"),
        (True, "parameters", "psu", "phase", "psu: feed, phase or output"),
        (True, "parameters", "psu", "output", "psu: feed, phase or output"),
    ],
)
def test_what_a_script_spoils_is_told(forms, kind, array, field, problem):
    run = hil.KernelRun(site(forms), leave_out_controllers=True)
    run.advance(0.1)
    getattr(run, kind)[array][field] = -7 if field != "lost_ticks" else 2**62
    with pytest.raises(ValueError, match=problem):
        run._engine.advance(101)


def test_channels_stand_behind_those_of_the_plant():
    """So that the waveform hash is over the same channels of every site."""
    names = build_engine(site(True), 6e6).channels
    assert names[-7:] == (
        "bus.frequency_hz", "pcc.tied", "bess.a.forming", "bess.a.forming_frequency_hz", "bess.a.widened", "psu.off_share",
        "psu.held_share",
    )  # fmt: skip
    assert [CODES[f"{name}.outputs"] for name in ("sources", "forming", "psu")] == [2, 3, 2]
