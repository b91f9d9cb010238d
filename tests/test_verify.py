"""Reference vectors: all hold, they stand as they were worked out, and `hil verify` says so, or says what does not hold."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hil.cli.app import app
from hil.limits import relays
from hil.limits.envelopes import Envelope, Threshold
from hil.verify import playing, published
from hil.verify.bench import Bench

ROOT = Path(__file__).parents[1]
VECTORS = playing.vectors()


@pytest.fixture(scope="module")
def report() -> playing.Report:
    return playing.verify()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Three vectors in place of all."""
    chosen = [
        next(vector for vector in VECTORS if vector["name"] == name)
        for name in ("IEC very inverse, M = 20", "one step inside 0.9 pu", "a step of 12 MW")
    ]
    monkeypatch.setattr(playing, "vectors", lambda: chosen)
    return chosen


def test_all_vectors_hold(report):
    assert [f"{row.standard}: {row.name}: expected {row.expected}, got {row.got}" for row in report.failed] == []
    assert len(report.rows) == len(VECTORS) >= 300


def test_every_profile_and_curve_is_tried():
    named = {vector["input"].get(key) for vector in VECTORS for key in ("profile", "curve")}
    assert named >= {*published.ENVELOPES, *published.STAGES, *relays.CURVES}
    stages = {
        (vector["input"]["profile"], vector["expect"].get("stage")) for vector in VECTORS if vector["function"] == "stages"
    }
    assert stages >= {(name, stage) for name, profile in published.STAGES.items() for stage in profile.stages}


def test_vectors_say_where_they_come_from():
    keys = ["function", "standard", "edition", "clause", "evidence", "name", "input", "expect", "tolerance"]
    assert all(list(vector) == keys for vector in VECTORS)
    assert {vector["evidence"] for vector in VECTORS} <= {"V", "S", "C"}
    assert all(vector["standard"] and vector["edition"] and vector["clause"] and vector["expect"] for vector in VECTORS)
    same = Counter(
        json.dumps([vector["standard"], vector["clause"], vector["function"], vector["input"]]) for vector in VECTORS
    )
    assert max(same.values()) == 1


def test_the_files_are_as_they_were_worked_out():
    """By a script that has the standards' constants itself; the table of the page too."""
    run = subprocess.run(
        [sys.executable, "scripts/reference_vectors.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (run.returncode, run.stdout) == (0, "all as written\n"), run.stderr
    for script in ROOT.glob("scripts/*vectors*.py"):
        assert not re.search(r"hil\.(limits|verify|kernel)", script.read_text()), "worked out without the code that is judged"


def test_the_vector_of_the_page_is_one():
    shown = re.search(r"```text\n(\[\[vector\]\]\n.*?)```", (ROOT / "docs" / "verify.md").read_text(), re.DOTALL)
    assert shown is not None
    assert shown[1] in (playing.FOLDER / "relays.toml").read_text()


@pytest.mark.parametrize(
    ("expect", "tolerance", "passed", "said"),
    [
        ({"operates": True, "time_s": 0.711}, {"ticks": 0}, True, "time 0.711 s"),
        ({"operates": True, "time_s": 0.710}, {"ticks": 1}, True, "time 0.71 s"),
        ({"operates": True, "time_s": 0.710}, {"ticks": 0}, False, "time 0.71 s"),
        ({"operates": True, "time_s": 0.7}, {"ticks": 1, "relative": 0.02}, True, "time 0.7 s"),
        ({"operates": True, "time_s": 0.7}, {"ticks": 1}, False, "time 0.7 s"),
        ({"operates": False}, {"ticks": 1}, False, "operates: no"),
        ({"reset_s": 1.0}, {"relative": 1.0}, False, "reset 1 s"),
    ],
)
def test_tolerances(expect, tolerance, passed, said):
    """IEC very inverse at M = 20: 13.5/19 s, found at the tick after."""
    vector = next(one for one in VECTORS if one["name"] == "IEC very inverse, M = 20")
    row = playing.play(vector | {"expect": expect, "tolerance": tolerance})
    assert row.passed == passed
    assert said in row.expected


def test_the_command_says_what_holds(few):
    run = CliRunner().invoke(app, ["verify"])
    assert run.exit_code == 0
    assert "PASS  3 of 3 vectors hold" in run.stdout
    assert "IEC very inverse" not in run.stdout
    assert "IEC very inverse, M = 20" in CliRunner().invoke(app, ["verify", "--all"]).stdout


def test_the_command_says_what_does_not_hold(few, monkeypatch):
    curve = replace(relays.IEC_VI, a_s=13.6)
    monkeypatch.setitem(relays.CURVES, "iec_vi", curve)
    run = CliRunner().invoke(app, ["verify"])
    assert run.exit_code == 1
    assert "FAIL  2 of 3 vectors hold" in run.stdout
    assert re.search(r"FAILS IEC 60255-151, Table 1, curve B: IEC very inverse, M = 20", run.stdout)
    assert "expected operates: yes, time 0.710526316 s; got operates: yes, time 0.716 s, error 0.00547" in run.stdout
    assert "one step inside" not in run.stdout


class Cells(HTMLParser):
    """Rows of the tables of a page, and whether its tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        assert not {name for name, _ in attrs} & {"src", "href"}, "needs nothing else"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_the_page_and_the_data(few, tmp_path):
    html, data = tmp_path / "report.html", tmp_path / "report.json"
    run = CliRunner().invoke(app, ["verify", "--html", str(html), "--json", str(data)])
    assert run.exit_code == 0
    parser = Cells()
    parser.feed(html.read_text())
    assert parser.open == []
    document = json.loads(data.read_text())
    assert (document["vectors"], document["passed"], len(document["rows"])) == (3, 3, 3)
    assert [row["name"] for row in document["rows"]] == [vector["name"] for vector in few]
    listed = {row[0] for row in parser.rows}
    assert listed >= {vector["name"] for vector in few}
    assert [one["reason"] for one in document["excluded"]] == [
        row[2] for row in parser.rows if row[0] in excluded_standards() and len(row) == 3
    ]
    for words in ("PASS", "3 of 3 reference vectors hold", document["versions"], document["date"]):
        assert words in html.read_text()
    alone = CliRunner().invoke(app, ["verify", "--json", "-"])
    assert json.loads(alone.stdout)["rows"] == document["rows"]


def excluded_standards() -> set[str]:
    return {one.standard for one in playing.excluded()}


@pytest.mark.parametrize("option", ["--html", "--json"])
def test_a_file_that_cannot_be_written(few, tmp_path, option):
    run = CliRunner().invoke(app, ["verify", option, str(tmp_path / "no" / "file")])
    assert run.exit_code == 2
    assert run.stderr == f"{option} {tmp_path / 'no' / 'file'}: cannot be written (No such file or directory)\n"
    assert CliRunner().invoke(app, ["verify", "--nothing"]).exit_code == 2


def test_settings_that_cannot_be():
    bench = Bench()
    params, states = bench.add("relays")
    with pytest.raises(ValueError, match="tr_s: must be given, IEC standard inverse \\(A\\) has no time of its disc"):
        relays.Relay(1.0, curve=relays.IEC_SI, reset="disc").fill(params[0], bench, dt_s=0.001, channel=0, output=1)
    params, states = bench.add("envelopes")
    many = Envelope(tuple(Threshold(0.9 - 0.01 * i, 1.0) for i in range(17)))
    with pytest.raises(ValueError, match="thresholds: at most 16, and there are 17"):
        many.fill(params[0], states[0], bench, dt_s=0.001, channel=0, output=1)


def test_the_continuous_band_ends_where_thresholds_begin():
    envelope = Envelope((Threshold(0.9, 1.0), Threshold(1.1, 1.0, under=False, inclusive=True), Threshold(0.5, 0.0)))
    assert envelope.low == 0.9
    assert envelope.high == np.nextafter(1.1, 0.0)
    assert Envelope(()).low == -np.inf


@pytest.mark.slow
def test_seeded_mistakes_are_caught():
    run = subprocess.run(
        [sys.executable, "validation/protection_mutants.py"], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rows = [line for line in run.stdout.splitlines() if " caught by " in line]
    assert len(rows) >= 90
    assert f"{len(rows)} of {len(rows)} mutants caught" in run.stdout
