"""`hil check`: limits of scenarios on recordings (docs/check.md)."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest
from command import HIL
from rig import document

import hil
from hil.check.api import check
from hil.errors import HilError
from hil.scenario.files import from_document

RATE_HZ = 200.0
TIME_S = np.arange(0.0, 60.0, 1.0 / RATE_HZ)


def recorded(folder, **columns: np.ndarray):
    path = folder / "site.csv"
    names = ["time_s", *columns]
    rows = np.column_stack([TIME_S[: len(next(iter(columns.values())))], *columns.values()])
    lines = [",".join("" if np.isnan(cell) else repr(float(cell)) for cell in row) for row in rows]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


def orders(folder, *limits: str, head: str = ""):
    path = folder / "limits.toml"
    path.write_text(
        head + "".join(f"[[limits]]\nname = 'x{index}'\nrequired = true\n{limit}\n" for index, limit in enumerate(limits))
    )
    return path


def test_a_run_checked_again_ends_as_it_did(tmp_path):
    """Every tick recorded: the very numbers of the run."""
    limits = [
        {"name": "ramp", "kind": "ramp", "max": "2 MW/s", "window": "1 s", "required": True},
        {"name": "p2p", "kind": "peak_to_peak", "max": "3 MW", "window": "2 s"},
        {"name": "27", "kind": "undervoltage", "min": 0.97, "delay": "50 ms"},
        {"name": "51", "kind": "overcurrent", "base": "5 MVA", "pickup": 1.0, "curve": "iec_very_inverse", "multiplier": 0.05},
        {"name": "var", "kind": "variation", "band": ["0.5 Hz", "55 Hz"], "order": 2, "max": "1 MW", "window": "1 s"},
        {"name": "27 relay", "kind": "undervoltage", "min": 0.97, "dropout": 0.975, "delay": "50 ms", "acts_as": "relay"},
        {"name": "59", "kind": "overvoltage", "max": 1.2, "acts_as": "relay", "required": True},
        {"name": "81R", "kind": "rocof", "max": "0.05 Hz/s", "window": "100 ms", "timer": "cumulative", "delay": "20 ms"},
        {"name": "47", "kind": "negative_sequence_voltage", "max": 0.02},
    ]
    load = {"kind": "training", "power": "8 MW", "iteration": "2 s", "edge": "50 ms"}
    scenario = from_document(document(duration="10 s", load=load, limits=limits, record={"rate": "1 kHz"}))
    result = hil.run(scenario, folder=tmp_path / "run")
    again = check(tmp_path / "run")
    assert again.verdict == result.verdict
    for name, limit in result.limits.items():
        found = again.limits[name]
        assert found.outcome == limit.outcome, name
        assert (found.worst, found.reasons) == (
            pytest.approx(limit.worst, rel=2e-5) if limit.worst else limit.worst,
            limit.reasons,
        )
        assert found.excursions == limit.excursions
        if limit.first_violation_s is not None:
            assert found.first_violation_s == pytest.approx(limit.first_violation_s, abs=0.0021)


@pytest.mark.parametrize(
    ("lowest", "outcome", "reasons"),
    [
        (0.9, "NOT EXERCISED", ["never picked up: the voltage never fell below 0.88 pu"]),
        (0.87, "PASS", []),
    ],
)
def test_a_relay_over_a_recording_must_have_picked_up(lowest, outcome, reasons, tmp_path):
    voltage = np.where((TIME_S > 10.0) & (TIME_S < 11.0), lowest, 1.0)
    path = recorded(tmp_path, **{"pcc.voltage_pu": voltage})
    stage = "kind = 'undervoltage'\nacts_as = 'relay'\nmin = 0.88\ndelay = '2 s'"
    found = check(path, orders(tmp_path, stage))
    assert (found.limits["x0"].outcome, found.limits["x0"].reasons) == (outcome, reasons)
    assert found.verdict == {"NOT EXERCISED": "INCONCLUSIVE"}.get(outcome, outcome)


def test_a_cumulative_27_adds_the_dips_of_a_recording_up(tmp_path):
    """Three dips of 0.8 s within 10 s: 2.4 s of the 2 s that it has; within 4 s never more than 1.6 s."""
    dips = ((TIME_S > 10.0) & (TIME_S < 18.0) & (TIME_S % 3.0 < 0.8)).astype(float)
    path = recorded(tmp_path, **{"pcc.voltage_pu": 1.0 - 0.2 * dips})
    stage = "kind = 'undervoltage'\nmin = 0.88\ndelay = '2 s'\ntimer = 'cumulative'\ntimer_window = "
    found = check(path, orders(tmp_path, f"{stage}'10 s'", f"{stage}'4 s'"))
    assert [limit.outcome for limit in found.limits.values()] == ["PASS", "PASS"]
    dips = ((TIME_S > 10.0) & (TIME_S < 20.0) & (TIME_S % 3.0 < 0.8)).astype(float)
    path = recorded(tmp_path, **{"pcc.voltage_pu": 1.0 - 0.2 * dips})
    found = check(path, orders(tmp_path, f"{stage}'10 s'", f"{stage}'4 s'"))
    assert [limit.outcome for limit in found.limits.values()] == ["FAIL", "PASS"]
    assert found.limits["x0"].first_violation_s == pytest.approx(18.4, abs=0.02)


def test_47_needs_the_negative_sequence_itself(tmp_path):
    stage = "kind = 'negative_sequence_voltage'\nmax = 0.05\ndelay = '1 s'"
    path = recorded(tmp_path, **{"pcc.voltage_a_pu": np.ones(TIME_S.size), "pcc.voltage_b_pu": np.full(TIME_S.size, 0.5)})
    found = check(path, orders(tmp_path, stage)).limits["x0"]
    name = "pcc.voltage_negative_sequence_measured_pu"
    assert (found.outcome, found.reasons) == ("INCONCLUSIVE", [f"the recording has no {name}"])
    path = recorded(tmp_path, **{name: np.where(TIME_S > 10.0, 0.06, 0.01)})
    found = check(path, orders(tmp_path, stage)).limits["x0"]
    assert (found.outcome, found.first_violation_s) == ("FAIL", pytest.approx(11.0, abs=0.02))


def test_columns_units_and_an_event_in_the_middle(tmp_path):
    power_kw = 20e3 + 12e3 * (TIME_S > 30.0)
    path = recorded(tmp_path, P_kW=power_kw)
    head = "[signals]\n'pcc.power_w' = {column = 'P_kW', unit = 'kW'}\n"
    result = check(path, orders(tmp_path, "kind = 'peak_to_peak'\nmax = '10 MW'\nwindow = '5 s'", head=head))
    found = result.limits["x0"]
    assert (result.verdict, found.outcome, found.excursions) == ("FAIL", "FAIL", 1)
    assert found.worst == pytest.approx(12e6)
    assert found.first_violation_s == pytest.approx(30.01, abs=0.006)
    assert found.time_beyond_s == pytest.approx(5.0, abs=0.011)


def test_what_is_quicker_than_the_samples_is_not_judged(tmp_path):
    """30 samples a second show 23 Hz as 7 Hz: neither is believed."""
    time_s = np.arange(0.0, 30.0, 1.0 / 30.0)
    path = tmp_path / "pmu.csv"
    power = 320e6 + 1e6 * np.sin(2 * np.pi * 23.0 * time_s)
    path.write_text(
        "time_s,pcc.power_w\n" + "".join(f"{t!r},{p!r}\n" for t, p in zip(time_s.tolist(), power.tolist(), strict=True))
    )
    band = "kind = 'oscillation'\nband = ['5 Hz', '55 Hz']\nwindow = '2 s'\nmax = '0.5 MW'"
    low = "kind = 'oscillation'\nband = ['0.5 Hz', '10 Hz']\nwindow = '4 s'\nmax = '0.5 MW'"
    result = check(
        path,
        orders(tmp_path, band, low, "kind = 'undervoltage'\nmin = 0.9", "kind = 'underpower'\nmin = '1 MW'\ndelay = '20 ms'"),
    )
    high, aliased, voltage, quick = result.limits.values()
    assert high.outcome == "INCONCLUSIVE"
    assert high.reasons[0].startswith("30 samples a second do not show it: band 5 to 55 Hz")
    assert aliased.outcome == "FAIL"  # 7 Hz is all that a log of 30 frames a second can say
    assert voltage.reasons == ["the recording has no pcc.voltage_lowest_measured_pu"]
    assert quick.outcome == "INCONCLUSIVE"
    assert quick.reasons == ["its delay, 0.02 s, is shorter than two samples, 0.0666667 s"]


def test_missing_samples_block_pass_and_hide_no_violation(tmp_path):
    power = np.full(TIME_S.size, 5e6)
    power[4000:4400] = np.nan
    path = recorded(tmp_path, **{"pcc.power_w": power})
    limits = ("kind = 'underpower'\nmin = '1 MW'", "kind = 'underpower'\nmin = '6 MW'")
    held, violated = check(path, orders(tmp_path, *limits)).limits.values()
    assert held.outcome == "INCONCLUSIVE"
    (reason,) = held.reasons
    assert reason in ("399 samples are missing", "400 samples are missing")  # the edges are a matter of rounding
    assert violated.outcome == "FAIL"


def test_the_steps_of_a_recording_count_as_uncertainty(tmp_path):
    power = np.round((5e6 + 1e5 * np.sin(TIME_S)) / 1e5) * 1e5
    path = recorded(tmp_path, **{"pcc.power_w": power})
    near, far = check(
        path, orders(tmp_path, "kind = 'underpower'\nmin = '4.86 MW'", "kind = 'underpower'\nmin = '4.8 MW'")
    ).limits.values()
    assert (near.outcome, far.outcome) == ("INCONCLUSIVE", "PASS")
    assert "below the expanded uncertainty" in near.reasons[0]


def test_phases_and_a_profile(tmp_path):
    flat = np.ones(TIME_S.size)
    sag = np.where((TIME_S > 20.0) & (TIME_S < 20.1), 0.6, 1.0)
    power = np.where((TIME_S > 20.0) & (TIME_S < 24.0), 1e6, 5e6)
    columns = {"pcc.voltage_a_pu": flat, "pcc.voltage_b_pu": sag, "pcc.voltage_c_pu": flat, "pcc.power_w": power}
    path = recorded(tmp_path, **columns)
    (tmp_path / "nogrr.toml").write_text("[[limits]]\nprofile = 'ercot-nogrr282'\nrequired = true\n")
    result = check(path, tmp_path / "nogrr.toml")
    assert result.limits["ercot-nogrr282: voltage ride-through"].outcome == "FAIL"
    assert result.limits["ercot-nogrr282: voltage ride-through"].first_violation_s == pytest.approx(22.1, abs=0.02)
    assert result.limits["ercot-nogrr282: frequency ride-through"].outcome == "INCONCLUSIVE"


def test_the_recovery_of_a_ups_goes_by_the_voltage_at_the_bus(tmp_path):
    sag = np.where((TIME_S > 20.0) & (TIME_S < 20.1), 0.6, 1.0)
    power = np.where((TIME_S > 20.0) & (TIME_S < 24.0), 1e6, 5e6)
    path = recorded(tmp_path, **{"bus.voltage_pu": sag, "ups.a.input_w": power})
    found = check(path, orders(tmp_path, "kind = 'recovery'\nnode = 'ups.a'\nmax = '2 s'")).limits["x0"]
    assert found.outcome == "FAIL"
    assert found.worst == pytest.approx(3.9, abs=0.02)


def test_comtrade_and_csv_of_one_signal_are_judged_alike(tmp_path):
    from hil.recordings import comtrade, read

    power = 5e6 + 1e6 * np.sin(TIME_S)
    path = recorded(tmp_path, **{"pcc.power_w": power})
    comtrade.write(tmp_path / "site.cff", read(path), form="FLOAT32")
    limits = orders(tmp_path, "kind = 'peak_to_peak'\nmax = '1.5 MW'\nwindow = '1 s'")
    one, other = check(path, limits).limits["x0"], check(tmp_path / "site.cff", limits).limits["x0"]
    assert (one.outcome, one.excursions) == (other.outcome, other.excursions)
    assert other.worst == pytest.approx(one.worst, rel=1e-5)


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        ("limits = 5", "limits.toml: limits = 5: must be a list"),
        (
            "[[limits]]\nname = 'x'\nkind = 'ramp'\nmax = '5 MW'\nwindow = '1 s'",
            "limits.toml: limits.x.max = '5 MW': must be a power ramp",
        ),
        ("[[limits]]\nprofile = 'none'", "limits.toml: limits.0.profile = 'none': no such profile"),
        ("[signal]\n[[limits]]\nname = 'x'\nkind = 'undervoltage'\nmin = 0.9", "limits.toml: signal: unknown key"),
        (
            "frequency = '60'\n[[limits]]\nname = 'x'\nkind = 'undervoltage'\nmin = 0.9",
            "limits.toml: frequency = '60': must be a frequency",
        ),
        ("", "limits.toml: limits: missing"),
        (
            "[signals]\n'pcc.powr_w' = {column = 'P'}\n[[limits]]\nname = 'x'\nkind = 'undervoltage'\nmin = 0.9",
            "limits.toml: signals.pcc.powr_w: no such signal; did you mean 'pcc.power_w'?",
        ),
        (
            2 * "[[limits]]\nname = 'x'\nkind = 'undervoltage'\nmin = 0.9\n",
            "limits.toml: limits.1.name = 'x': limits.0 has this name; names must differ",
        ),
        (
            "[[limits]]\nname = 'x'\nkind = 'overcurrent'\npickup = 1.0",
            "limits.toml: limits.x.base: missing; the PCC has no rating",
        ),
        (
            "[[limits]]\nname = 'x'\nkind = 'ride_through'\nrecovery = '1 s'",
            "limits.toml: limits.x.below: missing; a ride-through has steps below or above",
        ),
        (
            "frequency = '50 Hz'\n[[limits]]\nname = 'x'\nkind = 'underfrequency'\nmin = '59 Hz'",
            "limits.toml: limits.x.min = '59 Hz': must be below frequency = 50 Hz",
        ),
    ],
)
def test_what_is_wrong_with_limits_is_told_in_a_line(limits, line, tmp_path):
    path = recorded(tmp_path, **{"pcc.power_w": np.full(100, 5e6)})
    (tmp_path / "limits.toml").write_text(limits)
    with pytest.raises(HilError) as refused:
        check(path, tmp_path / "limits.toml")
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_command_prints_a_table_or_json_and_ends_with_the_verdict(tmp_path):
    path = recorded(tmp_path, **{"pcc.power_w": 5e6 + 1e6 * np.sin(TIME_S)})
    limits = orders(tmp_path, "kind = 'peak_to_peak'\nmax = '0.9 MW'\nwindow = '1 s'")
    ran = subprocess.run([*HIL, "check", str(path), "--limits", str(limits)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "200 samples a second" in ran.stdout
    assert "FAIL  0 of 1 required limits held" in ran.stdout
    ran = subprocess.run(
        [*HIL, "check", str(path), "--limits", str(limits), "--json"], capture_output=True, text=True, check=False
    )
    told = json.loads(ran.stdout)
    assert (told["verdict"], told["limits"][0]["outcome"], told["rate_hz"]) == ("FAIL", "FAIL", pytest.approx(200.0))
    ran = subprocess.run([*HIL, "check", str(path)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"{path}: needs --limits FILE: only the folder of a run has limits of its own\n"


# --- evidence ---


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        (
            "kind = 'variation'\nband = ['0.5 Hz', '20 Hz']\norder = 2\nmax = '5 MW'\nwindow = '2 s'",
            "its band reaches to 20 Hz, beyond 0.4 of 20 samples a second",
        ),
        ("kind = 'underpower'\nmin = '1 MW'\ndelay = '50 ms'", "its delay, 0.05 s, is shorter than two samples, 0.1 s"),
    ],
)
def test_a_signal_in_every_tenth_row_is_as_slow_as_that(limit, reason, tmp_path):
    power = np.full(TIME_S.size, np.nan)
    power[::10] = 5e6
    path = recorded(tmp_path, **{"pcc.power_w": power, "pcc.frequency_hz": np.full(TIME_S.size, 60.0)})
    slow, quick = check(
        path, orders(tmp_path, limit, "kind = 'overfrequency'\nmax = '61 Hz'\ndelay = '50 ms'")
    ).limits.values()
    assert (slow.outcome, quick.outcome) == ("INCONCLUSIVE", "PASS")
    assert reason in slow.reasons


def test_samples_that_come_twice_or_late_are_no_evidence(tmp_path):
    """What is stamped no later than what was before it does not count: there a gap is left."""
    time_s = TIME_S[:2000].copy()
    time_s[500:520] = time_s[499]
    lines = [f"{moment!r},5e6" for moment in time_s.tolist()]
    (tmp_path / "site.csv").write_text("\n".join(["time_s,pcc.power_w", *lines]) + "\n")
    result = check(tmp_path / "site.csv", orders(tmp_path, "kind = 'underpower'\nmin = '1 MW'"))
    assert result.verdict == "INCONCLUSIVE"
    assert result.limits["x0"].reasons == ["20 samples are missing"]
    assert any("20 of 2000 samples are not later than those before" in note for note in result.notes)


def test_a_window_longer_than_the_recording_is_no_evidence(tmp_path):
    path = recorded(tmp_path, **{"pcc.power_w": 5e6 + np.sin(TIME_S)})
    limits = ("kind = 'peak_to_peak'\nmax = '1 MW'\nwindow = '61 s'", "kind = 'peak_to_peak'\nmax = '1 W'\nwindow = '61 s'")
    held, violated = check(path, orders(tmp_path, *limits)).limits.values()
    assert (held.outcome, violated.outcome) == ("INCONCLUSIVE", "FAIL")
    assert held.reasons == ["its window, 61 s, is longer than the run, 60 s"]


def test_a_filter_or_an_image_that_is_not_settled_is_no_evidence(tmp_path):
    """A recording that begins high: the answer of a filter to where it began is no variation."""
    power = np.where(TIME_S < 0.02, 50e6, 5e6) + 1e3 * np.sin(TIME_S)
    path = recorded(tmp_path, **{"pcc.power_w": power, "pcc.voltage_pu": np.ones(TIME_S.size), "pcc.reactive_var": 0 * TIME_S})
    variation = "kind = 'variation'\nband = ['%s Hz', '5 Hz']\norder = 2\nmax = '1 MW'\nwindow = '2 s'"
    image = "kind = 'thermal_overload'\nbase = '100 MVA'\ntime_constant = '%s s'"
    result = check(path, orders(tmp_path, variation % "0.5", variation % "0.01", image % "10", image % "20"))
    settled, slow, known, forgets = result.limits.values()
    assert [one.outcome for one in (settled, slow, known, forgets)] == ["PASS", "INCONCLUSIVE", "PASS", "INCONCLUSIVE"]
    assert slow.reasons[-1].startswith("its filter settles, and its window is full after that, in ")
    assert forgets.reasons == ["how warm it was at the beginning is not known, and forgotten only after 92.1 s"]
    assert any(note.startswith("x0: not judged in the first 4.") for note in result.notes)


@pytest.mark.parametrize(
    ("key", "limit", "outcomes"),
    [
        ("power_uncertainty = '%g W'", "kind = 'underpower'\nmin = '4.9 MW'", (0.99e5, 1.01e5)),
        ("voltage_uncertainty = '%g pu'", "kind = 'undervoltage'\nmin = 0.9", (0.0999, 0.1001)),
        ("frequency_uncertainty = '%g Hz'", "kind = 'underfrequency'\nmin = '59.9 Hz'", (0.0999, 0.1001)),
    ],
)
def test_the_class_of_the_meter_counts(key, limit, outcomes, tmp_path):
    columns = {"pcc.power_w": 5e6, "pcc.voltage_pu": 1.0, "pcc.frequency_hz": 60.0}
    path = recorded(tmp_path, **{name: np.full(TIME_S.size, value) for name, value in columns.items()})
    sure, unsure = (
        check(path, orders(tmp_path, limit, head=f"[measurement]\n{key % uncertainty}\n")).limits["x0"]
        for uncertainty in outcomes
    )
    assert (sure.outcome, unsure.outcome) == ("PASS", "INCONCLUSIVE")
    assert "is below the expanded uncertainty of what was measured" in unsure.reasons[0]


def test_steps_of_a_device_and_the_time_between_samples_count(tmp_path):
    voltage = np.round((0.97 + 0.01 * np.sin(TIME_S)) / 0.01) * 0.01
    sag = np.where((TIME_S > 20.0) & (TIME_S < 20.1), 0.6, 1.0)
    power = np.where((TIME_S > 20.0) & (TIME_S < 21.1), 1e6, 5e6)
    path = recorded(tmp_path, **{"ups.a.output_voltage_pu": voltage, "pcc.voltage_pu": sag, "pcc.power_w": power})
    at = "kind = 'undervoltage'\nnode = 'ups.a'\nmin = %s"
    back = "kind = 'recovery'\nmax = '%s s'"
    (took,) = check(path, orders(tmp_path, back % "2")).limits.values()
    near, far, close, clear = check(
        path, orders(tmp_path, at % "0.955", at % "0.95", back % (took.worst + 0.004), back % (took.worst + 0.006))
    ).limits.values()
    assert [one.outcome for one in (near, far, close, clear)] == ["INCONCLUSIVE", "PASS", "INCONCLUSIVE", "PASS"]
    assert near.reasons[0].startswith("its margin, 0.005, is below what the steps of its numbers leave open, 0.00577")
    assert close.reasons == ["its margin, 0.004 s, is shorter than the time between two samples, 0.005 s"]
