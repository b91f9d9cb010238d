"""What `hil serve` is made of, without a wall clock: commands by hand, single devices, load without an end, typed lines."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from bad_serve import COMMANDS, USAGE
from typer.testing import CliRunner

import hil
from firmware_sim.storage.personalities.registry import PERSONALITIES
from hil.cli.app import app
from hil.cli.beside import Beside
from hil.cli.typed import Line
from hil.errors import EventRefused
from hil.loads.repeated import RepeatedLoad
from hil.loads.source import LoadSource
from hil.scenario import Bess, DeviceSilence, GenerationLoss, GridDip, LinkCut
from hil.scenario.event import Event
from hil.serve.commands import commands, event_of, help_lines
from hil.serve.single import SingleOptions, single_scenario
from hil.session.kernel_run import KernelRun
from hil.site.events import stimulate, stimulate_no_more

HALL = hil.load("hall")


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("dip 0.4 200ms", GridDip(at_s=0.0, residual=0.4, duration_s=0.2)),
        ("dip 0.4 200 ms fault=ag", GridDip(at_s=0.0, residual=0.4, duration_s=0.2, fault="ag")),
        ("grid_dip duration='1 s' 0.4 judged=true", GridDip(at_s=0.0, residual=0.4, duration_s=1.0, judged=True)),
        ("loss 50 MW", GenerationLoss(at_s=0.0, power_w=50e6)),
        ("loss -50MW 2 s", GenerationLoss(at_s=0.0, power_w=-50e6, duration_s=2.0)),
        ("silent ups.a 5s", DeviceSilence(at_s=0.0, device="ups.a", duration_s=5.0)),
    ],
)
def test_a_command_is_an_event(text, event):
    assert event_of(text, HALL) == event


def test_the_only_device_need_not_be_named():
    silent = event_of("silent 5s", single_scenario("bess", SingleOptions()))
    assert silent == DeviceSilence(at_s=0.0, device="bess.main", duration_s=5.0)
    assert event_of("cut link.main 1s", hil.load("training_job_wire")) == LinkCut(at_s=0.0, link="link.main", duration_s=1.0)


@pytest.mark.parametrize(
    ("text", "problem"),
    COMMANDS,
)
def test_what_cannot_be_is_told_in_a_line(text, problem):
    with pytest.raises(EventRefused) as refused:
        event_of(text, HALL)
    assert str(refused.value) == problem


def test_the_broker_of_others_cannot_be_stopped_by_hand():
    foreign = single_scenario("ups", SingleOptions(broker="mqtt://127.0.0.1"))
    with pytest.raises(EventRefused, match=r"^broker: kind = 'broker_stop': needs the testbed's own broker"):
        event_of("broker 1s", foreign)


def test_every_kind_of_event_is_a_command():
    """A kind that is added is one without further ado; the load is made ahead, so that it cannot crash by hand."""
    kinds = {get_args(model.model_fields["kind"].annotation)[0] for model in get_args(get_args(Event)[0])}
    assert {command.kind for command in commands().values()} == kinds - {"load_crash"}
    assert len(help_lines()) == len(kinds) - 1 + 5
    assert help_lines("dip")[2] == "  residual: share that is left of the voltage that the fault takes down"


@pytest.mark.parametrize(
    ("arguments", "said"),
    USAGE,
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_told_in_a_line(arguments, said):
    run = CliRunner().invoke(app, ["serve", *arguments])
    assert (run.exit_code, run.stderr) == (2, said + "\n")


def test_a_scenario_names_every_map_that_there_is():
    assert set(get_args(Bess.model_fields["firmware"].annotation)) == set(PERSONALITIES)


def test_one_device_is_what_its_options_say():
    bess = single_scenario("bess", SingleOptions(rating="500 kVA", soc=0.3, port=1502, unit=9)).bess["main"]
    assert (bess.rating_va, bess.energy_wh, bess.soc, bess.listen, bess.unit_id) == (5e5, 1e6, 0.3, "127.0.0.1:1502", 9)
    ups = single_scenario("ups", SingleOptions(rating="80 kW", energy="10 kWh", load="20 kW", port=1883))
    assert (ups.ups["main"].rating_w, ups.ups["main"].energy_wh) == (8e4, 1e4)
    assert (ups.mqtt.listen, LoadSource(ups).first_w) == ("127.0.0.1:1883", 2e4)
    share = single_scenario("ups", SingleOptions(rating="80 kW", load="0.25"))
    assert np.unique(RepeatedLoad(share).block(10_000)).tolist() == [2e4]


@pytest.mark.parametrize("again", [True, False])
def test_a_load_begins_anew_or_is_held(tmp_path, again):
    """Of a trace that ends before the scenario does the last power is held until then."""
    (tmp_path / "power.csv").write_text("time_s,power_w\n0,1e6\n2,3e6\n")
    (tmp_path / "site.toml").write_text(
        "duration = '3 s'\n[grid]\nshort_circuit = '100 MVA'\n[load]\nkind = 'trace'\ntrace = 'power.csv'\n"
    )
    scenario = hil.load(tmp_path / "site.toml")
    load = RepeatedLoad(scenario, again=again)
    power_w = np.concatenate([load.block(ticks) for ticks in (700, 1900, 5400)])
    assert load.tick == power_w.size
    day_w = np.concatenate([1e6 + 1e3 * (np.arange(2000) + 0.5), np.full(1000, 3e6 - 0.5e3)])
    then_w = np.tile(day_w, 3)[3000:8000] if again else np.full(5000, 3e6 - 0.5e3)
    np.testing.assert_allclose(power_w, np.concatenate([day_w, then_w]), rtol=1e-9)


def test_what_is_given_to_the_running_plant_acts_as_if_scripted():
    """To the bit, from the same tick on; what is ended is over at once."""
    scripted = hil.load("hall", ["events=[]", "duration='8 s'"])
    scripted.events = [
        GridDip(at_s=1.0, duration_s=0.15, residual=0.4, fault="ag"),
        GenerationLoss(at_s=2.0, power_w=50e6, duration_s=0.5),
        GenerationLoss(at_s=3.0, power_w=20e6, duration_s=1.0),
    ]
    there = KernelRun(scripted, leave_out_controllers=True)
    there.advance(6.0)
    quiet = hil.load("hall", ["events=[]", "duration='8 s'"])
    given = KernelRun(quiet, leave_out_controllers=True)
    for event in scripted.events[:2]:
        given.advance(event.at_s)
        stimulate(given._engine, quiet, event)
    given.advance(3.0)
    stimulate(given._engine, quiet, GenerationLoss(at_s=0.0, power_w=20e6))
    given.advance(4.0)
    stimulate_no_more(given._engine, quiet)
    given.advance(6.0)
    for state in ("network", "area", "ups", "ups_power", "battery"):
        assert there.states[state].tobytes() == given.states[state].tobytes(), state


@pytest.mark.parametrize(
    ("typed", "lines", "left"),
    [
        ("silent 5s\r", ["silent 5s"], ""),
        ("a\nb\nc", ["a", "b"], "c"),
        ("silence\x7f\x7ft", [], "silent"),
        ("stop bess.main\x17x", [], "stopx"),
        ("stop\x15quit\n", ["quit"], ""),
        ("a\x1b[A\x1bOPb\x1b[1;5C\x07", [], "ab"),
        ("a\tb\n", ["a b"], ""),
        ("x" * 5000 + "\n", ["x" * 1000], ""),
    ],
)
def test_a_line_is_typed(typed, lines, left):
    line = Line()
    assert list(line.take(typed)) == lines
    assert line.text == left


def test_the_end_of_input_ends_a_line_only_where_it_is_empty():
    line = Line()
    assert list(line.take("a\x04")) == []
    with pytest.raises(EOFError):
        list(line.take("\x15\x04"))


def test_a_pipe_that_nobody_reads_stops_nobody(monkeypatch):
    read, write = os.pipe()
    with os.fdopen(write, "w") as unread:
        monkeypatch.setattr("sys.stdout", unread)
        began = time.monotonic()
        with Beside() as out:
            for _ in range(1000):
                out.line("x" * 4000)
            assert time.monotonic() - began < 5.0
            drained = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(read, 65_536), b"")], daemon=True)
            drained.start()
    drained.join(5.0)
    os.close(read)


def test_a_pipe_that_was_closed_stops_nobody(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        with Beside() as out:
            for _ in range(3):
                out.line("nobody hears")
        assert Path(f"/proc/self/fd/{write}").readlink() == Path(os.devnull)
