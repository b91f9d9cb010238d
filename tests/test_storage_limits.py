"""Limits on batteries and UPSs, against brute force over the rows of a site (docs/protection.md, "Batteries and UPSs")."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_storage import BAD, one
from law_support import ALONE
from rig import BESS, ENABLE, LOSSLESS, SET_W, H, Rig, document
from test_limits_kernel import check, state, sustained
from ups_support import UPS, dip, rig

import hil
from firmware_sim.image import FaultPoint
from hil.check.api import check as check_recording
from hil.errors import ScenarioError
from hil.scenario.files import from_document
from hil.scenario.profiles import expand_profiles
from hil.session.run import run_scenario
from hil.verdict.outcome import Outcome

sys.path.append(str(Path(__file__).parents[1] / "validation"))
from protection.masks import hysteresis

CELLS = 1000.0 / 3.2
FLAT = {"kind": "training", "power": "5 MW", "communication_power": 1.0, "idle_power": 1.0, "power_factor": 1.0}
SOFT = {"resistance": 0.06}
DISCHARGE = [(100, SET_W, 8e6), (100, ENABLE, 1.0)]
TO_AND_FRO = [*DISCHARGE, (1_500, SET_W, -8e6)]


def battery(*limits: dict[str, Any], ticks: int = 3_000, **bess: Any) -> Rig:
    return Rig({"limits": list(limits), "bess": {"a": {**BESS, **SOFT, **bess}}}, np.full(ticks, 8e6))


# --- voltages ---


@pytest.mark.parametrize("delay_s", [0.0, 0.2])
def test_the_lowest_and_the_highest_cell_are_the_strings_over_its_cells(delay_s):
    site = battery(one("cell_voltage", min="3.16 V", max="3.44 V", delay=f"{delay_s} s")).run(TO_AND_FRO)
    volts, delay = site["bess.a.dc_voltage_v"] / CELLS, round(delay_s / H)
    for which in ("lowest", "highest"):
        assert site[f"bess.a.cell_voltage_{which}_v"] == pytest.approx(volts, rel=1e-12)
    deep, tall = sustained(volts, delay, np.max), sustained(volts, delay, np.min)
    assert (deep < 3.16).any()
    assert (tall > 3.44).any()
    check(state(site, 0), deep < 3.16, delay)
    check(state(site, 1), tall > 3.44, delay)
    assert state(site, 0)["lowest"] == pytest.approx(deep.min(), rel=1e-12)
    assert state(site, 1)["highest"] == pytest.approx(tall.max(), rel=1e-12)


def test_a_cell_of_lead_has_two_volts():
    ups = {"autonomy": "600 s", "soc": 0.2, "resistance": 0.06}
    site = rig(np.full(2_000, 3e6), ups, [dip(0.5, 1.0, 0.3)], limits=[one("cell_voltage", "ups.a", min="1.99 V")]).run()
    volts = site["ups.a.battery_voltage_v"] / 240.0
    assert site["ups.a.cell_voltage_lowest_v"] == pytest.approx(volts, rel=1e-12)
    check(state(site), volts < 1.99, 0)
    assert 0 < (volts < 1.99).sum() < 2_000
    lithium = rig(np.full(100, 3e6), {"chemistry": "lfp"}, limits=[one("cell_voltage", "ups.a", min="2.5 V")]).run()
    assert lithium["ups.a.cell_voltage_lowest_v"] == pytest.approx(lithium["ups.a.battery_voltage_v"] / 150.0, rel=1e-12)


def test_weak_cells_show():
    """As `weak_cells` has them: half of the capacity, twice the resistance."""

    def lowest(*fault: tuple[int, int, float]) -> float:
        site = battery(one("cell_voltage", min="2.6 V"), ticks=20_000).run([*DISCHARGE, *fault])
        assert state(site)["lowest"] == pytest.approx(site["bess.a.dc_voltage_v"].min() / CELLS, rel=1e-12)
        return float(state(site)["lowest"])

    sound, weak = lowest(), lowest((100, FaultPoint.CAPACITY, 0.05), (100, FaultPoint.RESISTANCE, 2.0))
    assert weak < 2.6 < sound


@pytest.mark.parametrize("delay_s", [0.0, 0.4])
@pytest.mark.parametrize(("kind", "scale"), [("cell_voltage", 1.0 / CELLS), ("dc_voltage", 1.0)])
def test_a_stage_with_a_release_stays_until_there(kind, scale, delay_s):
    swing = [(tick, SET_W, 8e6 if n % 2 else 3e6) for n, tick in enumerate(range(600, 6_000, 350))]
    pickup, release, delay = 980.0 * scale, 1005.0 * scale, round(delay_s / H)
    keys = {"min": f"{pickup!r} V", "release": f"{release!r} V", "delay": f"{delay_s} s"}
    site = battery(one(kind, **keys), ticks=6_000).run([*DISCHARGE, *swing])
    volts = site["bess.a.dc_voltage_v"] * scale
    up = hysteresis(volts < pickup, volts >= release)
    since = np.arange(volts.size) - np.maximum.accumulate(np.where(up, -1, np.arange(volts.size)))
    beyond = up & (since > delay)
    assert np.sum(np.diff(beyond.astype(int)) == 1) >= 2
    assert (beyond & (volts > pickup)).any()
    assert state(site)["first_tick"] == np.argmax(beyond)
    check(state(site), beyond, 0)


def test_the_voltage_of_a_battery_between_two_bounds():
    site = battery(one("dc_voltage", min="985 V", max="1070 V", delay="50 ms")).run(TO_AND_FRO)
    volts = site["bess.a.dc_voltage_v"]
    deep, tall = sustained(volts, 50, np.max) < 985.0, sustained(volts, 50, np.min) > 1070.0
    assert deep.any()
    assert tall.any()
    check(state(site), deep | tall, 50)


# --- current and temperature ---


@pytest.mark.parametrize(
    ("keys", "low", "high"),
    [
        ({"charge": 5.0}, 5.0, np.inf),
        ({"discharge": 6.0}, np.inf, 6.0),
        ({"charge": 5.0, "discharge": 6.0}, 5.0, 6.0),
        ({"max": 5.0}, 5.0, 5.0),
    ],
)
def test_charging_and_discharging_have_rates_of_their_own(keys, low, high):
    site = battery(one("c_rate", delay="20 ms", **keys)).run(TO_AND_FRO)
    rate = site["bess.a.dc_current_a"] / 600.0  # 0.6 MWh at 1 kV
    beyond = (sustained(rate, 20, np.max) < -low) | (sustained(rate, 20, np.min) > high)
    assert beyond.any()
    check(state(site), beyond, 20)


COLD = {**LOSSLESS, "ambient": "-5 degC", "soc": 0.5}


@pytest.mark.parametrize("least", [0.001, 2.0])
def test_a_battery_must_not_charge_in_the_cold(least):
    limits = [
        one("battery_temperature", name="in", min="0 degC", during="charging", delay="100 ms", least=least),
        one("battery_temperature", name="out", min="-10 degC", max="-4 degC", during="discharging", least=least),
        one("battery_temperature", name="warm", max="0 degC", during="discharging"),
    ]
    site = battery(*limits, **COLD).run(TO_AND_FRO)
    rate, delay = site["bess.a.dc_current_a"] / 600.0, 100
    flows = rate <= -least
    since = np.arange(rate.size) - np.maximum.accumulate(np.where(flows, -1, np.arange(rate.size)))
    check(state(site, 0), flows & (since > delay), 0)
    assert state(site, 0)["valid_ticks"] == flows.sum() > 1_000
    assert (state(site, 1)["beyond_ticks"], state(site, 1)["valid_ticks"]) == (0, (rate >= least).sum())
    assert state(site, 2)["valid_ticks"] == (rate >= 0.001).sum()
    assert flows.sum() + (rate >= least).sum() < rate.size  # where neither is judged


def test_what_never_charged_is_not_exercised():
    limit = one("battery_temperature", min="0 degC", during="charging", required=True)
    result = run_scenario(from_document(document(duration="2 s", bess={"a": BESS}, limits=[limit])), ALONE)
    assert (result.limits["x"].outcome, result.limits["x"].reasons) == (
        Outcome.NOT_EXERCISED,
        ["the battery was never charging"],
    )
    assert result.verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("keys", "ambient", "margin"),
    [
        ({"min": "0 degC"}, 20.0, 1.0),
        ({"min": "0 degC", "max": "25 degC"}, 20.0, 1.0),
        ({"max": "25 degC"}, 20.0, 1.0),
        ({"min": "0 degC", "during": "discharging"}, -5.0, -1.0),
        ({"max": "30 degC", "during": "discharging"}, 40.0, -1.0),
        ({"min": "0 degC", "max": "30 degC", "during": "discharging"}, 40.0, -2.0 / 3.0),
    ],
)
def test_the_margin_of_a_temperature_has_the_sign_of_its_outcome(keys, ambient, margin):
    bess = {**BESS, "ambient": f"{ambient} degC", "temperature_rise": "0 degC"}
    sections = document(duration="1 s", bess={"a": bess}, limits=[one("battery_temperature", **keys)])
    limit = run_scenario(from_document(sections), ALONE).limits["x"]
    assert limit.margin == pytest.approx(margin, rel=1e-6)
    assert limit.outcome == ("PASS" if margin > 0.0 else "FAIL")


# --- profiles, recordings, what is refused ---


def test_an_empty_battery_goes_through_the_stages_of_its_cells():
    # Down from 3 V: 2.8 V for 10 s, then 2.6 V for 20 s, as the profile has them.
    bess = {**BESS, "soc": 0.06, "energy": "0.1 MWh", "resistance": 0.01}
    found = document(limits=[{"profile": "bess-lfp", "node": "bess.a"}], bess={"a": bess})
    expand_profiles(found, None, "x")
    site = Rig({key: found[key] for key in ("limits", "bess")}, np.full(30_000, 8e6)).run(
        [(0, SET_W, 2.4e6), (0, ENABLE, 1.0)]
    )
    cell = site["bess.a.dc_voltage_v"] / CELLS
    names = [limit.name.partition(": ")[2] for limit in site.scenario.limits]
    first = {name: int(state(site, names.index(name))["first_tick"]) for name in names}
    for name, volts, delay in (("almost discharged", 3.075, 10_000), ("discharged", 2.8, 10_000)):
        below = np.flatnonzero(cell < volts)
        assert first[name] == below[0] + delay
        assert (cell[below[0] :] < volts).all()
    assert first["almost charged"] == first["overvoltage critical"] == -1


CHECKED = [
    one("overload", "ups.a", name="steps", steps=[["0.7 pu", "500 ms"]], required=True),
    one("overload", "ups.a", name="load", max=0.9, delay="50 ms"),
    one("on_battery", "ups.a", name="on battery", max="500 ms"),
    one("transfers", "ups.a", name="transfers", max=1, window="10 s"),
    one("output_voltage", "ups.a", name="output", below=[["0.9 pu", "100 ms"]]),
    one("dc_link", "ups.a", name="link", min=0.99, max=1.2),
    one("c_rate", "ups.a", name="rate", charge=5.0, discharge=30.0, delay="50 ms"),
    one("cell_voltage", name="cells", min="3.1 V", max="3.28 V", delay="50 ms"),
    one("cell_voltage", "ups.a", name="lead", min="1.99 V", delay="10 ms", release="2.1 V"),
    one("dc_voltage", name="string", min="990 V", max="1100 V"),
    one("battery_temperature", "ups.a", name="heat", max="25.05 degC", during="discharging"),
    one("soc_window", name="charge", window=[0.6, 0.7], delay="10 ms"),
]


def test_a_run_checked_again_judges_its_devices_as_it_did(tmp_path):
    """Every tick recorded; the rating, the cells and the ambient come from the run's scenario."""
    sections = {
        "ups": {"a": {**UPS, "walk_in": "100 ms", "qualify": "100 ms"}},
        "bess": {"a": BESS},
        "absorber": {"x": {"kind": "ramp_limit", "device": "bess.a", "ramp": "1 MW/s"}},
        "events": [dip(1.0, 0.1, 0.3), dip(3.0, 0.1, 0.3)],
        "record": {"rate": "1 kHz"},
    }
    scenario = from_document(document(duration="6 s", load=FLAT, limits=CHECKED, **sections))
    result = hil.run(scenario, folder=tmp_path / "run")
    again = check_recording(tmp_path / "run")
    assert again.verdict == result.verdict == "FAIL"
    assert {limit.outcome for limit in result.limits.values()} >= {"PASS", "FAIL"}
    for name, limit in result.limits.items():
        found = again.limits[name]
        assert (found.outcome, found.excursions) == (limit.outcome, limit.excursions), name
        assert found.worst == pytest.approx(limit.worst, rel=2e-5, abs=1e-6)
        if limit.first_violation_s is not None:
            assert found.first_violation_s == pytest.approx(limit.first_violation_s, abs=0.0021)


SLOW = "its delay, 0.1 s, is shorter than two samples, 0.2 s"


def recorded(folder: Path, **columns: list[float]) -> Path:
    path = folder / "site.csv"
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(["time_s", *columns]), *(f"{n / 10!r},{','.join(map(repr, row))}" for n, row in enumerate(rows))]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("limit", "outcome", "margin", "reasons"),
    [
        ("kind = 'cell_voltage'\nmin = '2.5 V'\nmax = '3.5 V'", "FAIL", -0.04, []),
        ("kind = 'cell_voltage'\nmax = '3.5 V'", "PASS", 0.02, []),
        ("kind = 'cell_voltage'\nmin = '2.5 V'\ndelay = '1 s'", "PASS", 0.2, []),
        ("kind = 'cell_voltage'\nmin = '2.5 V'\nrelease = '2.6 V'\ndelay = '100 ms'", "FAIL", -3.0, [SLOW]),
        ("kind = 'dc_voltage'\nmin = '900 V'", "INCONCLUSIVE", None, ["the recording has no bess.a.dc_voltage_v"]),
        ("kind = 'c_rate'\nmax = 2", "INCONCLUSIVE", None, ["nothing is known of bess.a"]),
    ],
)  # fmt: skip
def test_cells_as_a_battery_management_system_records_them(limit, outcome, margin, reasons, tmp_path):
    lowest = [3.0] * 19 + [3.01] + [2.4] * 5 + [3.0] * 20  # in steps of 10 mV
    path = recorded(tmp_path, **{"bess.a.cell_voltage_lowest_v": lowest, "bess.a.cell_voltage_highest_v": [3.43] * 45})
    (tmp_path / "limits.toml").write_text(f"[[limits]]\nname = 'x'\nnode = 'bess.a'\n{limit}\n")
    found = check_recording(path, tmp_path / "limits.toml").limits["x"]
    assert (found.outcome, found.reasons) == (outcome, reasons)
    assert found.margin == (None if margin is None else pytest.approx(margin))


@pytest.mark.parametrize(("limit", "line"), BAD, ids=[line for _, line in BAD])
def test_what_is_wrong_is_told_in_a_line(limit, line):
    with pytest.raises(ScenarioError) as refused:
        from_document(document(bess={"a": BESS}, ups={"a": UPS}, limits=[limit]), source="mine.toml")
    assert str(refused.value) == f"mine.toml: limits.x.{line}"


def test_a_key_that_is_set_in_python_is_checked_with_the_others():
    from hil.scenario import CellVoltage

    stage = CellVoltage(name="x", node="bess.a", min_v=2.5, release_v=2.6)
    with pytest.raises(ScenarioError, match=r"min_v = 2.7: release must be above min = 2.7 V"):
        stage.min_v = 2.7
    assert (stage.min_v, stage.release_v) == (2.5, 2.6)


def test_without_a_function_of_their_own_they_add_no_channel():
    """What looks at channels of the site alone."""
    limits = [
        one("dc_voltage", name="a", min="900 V"),
        one("battery_temperature", name="b", min="0 degC"),
        one("soc_window", name="c", window=[0.1, 0.9], delay="1 s"),
    ]
    assert battery(*limits).engine.channels == battery().engine.channels
