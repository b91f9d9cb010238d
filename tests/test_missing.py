"""What was missing to hold a limit: closed forms, and storages let loose on the power and judged anew."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from law_support import ALONE
from rig import document
from ups_support import UPS, dip

from hil.check.api import check
from hil.limits.entries import judged
from hil.limits.facts import Facts, facts_of
from hil.limits.replaying import replayed
from hil.report.junit import document as junit
from hil.report.words import energy, missing, told
from hil.scenario.files import from_document
from hil.session.run import run_scenario
from hil.verdict.missing import Shown, voided, with_missing
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult
from hil.verdict.shortfall import beyond_j, range_follower, range_shortfall_j, sine_j, swing_j

FLAT = {
    "kind": "training",
    "power": "12 MW",
    "communication_power": 1.0,
    "idle_power": 0.5,
    "power_factor": 1.0,
    "jitter": 0.0,
}
CRASH = {"kind": "load_crash", "at": "5 s"}
H = 1e-3


def ended(limit: dict[str, object], **sections: object):
    given = {"duration": "20 s", "load": FLAT, "events": [CRASH], "grid": {"short_circuit": "50 GVA"}}
    limit = {"name": "x", "required": True, **limit}
    return run_scenario(from_document(document(**(given | {"record": {"rate": "1 kHz"}} | sections), limits=[limit])), ALONE)


def recording(path: Path, channel: str, values: np.ndarray, step_s: float) -> Path:
    rows = (f"{n * step_s!r},{value!r}" for n, value in enumerate(values.tolist()))
    path.write_text("\n".join([f"time_s,{channel}", *rows]) + "\n")
    return path


def checked(folder: Path, limit: str, channel: str, values: np.ndarray, step_s: float = 0.01):
    orders = folder / "limits.toml"
    orders.write_text(f"[[limits]]\nname = 'x'\nrequired = true\n{limit}\n")
    return check(recording(folder / "r.csv", channel, values, step_s), orders).limits["x"]


# --- ranges ---


def ranges(values: np.ndarray, window: int) -> np.ndarray:
    return np.array([np.ptp(values[max(0, n - window) : n + 1]) for n in range(values.size)])


@pytest.mark.parametrize("restore_s", [math.inf, 5.0, 0.3])
@pytest.mark.parametrize("window_s", [0.1, 1.0, 30.0])
def test_what_a_storage_leaves_holds_the_range_in_every_window(window_s, restore_s):
    rng = np.random.default_rng(4)
    power_w = np.cumsum(rng.normal(0.0, 0.3, 2000)) + np.where(rng.random(2000) < 0.01, 20.0, 0.0)
    left_w = range_follower(power_w, 0.1, 2.0, window_s, restore_s)
    assert ranges(power_w, round(window_s / 0.1)).max() > 2.0
    assert ranges(left_w, round(window_s / 0.1)).max() <= 2.0 + 1e-9
    held = np.clip(power_w, 0.0, 1.9)
    assert np.array_equal(range_follower(held, 0.1, 2.0, window_s, math.inf), held)  # it does nothing without need


@pytest.mark.parametrize("steps", [1.5, 2.5, 4.0])
def test_the_energy_of_a_step_is_that_of_its_stairs(steps):
    """A step of k bounds goes up a bound a window: Σ (k − i)·bound·window, i from 1 on."""
    bound_w, window_s = 5e6, 10.0
    power_w = np.where(np.arange(100_000) * H < 20.0, 0.0, steps * bound_w)
    closed = sum(max(0.0, steps - i) for i in range(1, 5)) * bound_w * window_s
    assert range_shortfall_j(power_w, H, bound_w, window_s) == pytest.approx(closed, rel=1e-3)


def test_a_swing_that_goes_on_needs_a_storage_that_does_not_grow_with_it():
    """A square wave of twice the bound: half a period of the bound, and not more the longer it lasts."""
    time_s = np.arange(60_000) * 0.01
    power_w = np.where(time_s % 4.0 < 2.0, 0.0, 10e6)
    short, long = (range_shortfall_j(power_w[:n], 0.01, 5e6, 15.0) for n in (30_000, 60_000))
    assert long == pytest.approx(short, rel=0.01)
    assert 0.5 * 5e6 * 2.0 < long < 2.5 * 5e6 * 2.0


@pytest.mark.parametrize("kind", ["peak_to_peak", "dynamic_range"])
def test_a_range_that_was_violated_says_how_much_storage_was_missing(kind):
    """6 MW fall in 250 ms against 4 MW in 3 s: 2 MW for 3 s less 4/6 of the fall, whether the bound is in MW or a share."""
    most = {"max": "4 MW"} if kind == "peak_to_peak" else {"max": 0.25, "of": "16 MW"}
    found = ended({"kind": kind, "window": "3 s", **most}).limits["x"]
    assert found.outcome == "FAIL"
    assert found.missing_j == pytest.approx(2e6 * (3.0 - 0.25 * 4.0 / 6.0), rel=0.01)
    assert missing(found) == f"{found.missing_j / 3.6e6:.3g} kWh more storage would have held it"
    assert ended({"kind": "peak_to_peak", "window": "3 s", "max": "7 MW"}).limits["x"].missing_j is None


# --- behind a filter, and a sine ---


@pytest.mark.parametrize("order", [2, None])
def test_a_variation_is_held_by_the_storage_that_it_says(tmp_path, order):
    """A sine of 8 MW against 10 MW peak to peak: what is clipped of it, to the tenth by which the clipping is tried."""
    time_s = np.arange(30_000) * H
    power_w = 50e6 + 8e6 * np.minimum(time_s / 5.0, 1.0) * np.sin(2.0 * np.pi * time_s)
    keys = f"order = {order}\n" if order else ""
    limit = f"kind = 'variation'\nband = ['0.1 Hz', '55 Hz']\nmax = '10 MW'\nwindow = '5 s'\n{keys}"
    found = checked(tmp_path, limit, "pcc.power_w", power_w, H)
    assert found.outcome == "FAIL"
    for low_w, high_w in ((4e6, 5.1e6),):  # what is left has this amplitude: the clipped cap of a sine, either way
        caps = [
            8e6 / np.pi * math.sqrt(1.0 - (left / 8e6) ** 2) - left * math.acos(left / 8e6) / np.pi for left in (high_w, low_w)
        ]
        assert caps[0] < found.missing_j < 1.05 * caps[1]


def test_a_variation_needs_every_tick_to_be_told(tmp_path):
    limit = {"kind": "variation", "band": ["0.1 Hz", "55 Hz"], "max": "1 MW", "window": "5 s", "order": 2}
    assert ended(limit).limits["x"].missing_j > 0.0
    assert ended(limit, record={"rate": "100 Hz"}).limits["x"].missing_j is None


def test_an_oscillation_says_what_a_sine_has_beyond_it(tmp_path):
    """2·(A − max)/ω."""
    time_s = np.arange(40_000) * H
    power_w = 20e6 + 3e6 * np.sin(2.0 * np.pi * 0.8 * time_s)
    limit = "kind = 'oscillation'\nband = ['0.2 Hz', '5 Hz']\nwindow = '10 s'\nmax = '2 MW'\n"
    found = checked(tmp_path, limit, "pcc.power_w", power_w, H)
    assert found.missing_j == pytest.approx(2.0 * 1e6 / (2.0 * np.pi * 0.8), rel=0.01)
    excess_w = 1e6 * np.sin(2.0 * np.pi * 0.8 * time_s)
    assert swing_j(excess_w, H) == pytest.approx(sine_j(3e6, 2e6, 0.8), rel=1e-4)


# --- beyond a bound ---


def test_energy_beyond_a_bound_counts_whole_stretches_that_violate_it():
    power_w = np.array([5.0, 1.0, 1.0, 5.0, 0.0, 5.0, 2.0, 2.0, 2.0, np.nan, 2.0])
    for delay_s, energy_j, samples, count in (
        (0.0, 4.0 + 3.0 + 3.0 + 1.0, 7, 4),
        (0.1, 7.0, 5, 2),
        (0.2, 3.0, 3, 1),
        (0.3, 0.0, 0, 0),
    ):
        found = beyond_j(power_w, 0.1, 3.0, under=True, delay_s=delay_s)
        assert found == (pytest.approx(0.1 * energy_j), pytest.approx(0.1 * samples), count)
    assert beyond_j(-power_w, 0.1, -3.0, under=False, delay_s=0.1) == (pytest.approx(0.7), pytest.approx(0.5), 2)


def test_underpower_says_how_much_too_little_was_taken():
    """6 of 12 MW from the crash at 5 s on: 4 MW below 10 MW, for 15 s."""
    found = ended({"kind": "underpower", "min": "10 MW", "delay": "1 s"}).limits["x"]
    assert found.missing_j == pytest.approx(4e6 * 15.0, rel=0.02)
    assert missing(found).endswith("kWh too little was taken from the grid while it was violated")


def test_reverse_power_says_how_much_too_much_was_given(tmp_path):
    power_w = np.concatenate([np.full(500, 2e6), np.full(300, -3e6), np.full(500, 2e6), np.full(5, -9e6), np.full(10, 2e6)])
    found = checked(tmp_path, "kind = 'reverse_power'\nmax = '1 MW'\ndelay = '500 ms'", "pcc.power_measured_w", power_w)
    assert found.missing_j == pytest.approx(2e6 * 3.0)  # the second is over before its delay


def test_overload_says_how_much_too_much_was_taken():
    ups = {"a": UPS | {"rating": "10 MW"}}
    found = ended({"kind": "overload", "node": "ups.a", "max": 1.1, "delay": "100 ms"}, ups=ups).limits["x"]
    assert found.missing_j == pytest.approx(1e6 * 5.0, rel=0.02)  # 12 MW of 11 until the crash


def test_rows_that_do_not_show_each_excursion_tell_no_energy(tmp_path):
    """300 ms below, ten times: rows of 2 Hz miss some."""
    limit = {"kind": "underpower", "min": "11 MW"}
    load = FLAT | {"iteration": "1 s", "communication_power": 0.5, "compute_share": 0.7, "edge": "10 ms"}
    every = ended(limit, load=load, events=[]).limits["x"]
    assert every.excursions > 5
    assert every.missing_j == pytest.approx(5e6 * every.time_beyond_s, rel=0.1)
    assert ended(limit, load=load, events=[], record={"rate": "2 Hz"}).limits["x"].missing_j is None


# --- batteries, seconds ---


@pytest.mark.parametrize(("window", "side"), [([0.4, 0.9], "short"), ([0.1, 0.35], "full")])
def test_a_battery_says_how_much_it_was_short(tmp_path, window, side):
    """Of 5 MWh; a recording of a device of which nothing is known says nothing."""
    bess = {"main": {"rating": "5 MVA", "energy": "5 MWh", "soc": 0.5 if side == "full" else 0.38}}
    found = ended({"kind": "soc_window", "node": "bess.main", "window": window}, bess=bess, duration="2 s", events=[]).limits[
        "x"
    ]
    assert found.outcome == "FAIL"
    assert found.missing_j == pytest.approx(abs(found.worst - found.limit) * 5e6 * 3600.0)
    weak = {"kind": "weak_cells", "at": "1 s", "device": "bess.main", "capacity": 0.5}
    spoilt = ended({"kind": "soc_window", "node": "bess.main", "window": window}, bess=bess, duration="2 s", events=[weak])
    assert (spoilt.limits["x"].outcome, spoilt.limits["x"].missing_j) == ("FAIL", None)
    values = np.full(50, 0.3)
    alone = checked(tmp_path, "kind = 'soc_window'\nnode = 'bess.main'\nwindow = [0.4, 0.9]", "bess.main.soc", values)
    assert (alone.outcome, alone.missing_j) == ("FAIL", None)


def test_seconds_beyond_of_a_time_on_battery_and_a_recovery():
    ups = {"a": UPS | {"rating": "14 MW", "qualify": "2 s", "walk_in": "2 s"}}
    away = [dip(5.0, 0.2, 0.3)]
    for limit in ({"kind": "on_battery", "node": "ups.a", "max": "1 s"}, {"kind": "recovery", "max": "1 s"}):
        result = ended(limit, ups=ups, events=away)
        found = result.limits["x"]
        assert found.outcome == "FAIL"
        assert found.missing_s == found.worst - 1.0 > 0.5
        assert found.missing_j is None
        assert missing(found) == f"{found.missing_s:.3f} s too long"
        assert result.summary()["limits"][0]["missing_s"] == found.missing_s


# --- stimuli ---


def test_what_a_scripted_dip_voids_is_no_energy():
    """A UPS lets go in the dip and comes back 4 s later: only what is judged counts."""
    ups = {"a": UPS | {"rating": "14 MW", "qualify": "2 s", "walk_in": "1 s"}}
    scenario = {"ups": ups, "events": [dip(5.0, 0.2, 0.3)]}
    result = ended({"kind": "underpower", "min": "10 MW"}, **scenario)
    found = result.limits["x"]
    ((begin_s, end_s),) = voided(result.scenario)
    assert found.blanked_s == pytest.approx(end_s - begin_s, abs=2 * H)
    time_s, power_w = result.signal("pcc.power_measured_w")
    seen = (time_s <= begin_s + 1e-9) | (time_s > end_s + 1e-9)
    assert found.missing_j == pytest.approx(np.maximum(10e6 - power_w[seen], 0.0).sum() * H, rel=1e-6)
    whole = ended({"kind": "underpower", "min": "10 MW"}, ups=ups, events=[dip(5.0, 0.2, 0.3) | {"judged": True}]).limits["x"]
    assert whole.missing_j > found.missing_j


def test_dips_that_overlap_void_once():
    events = [dip(5.0, 1.0, 0.3), dip(5.5, 1.0, 0.5), dip(10.0, 0.1, 0.5), dip(12.0, 0.1, 0.5) | {"judged": True}]
    spans = voided(from_document(document(duration="20 s", events=events)))
    assert [begin_s for begin_s, _ in spans] == [5.0, 10.0]
    assert spans[0][1] > 6.5


# --- words ---


@pytest.mark.parametrize(
    ("energy_j", "words"), [(61e6 * 3600.0, "61 MWh"), (3.6e9, "1 MWh"), (7.2e8, "200 kWh"), (1e6, "0.278 kWh")]
)
def test_an_energy_in_the_unit_of_people(energy_j, words):
    assert energy(energy_j) == words


def test_it_is_told_wherever_a_limit_is():
    result = ended({"kind": "peak_to_peak", "window": "3 s", "max": "4 MW"})
    found = result.limits["x"]
    assert f"{energy(found.missing_j)} missing" in told(found)
    text = junit(result).decode()
    assert f'<property name="missing_j.x" value="{found.missing_j:.6g}" />' in text
    assert f"x: {energy(found.missing_j)} more storage would have held it" in text


# --- where it is not known ---


ROWS_S = np.arange(1, 2001) * 0.01
LIMIT = {"name": "x", "kind": "underpower", "min": "10 MW"}
LOW_W = np.where((ROWS_S > 5.0) & (ROWS_S <= 8.0), 4e6, 12e6)
FAILED = LimitResult(
    "x",
    "underpower",
    "pcc",
    required=True,
    outcome=Outcome.FAIL,
    unit="W",
    limit=10e6,
    worst=4e6,
    time_beyond_s=3.0,
    excursions=1,
)


def reckoned(found: LimitResult, power_w: np.ndarray | None = LOW_W, rows: slice | np.ndarray = slice(None), **shown: object):
    (limit,) = from_document(document(duration="20 s", limits=[LIMIT])).limits
    signal = {} if power_w is None else {"pcc.power_measured_w": (ROWS_S[rows], power_w[rows])}
    return with_missing(limit, found, Shown(Facts(1_000_000, 60.0), signal.get, **shown)).missing_j


def test_what_rows_do_not_tell_is_null_and_no_guess():
    assert reckoned(FAILED) == pytest.approx(6e6 * 3.0)
    for found, power_w in (
        (FAILED, None),  # not recorded
        (FAILED, np.where(ROWS_S == 1.0, np.nan, LOW_W)),  # with a gap
        (replace(FAILED, suspect_s=0.5), LOW_W),  # ticks came too late
        (replace(FAILED, blanked_s=0.5), LOW_W),  # some stimulus that is not in the scenario
        (replace(FAILED, excursions=2), LOW_W),  # one more that no row shows
        (replace(FAILED, time_beyond_s=3.2), LOW_W),  # or that was longer
        (replace(FAILED, outcome=Outcome.PASS), LOW_W),
    ):
        assert reckoned(found, power_w) is None
    assert reckoned(FAILED, rows=np.arange(2000) != 900) is None  # a row was lost


def test_spans_that_are_voided_and_a_warm_up_are_left_out():
    cut = replace(FAILED, blanked_s=1.0, time_beyond_s=2.0)
    assert reckoned(cut, voided=[(5.0, 6.0)]) == pytest.approx(6e6 * 2.0)
    assert reckoned(replace(FAILED, time_beyond_s=1.5), begin_s=6.5) == pytest.approx(6e6 * 1.5)


def test_other_kinds_say_nothing():
    found = ended({"kind": "undervoltage", "min": 0.9}, events=[dip(5.0, 0.2, 0.3, judged=True)]).limits["x"]
    assert (found.outcome, found.missing_j, found.missing_s, missing(found)) == ("FAIL", None, None, None)


@pytest.mark.parametrize(
    "keys", [{"form": form} for form in ("mean_difference", "endpoint", "slope", "range", "block_average")] + [
        {"form": "block_average", "block_start": "500 ms"}, {"form": "unstated"}
    ],
)  # fmt: skip
def test_a_ramp_in_every_form_says_the_same_and_is_held_by_it(keys):
    """6 MW in 250 ms against 1 MW/s; the power that such a storage leaves is judged anew, in the same form."""
    limit = {"kind": "ramp", "max": "1 MW/s", "window": "2 s", **keys}
    result = ended(limit)
    found = result.limits["x"]
    assert found.outcome == "FAIL"
    assert found.missing_j == pytest.approx(0.5 * 6e6 * (6.0 - 0.25), rel=0.02)
    scenario, power_w = result.scenario, result.signal("pcc.power_measured_w")[1]
    left_w = np.empty_like(power_w)
    left_w[0] = power_w[0]
    for n in range(1, power_w.size):
        left_w[n] = np.clip(power_w[n], left_w[n - 1] - 1e3, left_w[n - 1] + 1e3)
    facts = facts_of(scenario)
    ways = [(scenario.limits[0], how) for how in judged(scenario.limits[0], facts)]
    for (_, how), state in zip(ways, replayed(ways, {"pcc.power_measured_w": left_w}, facts)[0], strict=True):
        assert max(state["highest"], -state["lowest"]) * how.scale <= 1e6 * (1.0 + 1e-6)
