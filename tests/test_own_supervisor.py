"""A supervisor of one's own in a file of one's own, named in the scenario by path and class."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hil
from controllers import StorageDevice, Supervisor
from hil.cli.app import app

HOLD = '''
from helper import FULL_W

from controllers import StorageDevice, Supervisor


class HoldHalf(Supervisor):
    """Keep the state of charge at one half."""

    def __init__(self, period_s: float = 0.1, most_w: float = FULL_W, steps_w: tuple = ()) -> None:
        self.period_s, self.most_w, self.steps_w = period_s, most_w, steps_w

    async def run(self, device: StorageDevice) -> None:
        async for _ in self.every(self.period_s):
            battery = await device.read()
            await device.set_active_power(max(-self.most_w, min(self.most_w, (battery.soc - 0.5) * 20e6)))


class Unfinished(Supervisor):
    """Has no run."""


class Needs(HoldHalf):
    """An argument without a default."""

    def __init__(self, floor_soc: float, ceiling: float = 1.0) -> None:
        super().__init__()
        if floor_soc > ceiling:
            raise ValueError(f"floor {floor_soc} above ceiling {ceiling}")


NUMBER = 5
'''
UPSS = '''
from controllers import UpsSupervisor


class Slowly(UpsSupervisor):
    """All come back slowly."""

    def __init__(self, duration_s: float) -> None:
        self.duration_s = duration_s

    async def run(self, devices) -> None:
        for device in devices:
            device.set_walk_in(0.0, self.duration_s)
        async for _ in self.every(1.0):
            for device in devices:
                await device.read()
'''
TIME = "must be a time, such as '40 ms'; units: s, ms, us, ns, µs, min, h, d"


@pytest.fixture
def folder(tmp_path):
    """A folder with two files of supervisors, what one imports, and a scenario."""
    (tmp_path / "hold.py").write_text(HOLD)
    (tmp_path / "helper.py").write_text("FULL_W = 20e6\n")
    (tmp_path / "slow.py").write_text(UPSS)
    flagship = (Path(hil.__file__).parent / "scenarios" / "training_job.toml").read_text()
    old = flagship[flagship.index("[supervisor.energy]") : flagship.index("[[limits]]")]
    new = '[supervisor.energy]\nkind = "own"\nclass = "hold.py:HoldHalf"\ndevice = "bess.main"\n\n'
    (tmp_path / "mine.toml").write_text(flagship.replace(old, new))
    return tmp_path


class HoldHalf(Supervisor):
    """The same, given to hil.run."""

    async def run(self, device: StorageDevice) -> None:
        async for _ in self.every(0.1):
            battery = await device.read()
            await device.set_active_power((battery.soc - 0.5) * 20e6)


def test_a_run_is_that_of_the_same_supervisor_given_in_python(folder):
    by_file = hil.run(hil.load(folder / "mine.toml", ["duration='20 s'", "events=[]"]), folder=folder / "run")
    by_hand = hil.run(hil.load("training_job", ["duration='20 s'", "events=[]"]), supervisors={"bess.main": HoldHalf()})
    nobody = hil.run(hil.load("training_job", ["duration='20 s'", "events=[]", "supervisor={}"]))
    assert by_file.waveform_hash == by_hand.waveform_hash != nobody.waveform_hash
    kept = folder / "run" / "own" / "supervisor.energy"
    assert {file.name for file in kept.iterdir()} == {"hold.py", "helper.py"}
    provenance = json.loads((folder / "run" / "provenance.json").read_text())
    assert provenance["own"]["supervisor.energy"]["hold.py"] == hashlib.sha256(HOLD.encode()).hexdigest()
    for name in ("hold.py", "helper.py"):
        (folder / name).unlink()
    assert hil.run(hil.load(folder / "run" / "scenario.toml")).waveform_hash == by_file.waveform_hash


def test_parameters_are_arguments_in_si(folder):
    given = "supervisor.energy.parameters={period='200 ms', most='100 kW', steps=['1 kW', '2 kW']}"
    plain = "supervisor.energy.parameters={period_s=0.2, most_w=1e5, steps_w=[1000, 2000]}"
    runs = [
        hil.run(hil.load(folder / "mine.toml", ["duration='20 s'", "events=[]", *more])) for more in ([given], [plain], [])
    ]
    assert runs[0].waveform_hash == runs[1].waveform_hash != runs[2].waveform_hash


def test_a_supervisor_of_upss(folder):
    small = ["duration='30 s'", "events=[]", "supervisor.ups={kind='own',class='slow.py:Slowly',devices=['ups.a','ups.b']}"]
    (folder / "hall.toml").write_text((Path(hil.__file__).parent / "scenarios" / "hall.toml").read_text())
    scenario = hil.load(folder / "hall.toml", [*small, "supervisor.ups.parameters={duration='25 s'}"])
    result = hil.run(scenario)
    assert not [reason for reason in result.reasons if "supervisor.ups" in reason]
    assert "supervisor_ended" not in [event["event"] for event in result.events]


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            ["supervisor.energy.class='hold'"],
            "supervisor.energy.class = 'hold': must be a file or a module and a name in it, such as 'mine.py:hold'",
        ),
        (["supervisor.energy.class='gone.py:Hold'"], "supervisor.energy.class = 'gone.py:Hold': no such file: gone.py"),
        (
            ["supervisor.energy.class='nowhere.all:Hold'"],
            "supervisor.energy.class = 'nowhere.all:Hold': cannot be imported: ModuleNotFoundError: No module named 'nowhere'",
        ),
        (
            ["supervisor.energy.class='hold.py:Hold'"],
            "supervisor.energy.class = '{hold}:Hold': there is no such name; {must}: HoldHalf, Needs",
        ),
        (
            ["supervisor.energy.class='hold.py:Unfinished'"],
            "supervisor.energy.class = '{hold}:Unfinished': Unfinished has no run; there are: HoldHalf, Needs",
        ),
        (
            ["supervisor.energy.class='hold.py:NUMBER'"],
            "supervisor.energy.class = '{hold}:NUMBER': NUMBER is of type int; {must}: HoldHalf, Needs",
        ),
        (
            ["supervisor.energy.class='slow.py:Slowly'"],
            "supervisor.energy.class = '{slow}:Slowly': Slowly is no controllers.Supervisor; there are: none",
        ),
        (
            ["supervisor.energy.parameters={perod='1 s'}"],
            "supervisor.energy.parameters.perod: unknown parameter; did you mean 'period'?",
        ),
        (
            ["supervisor.energy.parameters={period='1 W'}"],
            f"supervisor.energy.parameters.period = '1 W': {TIME}",
        ),
        (
            ["supervisor.energy.parameters={period=1}"],
            "supervisor.energy.parameters.period = 1: must be a time with its unit, such as '40 ms'",
        ),
        (
            ["supervisor.energy.parameters={period='1 s', period_s=1}"],
            "supervisor.energy.parameters.period_s = 1: given twice, as period and as period_s",
        ),
        (
            ["supervisor.energy.class='hold.py:Needs'"],
            "supervisor.energy.parameters.floor_soc: missing; the class gives it no default",
        ),
        (
            ["supervisor.energy.class='hold.py:Needs'", "supervisor.energy.parameters={floor_soc=2.0}"],
            "supervisor.energy.class = '{hold}:Needs': cannot be made: ValueError: floor 2.0 above ceiling 1.0 (line 29)",
        ),
        (["supervisor.energy.foo='1 Hz'"], "supervisor.energy.foo: unknown key; known keys: {keys}"),
        (
            ["supervisor.energy.horizon='1 s'"],
            "supervisor.energy.horizon: unknown key for kind = 'own'; a key of 'soc_window'",
        ),
        (
            ["supervisor.energy.devices=['ups.a']"],
            "supervisor.energy.device = 'bess.main': give device = 'bess.NAME' or devices = ['ups.NAME', ...], not both",
        ),
        (
            ["supervisor.energy={kind='own',class='hold.py:HoldHalf'}"],
            "supervisor.energy.device: give device = 'bess.NAME', or devices = ['ups.NAME', ...]",
        ),
        (["supervisor.energy={kind='own',device='bess.main'}"], "supervisor.energy.class: missing; it has no default"),
    ],
)
def test_whatever_is_wrong_is_one_line(folder, overrides, line):
    with pytest.raises(hil.ScenarioError) as caught:
        hil.run(hil.load(folder / "mine.toml", overrides))
    keys = "required, stale_after, kind, class, device, devices, parameters"
    must = "must name a class that is a controllers.Supervisor and has a run, there are"
    expected = line.format(must=must, hold=folder / "hold.py", slow=folder / "slow.py", keys=keys)
    assert str(caught.value) == f"{folder / 'mine.toml'}: {expected}"


def test_a_class_given_in_python_goes_before_the_one_in_the_file(folder):
    short = ["duration='20 s'", "events=[]"]
    scenario = hil.load(folder / "mine.toml", [*short, "supervisor.energy.parameters={most='0 W'}"])
    held = hil.run(scenario, supervisors={"bess.main": HoldHalf()})
    assert held.waveform_hash == hil.run(hil.load(folder / "mine.toml", short)).waveform_hash


BROKEN = """
from controllers import Supervisor


class Broken(Supervisor):
    async def run(self, device):
        async for now_s in self.every(1.0):
            print("still here")
            await device.read()
            if now_s >= 5.0:
                raise RuntimeError(f"no {device.name}")
"""


def test_what_a_supervisor_raises_is_one_line_and_leaves_the_device_safe(folder, monkeypatch):
    (folder / "broken.py").write_text(BROKEN)
    monkeypatch.chdir(folder)
    said = CliRunner().invoke(app, ["run", "mine.toml", "--json", "--set", "supervisor.energy.class=broken.py:Broken"])
    (run,) = (folder / "runs").iterdir()
    line = "supervisor.energy, at 5.000 s of the run: RuntimeError: no bess.main (broken.py line 11)"
    failure = run.relative_to(folder) / "failure.txt"
    assert said.exit_code == 4
    assert said.stdout == ""  # what it prints goes where the JSON does not
    assert said.stderr.splitlines() == ["still here"] * 6 + [f"mine.toml: {line}; {failure} has the traceback"]
    traceback = (run / "failure.txt").read_text()
    assert 'broken.py", line 11, in run' in traceback
    assert "supervisor.energy, at 5.000 s of the run" in traceback
    events = [json.loads(text) for text in (run / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events if event["event"] in ("made_safe", "run_failed")] == ["made_safe", "run_failed"]
    shown = CliRunner().invoke(app, ["show"])
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(
        f"{run.relative_to(folder)}: not finished: there is no summary.json; failure.txt says why; "
    )
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("code", ["0", "'no plan'", ""])
def test_an_exit_in_a_supervisor_is_no_verdict(folder, monkeypatch, code):
    (folder / "leaves.py").write_text(BROKEN.replace('raise RuntimeError(f"no {device.name}")', f"raise SystemExit({code})"))
    monkeypatch.chdir(folder)
    said = CliRunner().invoke(app, ["run", "mine.toml", "--set", "supervisor.energy.class=leaves.py:Broken"])
    assert said.exit_code == 4
    assert f"RuntimeError: sys.exit({code or None}) (leaves.py line 11)" in said.stderr


def test_an_exit_while_it_is_made_is_a_bad_scenario(folder, monkeypatch):
    text = HOLD.replace("self.period_s, self.most_w", "raise SystemExit(0)\n        self.period_s, self.most_w", 1)
    (folder / "hold.py").write_text(text)
    monkeypatch.chdir(folder)
    said = CliRunner().invoke(app, ["validate", "mine.toml", "gone.toml"])
    assert said.exit_code == 2
    assert "supervisor.energy.class" in said.stderr.splitlines()[0]
    assert said.stderr.splitlines()[1] == "gone.toml: no such file"


def test_a_run_that_is_no_coroutine_is_told_at_once(folder):
    (folder / "hold.py").write_text(HOLD.replace("async def run", "def run").replace("async for", "for").replace("await ", ""))
    with pytest.raises(hil.ScenarioError, match="HoldHalf has a run that is no coroutine: it must be `async def run`"):
        hil.run(hil.load(folder / "mine.toml"))


def test_a_failed_run_leaves_no_verdict_of_an_earlier_one(folder):
    short = ["duration='5 s'", "events=[]"]
    hil.run(hil.load(folder / "mine.toml", short), folder=folder / "run")
    (folder / "broken.py").write_text(BROKEN)
    broken = hil.load(folder / "mine.toml", ["supervisor.energy.class=broken.py:Broken"])
    with pytest.raises(RuntimeError, match=r"no bess\.main"):
        hil.run(broken, folder=folder / "run")
    with pytest.raises(hil.RunUnreadable, match=r"failure\.txt says why"):
        hil.open_run(folder / "run")
    assert {path.name for path in (folder / "run" / "own" / "supervisor.energy").iterdir()} == {"broken.py"}
    again = hil.run(hil.load(folder / "mine.toml", short), folder=folder / "run")
    assert hil.open_run(folder / "run").verdict == again.verdict
    assert not (folder / "run" / "failure.txt").exists()
    once_more = hil.run(hil.load(folder / "run" / "scenario.toml"), folder=folder / "run")  # from its own copies, into itself
    assert once_more.waveform_hash == again.waveform_hash
