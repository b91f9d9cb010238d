"""What a scenario expects: figures of signals, how limits end, what is logged; and what that makes of the verdict."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import hil
from hil.errors import ScenarioError
from hil.report import words
from hil.scenario import EventExpect, LimitExpect, SignalExpect
from hil.scenario.expect import OF_ENERGY
from hil.scenario.files import from_document, load
from hil.verdict.expectations import Seen, expectations, figure
from hil.verdict.outcome import Outcome

LIMITS = [
    {"name": "ramp", "kind": "ramp", "max": "1 MW/min", "window": "2 s"},
    {"name": "27", "kind": "undervoltage", "min": 0.5, "required": True},
]


def document(*expect: dict, limits: list = LIMITS, **others: object) -> dict:
    return {
        "duration": "10 s",
        "tick": "5 ms",
        "transport": "direct",
        "grid": {"voltage": "34.5 kV", "frequency": "60 Hz", "short_circuit": "600 MVA", "x_over_r": 12.0},
        "load": {"kind": "training", "power": "10 MW", "iteration": "2 s", "edge": "0 s", "compute_share": 0.5},
        "limits": limits,
        "expect": list(expect),
        **others,
    }


def run(*expect: dict, **others: object) -> hil.Result:
    return hil.run(from_document(document(*expect, **others)), folder=None)


def of(statistic: str, **keys: object) -> SignalExpect:
    return SignalExpect(name="it", signal="pcc.power_w", statistic=statistic, between=(-1e12, 1e12), **keys)


TIME_S = np.arange(1, 10_001) * 1e-3


@pytest.mark.parametrize(
    ("statistic", "keys", "expected"),
    [
        ("min", {"from_s": 2.0, "to_s": 4.0}, 2.001),
        ("max", {"from_s": 2.0, "to_s": 4.0}, 4.0),
        ("range", {"from_s": 2.0, "to_s": 4.0}, 1.999),
        ("mean", {"from_s": 2.0, "to_s": 4.0}, 3.0005),
        ("first", {"from_s": 2.0, "to_s": 4.0}, 2.0),
        ("last", {"from_s": 2.0, "to_s": 4.0}, 4.0),
        ("change", {"from_s": 2.0, "to_s": 4.0}, 2.0),
        ("change_share", {"from_s": 2.0, "to_s": 4.0}, 1.0),
        ("energy", {"from_s": 2.0, "to_s": 4.0}, 3.0005 * 2.0 / 3600.0),
        ("min", {}, 0.001),
        ("last", {}, 10.0),
    ],
)
def test_figures_of_a_slope(statistic, keys, expected):
    """A power that is its time."""
    found = figure(of(statistic, **keys), TIME_S, TIME_S.copy(), keys.get("to_s", 10.0))
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_swing_of_an_energy_is_that_of_what_has_run_up():
    square = np.where(np.arange(10_000) % 4000 < 2000, 1e6, -1e6)
    assert figure(of("energy_swing"), TIME_S, square, 10.0) == pytest.approx(2e6 / 3600.0, rel=1e-3)


@pytest.mark.parametrize("hertz", [0.25, 7.3, 14.8, 23.0])
def test_the_frequency_of_a_sine_on_a_slope(hertz):
    t = np.arange(1, 40_001) * 1e-3
    x = 5e6 * np.sin(2 * np.pi * hertz * t + 0.3) + 1e5 * t
    assert figure(of("frequency"), t, x, 40.0) == pytest.approx(hertz, abs=1e-3)


def test_a_logger_of_30_frames_shows_23_hz_as_7():
    x = np.sin(2 * np.pi * 23.0 * TIME_S)
    assert figure(of("frequency", frames_hz=30.0), TIME_S, x, 10.0) == pytest.approx(7.0, abs=0.02)
    assert figure(of("frequency", frames_hz=60.0), TIME_S, x, 10.0) == pytest.approx(23.0, abs=0.02)


def test_nothing_is_told_of_no_rows_and_of_what_stands():
    assert figure(of("mean", from_s=20.0), TIME_S, TIME_S, 30.0) is None
    assert figure(of("frequency"), TIME_S, np.ones_like(TIME_S), 10.0) is None


def test_met_expectations_make_a_pass_of_a_violated_limit():
    result = run(
        {"name": "too steep", "kind": "limit", "limit": "ramp", "outcome": "FAIL", "first_violation": ["0 s", "3 s"]},
        {"name": "trough", "kind": "signal", "signal": "pcc.power_w", "statistic": "min", "between": ["3 MW", "4 MW"]},
        {"name": "no UPS", "kind": "event", "event": "ups_transfer", "count": [0, 0]},
    )
    assert (result.verdict, result.exit_code, result.reasons) == (Outcome.PASS, 0, [])
    assert [one.outcome for one in result.expectations.values()] == [Outcome.PASS] * 3
    assert result.expectations["trough"].value == pytest.approx(3.5e6, rel=0.02)


@pytest.mark.parametrize(
    ("expect", "shown"),
    [
        ({"kind": "limit", "limit": "ramp", "outcome": "PASS"}, "FAIL"),
        (
            {"kind": "limit", "limit": "ramp", "outcome": "FAIL", "first_violation": ["5 s", "6 s"]},
            "FAIL, first violated at 1.",
        ),
        ({"kind": "limit", "limit": "ramp", "outcome": "FAIL", "missing": ["1 GWh", "2 GWh"]}, "FAIL, "),
        ({"kind": "signal", "signal": "load.demand_w", "statistic": "max", "between": ["3 MW", "4 MW"]}, "10.00 MW"),
        ({"kind": "event", "event": "ups_transfer"}, "0 times"),
    ],
)
def test_one_that_is_not_met_fails(expect, shown):
    result = run({"name": "it", **expect})
    assert result.verdict is Outcome.FAIL
    assert result.expectations["it"].outcome is Outcome.FAIL
    assert result.expectations["it"].shown.startswith(shown)


def test_a_required_limit_counts_beside_them():
    limits = [{**LIMITS[1], "min": 0.9999}]
    result = run({"name": "none", "kind": "event", "event": "ups_transfer", "count": [0, 0]}, limits=limits)
    assert result.expectations["none"].outcome is Outcome.PASS
    assert result.verdict is Outcome.FAIL


def test_what_ended_too_early_is_not_decided():
    limits = {}
    seen = Seen(limits, lambda _: (TIME_S, TIME_S), [], 4.0)
    scenario = from_document(
        document(
            {
                "name": "a",
                "kind": "signal",
                "signal": "pcc.power_w",
                "statistic": "max",
                "to": "9 s",
                "between": ["0 W", "1 W"],
            },
            {"name": "b", "kind": "event", "event": "x", "to": "9 s"},
        )
    )
    assert [one.outcome for one in expectations(scenario, seen).values()] == [Outcome.INCONCLUSIVE] * 2


def test_summary_folder_and_junit_hold_them(tmp_path):
    expect = [
        {"name": "trough", "kind": "signal", "signal": "pcc.power_w", "statistic": "min", "between": ["3 MW", "4 MW"]},
        {"name": "transfer", "kind": "event", "event": "ups_transfer"},
    ]
    result = hil.run(from_document(document(*expect)), folder=tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [one["outcome"] for one in summary["expectations"]] == ["PASS", "FAIL"]
    again = hil.open_run(tmp_path / "run")
    assert again.expectations == result.expectations
    assert again.scenario == result.scenario
    result.junit(tmp_path / "junit.xml")
    cases = {case.get("name"): case for case in ET.parse(tmp_path / "junit.xml").iter("testcase")}
    assert cases["trough (expected)"].find("failure") is None
    assert "ups_transfer: 1 or more times" in cases["transfer (expected)"].find("failure").get("message")
    assert "1 of 2 expectations met" in cases["verdict"].find("failure").get("message")


def test_without_expectations_nothing_is_different():
    assert run(limits=LIMITS).expectations == {}
    assert "the scenario requires no limit" in run(limits=LIMITS[:1]).reasons


@pytest.mark.parametrize(
    ("expect", "line"),
    [
        (
            {"kind": "limit", "limit": "x", "outcome": "PASS"},
            "expect.it.limit = 'x': no such limit; the scenario has: 'ramp', '27'",
        ),
        (
            {"kind": "limit", "limit": "27", "outcome": "FAIL"},
            "expect.it.outcome = 'FAIL': the limit is required; one that is expected not to hold cannot be",
        ),
        (
            {"kind": "limit", "limit": "27", "outcome": "FAIL", "missing": ["1 Wh", "2 Wh"]},
            "expect.it.missing = ['1 Wh', '2 Wh']: no energy can be missing of a limit of the kind 'undervoltage'",
        ),
        (
            {"kind": "limit", "limit": "ramp", "outcome": "PASS", "first_violation": ["1 s", "2 s"]},
            "expect.it.first_violation = ['1 s', '2 s']: needs outcome = 'FAIL'",
        ),
        (
            {"kind": "signal", "signal": "grid.frequency_hz", "statistic": "energy", "between": ["1 Wh", "2 Wh"]},
            "expect.it.statistic = 'energy': an energy is that of a power, a signal in W",
        ),
        (
            {"kind": "signal", "signal": "pcc.power_w", "statistic": "max", "between": ["1 Hz", "2 MW"]},
            "expect.it.between.0 = '1 Hz': must be a power, such as '25 MW'; units: W, kW, MW, GW",
        ),
        (
            {"kind": "signal", "signal": "pcc.power_w", "statistic": "max", "between": ["3 MW", "2 MW"]},
            "expect.it.between = ['3 MW', '2 MW']: must be [lowest, highest]",
        ),
        (
            {"kind": "signal", "signal": "pcc.power_w", "statistic": "max", "frames": "30 Hz", "between": ["1 MW", "2 MW"]},
            "expect.it.frames = '30 Hz': needs statistic = 'frequency'",
        ),
        ({"kind": "event", "event": "x", "count": [2, 1]}, "expect.it.count = [2, 1]: must be [least, most]"),
        ({"kind": "event", "event": "x", "from": "4 s", "to": "3 s"}, "expect.it.to = '3 s': must come after from, 4 s"),
        (
            {"kind": "event", "event": "x", "device": "ups.typo", "count": [0, 0]},
            "expect.it.device = 'ups.typo': no such device; the scenario has: ",
        ),
        ({"kind": "event", "event": "x", "to": "11 s"}, "expect.it.to = '11 s': must be within the run, 10 s"),
    ],
)
def test_what_cannot_be_expected_is_told_in_one_line(expect, line):
    with pytest.raises(ScenarioError) as error:
        from_document(document({"name": "it", **expect}))
    assert str(error.value).startswith(f"scenario: {line}")


def test_a_signal_that_is_not_recorded_is_told_before_anything_runs():
    expect = {"name": "it", "kind": "signal", "signal": "bess.x.soc", "statistic": "max", "between": [0, 1]}
    with pytest.raises(ScenarioError, match=r"scenario: expect.0.signal = 'bess.x.soc': not recorded; there are: load"):
        run(expect)


def test_two_of_a_name_and_perturbations_of_none():
    twice = {"name": "it", "kind": "event", "event": "x"}
    with pytest.raises(ScenarioError, match=r"expect.1.name = 'it': expect.0 has this name"):
        from_document(document(twice, twice))
    incident = {
        "narrative": "n",
        "source": "s",
        "evidence": "memory",
        "perturbations": [{"title": "t", "set": ["seed=2"], "breaks": ["that"]}],
    }
    with pytest.raises(ScenarioError, match=r"incident.perturbations.0.breaks.0 = 'that': no such expectation"):
        from_document(document(twice, incident=incident))


def test_sections_can_be_made_in_python():
    scenario = load("training_job")
    scenario.expect = [
        LimitExpect(name="a", limit=scenario.limits[0].name, outcome="PASS"),
        SignalExpect(name="b", signal="pcc.power_w", statistic="energy", between=(0.0, 1e9)),
        EventExpect(name="c", event="x", count=(0, 0)),
    ]
    again = from_document(scenario.document())
    assert again.expect[1].bounds == (0.0, 1e9)


def test_the_kinds_of_which_energy_can_be_missing_are_those_that_the_verdict_tells_it_of():
    assert set(OF_ENERGY) == set(words._STORAGE)
