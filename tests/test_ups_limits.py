"""Limits on UPSs, against brute force over the rows of a site (docs/protection.md, "Batteries and UPSs")."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bad_storage import one
from law_support import ALONE
from rig import H, document
from test_limits_kernel import check, state, sustained
from ups_support import UPS, dip, rig

from hil.scenario.files import from_document
from hil.scenario.profiles import expand_profiles
from hil.session.run import run_scenario

FLAT = {"kind": "training", "power": "5 MW", "communication_power": 1.0, "idle_power": 1.0, "power_factor": 1.0}
LONGER = "the run ended while a step's time ran on, and the longest, 60 s, is longer than the run, 2 s"
STEPS = [["1.02 pu", "1.2 s"], ["1.1 pu", "300 ms"], ["1.2 pu", "0 s"]]


def over(load: np.ndarray, level: float, lowest: float, window: int) -> np.ndarray:
    """Samples above a level: since the load rose above the lowest, or within a window."""
    found, count = np.zeros(load.size, dtype=int), 0
    for n, value in enumerate(load):
        count = 0 if value <= lowest else count + (value > level)
        found[n] = np.sum(load[max(0, n - window + 1) : n + 1] > level) if window else count
    return found


@pytest.mark.parametrize("window_s", [0.0, 2.0])
def test_the_times_of_an_overload_add_up(window_s):
    parts = [(0.9, 300), (1.15, 200), (1.05, 600), (1.15, 100), (0.9, 50), (1.05, 600), (1.15, 290), (1.05, 400), (0.9, 500)]
    load = np.concatenate([np.full(ticks, 6e6 * level) for level, ticks in parts])
    limit = one("overload", "ups.a", steps=STEPS, window=f"{window_s} s")
    site = rig(load, {"overload_time": "100 s"}, limits=[limit]).run()
    load_pu, window = site["ups.a.output_w"] / 6e6, round(window_s / H)
    shares = [over(load_pu, level, 1.02, window) / (time_s / H) for level, time_s in ((1.02, 1.2), (1.1, 0.3))]
    beyond = np.maximum(*shares) > 1.0
    if window == 0:  # it shows at the sample that is back, too
        beyond[1:] |= beyond[:-1] & (load_pu[1:] <= 1.02)
    assert beyond.any()
    check(state(site), beyond, 0)
    assert state(site)["highest"] == pytest.approx(max(share.max() for share in shares), rel=1e-12)


def test_steps_and_delays_trip_alike_on_a_load_that_stands():
    limits = [
        one("overload", "ups.a", name="steps", steps=[["1.1 pu", "400 ms"]]),
        one("overload", "ups.a", name="max", max=1.1, delay="400 ms"),
    ]
    load = np.concatenate([np.full(500, 5e6), np.full(1_000, 7e6), np.full(200, 5e6)])
    site = rig(load, limits=limits).run()
    assert state(site, 0)["first_tick"] == state(site, 1)["first_tick"] > 0


@pytest.mark.parametrize(
    ("power", "steps", "crash", "outcome", "reasons"),
    [
        ("5 MW", [["1.1 pu", "60 s"]], [], "PASS", []),
        ("7 MW", [["1.1 pu", "60 s"]], [], "INCONCLUSIVE", [LONGER]),
        ("7 MW", [["1.1 pu", "60 s"]], [{"kind": "load_crash", "at": "1.9 s"}], "PASS", []),
        ("7 MW", [["1.1 pu", "60 s"], ["1.15 pu", "1 s"]], [], "FAIL", [LONGER]),
        ("7 MW", [["1.1 pu", "1 s"]], [], "FAIL", []),
    ],
)
def test_a_time_longer_than_the_run_that_runs_on_is_not_known(power, steps, crash, outcome, reasons):
    limit = one("overload", "ups.a", steps=steps, required=True)
    sections = document(
        duration="2 s", load={**FLAT, "power": power, "idle_power": 0.1}, ups={"a": UPS}, limits=[limit], events=crash
    )
    found = run_scenario(from_document(sections), ALONE).limits["x"]
    assert (found.outcome, found.reasons) == (outcome, reasons)


BYPASSED = {"overload_time": "100 ms"}
OVERLOADED = np.concatenate([np.full(300, 3e6), np.full(2_700, 8.2e6)])


def test_a_dip_that_comes_through_the_bypass_is_told_by_its_time():
    """An overload has put the load onto the bypass, where it sees the dips; 100 ms are allowed."""
    events = [dip(1.0, 0.1, 0.7), dip(2.0, 0.101, 0.7)]
    limits = [
        one("output_voltage", "ups.a", name="both", below=[["0.9 pu", "100 ms"]], above=[["1.1 pu", "100 ms"]]),
        one("output_voltage", "ups.a", name="window", below=[["0.9 pu", "200 ms"]], window="5 s"),
    ]
    site = rig(OVERLOADED, BYPASSED, events, limits=limits).run()
    low = site["ups.a.output_voltage_pu"] < 0.9
    lengths = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], low.astype(int), [0]]))))[::2]
    assert lengths.tolist() == [100, 101]
    begin = np.flatnonzero(low)[100]
    assert state(site, 0)["first_tick"] == begin + 100
    assert state(site, 0)["highest"] == 1.01
    assert state(site, 1)["first_tick"] == begin + 100
    assert state(site, 1)["highest"] == 201 / 200


@pytest.mark.parametrize(
    ("ups", "residual", "keys"),
    [
        ({"battery_limit": 0.5, "dc_low": 0.5, "dc_link": "1 s"}, 0.3, {"min": 0.9}),
        ({"input_low": 0.3, "dc_link": "5 ms"}, 0.4, {"max": 1.01, "delay": "1 ms"}),
        ({"input_low": 0.3, "dc_link": "5 ms"}, 0.4, {"min": 0.9, "max": 1.01}),
    ],
)
def test_the_dc_link_between_two_bounds(ups, residual, keys):
    """Below where the battery gives too little, above where the voltage comes back and the rectifier gives too much."""
    site = rig(np.full(2_000, 5.5e6), ups, [dip(1.0, 0.2, residual)], limits=[one("dc_link", "ups.a", **keys)]).run()
    link, delay = site["ups.a.dc_link_pu"], 1 if "delay" in keys else 0
    deep, tall = sustained(link, delay, np.max), sustained(link, delay, np.min)
    beyond = (deep < keys.get("min", 0.0)) | (tall > keys.get("max", 9.0))
    assert beyond.any()
    check(state(site), beyond, delay)


def expanded(profile: str, node: str, **sections: Any) -> Any:
    found = document(limits=[{"profile": profile, "node": node, "required": True, "unverified": True}], **sections)
    expand_profiles(found, None, "x")
    return from_document(found, source="x")


def test_the_classes_of_iec_62040_3_are_unverified_wherever_they_are_told():
    load = {**FLAT, "power": "8.2 MW"}
    sections = {"ups": {"a": {**UPS, **BYPASSED}}, "events": [dip(1.0, 0.08, 0.8)], "load": load, "duration": "2 s"}
    for number, outcome in ((1, "FAIL"), (2, "PASS"), (3, "PASS")):
        result = run_scenario(expanded(f"iec-62040-3-class-{number}", "ups.a", **sections), ALONE)
        (limit,) = result.limits.values()
        assert (limit.outcome, limit.unverified) == (outcome, True)
        assert "from memory" in limit.basis
        assert result.summary()["limits"][0]["unverified"] is True
