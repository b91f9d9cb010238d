"""One load under several remedies: what is measured against closed forms, and that runs are what they would be alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from compare_support import ENERGY_WH, PERIOD_S, SWING_W, site, swing_j

import hil
from hil.errors import ScenarioError
from hil.report.comparison_table import HEAD, cells
from hil.report.variant import _demand_w, _sliding, _turning, racks
from hil.scenario.chemistry import chemistry
from hil.session.run import Options, run_scenario


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A wave of duty 0.8 alone, flattened without losses, and flattened by a battery with a standing loss."""
    base = site(tmp_path_factory.mktemp("site"))
    overlays = [base.parent / "battery.toml", f"{base.parent / 'battery.toml'}+{base.parent / 'losses.toml'}"]
    return hil.compare(base, overlays)


def soc_of(energy_j: float) -> float:
    """Change of the state of charge from 0.5 on, by the curve of the cell: a battery counts charge."""
    curve = np.array(chemistry("lfp").ocv_v)
    mean_v = float(np.mean((curve[1:] + curve[:-1]) / 2))
    fine = np.linspace(0.5, 0.6, 100_001)
    stored = np.cumsum(np.interp(fine, np.linspace(0, 1, curve.size), curve)) * (fine[1] - fine[0]) / mean_v
    return float(np.interp(energy_j / (ENERGY_WH * 3600.0), stored, fine)) - 0.5


def test_the_base_comes_first_and_goes_by_the_name_none(compared):
    assert [row.name for row in compared.rows] == ["none", "battery", "battery+losses"]
    assert [row.title for row in compared.rows] == ["none", "battery", "battery + losses"]
    assert compared["battery"] is compared.rows[1]
    with pytest.raises(KeyError, match="no variant 'x'; there are: none, battery, battery\\+losses"):
        compared["x"]


def test_all_bear_the_same_load(compared):
    assert all(row.same_load for row in compared.rows)
    load = compared["none"].load
    mean_w = 20e6 + 0.8 * SWING_W
    assert load.energy_j == pytest.approx(mean_w * compared.duration_s, rel=1e-9)
    assert load.largest_w == load.rated_w == pytest.approx(120e6)
    assert compared["none"].measured.site_j == pytest.approx(load.energy_j, rel=1e-6)


def test_swings_and_peaks_are_those_of_the_wave(compared):
    alone, flat = compared["none"].measured, compared["battery"].measured
    assert alone.swing_w == pytest.approx(SWING_W, rel=1e-6)
    assert alone.usual_swing_w == pytest.approx(SWING_W, rel=1e-6)
    assert alone.peak_w == pytest.approx(120e6, rel=1e-6)
    assert alone.demand_w is None
    answered_late_w = 3e-3 * SWING_W / 0.25  # a filter of a tick, and two ticks until what was seen is answered
    assert flat.swing_w < 2.0 * answered_late_w
    assert flat.peak_w == pytest.approx(100e6, abs=answered_late_w)


def test_throughput_swing_and_cycles_are_those_of_a_lossless_battery(compared):
    use = compared["battery"].measured.storage["bess.main"]
    energy_j, periods = swing_j(0.8), (compared.duration_s - 2.0) / PERIOD_S
    assert use.charged_j == pytest.approx(periods * energy_j, rel=2e-3)
    assert use.discharged_j == pytest.approx(periods * energy_j, rel=2e-3)
    assert use.throughput_j == use.charged_j + use.discharged_j
    assert use.soc_swing == pytest.approx(soc_of(energy_j), rel=2e-3)
    assert use.deepest == pytest.approx(use.soc_swing, rel=1e-3)
    assert use.cycles == periods
    assert use.usual_swing == pytest.approx(use.soc_swing, rel=2e-3)  # a window of 5 s holds a whole period
    assert use.full_cycles == pytest.approx(periods * use.soc_swing, rel=2e-3)
    assert abs(use.stored_j) < 2e-3 * energy_j


def test_energy_overhead_is_that_of_the_losses_alone(compared):
    assert compared["none"].overhead == 0.0
    assert abs(compared["battery"].overhead) < 1e-5
    lost_j = 0.01 * 200e6 * compared.duration_s  # they come from the battery, and what it lacks at the end counts as drawn
    row = compared["battery+losses"]
    assert row.measured.stored_j == pytest.approx(-lost_j, rel=0.02)
    assert row.overhead == pytest.approx(lost_j / compared["none"].net_j, rel=0.02)


def test_limits_held_and_margins_are_those_of_the_runs(compared):
    alone, flat = compared["none"], compared["battery"]
    assert (alone.held, alone.required, flat.held, flat.required) == (0, 1, 2, 2)
    assert alone.worst == ("swing", pytest.approx(-1.0, abs=0.01))
    assert flat.worst[1] == min(one.margin for one in flat.limits.values())
    assert compared.limits == ["swing", "SoC"]


def test_a_variant_is_the_run_that_one_could_make_by_hand(compared, tmp_path):
    base = site(tmp_path)
    alone = run_scenario(hil.load(base), Options())
    assert compared["none"].waveform_hash == alone.waveform_hash
    assert compared["none"].limits == alone.limits
    assert compared["battery"].waveform_hash != alone.waveform_hash


@pytest.mark.slow
def test_it_is_the_same_again_and_in_several_processes(compared, tmp_path):
    base = site(tmp_path)
    overlays = [base.parent / "battery.toml", f"{base.parent / 'battery.toml'}+{base.parent / 'losses.toml'}"]
    again = hil.compare(base, overlays, jobs=2)
    ours, theirs = compared.document(), again.document()
    for row in (*ours["variants"], *theirs["variants"]):
        del row["overlays"]
    assert ours == theirs
    for one, other in zip(compared.rows, again.rows, strict=True):
        assert np.array_equal(one.measured.power.high_w, other.measured.power.high_w)


def test_an_overlay_that_changes_the_load_is_told_and_has_no_overhead(tmp_path):
    base = site(tmp_path, periods=1)
    (tmp_path / "half.toml").write_text('title = "half"\n[load]\nscale = 0.5\n')
    found = hil.compare(base, [tmp_path / "half.toml"])
    assert not found["half"].same_load
    assert found["half"].overhead is None
    assert "another load in: half" in found.markdown()
    assert cells(found["half"])[HEAD.index("energy")] == "—"


def test_a_scenario_made_in_python_can_be_compared(tmp_path):
    scenario = hil.load(site(tmp_path, periods=1))
    found = hil.compare(scenario, [tmp_path / "battery.toml"], overrides=["limits.swing.max='200 MW'"])
    assert [str(row.verdict) for row in found.rows] == ["PASS", "PASS"]


def test_what_cannot_be_run_is_told_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("hil.session.compare.run_scenario", lambda *_: pytest.fail("it ran"))
    base = site(tmp_path, periods=1)
    (tmp_path / "bad.toml").write_text(
        '[ups.a]\nrating = "1 MW"\ninput_low = 0.99\ninput_high = 1.0001\n[grid]\nsourse = 1.0\n'
    )
    with pytest.raises(ScenarioError, match=r"bad\.toml: grid\.sourse: unknown key"):
        hil.compare(base, [tmp_path / "battery.toml", tmp_path / "bad.toml"])
    (tmp_path / "late.toml").write_text('[ups.a]\nrating = "200 MW"\ninput_low = 0.95\n[grid]\nsource = 0.94\n')
    with pytest.raises(
        ScenarioError, match=r"late\.toml: ups\.a\.input_low = 0\.95: the bus stands at 0\.\d+ pu at the start"
    ):
        hil.compare(base, [tmp_path / "late.toml"])


def test_runs_are_kept_where_they_are_asked_for(tmp_path):
    base = site(tmp_path, periods=1)
    out = tmp_path / "kept" / "here"
    found = hil.compare(base, [tmp_path / "battery.toml"], folder=out)
    assert sorted(path.name for path in out.iterdir()) == ["battery", "none"]
    run = hil.open_run(out / "battery")
    assert run.waveform_hash == found["battery"].waveform_hash
    assert found["battery"].folder == out / "battery"
    time_s, demand_w = run.signal("load.demand_w")  # what the scenario itself records is there too
    assert demand_w.size == time_s.size == round(found.duration_s * 100)
    with pytest.raises(ScenarioError, match=r"--out .*none: is there already"):
        hil.compare(base, [], folder=out)
    assert sorted(path.name for path in out.iterdir()) == ["battery", "none"]


def test_a_run_that_breaks_leaves_nothing_behind(tmp_path, monkeypatch):
    base = site(tmp_path, periods=1)
    made = []

    def breaks(scenario, options):
        made.append(scenario)
        if len(made) == 2:
            raise KeyboardInterrupt
        return run_scenario(scenario, options)

    monkeypatch.setattr("hil.session.compare.run_scenario", breaks)
    with pytest.raises(KeyboardInterrupt):
        hil.compare(base, [tmp_path / "battery.toml"], folder=tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["none"]  # that one had come to its end


def test_json_has_everything_with_units_in_names(compared):
    document = json.loads(json.dumps(compared.document(), allow_nan=False))
    row = document["variants"][1]
    assert row["storage"]["bess.main"]["throughput_j"] == compared["battery"].measured.storage["bess.main"].throughput_j
    assert row["limits"]["SoC"] == {"outcome": "PASS", "required": True, "margin": compared["battery"].limits["SoC"].margin}
    assert row["energy_overhead"] == compared["battery"].overhead
    units = ("_j", "_w", "_s", "_share", "_pu")
    plain = {
        "name", "title", "overlays", "verdict", "reasons", "limits_held", "limits_required", "worst_limit", "worst_margin",
        "limits", "same_load", "energy_overhead", "storage", "waveform_hash", "folder",
    }  # fmt: skip
    assert all(key in plain or key.endswith(units) for key in row)


def test_markdown_has_a_line_a_variant_and_one_a_limit(compared):
    lines = compared.markdown().splitlines()
    assert lines[0] == f"| {' | '.join(HEAD)} |"
    assert [line.split(" | ")[0] for line in lines[2:5]] == ["| none", "| battery", "| battery + losses"]
    assert lines[6] == "| required limit | none | battery | battery + losses |"
    assert lines[8].startswith("| swing | -100.0 % violated | ")
    assert lines[9].startswith("| SoC | — | ")
    assert all(line.count("|") == lines[0].count("|") for line in lines[:5])


@pytest.mark.draws
def test_a_picture_shows_every_variant(compared, tmp_path):
    compared.plot(tmp_path / "all.svg")
    text = (tmp_path / "all.svg").read_text()
    for row in compared.rows:
        assert f'id="power-{row.name}"' in text
        assert f">{row.title}<" in text
    assert text.count("FAIL · 0 of 1 held") == 1
    with pytest.raises(ValueError, match=r"must end in \.png or \.svg"):
        compared.plot(tmp_path / "all.pdf")


def test_capacitors_in_racks_are_storage_too():
    """As a load says of them at the end of a run, alone and in a part of a sum."""
    rack = {"capacity_j": 100.0, "soc": 0.6, "soc_low": 0.2, "soc_high": 0.9, "given_j": 130.0, "taken_j": 140.0}
    found = racks({"energy_j": 1.0, "part": {"a": {"remedies": {"rack": rack}}, "b": {"energy_j": 1.0}}})
    assert list(found) == ["load.part.a.rack"]
    use = found["load.part.a.rack"]
    assert use.soc_start == pytest.approx(0.5)
    assert use.stored_j == pytest.approx(10.0)
    assert (use.throughput_j, use.soc_swing, use.full_cycles) == pytest.approx((270.0, 0.7, 1.35))
    assert use.cycles is None
    assert list(racks({"remedies": {"rack": rack}})) == ["load.rack"]
    assert racks({"energy_j": 1.0}) == {}


def test_windows_slide_over_every_row():
    values = np.random.default_rng(3).normal(size=1003)
    for rows in (1, 7, 500, 1003):
        expected = [values[start : start + rows].max() for start in range(values.size - rows + 1)]
        assert np.array_equal(_sliding(values, rows), expected)


def test_demand_is_the_largest_mean_of_a_quarter_of_an_hour():
    lasted_s = np.full(4000, 1.0)
    power_w = np.where((np.arange(4000) >= 1000) & (np.arange(4000) < 1450), 2e6, 1e6)
    assert _demand_w(power_w, lasted_s) == pytest.approx(1.5e6)
    assert _demand_w(power_w[:899], lasted_s[:899]) is None


def test_a_history_turns_where_its_extremes_were_seen():
    mean = np.array([0.0, 1.0, 2.0, 1.0, 0.0, 1.0])
    high, low = mean + 0.4, mean - 0.3
    assert _turning(mean, low, high).tolist() == [0.0, 1.0, 2.4, 1.0, -0.3, 1.0]
