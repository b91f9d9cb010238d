"""Bad input gets exactly one clear line: file, key, value, what is allowed; and exit code 2."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from bad_scenarios import TABLE

import hil

HIL = [sys.executable, "-c", "from hil.cli import main; main()"]
SMALL = """
duration = "5 s"
[grid]
short_circuit = "500 MVA"
[load]
kind = "training"
power = "10 MW"
"""


@pytest.mark.parametrize(("overrides", "line"), TABLE, ids=[" ".join(overrides)[:60] for overrides, _ in TABLE])
def test_each_bad_override_prints_its_line(overrides, line):
    with pytest.raises(hil.ScenarioError) as caught:
        hil.run(hil.load("training_job", overrides))
    assert str(caught.value) == f"training_job: {line}"
    assert "\n" not in str(caught.value)


def test_the_table_is_long_enough():
    assert len(TABLE) >= 60


def refused(source: str | Path, *overrides: str) -> str:
    with pytest.raises(hil.ScenarioError) as caught:
        hil.run(hil.load(source, overrides))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            SMALL.replace('"5 s"', '"5 MW"'),
            "duration = '5 MW': must be a time, such as '40 ms'; units: s, ms, us, ns, µs, min, h, d",
        ),
        (SMALL + "[bess.main]\nrating='1 MVA'\nenergy='1 MWh'\nsoc = 1.2\n", "bess.main.soc = 1.2: must be between 0 and 1"),
        ("duration = \n", "not TOML: Invalid value (at line 1, column 12)"),
        ("", "duration: missing; it has no default"),
        ('duration = "5 s"\n', "grid: missing; it has no default"),
    ],
)
def test_files(tmp_path, text, line):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert refused(path) == f"{path}: {line}"


def test_sources_that_are_not_there(tmp_path):
    assert refused("mine.toml") == "mine.toml: no such file"
    known = "inference_replay, training_job"
    assert refused("trainingjob") == f"trainingjob: no such scenario; name a .toml file or one of: {known}"
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert refused(binary).startswith(f"{binary}: cannot be read: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a,b\n1,2\n", "line 1: the header must name TIMESTAMP, ContextTokens, GeneratedTokens"),
        ("", "line 1: the header must name TIMESTAMP, ContextTokens, GeneratedTokens"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "line 1: no requests"),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9,x,3\n",
            "line 2: must be a time such as 2023-11-16 18:17:03.97 and two whole numbers",
        ),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9,1,-3\n", "line 2: tokens must not be negative"),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,1,3\n2023-11-16 18:17:02,1,3\n",
            "line 3: arrives before the request above it; rows must be in order of time",
        ),
    ],
)
def test_request_files(tmp_path, content, problem):
    path = tmp_path / "requests.csv"
    path.write_text(content)
    assert refused("inference_replay", f"load.trace='{path}'") == f"inference_replay: load.trace = '{path}': {problem}"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("t,p\n1,2\n", "no column 'time_s'; it has: t, p"),
        ("time_s,power_w\n", "no rows"),
        ("time_s,power_w\n1,2\n2,much\n", "line 3: time and power must be numbers"),
        ("time_s,power_w\n1,2\n2,nan\n", "line 3: time and power must be finite"),
        ("time_s,power_w\n1,2\n0.5,3\n", "line 3: time falls from 1 to 0.5 s"),
        ("time_s,power_w\n1,2\n", "needs two rows or more"),
    ],
)
def test_power_files(tmp_path, content, problem):
    path = tmp_path / "power.csv"
    path.write_text(content)
    overrides = ["events=[]", "load={}", "load.kind='trace'", f"load.trace='{path}'"]
    assert refused("training_job", *overrides) == f"training_job: load.trace = '{path}': {problem}"


def test_a_missing_trace_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refused("inference_replay", "load.trace=nope.csv")
    assert message.startswith("inference_replay: load.trace = 'nope.csv': no such file (looked in ")
    assert str(tmp_path) in message


def test_assignments_in_python_are_checked():
    scenario = hil.load("training_job")
    with pytest.raises(hil.ScenarioError, match=r"^Bess: soc = 1\.2: must be between 0 and 1$"):
        scenario.bess["main"].soc = 1.2
    assert scenario.bess["main"].soc == 0.55
    scenario.absorber["main"].device = "bess.other"  # agrees with its own section, not with the whole
    with pytest.raises(hil.ScenarioError, match=r"absorber\.main\.device = 'bess\.other': no such device"):
        hil.run(scenario)


@pytest.mark.parametrize(
    "arguments",
    [
        ["training_job", "--set", "bess.main.soc=1.2"],
        ["training_job", "--set", "nonsense"],
        ["inference_replay"],
        ["inference_replay", "--set", "load.trace=nope.csv"],
        ["nowhere"],
        ["training_job", "--set", "record.channels=['x']"],
    ],
)
def test_command_line_prints_one_line_and_exits_2(arguments, tmp_path):
    run = subprocess.run([*HIL, "run", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith(f"{arguments[0]}: ")
    assert not list(tmp_path.glob("runs/*"))  # nothing half-made is left behind


def test_an_occupied_port_is_named(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        where = f"127.0.0.1:{other.getsockname()[1]}"
        run = subprocess.run(
            [*HIL, "run", "training_job", "--set", f"bess.main.listen='{where}'"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert run.returncode == 2
    assert run.stdout == ""
    problem = "cannot listen there (Address already in use); port 0 takes any free one"
    assert run.stderr == f"training_job: bess.main.listen = '{where}': {problem}\n"
    assert not list(tmp_path.glob("runs/*"))
