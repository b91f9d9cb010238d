"""The examples for a CI server and for a controller of one's own: all that they say is run."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from ci_support import EXAMPLES, cases, junit, red
from doc_blocks import ROOT, command_environment

from hil.testing.bench import read_bench

CONTROLLER = EXAMPLES / "controller"
WORKFLOW = EXAMPLES / "ci" / "github_actions.yml"


@pytest.fixture
def suite(pytester, monkeypatch):
    """Runs the suite of the example with pytest, with this plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for file in CONTROLLER.iterdir():
        if file.is_file():
            shutil.copy(file, pytester.path)
    return lambda *arguments: pytester.runpytest_inprocess("-p", "hil.pytest_plugin", "-p", "no:cacheprovider", *arguments)


def test_the_controller_passes_without_sockets(suite):
    suite("--hil-bench", "bench.toml", "--hil-target", "direct", "-k", "not client").assert_outcomes(passed=4)


@pytest.mark.realtime
def test_a_client_meets_the_devices(suite):
    suite("-k", "client").assert_outcomes(passed=1, deselected=4)


def test_what_a_failing_one_shows_is_what_the_page_shows(suite):
    ended = suite("--hil-bench", "hasty.toml", "-k", "limits_hold")
    ended.assert_outcomes(failed=1)
    page = (ROOT / "docs" / "ci.md").read_text()
    shown = next(block for block in re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) if "campus" in block)
    lines = shown.splitlines()
    assert len(lines) >= 5
    assert "swing, 5 s" in lines[3]
    ended.stdout.re_match_lines([re.escape(line).replace("…", ".*") for line in lines], consecutive=True)


def workflow() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())
    (job,) = document["jobs"].values()
    return job


def test_the_workflow_goes_over_the_targets_of_the_bench():
    assert workflow()["strategy"]["matrix"]["target"] == [*read_bench(CONTROLLER / "bench.toml")]


def test_the_workflow_keeps_what_it_makes_whatever_happens():
    steps = workflow()["steps"]
    told = " ".join(step.get("run", "") for step in steps)
    for place in steps[-1]["with"]["path"].split():
        assert f" {place}" in told
    assert [step.get("if") for step in steps[-2:]] == ["${{ !cancelled() }}"] * 2


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize("target", ["wire", "direct", "far"])
def test_the_commands_of_the_workflow_run(tmp_path, target):
    """All of them but the installation, as a runner does: one after the other, each in a shell that ends at an error."""
    shutil.copytree(CONTROLLER, tmp_path / "checkout")
    commands = [step["run"] for step in workflow()["steps"] if "run" in step]
    assert commands[0] == 'pip install "$RIDETHROUGH" pytest'
    for command in commands[1:]:
        script = command.replace("${{ matrix.target }}", target)
        run = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=tmp_path / "checkout",
            env=command_environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert run.returncode == 0, run.stdout + run.stderr
    reports = tmp_path / "checkout" / "reports"
    assert not red(cases(junit((reports / "verdict.xml").read_bytes())).values())
    assert 'errors="0" failures="0" skipped="0" tests="5"' in (reports / "tests.xml").read_text()
    assert len([*(tmp_path / "checkout" / "runs").rglob("summary.json")]) == 1 + 4
