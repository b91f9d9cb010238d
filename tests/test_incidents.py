"""The incidents: each shows what its sources tell, each of its perturbations breaks what it names; closed forms from runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hil
from hil.errors import ScenarioError
from hil.report.result import Result
from hil.scenario.files import from_document, incidents, load
from hil.verdict.outcome import Outcome

ROOT = Path(__file__).parents[1]
NAMES = sorted(incidents())
QUICK = ("eirgrid_recovery", "osc_14_8", "polca_race")
ASKED = {
    "nerc_2024_07_10", "job_collapse", "job_collapse_full", "llama3_swings", "osc_0_25", "osc_14_8", "osc_23",
    "ercot_study_dip", "eirgrid_recovery", "ups_battery_dead", "xai_megapack", "polca_race", "gb300_smoothing",
    "generator_start",
}  # fmt: skip


def outcome(name: str, changes: list[str] | None = None) -> Result:
    return hil.run(load(name, changes or []), folder=None)


def missed(result: Result) -> list[str]:
    return sorted(one.name for one in result.expectations.values() if one.outcome is not Outcome.PASS)


def test_the_library_has_what_was_asked_for():
    assert set(NAMES) >= ASKED


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_happened_who_says_so_and_what_is_assumed(name):
    scenario = load(name)
    incident = scenario.incident
    assert scenario.title
    assert incident is not None
    assert incident.narrative.strip()
    assert incident.source
    assert incident.assumptions
    assert scenario.expect
    broken = [expectation for one in incident.perturbations for expectation in one.breaks]
    assert {expect.name for expect in scenario.expect} == set(broken)
    for perturbation in incident.perturbations:
        assert load(name, perturbation.set).document() != scenario.document()


def test_the_page_is_of_the_incidents_as_they_are(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    pytest.importorskip("PIL")
    from incidents_page import outdated

    assert list(outdated()) == [], "make incidents"


def test_pictures_are_small():
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs" / "pictures" / "incidents").glob("*.png")}
    assert len(sizes) == len(NAMES)
    assert max(sizes.values()) < 150_000


def shows_it_and_breaks(name: str) -> None:
    result = outcome(name)
    assert (result.verdict, missed(result), result.reasons) == (Outcome.PASS, [], [])
    for perturbation in load(name).incident.perturbations:
        assert missed(outcome(name, perturbation.set)) == sorted(perturbation.breaks), perturbation.title


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_one_shows_what_happened_and_each_perturbation_breaks_what_it_names(name):
    shows_it_and_breaks(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name not in QUICK])
def test_it_shows_what_happened_and_each_perturbation_breaks_what_it_names(name):
    shows_it_and_breaks(name)


@pytest.mark.slow
def test_84_percent_are_lost_at_the_third_dip_whatever_the_seed():
    lost = []
    for seed in range(20):
        result = outcome("nerc_2024_07_10", [f"seed={seed}", "duration='60 s'", "events=[" + DIPS + "]", *BARE])
        time_s, power_w = result.signal("pcc.power_w")
        before, after = np.interp([42.5, 59.0], time_s, power_w)
        lost.append(1.0 - after / before)
    assert 0.82 <= min(lost) <= max(lost) <= 0.86


BARE = ["expect=[]", "incident.perturbations=[]"]
"""What leaves an incident's expectations out."""
DIPS = ", ".join(
    f"{{at='{at} s', kind='grid_dip', duration='{ms} ms', residual={residual}}}"
    for at, ms, residual in ((10, 42, 0.25), (26.4, 47, 0.28), (42.8, 52, 0.31))
)


def storage_mwh(result: Result, begin_s: float = 0.0, end_s: float = 1e9) -> float:
    """Energy that the storage gave between two times."""
    time_s, power_w = result.signal("bess.main.power_w")
    step_s = np.diff(time_s, prepend=0.0)
    inside = (time_s > begin_s) & (time_s <= end_s)
    return float((power_w * step_s)[inside].sum()) / 3.6e9


@pytest.mark.parametrize(("mw_per_min", "told_mwh"), [(8, 173.0), (20, 68.0), (30, 44.6), (300, 2.6)])
def test_energies_of_the_collapse_from_runs(mw_per_min, told_mwh):
    changes = [f"absorber.main.ramp='{mw_per_min} MW/min'", "limits=[]", *BARE]
    taken_mwh = -storage_mwh(outcome("job_collapse", changes))
    assert taken_mwh == pytest.approx(0.5 * 410 * (410 / mw_per_min - 0.6) / 60, rel=0.001)
    assert taken_mwh == pytest.approx(told_mwh, rel=0.01)


@pytest.mark.parametrize("mw_per_min", [8, 20, 30, 300])
def test_what_no_storage_lacks_is_that_energy(mw_per_min):
    limit = f"limits=[{{name='it', kind='ramp', max='{mw_per_min} MW/min', window='60 s'}}]"
    result = outcome("job_collapse", ["absorber.main.kind='none'", limit, "measurement.window='10 ms'", *BARE])
    assert result.limits["it"].missing_j / 3.6e9 == pytest.approx(0.5 * 410 * (410 / mw_per_min - 0.6) / 60, rel=0.01)


def test_energies_of_the_whole_collapse_from_a_run():
    """Held against the integral of load and of what follows it at 20 MW/min, on a grid of its own."""
    knots_s = np.array([0.0, 60.0, 96.0, 96.0, 60.0 + 36.0 + 14400.0, 60.0 + 36.0 + 14400.0 + 180.0, 18000.0])
    knots_mw = np.array([450.0, 450.0, 40.0, 7.0, 7.0, 450.0, 450.0])
    time_s = np.arange(0.0, 18000.0, 0.5)
    load_mw = np.interp(time_s, knots_s, knots_mw)
    grid_mw = np.empty_like(load_mw)
    grid_mw[0] = load_mw[0]
    for k in range(1, time_s.size):
        grid_mw[k] = grid_mw[k - 1] + np.clip(load_mw[k] - grid_mw[k - 1], -20 / 120, 20 / 120)
    given_mwh = (load_mw - grid_mw) * 0.5 / 3600.0
    charge_mwh, discharge_mwh = -given_mwh[time_s < 14000].sum(), given_mwh[time_s >= 14000].sum()
    assert (charge_mwh, discharge_mwh) == (pytest.approx(79.39, rel=0.001), pytest.approx(70.70, rel=0.001))
    result = outcome("job_collapse_full")
    assert -storage_mwh(result, 0.0, 14000.0) == pytest.approx(charge_mwh, rel=0.002)
    assert storage_mwh(result, 14000.0) == pytest.approx(discharge_mwh, rel=0.002)


def square_wave(duty: float, period_s: float, *storage: dict) -> hil.Scenario:
    """A site of 10 MW whose load is a square wave of 8 MW from peak to peak; with a storage it is flattened."""
    document = {
        "duration": f"{30 * period_s} s",
        "tick": "1 ms",
        "transport": "direct",
        "grid": {"voltage": "34.5 kV", "short_circuit": "10 GVA"},
        "load": {
            "kind": "training",
            "power": "10 MW",
            "iteration": f"{period_s} s",
            "edge": "0 s",
            "compute_share": duty,
            "communication_power": 0.2,
        },
        "record": {"rate": "1000 Hz", "channels": ["pcc.power_w"]},
        "limits": [],
    }
    if storage:
        document |= {"bess": {"main": storage[0]}, "absorber": {"main": storage[1]}}
        document["record"]["channels"] = ["bess.main.power_w"]
    return from_document(document)


DUTIES = {0.5: (0.6366, 0.0, 0.2122, 0.1273), 0.7: (0.5150, 0.3027, 0.0656, 0.1273),
          0.8: (0.3742, 0.3027, 0.2018, 0.0), 0.9: (0.1967, 0.1871, 0.1717, 0.1273)}  # fmt: skip
"""Amplitudes of harmonics 1, 2, 3 and 5 over the swing, by duty."""


@pytest.mark.parametrize("duty", DUTIES)
def test_harmonics_of_a_square_wave_at_the_pcc(duty):
    _, power_w = hil.run(square_wave(duty, 1.0), folder=None).signal("pcc.power_w")
    lines_w = np.abs(np.fft.rfft(power_w[-20_000:])) / 10_000
    found = lines_w[[20, 40, 60, 100]] / 8e6
    assert found == pytest.approx(np.array(DUTIES[duty]), rel=0.01, abs=2e-4)
    orders = np.array([1, 2, 3, 5])
    assert found == pytest.approx(2 / (np.pi * orders) * np.abs(np.sin(np.pi * orders * duty)), rel=0.01, abs=2e-4)


@pytest.mark.parametrize(("duty", "period_s"), [(0.5, 0.5), (0.5, 2.0), (0.7, 1.0), (0.8, 1.0), (0.9, 1.0)])
def test_storage_that_flattens_a_square_wave_swings_by_its_closed_form(duty, period_s):
    lossless = dict.fromkeys(
        ("standby_loss", "linear_loss", "quadratic_loss", "resistance", "rc1_resistance", "rc2_resistance"), 0.0
    )
    bess = {"rating": "20 MVA", "energy": "1 MWh", "converter_lag": "0 s", "slew": "100 GW/s", **lossless}
    law = {"device": "bess.main", "kind": "high_pass", "time": f"{3 * period_s} s", "restore_most": 0.0, "share": 1.0}
    scenario = square_wave(duty, period_s, bess, law)
    time_s, power_w = hil.run(scenario, folder=None).signal("bess.main.power_w")
    last = time_s > time_s[-1] - period_s + 1e-6
    swing_j = np.ptp(np.cumsum(power_w[last]) * 1e-3)
    assert swing_j == pytest.approx(8e6 * duty * (1 - duty) * period_s, rel=0.01)


def test_the_race_of_polca_from_a_run():
    """From 89 % on: the brake after 5 s, 3 s after the rise has ended; 5 - 2 * 11/37.5 = 4.41 s above what is provisioned."""
    time_s, demand_w = outcome("polca_race", ["record.rate='1000 Hz'"]).signal("ups.row.demand_w")
    begun_s, brake_s = time_s[np.argmax(demand_w > 0.8901e6)], time_s[np.argmax((time_s > 12.0) & (demand_w < 1e6))]
    assert brake_s - begun_s == pytest.approx(5.0, rel=0.01)
    assert brake_s - 12.0 == pytest.approx(3.0, rel=0.01)
    assert np.sum((demand_w > 1e6) & (time_s < brake_s)) * 1e-3 == pytest.approx(5.0 - 2.0 * 11.0 / 37.5, rel=0.01)


def with_ups(*events: dict, **ups: object) -> Result:
    return hil.run(
        from_document(
            {
                "duration": "60 s",
                "tick": "2 ms",
                "transport": "direct",
                "grid": {"voltage": "34.5 kV", "short_circuit": "500 MVA"},
                "load": {"kind": "training", "power": "2 MW", "compute_share": 1.0},
                "ups": {"a": {"rating": "3 MW", "qualify": "1 s", "walk_in": "1 s", **ups}},
                "record": {"rate": "50 Hz"},
                "events": list(events),
                "limits": [],
            }
        ),
        folder=None,
    )


def turn(at_s: float, command: str, **keys: object) -> dict:
    return {"at": f"{at_s} s", "kind": "ups_command", "device": "ups.a", "command": command, **keys}


def dip(at_s: float) -> dict:
    return {"at": f"{at_s} s", "kind": "grid_dip", "duration": "100 ms", "residual": 0.3}


def at(result: Result, signal: str, *times_s: float) -> list[float]:
    """Values at times."""
    time_s, values = result.signal(signal)
    return [float(values[np.searchsorted(time_s, one_s)]) for one_s in times_s]


OFF, BYPASS, NORMAL, ECO = 0, 1, 2, 4


def test_somebody_turns_a_ups_to_its_bypass_and_back():
    result = with_ups(turn(10, "bypass"), turn(30, "bypass", on=False))
    assert at(result, "ups.a.mode", 9.9, 10.1, 29.9, 40.0) == [NORMAL, BYPASS, BYPASS, NORMAL]
    noted = [one for one in result.events if one["event"] == "ups_command"]
    assert [(one["time_s"], one["command"], one["on"]) for one in noted] == [(10.0, "bypass", True), (30.0, "bypass", False)]


def test_somebody_switches_a_ups_off_and_on():
    result = with_ups(turn(10, "operation", on=False), turn(40, "operation"))
    assert at(result, "ups.a.mode", 9.9, 11.0, 39.9, 50.0) == [NORMAL, OFF, OFF, NORMAL]
    assert at(result, "ups.a.output_w", 9.9, 39.9, 50.0) == pytest.approx([2e6, 0.0, 2e6])


def test_somebody_lets_a_ups_feed_from_its_bypass():
    result = with_ups(turn(10, "eco"), turn(40, "eco", on=False))
    assert at(result, "ups.a.mode", 9.9, 30.0, 59.0) == [NORMAL, ECO, NORMAL]


def test_a_counter_that_somebody_turns_off_counts_nothing():
    dips = [dip(10), dip(14), dip(18)]
    assert at(with_ups(*dips, counter=True), "ups.a.latched", 59.0) == [1.0]
    assert at(with_ups(turn(5, "counter", on=False), *dips, counter=True), "ups.a.latched", 59.0) == [0.0]
    assert at(with_ups(turn(5, "counter"), *dips, counter=False), "ups.a.latched", 59.0) == [1.0]


def test_a_latched_ups_comes_back_once_somebody_resets_it():
    result = with_ups(dip(10), dip(14), dip(18), turn(40, "reset_counter"), counter=True)
    assert at(result, "ups.a.latched", 39.9, 45.0) == [1.0, 0.0]
    assert at(result, "pcc.power_w", 39.9)[0] == pytest.approx(0.0, abs=1e3)
    assert at(result, "pcc.power_w", 59.0)[0] > 2e6


def test_a_counter_that_was_reset_is_not_put_back():
    with pytest.raises(ScenarioError, match=r"events.0.on = false: must be true: a counter that was reset is not put back"):
        with_ups(turn(10, "reset_counter", on=False))
