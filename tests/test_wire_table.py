"""The table of driver cycle and link latency."""

from __future__ import annotations

import subprocess
import sys

import pytest
from command import hil_command

import hil
from hil.errors import ScenarioError
from hil.session.run import Options, run_scenario
from hil.session.wire_table import wire_table
from hil.verdict.outcome import Outcome

SHORT = ["duration='30 s'", "events=[]", "limits.0.window='20 s'", "load.start='1 s'", "load.start_ramp='8 s'"]


@pytest.mark.slow
def test_each_cell_is_the_run_that_one_could_make_by_hand():
    scenario = hil.load("training_job_wire", SHORT)
    cells = list(wire_table(scenario, [0.02, 0.1], [0.0, 0.05], jobs=1))
    assert [(cell.cycle_s, cell.latency_s) for cell in cells] == [(0.02, 0.0), (0.02, 0.05), (0.1, 0.0), (0.1, 0.05)]
    by_hand = hil.load("training_job_wire", [*SHORT, "bess.main.driver.rate='10 Hz'", "link.main.latency='50 ms'"])
    result = run_scenario(by_hand, Options())
    assert cells[3].margins == {name: limit.margin for name, limit in result.limits.items() if limit.required}
    assert cells[3].outcomes == {name: limit.outcome for name, limit in result.limits.items() if limit.required}


def test_latency_costs_margin_and_breaks_the_swing_first():
    scenario = hil.load("training_job_wire", SHORT)
    near, far = wire_table(scenario, [0.02], [0.0, 0.05], jobs=1)
    assert near.outcomes["peak-to-peak, 5 s"] is Outcome.PASS
    assert far.outcomes["peak-to-peak, 5 s"] is Outcome.FAIL
    assert far.margins["peak-to-peak, 5 s"] < near.margins["peak-to-peak, 5 s"]


def test_a_link_is_added_where_the_scenario_has_none():
    scenario = hil.load("training_job", [*SHORT, "duration='15 s'", "absorber.main.placement='wire'"])
    with_one, without = wire_table(scenario, [0.05], [0.01, 0.0], jobs=1)
    assert with_one.margins != without.margins


@pytest.mark.slow
def test_several_at_a_time_give_the_same():
    scenario = hil.load("training_job_wire", [*SHORT, "duration='5 s'"])
    assert list(wire_table(scenario, [0.05], [0.0, 0.02], jobs=2)) == list(wire_table(scenario, [0.05], [0.0, 0.02], jobs=1))


def test_nothing_on_the_wire_is_told():
    with pytest.raises(ScenarioError, match=r"training_job: absorber: none has placement = 'wire'; nothing to vary"):
        list(wire_table(hil.load("training_job"), [0.02], [0.0], jobs=1))


def hil_wire(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = "import hil.cli; hil.cli.main()"
    return subprocess.run([sys.executable, "-c", script, "wire", *arguments], capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_the_command_prints_a_table_for_each_required_limit():
    set_ = [part for override in [*SHORT, "duration='6 s'"] for part in ("--set", override)]
    done = hil_wire("training_job_wire", "--cycles", "50 ms", "--latencies", "0 ms, 20 ms", *set_)
    assert done.returncode == 0, done.stderr
    assert "peak-to-peak, 5 s\ncycle" in done.stdout
    assert "0 ms" in done.stdout
    assert "20 ms" in done.stdout
    assert "held" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--cycles", "0 ms"], "--cycles '0 ms': 0 ms: must be positive"),
        (["--latencies", "5"], "--latencies '5': 5: must be a time, such as '40 ms'; units: s, ms"),
        (["--cycles", "10 ms,"], "--cycles '10 ms,': '': must be a time, such as '40 ms'"),
        (["--latencies", "-1 ms"], "--latencies '-1 ms': -1 ms: must be positive"),
    ],
)
def test_times_that_make_no_sense_are_told_in_one_line(arguments, line):
    code, out, said = hil_command("wire", "training_job_wire", *arguments)
    assert (code, out) == (2, "")
    assert said.startswith(line)
    assert said.count("\n") == 1
