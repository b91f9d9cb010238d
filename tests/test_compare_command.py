"""The command `hil compare`: what it prints and writes, how it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import HIL, hil_command
from compare_support import site

LOAD_SIDE = ("filler", "smoothing", "rack", "shelf")
"""Packaged remedies that act in the load itself."""


@pytest.fixture
def base(tmp_path):
    return site(tmp_path, periods=1)


def test_it_prints_both_tables(base):
    said = hil_command("compare", "site.toml", "--with", "battery.toml", "--jobs", 1, cwd=base.parent)
    assert said.code == 0, said.err
    lines = [line.strip() for line in said.out.splitlines() if line.strip()]
    assert lines[0] == "site · a square wave · 6 s · seed 0 · 2 variants"
    assert lines[1].split()[:3] == ["remedy", "verdict", "limits"]
    assert [line.split()[:2] for line in lines[2:4]] == [["none", "FAIL"], ["battery", "PASS"]]
    assert lines[4].split() == ["margin", "of", "none", "battery"]
    assert [line.split()[0] for line in lines[5:7]] == ["swing", "SoC"]
    assert "the same in every run, tick for tick" in lines[7]


def test_it_writes_json_and_markdown(base):
    folder = base.parent
    said = hil_command(
        "compare", "site.toml", "--with", "battery.toml", "--json", "all.json", "--markdown", "all.md", "--jobs", 1, cwd=folder
    )  # fmt: skip
    assert said.code == 0, said.err
    document = json.loads((folder / "all.json").read_text())
    assert [row["name"] for row in document["variants"]] == ["none", "battery"]
    assert (folder / "all.md").read_text().startswith("| remedy | ")
    printed = hil_command("compare", "site.toml", "--with", "battery.toml", "--json", "-", "--jobs", 1, cwd=folder)
    assert json.loads(printed.out) == document


def test_all_subsets_are_run_and_kept(base):
    said = hil_command(
        "compare", "site.toml", "--with", "battery.toml", "--with", "losses.toml", "--combine", "--jobs", 1, cwd=base.parent
    )  # fmt: skip
    assert (said.code, said.out) == (2, "")
    assert said.err == "losses.toml: bess.main.rating: missing; it has no default\n"
    said = hil_command(
        "compare", "site.toml", "--with", "battery.toml+losses.toml", "--out", "kept", "--jobs", 1, cwd=base.parent
    )
    assert said.code == 0, said.err
    assert sorted(path.name for path in (base.parent / "kept").iterdir()) == ["battery+losses", "none"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--with", "gone.toml"], "gone.toml: no such overlay; a file that ends in .toml, or one of: bess, filler, "),
        (["--set", "duration='x'"], "site.toml: duration = 'x': must be"),
        (["--markdown", "no/where.md"], "no/where.md: cannot be written (no such folder)"),
        (["--markdown", "."], ".: cannot be written (it is a folder)"),
        (["--markdown", "site.toml"], "--markdown site.toml: is what is read, which is not written over"),
        (
            ["--with", "battery.toml+losses.toml", "--json", "losses.toml"],
            "--json losses.toml: is what is read, which is not written over",
        ),
        (["--out", "site.toml"], "--out site.toml: site.toml/none: cannot be made (Not a directory)"),
    ],
)
def test_what_is_wrong_is_one_line_and_code_2(base, arguments, line):
    said = hil_command("compare", "site.toml", *arguments, "--jobs", 1, cwd=base.parent)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1


def test_remedies_are_listed():
    said = hil_command("scenarios", "--remedies")
    assert [line.split()[0] for line in said.out.splitlines()] == sorted(["none", "ups", "bess", "hybrid", *LOAD_SIDE])


@pytest.mark.slow
@pytest.mark.draws
def test_it_is_drawn_and_the_same_twice(base):
    folder = base.parent
    for name in ("one.svg", "two.svg", "one.png"):
        said = hil_command("compare", "site.toml", "--with", "battery.toml", "--picture", name, "--jobs", 1, cwd=folder)
        assert said.code == 0, said.err
    text = (folder / "one.svg").read_text()
    assert text == (folder / "two.svg").read_text()
    assert 'id="power-none"' in text
    assert 'id="power-battery"' in text
    assert ">battery<" in text
    assert (folder / "one.png").read_bytes().startswith(b"\x89PNG")
    refused = hil_command("compare", "site.toml", "--picture", "one.pdf", cwd=folder)
    assert refused == (2, "", "--picture one.pdf: must end in .png or .svg\n")


def test_without_matplotlib_a_picture_is_refused_before_anything_runs(base, monkeypatch):
    monkeypatch.setattr("hil.session.compare.run_scenario", lambda *_: pytest.fail("it ran"))
    monkeypatch.delitem(sys.modules, "hil.report.comparison_picture", raising=False)
    said = hil_command("compare", "site.toml", "--picture", "one.png", cwd=base.parent)
    assert said.code == 2
    assert "which draws: pip install 'ridethrough[plot]'" in said.err


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_interrupted_it_leaves_no_process_and_no_half_of_a_run(base, jobs, number):
    folder, temporary = base.parent, base.parent / "tmp"
    temporary.mkdir()
    command = [
        *HIL,
        "compare",
        "mitigation",
        "--with",
        "bess",
        "--with",
        "ups",
        "--with",
        "hybrid",
        "--set",
        "duration='20000 s'",
    ]
    with subprocess.Popen(
        [*command, "--jobs", str(jobs), "--out", "out/here"],
        cwd=folder, env=os.environ | {"TMPDIR": str(temporary)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            running = folder / "out" / "here" / "none" / "record.arrow"
            deadline = time.monotonic() + 60.0
            while not running.exists():
                assert time.monotonic() < deadline
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
            time.sleep(0.5)
            children = _children(process.pid)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 128 + number, err
    assert err == f"mitigation: ended by signal {int(number)}\n"
    assert out == ""
    assert not (folder / "out").exists()
    assert list(temporary.iterdir()) == []
    for child in children:  # the one that multiprocessing itself starts ends a moment after the others
        while Path(f"/proc/{child}").exists():
            assert time.monotonic() < deadline + 60.0
            time.sleep(0.02)
    assert bool(children) == (jobs == 2)


def _children(parent: int) -> list[int]:
    task = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(child) for child in task.read_text().split()]


@pytest.mark.slow
def test_a_process_that_goes_is_told(base, monkeypatch):
    script = """
import os
import hil.session.compare as compare
from hil.errors import HilError
from hil.session.workers import in_order
from test_compare_command import gone
try:
    list(in_order(gone, [1, 2], 2))
except HilError as error:
    print(error)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}
    file = base.parent / "script.py"
    file.write_text("if __name__ == '__main__':\n" + "\n".join(f"    {line}" for line in script.splitlines()))
    run = subprocess.run([sys.executable, file], capture_output=True, text=True, env=environment, timeout=60)
    assert run.stdout == "a process that ran a variant has gone (exit code 7)\n", run.stderr


def gone(_job):
    os._exit(7)


@pytest.mark.slow
def test_packaged_remedies_keep_what_they_promise():
    """Alone nothing but the voltage holds; a UPS holds the ramp; a battery, and both together, hold all."""
    said = hil_command(
        "compare", "mitigation", "--with", "ups", "--with", "bess", "--with", "hybrid", "--json", "-", "--jobs", 1
    )
    rows = {row["name"]: row for row in json.loads(said.out)["variants"]}
    assert all(row["same_load"] for row in rows.values())
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "none": "FAIL",
        "ups": "FAIL",
        "bess": "PASS",
        "hybrid": "PASS",
    }
    assert rows["none"]["usual_swing_5_s_share"] == pytest.approx(1.1 - 0.35, rel=1e-4)
    assert max(rows[name]["usual_swing_5_s_share"] for name in ("ups", "bess", "hybrid")) < 0.1
    assert rows["none"]["energy_overhead"] == 0.0 < rows["bess"]["energy_overhead"] < rows["ups"]["energy_overhead"] < 0.06
