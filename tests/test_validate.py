"""`hil validate`: which scenarios can be run as written, and what keeps a run of one from PASS whatever it shows."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import hil
from hil.cli.app import app
from hil.verdict.foreseen import foreseen

NO_LIMIT = "the scenario requires no limit"
SLOW = "longer than its stale_after, {} s: it may be silent for too long, which blocks PASS"


def test_validate_goes_through_all_and_says_what_can_be_run(tmp_path, monkeypatch):
    (tmp_path / "bad.toml").write_text("duration = 5\n")
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["validate", "training_job", "bad.toml", "hall"])
    assert said.exit_code == 2
    assert said.stdout.splitlines() == [
        "training_job: valid · 180 s at 1 ms · 1 BESS · 8 limits, 5 required",
        "hall: valid · 200 s at 1 ms · 1 BESS · 4 UPS · 17 limits, 13 required",
    ]
    assert said.stderr == "bad.toml: duration = 5: must be a time with its unit, such as '40 ms'\n"
    assert CliRunner().invoke(app, ["validate", *hil.packaged()]).exit_code == 0


@pytest.mark.parametrize(
    ("source", "overrides", "notes"),
    [
        (
            "training_job",
            ["duration='20 s'", "events=[]"],
            ["grid ramp: its window, 61 s (window 60 s, mean 1 s), is longer than the run, 20 s: it cannot PASS"],
        ),
        (
            "training_job",
            ["duration='4 s'", "events=[]", "limits.grid ramp.window='3 s'", "limits.27 undervoltage.delay='4.1 s'"],
            [
                "peak-to-peak, 5 s: its window, 5 s, is longer than the run, 4 s: it cannot PASS",
                "27 undervoltage: its window, 4.1 s, is longer than the run, 4 s: it cannot PASS",
            ],
        ),
        ("training_job", ["limits=[]"], [f"{NO_LIMIT}: it cannot PASS"]),
        (
            "training_job",
            [
                r"""limits=[{name="a\nb",kind="rocof",max="1 Hz/s",window="200 s",required=true}]""",
            ],
            ["a\\nb: its window, 200 s, is longer than the run, 180 s: it cannot PASS"],
        ),
        (
            "training_job",
            ["supervisor.energy.rate='0.4 Hz'"],
            [f"supervisor.energy: its period, 2.5 s, is {SLOW.format(1)}"],
        ),
        ("training_job", ["supervisor.energy.rate='1 Hz'"], []),
        ("training_job", ["supervisor.energy.rate='0.4 Hz'", "supervisor.energy.required=false"], []),
        ("hall", ["supervisor.ups.rate='0.2 Hz'"], [f"supervisor.ups: its period, 5 s, is {SLOW.format(3)}"]),
    ],
)
def test_validate_notes_what_keeps_a_run_from_passing(source, overrides, notes):
    said = CliRunner().invoke(app, ["validate", source, *(word for text in overrides for word in ("--set", text))])
    first, *rest = said.stdout.splitlines()
    assert (said.exit_code, said.stderr) == (0, "")
    assert first.startswith(f"{source}: valid · ")
    assert rest == [f"{source}: note: {note}" for note in notes]


def test_what_is_noted_is_what_the_verdict_says():
    for overrides in (["duration='20 s'", "events=[]"], ["duration='6 s'", "events=[]", "limits=[]"]):
        result = hil.run(hil.load("training_job", overrides))
        assert result.verdict == "INCONCLUSIVE"
        assert [f"{reason}: it cannot PASS" for reason in result.reasons] == list(foreseen(result.scenario))
    slow = hil.run(hil.load("training_job", ["duration='20 s'", "events=[]", "supervisor.energy.rate='0.4 Hz'"]))
    assert any("supervisor.energy: silent for" in reason for reason in slow.reasons)
