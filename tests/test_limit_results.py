"""How limits end: value, unit, margin, outcome, and why a verdict cannot be PASS (docs/verdict.md)."""

from __future__ import annotations

import pytest
from law_support import ALONE
from rig import BESS, document
from ups_support import UPS, dip

import hil
from hil.report.words import quantity
from hil.scenario.files import from_document
from hil.session.run import run_scenario
from hil.verdict.outcome import Outcome

LOAD = {"kind": "training", "power": "5 MW", "communication_power": 1.0, "idle_power": 1.0, "power_factor": 1.0}
RECOVERY = {"name": "x", "kind": "recovery", "max": "2 s", "required": True}


def ended(limit: dict, **sections: object) -> tuple[hil.Result, object]:
    base = {"duration": "4 s", "load": LOAD, "limits": [{"name": "x", "required": True, **limit}]}
    result = run_scenario(from_document(document(**(base | sections))), ALONE)
    return result, result.limits["x"]


# --- recovery ---


def test_a_recovery_that_is_met_is_judged_by_its_time():
    result, limit = ended(RECOVERY | {"max": "4 s"}, ups={"a": UPS}, events=[dip(1.0, 0.06, 0.3)], duration="6 s")
    assert (result.verdict, limit.outcome, limit.unit, limit.limit) == ("PASS", "PASS", "s", 4.0)
    assert 1.0 < limit.worst < 3.0
    assert limit.margin == pytest.approx(1.0 - limit.worst / 4.0)
    dip_seen_over = limit.at_s - limit.worst
    assert 1.06 < dip_seen_over < 1.08
    assert quantity(limit.worst, limit) == f"{limit.worst:.3f} s"


def test_a_recovery_too_slow_is_told_when_it_is_too_slow():
    result, limit = ended(RECOVERY | {"max": "0.5 s"}, ups={"a": UPS}, events=[dip(1.0, 0.06, 0.3)], duration="6 s")
    assert (result.verdict, limit.outcome, limit.excursions) == ("FAIL", "FAIL", 1)
    assert limit.worst > 0.5
    assert limit.first_violation_s == pytest.approx(limit.at_s - limit.worst + 0.5 + 0.001)
    assert limit.time_beyond_s == pytest.approx(limit.worst - 0.5)
    (violated,) = [event for event in result.events if event["event"] == "limit_violated"]
    assert violated == {"time_s": limit.first_violation_s, "event": "limit_violated", "limit": "x"}


def test_without_a_dip_a_recovery_is_not_exercised():
    result, limit = ended(RECOVERY)
    assert (limit.outcome, limit.worst, limit.margin) == (Outcome.NOT_EXERCISED, None, None)
    assert limit.reasons == ["the measured voltage never fell below 0.9 pu"]
    assert (result.verdict, result.reasons) == ("INCONCLUSIVE", ["x: the measured voltage never fell below 0.9 pu"])


@pytest.mark.parametrize(
    ("duration", "limit", "outcome", "reasons"),
    [
        ("1.5 s", {"max": "2 s"}, "INCONCLUSIVE", ["the run ended before the power was back"]),
        ("1.5 s", {"max": "0.1 s"}, "FAIL", ["the run ended before the power was back"]),
        ("1.04 s", {"max": "2 s"}, "INCONCLUSIVE", ["the run ended during a dip"]),
        ("0.5 s", {"max": "2 s", "mean": "3 s"}, "NOT EXERCISED", ["the measured voltage never fell below 0.9 pu"]),
    ],
)
def test_a_run_that_ends_too_soon_for_a_recovery(duration, limit, outcome, reasons):
    events = [dip(1.0, 0.06, 0.3)] if duration > "1" else []
    result, found = ended(RECOVERY | limit, ups={"a": UPS}, events=events, duration=duration)
    assert (found.outcome, found.reasons) == (outcome, reasons)
    assert result.verdict == ("FAIL" if outcome == "FAIL" else "INCONCLUSIVE")


def test_a_recovery_that_is_there_at_once_passes_with_everything_left():
    """Without a UPS the load follows the voltage; nothing of it is blanked, although the dip is a stimulus."""
    result, limit = ended(RECOVERY, events=[dip(1.0, 0.06, 0.5)], measurement={"window": "1 ms"})
    assert (result.verdict, limit.worst, limit.margin, limit.blanked_s) == ("PASS", 0.0, 1.0, 0.0)


def test_recovery_of_one_ups():
    ups = {"a": {**UPS, "share": 0.5}, "b": {**UPS, "share": 0.5, "qualify": "3 s"}}
    limits = [{**RECOVERY, "name": node, "node": node, "max": "9 s"} for node in ("ups.a", "ups.b", "pcc")]
    sections = {"ups": ups, "limits": limits, "events": [dip(1.0, 0.06, 0.3)], "duration": "8 s", "load": LOAD}
    result = run_scenario(from_document(document(**sections)), ALONE)
    assert result.verdict == "PASS"
    a, b, site = (result.limits[node].worst for node in ("ups.a", "ups.b", "pcc"))
    assert b - a == pytest.approx(2.0, abs=0.01)
    assert a < site <= b + 0.05


# --- on_battery ---

ON_BATTERY = {"kind": "on_battery", "node": "ups.a", "max": "4 s"}


def test_a_ups_that_was_never_on_battery_has_all_its_time_left():
    result, limit = ended(ON_BATTERY, ups={"a": UPS})
    assert (result.verdict, limit.worst, limit.margin, limit.unit, limit.reasons) == ("PASS", 0.0, 1.0, "s", [])


def test_time_on_battery_is_judged_when_it_is_over():
    result, limit = ended(ON_BATTERY, ups={"a": UPS}, events=[dip(1.0, 0.06, 0.3)], duration="6 s")
    assert result.verdict == "PASS"
    lost_s = next(event["time_s"] for event in result.events if event["event"] == "ups_transfer")
    time_s, on = result.signal("ups.a.on_battery")
    assert limit.at_s - limit.worst == pytest.approx(lost_s)
    assert limit.at_s == pytest.approx(time_s[on == 1.0].max(), abs=0.011)
    assert limit.margin == pytest.approx(1.0 - limit.worst / 4.0)


@pytest.mark.parametrize(("most", "outcome"), [("30 s", "INCONCLUSIVE"), ("0.5 s", "FAIL")])
def test_a_run_that_ends_on_battery_does_not_know_for_how_long(most, outcome):
    result, limit = ended({**ON_BATTERY, "max": most}, ups={"a": UPS}, events=[dip(1.0, 0.06, 0.3)], duration="2 s")
    assert (result.verdict, limit.outcome) == (outcome, outcome)
    assert limit.reasons == ["the run ended while it was on battery"]


# --- battery_temperature, 81R ---


def test_the_margin_of_a_temperature_counts_from_the_ambient():
    bess = {**BESS, "ambient": "20 degC", "thermal_time": "5 s"}
    absorber = {"kind": "ramp_limit", "device": "bess.x", "ramp": "0.1 MW/s"}
    load = {**LOAD, "power": "10 MW", "communication_power": 0.4, "iteration": "2 s"}
    limit = {"kind": "battery_temperature", "node": "bess.x", "max": "30 degC"}
    result, found = ended(limit, bess={"x": bess}, absorber={"a": absorber}, load=load)
    assert (result.verdict, found.unit) == ("PASS", "degC")
    assert 20.0 < found.worst < 30.0
    assert found.margin == pytest.approx((30.0 - found.worst) / 10.0)
    assert quantity(found.worst, found) == f"{found.worst:.2f} degC"


LOSS = {"kind": "generation_loss", "at": "1 s", "power": "5 MW", "settle": "1 s", "duration": "100 ms"}
WEAK = {"short_circuit": "500 MVA", "area": "100 MVA"}


def test_rocof_says_which_way():
    limit = {"kind": "rocof", "max": "50 mHz/s"}
    result, found = ended(limit, grid=WEAK, events=[{**LOSS, "judged": True}])
    assert (result.verdict, found.unit, found.limit) == ("FAIL", "Hz/s", -0.05)
    assert found.worst < -0.05
    assert quantity(found.worst, found) == f"{found.worst:.3f} Hz/s"
    assert quantity(found.limit, found) == "-0.050 Hz/s"


def test_rocof_under_a_stimulus_is_not_exercised_and_a_short_run_is_no_evidence():
    limit = {"kind": "rocof", "max": "1 Hz/s"}
    forever = {"kind": "generation_loss", "at": "0 s", "power": "5 MW"}
    result, found = ended(limit, grid=WEAK, events=[forever])
    assert (result.verdict, found.outcome) == ("INCONCLUSIVE", Outcome.NOT_EXERCISED)
    result, found = ended({**limit, "window": "3 s", "delay": "2 s"}, grid=WEAK)
    assert (result.verdict, found.reasons) == (
        "INCONCLUSIVE",
        ["its window, 5 s (window 3 s, delay 2 s), is longer than the run, 4 s"],
    )


# --- delays ---

TEMPERATURE = {"kind": "battery_temperature", "node": "bess.x", "max": "30 degC"}


@pytest.mark.parametrize(
    ("limit", "sections"),
    [
        ({"kind": "undervoltage", "min": 0.9, "delay": "2 s"}, {"events": [dip(1.5, 0.1, 0.5, settle="0.5 s")]}),
        ({"kind": "rocof", "max": "1 Hz/s", "delay": "2 s"}, {"grid": WEAK, "events": [{**LOSS, "settle": "500 ms"}]}),
        ({"kind": "undervoltage", "min": 0.999, "delay": "4 s"}, {}),  # the closed window has a tick more than the run
        ({**TEMPERATURE, "delay": "4 s"}, {"bess": {"x": BESS}}),
    ],
)
def test_a_delay_that_nothing_lasted_for_is_no_evidence(limit, sections):
    """A timer that a stimulus, or the end, reset each time has seen nothing that could have been a violation."""
    result, found = ended(limit, **sections)
    reason = f"never judged for its delay, {limit['delay']}, without a break"
    assert (result.verdict, found.outcome, found.worst) == ("INCONCLUSIVE", Outcome.INCONCLUSIVE, None)
    assert (found.reasons, result.reasons) == ([reason], [f"x: {reason}"])


def test_a_delay_that_fits_once_is_judged():
    result, found = ended({"kind": "undervoltage", "min": 0.9, "delay": "3.999 s"})
    assert (result.verdict, found.at_s) == ("PASS", 4.0)
