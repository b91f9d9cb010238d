"""UPSs in a scenario: what is refused, the limits at their nodes, the event log, a script's commands."""

from __future__ import annotations

import numpy as np
import pytest
from rig import document
from ups_support import UPS, dip

import hil
from hil.scenario.files import from_document

LOAD = {"kind": "training", "power": "5 MW", "communication_power": 1.0, "idle_power": 1.0}


def scenario(**sections):
    base = {"duration": "6 s", "load": LOAD, "ups": {"a": UPS}, "events": [dip(1.0, 0.06, 0.3)]}
    return from_document(document(**(base | sections)))


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"ups": {"a": {**UPS, "share": 0.6}, "b": {**UPS, "share": 0.5}}}, "ups.b.share = 0.5: the shares of all UPSs"),
        ({"ups": {"a": {**UPS, "shutdown": 0.3}}}, "ups.a.shutdown = 0.3: must be below low_battery = 0.2"),
        ({"ups": {"a": {**UPS, "overload_high": 1.1}}}, "ups.a.overload_high = 1.1: must be at least overload = 1.25"),
        ({"ups": {"a": {**UPS, "counter_disturbances": 9}}}, "ups.a.counter_disturbances = 9: must be at most 8"),
        ({"ups": {"a": {}}}, "ups.a.rating: missing"),
        ({"limits": [{"name": "x", "kind": "undervoltage", "node": "ups.b", "min": 0.9}]}, "'ups.b': no such device"),
        ({"limits": [{"name": "x", "kind": "converter_current", "node": "ups.a", "max": 1}]}, "must name a BESS"),
        ({"absorber": {"x": {"kind": "none", "device": "ups.a"}}}, "'ups.a': no such device; the scenario has: none"),
    ],
)
def test_what_is_refused(sections, line):
    with pytest.raises(hil.ScenarioError) as caught:
        scenario(**sections)
    assert line in str(caught.value)


def test_a_line_that_a_ups_would_not_take_is_refused():
    with pytest.raises(hil.ScenarioError, match=r"ups\.a\.input_low = 0\.99: the bus stands at 0\.9"):
        hil.KernelRun(scenario(ups={"a": {**UPS, "input_low": 0.99}}, grid={"short_circuit": "100 MVA"}))


def test_a_scenario_with_upss_survives_its_own_document():
    one = scenario(ups={"a": {**UPS, "share": 0.3, "counter": True}, "b": {**UPS, "energy": "0.2 MWh"}})
    assert from_document(one.document()).document() == one.document()
    assert one.devices == ["ups.a", "ups.b"]
    assert (one.ups_share("a"), one.ups_share("b")) == (0.3, pytest.approx(0.7))


def test_limits_at_a_ups():
    """The output is judged through the dip; on the bypass the same dip comes through."""
    limits = [
        {"name": "output", "kind": "undervoltage", "node": "ups.a", "min": 0.9, "required": True},
        {"name": "charge", "kind": "soc_window", "node": "ups.a", "window": [0.5, 1.0], "required": True},
    ]
    held = hil.run(scenario(limits=limits))
    assert held.verdict == "PASS"
    assert held.limits["output"].worst == 1.0
    assert held.limits["output"].blanked_s == 0.0
    assert 0.9 < held.limits["charge"].worst < 1.0
    # Its window is so wide that it stays on the line, and the battery gives nothing.
    dead = {**UPS, "battery_limit": 1e-6, "input_low": 0.2}
    lost = hil.run(scenario(limits=limits, ups={"a": dead}))
    assert lost.verdict == "FAIL"
    assert lost.limits["output"].worst < 0.9


@pytest.mark.parametrize(("direction", "worst_side"), [("both", -1), ("up", 1), ("down", -1)])
def test_a_ramp_limit_looks_one_way(direction, worst_side):
    """The load falls off the grid at once and returns in two seconds."""
    ramp = {"name": "ramp", "kind": "ramp", "max": "3 MW/s", "window": "0.5 s", "mean": "0.1 s", "direction": direction}
    result = hil.run(scenario(limits=[ramp], events=[dip(1.0, 0.06, 0.3, judged=True)])).limits["ramp"]
    assert np.sign(result.worst) == np.sign(result.limit) == worst_side
    if direction == "up":
        assert result.worst == pytest.approx(1.3 * 6e6 / 2.0, rel=0.02)  # the slope of the walk-in


def test_the_log_has_each_change_at_its_tick():
    events = hil.run(scenario(ups={"a": {**UPS, "counter": True, "counter_disturbances": 1}, "b": UPS})).events
    found = [event for event in events if event["event"].startswith("ups_")]
    told = [(event["event"], event["device"], event.get("from"), event.get("to")) for event in found]
    assert told.count(("ups_transfer", "ups.a", "normal", "battery")) == 1
    assert told.count(("ups_latched", "ups.a", None, None)) == 1
    assert [entry for entry in told if entry[1] == "ups.b"] == [
        ("ups_transfer", "ups.b", "normal", "battery"),
        ("ups_transfer", "ups.b", "battery", "normal"),
    ]
    first = next(event for event in found if event["event"] == "ups_transfer")
    assert first["time_s"] == pytest.approx(first["tick"] * 1e-3)


def test_a_log_that_ran_over_says_so():
    from hil.session.ups_watch import UpsWatch

    class Log:
        def __init__(self):
            self.entries = []

        def add(self, time_s, event, details):
            self.entries.append((event, details))

    run = hil.KernelRun(scenario(duration="60 s", events=[]))
    log = Log()
    watch = UpsWatch(run._engine, log)
    for k in range(40):
        for value in (0.0, 1.0):
            run.command("ups.a", "operation", value)
            run.advance(0.1 * k + 0.02 + 0.05 * value)
    watch.look()
    assert log.entries[-1] == ("ups_log_lost", {"device": "ups.a", "entries": 80 - 64})
    assert len(log.entries) == 65
    watch.look()
    assert len(log.entries) == 65


def test_a_script_commands_a_ups_by_name():
    run = hil.KernelRun(scenario(bess={"x": {"rating": "1 MVA", "energy": "1 MWh"}}, ups={"a": UPS, "b": UPS}))
    run.command("ups.b", "support_w", 1e6)
    run.command("x", "set_w", 1e5)
    run.advance(0.01)
    assert run["ups.b.support_w"] == 1e6
    assert run["ups.a.support_w"] == 0.0
    assert run.states["pcs"][0]["set_w"] == 1e5
    with pytest.raises(KeyError, match=r"no device 'ups\.c'; there are: bess\.x, ups\.a, ups\.b"):
        run.command("ups.c", "support_w", 1.0)
    with pytest.raises(KeyError, match="no point 'set_w'; there are: recharge_w"):
        run.command("ups.a", "set_w", 1.0)
    with pytest.raises(IndexError):
        run._engine.command(4, 103, 1.0)  # 3 is the grid


def test_a_snapshot_holds_the_upss():
    run = hil.KernelRun(scenario())
    run.advance(1.5)
    snapshot = run.snapshot()
    once = run.rows(4.0)
    run.restore(snapshot)
    assert np.array_equal(run.rows(4.0), once)
