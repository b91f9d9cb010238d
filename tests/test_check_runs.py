"""A run checked again from its folder: what its script voids, and what evidence it lacked (docs/check.md)."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from ci_support import cases, junit, properties, short
from rig import document
from typer.testing import CliRunner
from ups_support import UPS

import hil
from hil.check.api import check
from hil.cli.app import app
from hil.report.junit import document as document_of
from hil.scenario.files import from_document

FIELDS = ("outcome", "worst", "margin", "first_violation_s", "time_beyond_s", "excursions", "blanked_s", "suspect_s", "limit")
LOAD = {"kind": "training", "power": "8 MW", "iteration": "2 s", "edge": "50 ms"}
BESS = {"main": {"rating": "10 MVA", "energy": "5 MWh"}}
LIMITS = [
    {"name": "ramp", "kind": "ramp", "max": "2 MW/s", "window": "1 s", "direction": "up", "required": True},
    {"name": "p2p", "kind": "peak_to_peak", "max": "3 MW", "window": "2 s"},
    {"name": "27", "kind": "undervoltage", "min": 0.97, "delay": "50 ms"},
    {"name": "59", "kind": "overvoltage", "max": 1.2},
    {"name": "24", "kind": "volts_per_hertz", "max": 1.01},
    {"name": "81U", "kind": "underfrequency", "min": "59.99 Hz", "delay": "100 ms"},
    {"name": "81R", "kind": "rocof", "max": "0.05 Hz/s"},
    {"name": "37", "kind": "underpower", "min": "4 MW", "delay": "10 ms"},
    {"name": "51", "kind": "overcurrent", "base": "5 MVA", "pickup": 1.0, "curve": "iec_very_inverse", "multiplier": 0.05},
    {"name": "49", "kind": "thermal_overload", "base": "5 MVA", "time_constant": "3 s"},
    {"name": "var", "kind": "variation", "band": ["0.5 Hz", "55 Hz"], "max": "1 MW", "window": "1 s"},
    {"name": "osc", "kind": "oscillation", "band": ["1 Hz", "10 Hz"], "max": "1 MW", "window": "4 s"},
    {"name": "share", "kind": "band_share", "band": ["1 Hz", "10 Hz"], "max": 0.9, "window": "4 s"},
    {"name": "back", "kind": "recovery", "max": "300 ms"},
    {"name": "ride", "kind": "ride_through", "below": [["0.9 pu", "1 s"]], "recovery": "1 s"},
    {"name": "soc", "kind": "soc_window", "node": "bess.main", "window": [0.2, 0.9]},
    {"name": "C", "kind": "c_rate", "node": "bess.main", "max": 0.5},
    {"name": "long", "kind": "ramp", "max": "2 MW/s", "window": "1000 s"},
]
DIP = {"kind": "grid_dip", "at": "6 s", "duration": "200 ms", "residual": 0.4}
LOSS = {"kind": "generation_loss", "at": "9 s", "duration": "2 s", "power": "50 MW", "settle": "3 s"}
CASES = {
    "as it is": {},
    "a dip": {"events": [DIP]},
    "a dip that is judged": {"events": [DIP | {"judged": True}]},
    "dips of one phase that overlap": {
        "events": [DIP | {"fault": "ag"}, DIP | {"at": "6.3 s", "fault": "bc"}, DIP | {"at": "12 s", "settle": "2 s"}]
    },
    "a loss of generation": {"events": [LOSS]},
    "a loss for good": {"events": [{"kind": "generation_loss", "at": "9 s", "power": "50 MW"}]},
    "a warm-up": {"warm_up": "1.5 s", "events": [DIP]},
    "what is measured late": {"measurement": {"window": "50 ms", "delay": "40 ms"}, "events": [DIP]},
    "a UPS, measured late": {
        "measurement": {"window": "50 ms", "delay": "200 ms"},
        "ups": {"a": UPS},
        "events": [DIP],
        "limits": [*LIMITS, {"name": "back a", "kind": "recovery", "node": "ups.a", "max": "300 ms"}],
    },
    "a dip to the end": {"events": [DIP | {"at": "15.9 s"}]},
}


def ran(folder, **sections):
    base = {"duration": "16 s", "load": LOAD, "bess": BESS, "limits": LIMITS, "record": {"rate": "1 kHz"}}
    return hil.run(from_document(document(**(base | sections))), folder=folder)


def judged_alike(result, again) -> None:
    for name, limit in result.limits.items():
        differ = {
            field: (getattr(limit, field), getattr(again.limits[name], field))
            for field in FIELDS
            if not same(getattr(limit, field), getattr(again.limits[name], field))
        }
        assert not differ, name
        assert len(again.limits[name].reasons) == len(limit.reasons)
    assert (again.verdict, len(again.reasons)) == (result.verdict, len(result.reasons))


def same(one, other) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=5e-4, abs_tol=2e-5)  # 60 Hz in float32
    return one == other


@pytest.mark.parametrize("case", CASES)
def test_a_run_checked_again_is_judged_as_it_was(case, tmp_path):
    """Every tick recorded, if only as float32: every field the same."""
    result = ran(tmp_path / "run", **CASES[case])
    again = check(tmp_path / "run")
    judged_alike(result, again)
    outcomes = {limit.outcome for limit in result.limits.values()}
    assert {"PASS", "FAIL", "INCONCLUSIVE"} <= outcomes
    if case not in ("as it is", "a dip that is judged"):
        assert any(limit.blanked_s > 0.0 for limit in result.limits.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("training_job", []),
        ("training_job_wire", []),
        ("hall", []),
        ("training_job", ["absorber={}", "warm_up='10 s'"]),
        ("hall", ["absorber={}", "warm_up='10 s'"]),
    ],
)
def test_packaged_scenarios_checked_again_are_judged_as_they_were(name, changes, tmp_path):
    result = hil.run(hil.load(name, ["record.rate='1 kHz'", *changes]), folder=tmp_path / "run")
    judged_alike(result, check(tmp_path / "run"))
    assert any(limit.worst is not None for limit in result.limits.values())


def test_other_limits_are_blanked_too(tmp_path):
    """Of a run that required none of its own."""
    ran(tmp_path / "run", events=[DIP], limits=LIMITS[1:])
    (tmp_path / "limits.toml").write_text("[[limits]]\nname = 'x'\nrequired = true\nkind = 'undervoltage'\nmin = 0.8\n")
    result = check(tmp_path / "run", tmp_path / "limits.toml")
    (found,) = result.limits.values()
    assert (found.outcome, result.verdict) == ("PASS", "PASS")
    assert found.worst > 0.9
    assert found.blanked_s == pytest.approx(0.2 + 0.2 + 1 / 60, abs=0.002)


@pytest.mark.parametrize("decimation", ["sample", "mean", "min_max_mean"])
def test_rows_of_several_ticks_are_void_where_one_of_them_is(decimation, tmp_path):
    limit = {"name": "27", "kind": "undervoltage", "min": 0.97, "required": True}
    ran(tmp_path / "run", events=[DIP], record={"rate": "40 Hz", "decimation": decimation}, limits=[limit])
    (found,) = check(tmp_path / "run").limits.values()
    assert found.outcome == "PASS"
    assert found.blanked_s == pytest.approx(0.45, abs=0.026)


def test_a_record_of_few_rows_does_not_show_what_is_quick(tmp_path):
    limits = [
        {"name": "var", "kind": "variation", "band": ["0.5 Hz", "55 Hz"], "order": 2, "max": "90 MW", "window": "1 s"},
        {"name": "osc", "kind": "oscillation", "band": ["1 Hz", "18 Hz"], "max": "90 MW", "window": "4 s"},
        {"name": "27", "kind": "undervoltage", "min": 0.5, "delay": "30 ms"},
        {"name": "59", "kind": "overvoltage", "max": 1.5, "delay": "60 ms"},
    ]
    result = ran(tmp_path / "run", limits=limits, record={"rate": "40 Hz"})
    assert {limit.outcome for limit in result.limits.values()} == {"PASS"}
    found = check(tmp_path / "run").limits
    assert [limit.outcome for limit in found.values()] == ["INCONCLUSIVE", "INCONCLUSIVE", "INCONCLUSIVE", "PASS"]
    assert found["var"].reasons[0].startswith("40 samples a second do not show it")
    assert found["osc"].reasons[0].startswith("40 samples a second do not show it: band 1 to 18 Hz")
    assert found["27"].reasons == ["its delay, 0.03 s, is shorter than two samples, 0.05 s"]


def test_times_of_rows_of_several_ticks_are_those_of_the_run(tmp_path):
    limits = [{"name": "27", "kind": "undervoltage", "min": 0.9}, {"name": "37", "kind": "underpower", "min": "4 MW"}]
    result = ran(tmp_path / "run", events=[DIP | {"judged": True}], record={"rate": "40 Hz"}, limits=limits)
    for name, limit in result.limits.items():
        found = check(tmp_path / "run").limits[name]
        assert found.first_violation_s - limit.first_violation_s == pytest.approx(0.0125, abs=0.0126), name  # the row's end


def test_what_a_run_lacked_its_record_lacks_too(tmp_path):
    ran(tmp_path / "run", limits=[{"name": "59", "kind": "overvoltage", "max": 1.2, "required": True}])
    assert check(tmp_path / "run").verdict == "PASS"
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    summary["reasons"] = ["record: 3 rows dropped", "59: of the limit itself"]
    (tmp_path / "run" / "summary.json").write_text(json.dumps(summary))
    again = check(tmp_path / "run")
    assert (again.verdict, again.reasons) == ("INCONCLUSIVE", ["record: 3 rows dropped"])
    (tmp_path / "run" / "summary.json").unlink()
    assert check(tmp_path / "run").reasons == ["the run was not finished: it has no summary.json"]


@pytest.mark.realtime
def test_ticks_that_came_too_late_are_no_evidence_in_its_record_either(tmp_path):
    limits = [
        {"name": "p2p", "kind": "peak_to_peak", "max": "30 MW", "window": "2 ms", "required": True},
        {"name": "37", "kind": "underpower", "min": "1 kW"},
    ]
    scenario = from_document(
        document(
            duration="1 s",
            load=LOAD,
            limits=limits,
            clock={"overrun_budget": "5 us", "overruns": 1.0},
            record={"rate": "1 kHz", "channels": ["pcc.*", "loop.lateness_us"]},
        )
    )
    result = hil.run(scenario, folder=tmp_path / "run", clock="wall", speed=1.0)
    again = check(tmp_path / "run")
    for name, limit in result.limits.items():
        assert again.limits[name].suspect_s == pytest.approx(limit.suspect_s), name
        assert limit.suspect_s > 0.0, name
        assert again.limits[name].outcome == limit.outcome


def test_a_row_that_is_lost_is_a_gap(tmp_path):
    """As the record of a run whose ring was full has it."""
    import pyarrow as pa

    ran(tmp_path / "run", limits=[{"name": "59", "kind": "overvoltage", "max": 1.2, "required": True}])
    path = tmp_path / "run" / "record.arrow"
    with pa.ipc.open_stream(path.read_bytes()) as reader:
        table = reader.read_all()
    kept = np.ones(table.num_rows, bool)
    kept[5000:5003] = False
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table.filter(pa.array(kept)))
    (found,) = check(tmp_path / "run").limits.values()
    assert (found.outcome, found.reasons) == ("INCONCLUSIVE", ["3 samples are missing"])


# --- the commands ---


def test_junit_of_a_check_is_that_of_the_run(tmp_path):
    """Valid by the schema, red where the verdict is not PASS, with the limits and messages of the run."""
    limits = [LIMITS[0], LIMITS[2] | {"min": 0.5, "required": True}, LIMITS[-1]]
    result = ran(tmp_path / "run", limits=limits)
    file = tmp_path / "in" / "check.xml"
    ended = CliRunner().invoke(app, ["check", str(tmp_path / "run"), "--junit", str(file)])
    assert ended.exit_code == 1
    suite = junit(file.read_bytes())
    found, of_run = cases(suite), cases(junit(document_of(result)))
    assert list(found) == list(of_run) == ["ramp (pcc)", "27 (pcc)", "long (pcc)", "verdict"]
    assert [element.tag for element in found.values()] == [element.tag for element in of_run.values()]
    assert found["ramp (pcc)"].get("message") == of_run["ramp (pcc)"].get("message")
    told = properties(suite)
    assert (told["verdict"], told["recording"], told["rate_hz"]) == ("FAIL", str(tmp_path / "run"), "1000")


def test_junit_of_what_cannot_be_checked_says_so(tmp_path):
    (tmp_path / "site.csv").write_text("time_s,pcc.power_w\n0,1\n1,1\n")
    file = tmp_path / "check.xml"
    ended = CliRunner().invoke(app, ["check", str(tmp_path / "site.csv"), "--junit", str(file)])
    assert ended.exit_code == 2
    (case,) = cases(junit(file.read_bytes())).values()
    assert case.tag == "error"
    assert "needs --limits FILE" in case.get("message")
    ended = CliRunner().invoke(app, ["check", str(tmp_path / "site.csv"), "--junit", str(tmp_path)])
    assert (ended.exit_code, ended.stderr) == (2, f"--junit {tmp_path}: cannot be written (it is a folder)\n")


def test_an_undecided_limit_has_no_bound_in_junit(tmp_path):
    (tmp_path / "site.csv").write_text("time_s,pcc.power_w\n0,1\n1,1\n2,1\n")
    (tmp_path / "limits.toml").write_text("[[limits]]\nname = 'x'\nkind = 'overvoltage'\nmax = 1.1\nrequired = true\n")
    file = tmp_path / "check.xml"
    command = ["check", str(tmp_path / "site.csv"), "--limits", str(tmp_path / "limits.toml"), "--junit", str(file)]
    assert CliRunner().invoke(app, command).exit_code == 3
    found = cases(junit(file.read_bytes()))
    assert found["x (pcc)"].tag == "error"
    assert "nan" not in found["x (pcc)"].text


def test_a_run_says_why_a_limit_that_is_not_required_is_not_decided(tmp_path):
    ended = CliRunner().invoke(app, ["run", str(short(tmp_path)), "--runs", str(tmp_path / "runs")])
    assert ended.exit_code == 0
    assert "slow ramp: its window, 61 s (window 60 s, mean 1 s), is longer than the run, 4 s" in ended.stdout
