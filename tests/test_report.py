"""A finished run read again: its result from its folder, its verdict, and what a damaged folder says."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from command import hil_command
from damaged_runs import DAMAGED
from report_support import SMALL

import hil
from hil.report.saved import newest

pytestmark = pytest.mark.draws


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[hil.Result, Path]:
    folder = tmp_path_factory.mktemp("runs") / "first"
    return hil.run(hil.load("training_job", [*SMALL, "absorber.main.kind=none"]), folder=folder), folder


def same(one: hil.Result, other: hil.Result) -> None:
    for field in fields(hil.Result):
        before, after = getattr(one, field.name), getattr(other, field.name)
        if field.name == "record":
            for channel in one.channels:
                for column in zip(before.column(channel), after.column(channel), strict=True):
                    assert np.array_equal(*column)
                    assert column[0].dtype == column[1].dtype
        else:
            assert before == after, field.name
            assert type(before) is type(after)
    assert one.scenario.name == other.scenario.name
    assert one.summary() == other.summary()
    assert one.exit_code == other.exit_code


def test_a_run_is_opened_as_it_was_returned(finished):
    result, folder = finished
    assert result.verdict == "FAIL"
    assert result.reasons
    same(result, hil.open_run(str(folder)))


def test_a_run_of_every_kind_of_device_is_opened_as_it_was_returned(tmp_path):
    """UPSs over MQTT, events of every sort, a limit that a stimulus blanked, links."""
    link = "link.u={between=['supervisor.ups','ups.a'], latency='2 ms'}"
    dip = "events=[{at='1 s', kind='grid_dip', residual=0.4, duration='100 ms'}]"
    result = hil.run(hil.load("hall", ["duration='3 s'", dip, link]), folder=tmp_path / "run")
    same(result, hil.open_run(tmp_path / "run"))


@pytest.mark.realtime
def test_a_paced_run_is_opened_as_it_was_returned(tmp_path):
    result = hil.run(hil.load("training_job", SMALL), folder=tmp_path / "run", clock="wall", speed=20.0)
    assert result.timing is not None
    same(result, hil.open_run(tmp_path / "run"))


def test_a_run_ended_by_a_signal_is_opened_as_it_was_returned(tmp_path, finished):
    folder = shutil.copytree(finished[1], tmp_path / "run")
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"signal": 15}))
    assert hil.open_run(folder).exit_code == 143


def test_files_that_the_scenario_names_may_have_gone(tmp_path):
    trace = tmp_path / "load.csv"
    trace.write_text("time_s,power_w\n0,1e6\n9,1e6\n")
    overrides = ["duration='1 s'", "events=[]", "load={}", "load.kind='trace'", f"load.trace='{trace}'"]
    result = hil.run(hil.load("training_job", overrides), folder=tmp_path / "run")
    trace.unlink()
    same(result, hil.open_run(tmp_path / "run"))
    with pytest.raises(hil.ScenarioError, match="no such file"):  # to run it again they are needed
        hil.load(tmp_path / "run" / "scenario.toml")


def test_a_law_that_has_gone_does_not_matter(tmp_path, finished):
    folder = shutil.copytree(finished[1], tmp_path / "run")
    text = (
        (folder / "scenario.toml").read_text().replace('kind = "none"', 'kind = "law"\nlaw = "own/absorber.main/gone.py:hold"')
    )
    text = "\n".join(line for line in text.splitlines() if not line.startswith("ramp = "))
    (folder / "scenario.toml").write_text(text)
    assert hil.open_run(folder).scenario.absorber["main"].law == f"{folder}/own/absorber.main/gone.py:hold"


# --- hil show ---


def test_show_prints_what_the_run_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = [part for override in SMALL for part in ("--set", override)]
    code, printed, _ = hil_command("run", "training_job", *settings)
    assert code == 3
    assert "INCONCLUSIVE" in printed
    assert hil_command("show") == (3, printed, "")
    (folder,) = (tmp_path / "runs").iterdir()
    assert hil_command("show", folder.relative_to(tmp_path)) == (3, printed, "")
    code, document, _ = hil_command("show", folder, "--json")
    assert code == 3
    assert json.loads(document) == json.loads((folder / "summary.json").read_text()) | {"folder": str(folder)}


def test_the_newest_run_is_the_one_that_was_started_last(tmp_path):
    for name, started_s in (("late", 3), ("early", 1), ("middle", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "provenance.json").write_text("{}")
        os.utime(tmp_path / name / "provenance.json", (started_s, started_s))
    (tmp_path / "notes").mkdir()
    (tmp_path / "a file").touch()
    assert [folder.name for folder in newest(tmp_path, 2)] == ["middle", "late"]
    with pytest.raises(hil.RunUnreadable, match="there is no run in it; name a folder"):
        newest(tmp_path / "nothing")
    shutil.rmtree(tmp_path / "late")
    shutil.rmtree(tmp_path / "early")
    with pytest.raises(hil.RunUnreadable, match="there is only one run in it; name two folders"):
        newest(tmp_path, 2)


def told(printed: str, line: str) -> bool:
    ours, others, _ = line.partition("…")
    return printed.startswith(ours) if others else printed == line


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_wrong_with_a_folder_is_told_in_one_line(what, tmp_path, finished):
    spoil, line = DAMAGED[what]
    folder = shutil.copytree(finished[1], tmp_path / "run")
    spoil(folder)
    for name in ("show", "plot"):
        code, out, err = hil_command(name, folder)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert told(err, f"{folder}: {line}\n")
    code, out, err = hil_command("diff", finished[1], folder)
    assert (code, out) == (2, "")
    assert told(err, f"{folder}: {line}\n")


def test_a_record_damaged_inside_is_told_in_one_line(tmp_path, finished):
    folder = shutil.copytree(finished[1], tmp_path / "run")
    data = bytearray((folder / "record.arrow").read_bytes())
    data[len(data) // 3 : -8] = bytes(len(data) - 8 - len(data) // 3)
    (folder / "record.arrow").write_bytes(data)
    code, out, err = hil_command("plot", folder)
    assert (code, out) == (2, "")
    assert err.startswith(f"{folder}: record.arrow: ")
    assert err.count("\n") == 1
    assert hil_command("show", folder)[0] == 1  # the verdict needs no waveforms
