"""Bad input gets exactly one clear line: file, key, value, what is allowed; and exit code 2."""

from __future__ import annotations

import copy
import functools
import operator
import re
import socket
import subprocess
import tomllib
from pathlib import Path

import pytest
import tomli_w
from bad_scenarios import TABLE
from command import HIL, hil_command
from typer.testing import CliRunner

import hil
from hil.cli.app import app
from hil.scenario.files import PACKAGED, from_document, override_document

SMALL = """
duration = "5 s"
[grid]
short_circuit = "500 MVA"
[load]
kind = "training"
power = "10 MW"
"""
BESS = "[bess.main]\nrating = '1 MVA'\nenergy = '1 MWh'\n"
TRACE = SMALL.replace('kind = "training"\npower = "10 MW"\n', 'kind = "trace"\ntrace = "power.csv"\n')
APPARENT = "must be an apparent power, such as '25 MVA'; units: VA, kVA, MVA, GVA"
RATE = "must be a frequency with its unit, such as '20 Hz'"
TOP = (
    "title, duration, tick, warm_up, seed, transport, grid, transformer, measurement, load, cooling, psu, gensets, bess, ups, "
    "meter, absorber, supervisor, link, mqtt, record, clock, limits, events, expect, incident"
)
TRAINING = (
    "power_factor, schedule, filler, smoothing, capping, rack, supply, kind, power, gpus, gpu, gpu_power, iteration, edge, "
    "compute_share, communication_power, optimiser_share, optimiser_power, straggle, nodes, overshoot, overshoot_time, "
    "idle_power, jitter, start, start_ramp, stop, checkpoint_every, checkpoint_offset, checkpoint_duration, "
    "checkpoint_power, failure_every, fall, restart_after, restore, restart_ramp"
)
REPLAY = (
    "power_factor, schedule, filler, smoothing, capping, rack, supply, gpus, gpu_power, kind, trace, format, time_column, "
    "power_column, power_columns, device_column, devices, period, between, exact, scale, repeat"
)
AFTER = "Expected newline or end of document after a statement"
LIMITS = "each entry begins with [[limits]]"
CRASH = "events.0.kind = 'load_crash': needs load.kind = 'training'"


@pytest.mark.parametrize(("overrides", "line"), TABLE, ids=[" ".join(overrides)[:60] for overrides, _ in TABLE])
def test_each_bad_override_prints_its_line(overrides, line):
    with pytest.raises(hil.ScenarioError) as caught:
        hil.run(hil.load("training_job", overrides))
    assert str(caught.value) == f"training_job: {line}"
    assert "\n" not in str(caught.value)


FILES = [(overrides, line) for overrides, line in TABLE if not line.startswith("--set")]


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        pytest.param(*row, id=" ".join(row[0])[:60], marks=[pytest.mark.slow] * (number % 8 > 0))
        for number, row in enumerate(FILES)
    ],
)
def test_each_bad_file_prints_its_line_from_validate_and_from_run(overrides, line, tmp_path, monkeypatch):
    """What the table changes in the flagship, written into a file."""
    document = tomllib.loads((PACKAGED / "training_job.toml").read_text())
    for override in overrides:
        override_document("training_job", document, override)
    (tmp_path / "mine.toml").write_text(tomli_w.dumps(document), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("validate", "run"):
        said = CliRunner().invoke(app, [name, "mine.toml"])
        assert (said.exit_code, said.stdout, said.stderr) == (2, "", f"mine.toml: {line}\n")
    assert [path.name for path in tmp_path.rglob("*")] in (["mine.toml"], ["mine.toml", "runs"])


def test_the_table_is_long_enough():
    assert len(FILES) >= 60


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
        ("a = 1\npower = 25 MW\n", f'not TOML: {AFTER} (at line 2, column 12); a quantity is a text: "25 MW"'),
        ("power = 25,5MW # of\n", f'not TOML: {AFTER} (at line 1, column 11); a quantity is a text: "25.5 MW"'),
        ("load = {power = 25 MW}\n", 'not TOML: Unclosed inline table (at line 1, column 20); a quantity is a text: "25 MW"'),
        ("soc = 55 %\n", f"not TOML: {AFTER} (at line 1, column 10); a share is a number between 0 and 1, not in %"),
        ("soc = 0,55\n", f"not TOML: {AFTER} (at line 1, column 8); a number has a decimal point: 0.55"),
        ("seed = 5 soc = 6\n", f"not TOML: {AFTER} (at line 1, column 10)"),
        ('title = "5 MW" True\n', f"not TOML: {AFTER} (at line 1, column 16)"),
        ("counter = True\n", "not TOML: Invalid value (at line 1, column 11); true and false are written small"),
        ("counter = Truely\n", "not TOML: Invalid value (at line 1, column 11)"),
        ("[[limits]]\n[limits]\n", f"not TOML: Cannot declare ('limits',) twice (at line 2, column 8); {LIMITS}"),
        ("[limits]\n[[limits]]\n", f"not TOML: Cannot overwrite a value (at line 2, column 9); {LIMITS}"),
        ("[load]\n[load]\n", "not TOML: Cannot declare ('load',) twice (at line 2, column 6)"),
        (SMALL + '[limits]\nname = "x"\n', f"limits: must be a list; {LIMITS}"),
        ("seed = 1\nseed = 2\n", "not TOML: Cannot overwrite a value (at line 2, column 9)"),
        ("seed = " + "[" * 5000, "not TOML: nested too deeply"),
        ("seed = " + "1" * 5000, "not TOML: a number has too many digits"),
        ("\ufeff" + SMALL.replace("500 MVA", "500 MW"), f"grid.short_circuit = '500 MW': {APPARENT}"),
        (SMALL.replace('power = "10 MW"', "power = 10"), "load.power = 10: must be a power with its unit, such as '25 MW'"),
        (SMALL.replace("short_circuit", "short_circut"), "grid.short_circut: unknown key; did you mean 'short_circuit'?"),
        (SMALL + BESS + "[bess.soc]\n", "bess.soc.rating: missing; it has no default"),
        (SMALL + BESS.replace("main", "driver") + "[bess.driver.driver]\nrate = 5\n", f"bess.driver.driver.rate = 5: {RATE}"),
        ('"a\\nb" = 1\n' + SMALL, f"a\\nb: unknown key; known keys: {TOP}"),
        (SMALL + "load = 5\n", f"load.load: unknown key; known keys: {TRAINING}"),
        (TRACE + "scale = -1\n", "load.scale = -1: must be above 0"),
        (TRACE + "repeat = 1\n", "load.repeat = 1: must be true or false"),
        (TRACE + "trce = 1\n", "load.trce: unknown key; did you mean 'trace'?"),
        (TRACE + "zzz = 1\n", f"load.zzz: unknown key; known keys: {REPLAY}"),
        (TRACE + '[[events]]\nkind = "load_crash"\nat = "1 s"\n', CRASH),
        ("", "duration: missing; it has no default"),
        ('duration = "5 s"\n', "grid: missing; it has no default"),
    ],
)
def test_files(tmp_path, text, line):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    (tmp_path / "power.csv").write_text("time_s,power_w\n0,1e6\n9,2e6\n")
    assert refused(path) == f"{path}: {line}"


def test_sources_that_are_not_there(tmp_path):
    assert refused("mine.toml") == "mine.toml: no such file"
    known = "hall, inference_replay, mitigation, training_job, training_job_wire; incidents: hil scenarios --incidents"
    assert refused("trainingjob") == f"trainingjob: no such scenario; name a .toml file or one of: {known}"
    assert refused("") == f"'': no such scenario; name a .toml file or one of: {known}"
    assert refused("a\nb.toml") == "a\\nb.toml: no such file"
    long = "x" * 5000
    assert refused(f"{long}.toml") == f"{long}.toml: no such file"
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"a = 1\n\xff\xfe\x00")
    assert refused(binary) == f"{binary}: cannot be read: not UTF-8 text, at byte 6"


@pytest.mark.slow
def test_what_pydantic_says_is_never_shown():
    values = [
        "x",
        "",
        "5 MW",
        "-1 s",
        "1e999 s",
        "\n",
        0,
        -1,
        0.5,
        10**400,
        float("nan"),
        True,
        [],
        {},
        [1],
        ["x", 5],
        {"kind": 5},
    ]
    document = hil.load("training_job", ["link.energy.between=['supervisor.energy', 'bess.main']"]).document()
    said = re.compile(r"Input|[Tt]uple|dictionary|Field|Value error|[Tt]ag\b|valid |_(w|va|wh|s|hz|v|degc|per_s)\b|<|\n")
    for place in places(document):
        for value in values:
            changed = copy.deepcopy(document)
            functools.reduce(operator.getitem, place[:-1], changed)[place[-1]] = value
            try:
                from_document(changed, source="f.toml")
            except hil.ScenarioError as error:
                line = str(error)
                assert line.startswith("f.toml: ")
                assert not said.search(re.sub(r"; known keys: .*| = '.*?'", "", line).replace("tokens_per_s", "")), line


def places(node, above=()):
    """The keys to everything in a document."""
    for key, inside in node.items() if isinstance(node, dict) else enumerate(node):
        yield (*above, key)
        if isinstance(inside, (dict, list)):
            yield from places(inside, (*above, key))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a,b\n1,2\n", "no column 'TIMESTAMP'; it has: a, b"),
        ("", "no column 'TIMESTAMP'; it has: none"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "no requests"),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9,x,3\n",
            "line 2: must be a time such as 2023-11-16 18:17:03.97 and two whole numbers",
        ),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9,1,-3\n",
            "line 2: tokens must be between 0 and 100000000",
        ),
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


@pytest.mark.parametrize(
    ("section", "name", "value", "line"),
    [
        ("bess.main", "soc", 1.2, "Bess: soc = 1.2: must be between 0 and 1"),
        ("bess.main", "soc", float("nan"), "Bess: soc = nan: must be a finite number"),
        ("bess.main", "rating_va", -5.0, "Bess: rating_va = -5.0: must be above 0 VA"),
        ("bess.main", "rating_va", "5 MW", f"Bess: rating_va = '5 MW': {APPARENT}"),
        ("bess.main", "rating", 5e6, "Bess: rating: no such attribute; did you mean 'rating_va'?"),
        ("bess.main", "soc_min", 0.99, "Bess: soc_min = 0.99: must be below soc_max = 0.95"),
        ("bess.main", "soc_max", 0.01, "Bess: soc_max = 0.01: soc_min must be below soc_max = 0.01"),
        ("supervisor.energy", "window", (0.8, 0.3), "SocWindow: window = [0.8, 0.3]: must be [low, high] with low below high"),
        ("", "duration_s", 50, "Scenario: duration_s = 50: events.0.at must be before the end, 50 s"),
        ("", "duration_s", 1e300, "Scenario: duration_s = 1e+300: must be at most 1000000000 s"),
        ("", "load", {"kind": "training"}, "Scenario: load.power: missing; it has no default"),
    ],
)
def test_assignments_in_python_are_checked(section, name, value, line):
    scenario = hil.load("training_job")
    kind, _, entry = section.partition(".")
    part = getattr(scenario, kind)[entry] if section else scenario
    before = scenario.document()
    with pytest.raises(hil.ScenarioError) as caught:
        setattr(part, name, value)
    assert str(caught.value) == line
    assert scenario.document() == before  # what was refused did not stay


def test_sections_that_do_not_agree_are_refused_by_the_run():
    scenario = hil.load("training_job")
    scenario.absorber["main"].device = "bess.other"  # agrees with its own section, not with the whole
    with pytest.raises(hil.ScenarioError) as caught:
        hil.run(scenario)
    line = "absorber.main.device = 'bess.other': no such device; the scenario has: 'bess.main'"
    assert str(caught.value) == f"training_job: {line}"
    assert caught.value.key == "absorber.main.device"


@pytest.mark.parametrize(
    "arguments",
    [
        ["training_job", "--set", "bess.main.soc=1.2"],
        ["training_job", "--set", "nonsense"],
        ["training_job", "--set", "bess.main.soc=1.2", "--json"],
        ["training_job", "--set", "title=5\nx=1", "--set", "grid.a\nb=1"],
        ["inference_replay", "--set", "load.trace=5"],
        ["inference_replay", "--set", "load.trace=nope.csv"],
        ["nowhere"],
        ["training_job", "--set", "record.channels=['x']"],
    ],
)
def test_command_line_prints_one_line_and_exits_2(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, said = hil_command("run", *arguments)
    assert (code, out) == (2, "")
    assert said.count("\n") == 1
    assert said.startswith(f"{arguments[0]}: ")
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


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"time_s,power_w\n1,2\n\xff,3\n", "not UTF-8 text, at byte 19"),
        (b"time_s,power_w\n1," + b"9" * 200_000 + b"\n", "not CSV: field larger than field limit (131072)"),
    ],
)
def test_files_that_are_no_csv(tmp_path, content, problem):
    path = tmp_path / "power.csv"
    path.write_bytes(content)
    overrides = ["events=[]", "load={}", "load.kind='trace'", f"load.trace='{path}'"]
    assert refused("training_job", *overrides) == f"training_job: load.trace = '{path}': {problem}"


def test_errors_while_building_name_the_file_as_it_was_given(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SMALL + "[record]\nchannels = ['x']\n")
    assert refused(path).startswith(f"{path}: record.channels = 'x': no such channel; there are: ")


def test_a_file_in_place_of_the_folder_of_runs(tmp_path):
    (tmp_path / "runs").write_text("")
    run = subprocess.run([*HIL, "run", "training_job"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert run.stderr == "--runs runs: cannot make a folder there (Not a directory)\n"
