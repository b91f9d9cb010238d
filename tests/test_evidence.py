"""What a verdict rests on: warm-up, uncertainty, and how much was missing (docs/verdict.md)."""

from __future__ import annotations

import numpy as np
import pytest
from law_support import ALONE
from rig import Rig, document

from hil.errors import ScenarioError
from hil.scenario.files import from_document
from hil.session.run import run_scenario
from hil.verdict.shortfall import ramp_shortfall_j

LOAD = {"kind": "training", "power": "5 MW", "communication_power": 1.0, "idle_power": 1.0, "power_factor": 1.0}


def ended(limit: dict, **sections: object):
    base = {"duration": "10 s", "load": LOAD, "limits": [{"name": "x", "required": True, **limit}]}
    result = run_scenario(from_document(document(**(base | sections))), ALONE)
    return result, result.limits["x"]


# --- warm-up ---


def test_nothing_is_judged_while_it_warms_up():
    """A load that starts with a step of 6 MW in its first half second."""
    load = np.concatenate([np.full(500, 4e6), np.full(9500, 10e6)])
    limits = [
        {"name": "a", "kind": "underpower", "min": "8 MW"},
        {"name": "b", "kind": "peak_to_peak", "max": "1 MW", "window": "300 ms"},
    ]
    cold = Rig({"limits": limits, "duration": "10 s"}, load).run().engine.states["limits"]
    assert cold["beyond_ticks"].min() > 0
    site = Rig({"limits": limits, "duration": "10 s", "warm_up": "1 s"}, load).run()
    warm = site.engine.states["limits"]
    assert warm["beyond_ticks"].tolist() == warm["excursions"].tolist() == [0, 0]
    assert warm["first_tick"].tolist() == [-1, -1]
    assert warm["valid_ticks"].tolist() == [9000, 9000]
    assert warm["suspect_ticks"].tolist() == [0, 0]
    assert warm["lowest"][0] == site["pcc.power_measured_w"][1000:].min()


def test_what_lasts_beyond_the_warm_up_is_judged_from_there():
    load = np.concatenate([np.full(1500, 4e6), np.full(8500, 10e6)])
    limit = {"name": "a", "kind": "underpower", "min": "8 MW"}
    state = Rig({"limits": [limit], "duration": "10 s", "warm_up": "1 s"}, load).run().engine.states["limits"][0]
    assert (state["first_tick"], state["excursions"]) == (1000, 1)
    assert 500 <= state["beyond_ticks"] <= 520


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"warm_up": "2 s"}, "warm_up = '2 s': must be at most a tenth of the run, 1 s"),
        (
            {"warm_up": "1 s", "events": [{"kind": "grid_dip", "at": "500 ms", "duration": "100 ms", "residual": 0.5}]},
            "events.0.at = '500 ms': must be after warm_up, 1 s: what happens is judged",
        ),
    ],
)
def test_a_warm_up_hides_no_event_and_little_else(sections, line):
    with pytest.raises(ScenarioError) as refused:
        from_document(document(duration="10 s", **sections))
    assert str(refused.value) == f"scenario: {line}"


# --- uncertainty ---


@pytest.mark.parametrize(
    ("limit", "key", "uncertainty"),
    [
        ({"kind": "undervoltage", "min": 0.9}, "voltage_uncertainty", 1.0),
        ({"kind": "underfrequency", "min": "59.5 Hz"}, "frequency_uncertainty", 1.0),
        ({"kind": "underpower", "min": "4.9 MW"}, "power_uncertainty", 1.0),
        ({"kind": "peak_to_peak", "max": "1 MW", "window": "1 s"}, "power_uncertainty", 2**0.5),
        ({"kind": "ramp", "max": "1 MW/s", "window": "2 s"}, "power_uncertainty", 2**0.5 / 2.0),
        ({"kind": "ramp", "form": "slope", "max": "1 MW/s", "window": "2 s"}, "power_uncertainty", 2**0.5 / 2.0),
        ({"kind": "ramp", "form": "range", "max": "2 MW/s", "window": "2 s"}, "power_uncertainty", 2**0.5 / 2.0),
        ({"kind": "ramp", "form": "block_average", "max": "1 MW/s", "window": "2 s"}, "power_uncertainty", 2**0.5 / 2.0),
        ({"kind": "dynamic_range", "of": "8 MW", "max": 0.5, "window": "1 s"}, "power_uncertainty", 2**0.5 / 8e6),
        ({"kind": "rocof", "max": "1 Hz/s", "window": "500 ms"}, "frequency_uncertainty", 2**0.5 / 0.5),
    ],
)
def test_a_margin_below_the_uncertainty_is_no_pass(limit, key, uncertainty):
    _, sure = ended(limit)
    left = abs(sure.limit - sure.worst)
    assert sure.outcome == "PASS"
    unit = {"voltage_uncertainty": "pu", "frequency_uncertainty": "Hz", "power_uncertainty": "W"}[key]
    for factor, outcome in ((0.999, "PASS"), (1.001, "INCONCLUSIVE")):
        result, found = ended(limit, measurement={key: f"{factor * left / uncertainty!r} {unit}"})
        assert result.verdict == found.outcome == outcome
    assert "is below the expanded uncertainty of what was measured" in found.reasons[0]


@pytest.mark.parametrize(
    ("limit", "dropout", "key", "uncertainty", "unit"),
    [
        ({"kind": "undervoltage", "min": 0.9}, 0.91, "voltage_uncertainty", 1.0, "pu"),
        ({"kind": "overvoltage", "max": 1.1}, 1.05, "voltage_uncertainty", 1.0, "pu"),
        ({"kind": "negative_sequence_voltage", "max": 0.02}, 0.01, "voltage_uncertainty", 1.0, "pu"),
        ({"kind": "underfrequency", "min": "59.5 Hz"}, "59.6 Hz", "frequency_uncertainty", 1.0, "Hz"),
        ({"kind": "rocof", "max": "1 Hz/s", "window": "500 ms"}, "0.9 Hz/s", "frequency_uncertainty", 2**0.5 / 0.5, "Hz"),
    ],
)
def test_a_relay_that_operates_nearer_by_the_uncertainty_is_no_pass(limit, dropout, key, uncertainty, unit):
    """The margin is that of the limit without its relay."""
    _, sure = ended(limit)
    left = abs(sure.limit - sure.worst)
    result, found = ended(limit | {"dropout": dropout})
    assert (result.verdict, found.outcome) == ("PASS", "PASS")
    for factor, outcome in ((0.999, "PASS"), (1.001, "INCONCLUSIVE")):
        measurement = {key: f"{factor * left / uncertainty!r} {unit}"}
        result, found = ended(limit | {"dropout": dropout}, measurement=measurement)
        assert result.verdict == found.outcome == outcome
    assert found.reasons[0].startswith("with a pick-up nearer by the expanded uncertainty of what was measured, ")


def test_a_violation_stays_one_however_uncertain_it_is():
    _, found = ended({"kind": "underpower", "min": "5.5 MW"}, measurement={"power_uncertainty": "3 MW"})
    assert found.outcome == "FAIL"


# --- what was missing ---


@pytest.mark.parametrize(("mw_per_min", "mwh"), [(8.0, 173.0), (20.0, 68.0), (30.0, 44.6), (300.0, 2.6)])
def test_energy_to_reshape_a_job_that_collapses(mw_per_min, mwh):
    """450 to 40 MW in 36 s: ½·410·(410/limit − 36 s), and the table of the reports on it (docs/verdict.md)."""
    time_s = np.arange(0.0, 36.0 + 60.0 * 410.0 / mw_per_min + 100.0, 0.5)
    power_w = np.interp(time_s, [0.0, 36.0], [450e6, 40e6])
    found = ramp_shortfall_j(time_s, power_w, mw_per_min * 1e6 / 60.0, "both") / 3.6e9
    closed = 0.5 * 410.0 * (60.0 * 410.0 / mw_per_min - 36.0) / 3600.0
    assert found == pytest.approx(closed, rel=0.01)
    assert found == pytest.approx(mwh, rel=0.02)


def test_only_the_way_that_is_judged_needs_energy():
    time_s = np.arange(0.0, 100.0, 0.1)
    fall_w = np.where(time_s < 10.0, 10e6, 0.0)
    assert ramp_shortfall_j(time_s, fall_w, 1e6, "up") == 0.0
    assert ramp_shortfall_j(time_s, fall_w, 1e6, "down") == pytest.approx(0.5 * 10e6 * 10.0, rel=0.02)
    assert ramp_shortfall_j(time_s, fall_w, 1e9, "both") == 0.0


def test_a_ramp_that_was_violated_says_how_much_storage_was_missing():
    crash = [{"kind": "load_crash", "at": "2 s"}]
    limit = {"kind": "ramp", "max": "0.5 MW/s", "window": "1 s", "mean": "100 ms"}
    result, found = ended(limit, events=crash, load=LOAD | {"idle_power": 0.5}, duration="20 s", record={"rate": "1 kHz"})
    power_w = result.signal("pcc.power_measured_w")[1]
    fallen_w = float(power_w[0] - power_w[-1])
    assert fallen_w > 2e6
    assert found.outcome == "FAIL"
    assert found.missing_j == pytest.approx(0.5 * fallen_w * (fallen_w / 0.5e6 - 0.25), rel=0.02)
    assert result.summary()["limits"][0]["missing_j"] == found.missing_j
    _, held = ended(limit)
    assert held.missing_j is None
