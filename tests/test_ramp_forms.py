"""Forms of a ramp, dynamic range: what a site judges, against the definition over all rows (docs/model.md, "Limits")."""

from __future__ import annotations

import math

import numpy as np
import pytest
from law_support import ALONE
from rig import H, Rig, document
from test_limits_kernel import state, walk
from ups_support import dip

from hil.check.api import check
from hil.errors import ScenarioError
from hil.limits.entries import judged
from hil.limits.facts import facts_of
from hil.limits.trends import Slope
from hil.scenario.files import from_document
from hil.scenario.limit.ramp import FORMS
from hil.session.run import run_scenario
from hil.verdict.foreseen import foreseen
from hil.verify.bench import Bench

POWER = "pcc.power_measured_w"


def ramp(**keys: object) -> dict[str, object]:
    return {"name": "x", "kind": "ramp", "max": "1 MW/s", **keys}


def windows(power_w: np.ndarray, ticks: int) -> np.ndarray:
    """Of each sample the closed window before it; what it was at first it was for ever before. Shape (n, ticks + 1)."""
    before = np.full(ticks, power_w[0])
    return np.lib.stride_tricks.sliding_window_view(np.concatenate([before, power_w]), ticks + 1)


def blocks(power_w: np.ndarray, ticks: int, start: int) -> np.ndarray:
    """Changes of the means of whole blocks one of which begins at `start`, per second."""
    before = np.full(ticks + -start % ticks, power_w[0])
    whole = np.concatenate([before, power_w])
    return np.diff(whole[: whole.size // ticks * ticks].reshape(-1, ticks).mean(axis=1)) / (ticks * H)


def by_definition(form: str, power_w: np.ndarray, ticks: int) -> np.ndarray:
    """The values of a form at each sample, per second."""
    window_s = ticks * H
    if form == "endpoint":
        return (windows(power_w, ticks)[:, -1] - windows(power_w, ticks)[:, 0]) / window_s
    if form == "slope":
        return np.polyfit(np.arange(ticks + 1) * H, windows(power_w, ticks).T, 1)[0]
    if form == "range":
        return np.ptp(windows(power_w, ticks), axis=1) / window_s
    return np.concatenate([blocks(power_w, ticks, start) for start in range(ticks)])


@pytest.mark.parametrize("form", ["endpoint", "slope", "range", "block_average"])
@pytest.mark.parametrize("ticks", [1, 7, 400])
def test_each_form_is_its_definition(form, ticks):
    site = Rig({"limits": [ramp(form=form, window=f"{ticks} ms")]}, walk(5)[:3000]).run()
    values = by_definition(form, site[POWER], ticks)
    scale = judged(site.scenario.limits[0], facts_of(site.scenario))[0].scale
    assert state(site)["highest"] * scale == pytest.approx(values.max(), rel=1e-6)
    if form != "range":
        assert state(site)["lowest"] == pytest.approx(values.min(), rel=1e-6)


@pytest.mark.parametrize(("ticks", "start"), [(1, 0), (7, 0), (7, 3), (400, 399), (400, 1000)])
def test_blocks_with_a_clock_end_where_it_says(ticks, start):
    limit = ramp(form="block_average", window=f"{ticks} ms", block_start=f"{start} ms")
    site = Rig({"limits": [limit]}, walk(6)[:3000]).run()
    (name,) = (name for name in site.engine.channels if "blocks" in name)
    wanted = blocks(site[POWER], ticks, start)
    ends = np.arange(start % ticks or ticks, 3001, ticks) - 1
    assert site[name][ends] == pytest.approx(wanted[: ends.size], rel=1e-9, abs=1e-6)
    assert np.all(site[name][: ends[0]] == 0.0)
    for at, until in zip(ends, [*ends[1:], 3000], strict=True):  # it stands until the next block is whole
        assert np.ptp(site[name][at:until]) == 0.0
    assert state(site)["highest"] == max(0.0, site[name].max())


def test_a_line_has_its_slope_in_every_form_and_a_constant_none():
    line = 5e6 + 1e3 * np.arange(6000)
    site = Rig({"limits": [ramp(form="unstated", window="1 s", mean="200 ms")]}, line).run()
    for at in range(len(FORMS)):
        assert site.engine.states["limits"][at]["highest"] == pytest.approx(1e6, rel=2e-3)
    flat = Rig({"limits": [ramp(form="slope", window="1 s")]}, np.full(5000, 7.3e6)).run()
    assert (state(flat)["highest"], state(flat)["lowest"]) == (0.0, 0.0)


def test_a_long_window_does_not_drift():
    """Ten thousand windows of a large constant with noise, and then the constant: the slope is zero again to rounding."""
    rng = np.random.default_rng(2)
    signal = np.concatenate([5e8 + rng.normal(0.0, 1e6, 200_000), np.full(100, 5e8)])
    bench = Bench()
    params, states = bench.add("slopes")
    Slope(20 * H).fill(params[0], states[0], bench, dt_s=H, channel=0, output=1, blank=0, before=float(signal[0]))
    end = bench.run(signal, outputs=1)[-1, 1]
    assert abs(end) < 1e-12 * 5e8 / (20 * H)


@pytest.mark.parametrize("form", ["slope", "block_average"])
def test_a_dip_is_held_through_and_what_comes_after_is_judged(form):
    """The same as of the power with what was blanked held: by the definition."""
    keys = {"block_start": "0 s"} if form == "block_average" else {}
    load = np.concatenate([np.full(2000, 5e6), np.full(2000, 6e6)])
    site = Rig({"limits": [ramp(form=form, window="300 ms", **keys)], "events": [dip(1.5, 0.1, 0.5)]}, load).run()
    blank = int(state(site)["blank_ticks"])
    assert blank > 100
    held = site[POWER].copy()
    held[1500 : 1500 + blank] = held[1499]
    wanted = blocks(held, 300, 0) if form == "block_average" else by_definition("slope", held, 300)
    (name,) = (name for name in site.engine.channels if "slope" in name or "blocks" in name)
    assert site[name].max() == pytest.approx(wanted.max(), rel=1e-6)
    assert site[name].min() == pytest.approx(wanted.min(), rel=1e-6, abs=1e-3)


def outcome(limit: dict[str, object], **sections: object):
    step = {"kind": "load_crash", "at": "5 s"}
    load = {"kind": "training", "power": "12 MW", "communication_power": 1.0, "idle_power": 0.5, "power_factor": 1.0}
    given = {"duration": "12 s", "load": load, "events": [step], "limits": [limit], "grid": {"short_circuit": "5 GVA"}}
    return run_scenario(from_document(document(**(given | sections))), ALONE).limits["x"]


def test_a_form_that_is_not_stated_must_not_matter():
    """A step of 6 MW within 2 s: 3 MW/s at the ends, 4.5 MW/s as a slope, whose worst is 1.5 times that."""
    each = {form: outcome(ramp(form=form, window="2 s", max="1 MW/s")) for form in FORMS}
    assert all(one.outcome == "FAIL" for one in each.values())
    assert -each["endpoint"].worst == pytest.approx(3e6, rel=0.01)
    assert -each["slope"].worst == pytest.approx(4.5e6, rel=0.01)
    assert each["range"].worst == pytest.approx(3e6, rel=0.01)
    unstated = {most: outcome(ramp(form="unstated", window="2 s", max=most)) for most in ("1 MW/s", "4 MW/s", "5 MW/s")}
    assert [str(one.outcome) for one in unstated.values()] == ["FAIL", "INCONCLUSIVE", "PASS"]
    assert unstated["4 MW/s"].reasons == [
        "held with mean difference, endpoint, range, block average, violated with slope: its source does not say which"
    ]
    assert unstated["4 MW/s"].worst == each["slope"].worst


def test_without_a_form_it_is_the_difference_of_a_mean():
    plain, named = (outcome(ramp(window="2 s", **keys)) for keys in ({}, {"form": "mean_difference", "mean": "1 s"}))
    assert (plain.worst, plain.at_s) == (named.worst, named.at_s)


def test_a_range_of_one_way_only_is_none_of_what_is_not_stated():
    limit = from_document(document(limits=[ramp(form="unstated", window="1 s", direction="up")])).limits[0]
    facts = facts_of(from_document(document()))
    assert [how.variant for how in judged(limit, facts)] == ["mean difference", "endpoint", "slope", "block average"]
    assert all(math.isinf(how.low) for how in judged(limit, facts))


@pytest.mark.parametrize(
    ("keys", "needed"),
    [
        ({"form": "endpoint"}, "8 s"),
        ({"form": "slope"}, "8 s"),
        ({}, "9 s (window 8 s, mean 1 s)"),
        ({"form": "block_average"}, "16 s (window 8 s, mean 8 s)"),
        ({"form": "unstated"}, "16 s (window 8 s, mean 8 s)"),
    ],
)
def test_how_far_a_form_looks_back(keys, needed):
    scenario = from_document(document(duration="5 s", limits=[ramp(window="8 s", required=True, **keys)]))
    assert list(foreseen(scenario)) == [f"x: its window, {needed}, is longer than the run, 5 s: it cannot PASS"]


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"form": "slope", "mean": "1 s"}, "mean = '1 s': not with form = 'slope': only with mean_difference and unstated"),
        (
            {"form": "endpoint", "block_start": "1 s"},
            "block_start = '1 s': not with form = 'endpoint': only with block_average",
        ),
        ({"form": "range", "direction": "up"}, "direction = 'up': a range has no direction: only both with form = 'range'"),
        ({"form": "ends"}, "form = 'ends': must be 'mean_difference', 'endpoint', 'slope', 'range', 'block_average' or"),
    ],
)
def test_what_means_nothing_is_refused_in_a_line(keys, line):
    with pytest.raises(ScenarioError) as refused:
        from_document(document(limits=[ramp(window="1 s", **keys)]))
    assert str(refused.value).startswith(f"scenario: limits.x.{line}")


def test_a_site_with_no_such_form_has_the_row_it_had():
    forms = [ramp(window="1 s", form=form) for form in ("mean_difference", "endpoint", "range", "block_average")]
    for limit in forms:
        assert Rig({"limits": [limit]}, np.full(10, 1e6)).engine.channels == Rig({}, np.full(10, 1e6)).engine.channels


@pytest.mark.parametrize("window_s", [0.05, 1.0])
def test_dynamic_range_is_a_share_of_a_power(window_s):
    limit = {"name": "x", "kind": "dynamic_range", "of": "20 MW", "max": 0.1, "window": f"{window_s} s"}
    site = Rig({"limits": [limit]}, walk(8)).run()
    wanted = np.ptp(windows(site[POWER], round(window_s / H)), axis=1).max() / 20e6
    how = judged(site.scenario.limits[0], facts_of(site.scenario))[0]
    assert state(site)["highest"] * how.scale == pytest.approx(wanted)
    assert how.high * how.scale == pytest.approx(0.1)


@pytest.mark.parametrize(("most", "ended"), [(0.249, "FAIL"), (0.2501, "PASS")])
def test_the_worked_example_of_a_dynamic_range(most, ended):
    """6 of 24 MW are a quarter, as 10 of 100 MW are a tenth (arXiv 2508.14318)."""
    found = outcome({"name": "x", "kind": "dynamic_range", "of": "24 MW", "max": most, "window": "5 s"})
    assert found.outcome == ended
    assert (found.unit, found.limit) == ("", pytest.approx(most))
    assert found.worst == pytest.approx(0.25, abs=2e-4)


@pytest.mark.parametrize("form", FORMS)
def test_a_recording_is_judged_alike(form, tmp_path):
    power_w = walk(9)[:2000]
    rows = "\n".join(f"{n * H!r},{value!r}" for n, value in enumerate(power_w.tolist()))
    (tmp_path / "r.csv").write_text(f"time_s,pcc.power_w\n{rows}\n")
    keys = f"kind = 'ramp'\nform = '{form}'\nmax = '1 kW/s'\nwindow = '200 ms'"
    (tmp_path / "limits.toml").write_text(f"[[limits]]\nname = 'x'\n{keys}\n")
    found = check(tmp_path / "r.csv", tmp_path / "limits.toml").limits["x"]
    if form == "mean_difference":
        running = np.convolve(np.concatenate([np.full(1199, power_w[0]), power_w]), np.full(1000, 1e-3), mode="valid")
        values = (running[200:] - running[:-200]) / 0.2
    else:
        values = by_definition(form, power_w, 200)
    assert abs(found.worst) == pytest.approx(np.abs(values).max(), rel=1e-6)
    assert found.limit == pytest.approx(1e3) or found.limit == pytest.approx(-1e3)
    assert found.unit == "W/s"
