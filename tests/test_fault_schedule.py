"""Faults on the schedule of a scenario: each acts, stands in the log, and is the same in every run."""

from __future__ import annotations

import asyncio
import json
import re
from itertools import pairwise
from typing import get_args

import pytest
from pymodbus.client import AsyncModbusTcpClient
from test_ups_modbus_runs import free_port

import hil
from controllers import StorageDevice, Supervisor
from hil.scenario.event import Event, GenerationLoss, GridDip, GridOutage, LoadCrash, ResetLockout
from hil.scenario.model import Scenario
from hil.scenario.operator import UpsCommand

UPS = ["ups.a={rating='30 MW', mqtt={rate='10 Hz'}}", "supervisor.ups={kind='ups_group',devices=['ups.a'],ramp='10 MW/min'}"]
KEYS = {
    "answers_late": "delay='100 ms', share=0.5",
    "answers_lost": "share=0.3",
    "requests_refused": "share=0.5",
    "answers_garbled": "share=0.4",
    "connections_dropped": "share=0.2",
    "messages_late": "delay='150 ms', share=0.5",
    "messages_twice": "share=0.5",
    "derating": "left=0.3",
    "power_reading": "factor=1.2",
    "weak_cells": "capacity=0.5, resistance=2.0",
    "battery_hot": "rise_k=60",
    "soc_drift": "per_hour=5",
    "link_cut": "link='link.slow'",
}
LOSS = "kind='pll_loss', device='bess.main'"
ON_UPS = ("device_lost", "messages_late", "messages_twice", "rectifier_fault")
LOGGED = {  # where begin and end have names of their own
    "server_stop": ("server_stopped", "server_started"),
    "device_silent": ("device_silent", "device_speaks"),
    "device_lost": ("device_lost", "device_restarted"),
    "broker_stop": ("broker_stopped", "broker_started"),
    "link_cut": ("link_cut", "link_mended"),
}


def kinds() -> list[str]:
    no_fault = (GridDip, GridOutage, GenerationLoss, LoadCrash, ResetLockout, UpsCommand)
    return [model.model_fields["kind"].default for model in get_args(get_args(Event)[0]) if model not in no_fault]


def everything(seed: int = 7) -> Scenario:
    """Each kind for half a second, one a second."""
    events = []
    for at_s, kind in enumerate(kinds(), start=2):
        keys = [f"kind='{kind}', at='{at_s} s', duration='0.5 s'", KEYS.get(kind, "")]
        if kind not in ("broker_stop", "link_cut"):
            keys.append(f"device='{'ups.a' if kind in ON_UPS else 'bess.main'}'")
        events.append(f"{{{', '.join(filter(None, keys))}}}")
    slow = "link.slow={between=['supervisor.energy','bess.main'], latency='2 ms'}"
    over = [f"duration='{len(events) + 4} s'", f"seed={seed}", f"events=[{', '.join(events)}]", slow, *UPS]
    return hil.load("training_job", over)


def told(result: hil.Result) -> list[dict[str, object]]:
    """The log, without the ports that the machine chose."""
    return json.loads(re.sub(r'(127\.0\.0\.1:|"port": )\d+', r"\g<1>0", json.dumps(result.events)))


def test_every_fault_stands_in_the_log_and_two_runs_are_one():
    first, second = hil.run(everything()), hil.run(everything())
    assert told(first) == told(second)
    assert first.waveform_hash == second.waveform_hash
    for at_s, kind in enumerate(kinds(), start=2):
        begin, end = LOGGED.get(kind, (kind, f"{kind}_over"))
        assert at_s in [event["time_s"] for event in first.events if event["event"] == begin], kind
        assert at_s + 0.5 in [event["time_s"] for event in first.events if event["event"] == end], kind
    other = hil.run(everything(seed=8))
    assert told(other) != told(first)  # what is drawn is drawn by the seed


def again(seed: int) -> list[tuple[float, str]]:
    fault = "{kind='soc_drift', device='bess.main', at='1 s', duration='250 ms', per_hour=0.1, again_after='500 ms'}"
    result = hil.run(hil.load("training_job", ["duration='60 s'", "transport='direct'", f"seed={seed}", f"events=[{fault}]"]))
    return [(event["time_s"], event["event"]) for event in result.events if event["event"].startswith("soc_drift")]


def test_a_fault_happens_again_at_times_drawn_by_the_seed():
    found = again(1)
    begins = [time_s for time_s, what in found if what == "soc_drift"]
    ends = [time_s for time_s, what in found if what == "soc_drift_over"]
    assert begins[0] == 1.0
    assert all(abs(end_s - begin_s - 0.25) < 0.0011 for begin_s, end_s in zip(begins, ends, strict=False))
    pauses = [after - before for before, (after, _) in zip(ends, list(pairwise(begins[1:])), strict=False)]
    assert 0.35 < sum(pauses) / len(pauses) < 0.65
    assert len({round(pause, 3) for pause in pauses}) > len(pauses) / 2
    assert found == again(1)
    assert found != again(2)


class Polls(Supervisor):
    """Reads what is on Modbus, every 50 ms, and counts the exceptions."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.ports = ports
        self.refused = dict.fromkeys(ports, 0)

    async def run(self, device: StorageDevice) -> None:
        clients = {name: AsyncModbusTcpClient("127.0.0.1", port=port, timeout=0.2) for name, port in self.ports.items()}
        for client in clients.values():
            await client.connect()
        try:
            while True:
                for name, client in clients.items():
                    reply = await client.read_holding_registers(0x031 if name == "ups.a" else 40_000, count=1)
                    self.refused[name] += reply.isError()
                await asyncio.sleep(0.05)
        finally:
            for client in clients.values():
                client.close()


def test_every_device_on_modbus_can_answer_wrongly():
    """Whoever asks meets the faults as often as the log says."""
    ports = {name: free_port() for name in ("ups.a", "meter.m")}
    faults = [f"{{kind='requests_refused', device='{name}', at='1 s', duration='2 s', code=4, share=0.5}}" for name in ports]
    over = [
        "duration='4 s'",
        f"events=[{', '.join(faults)}]",
        f"ups.a={{rating='30 MW', modbus={{map='generic', listen='127.0.0.1:{ports['ups.a']}'}}}}",
        f"meter.m={{rating='50 MVA', listen='127.0.0.1:{ports['meter.m']}'}}",
    ]
    polls = Polls(ports)
    result = hil.run(hil.load("training_job", over), supervisors={"bess.main": polls})
    met = {event["device"]: event["met"] for event in result.events if event["event"] == "requests_refused_over"}
    assert met == polls.refused
    assert all(8 <= count <= 32 for count in met.values())  # of 40


@pytest.mark.slow
def test_messages_that_come_twice_change_nothing():
    """A command is carried out once, whatever a broker delivers again."""
    over = ["duration='30 s'", *UPS]
    twice = "{kind='messages_twice', device='ups.a', at='1 s', duration='28 s'}"
    plain, doubled = (hil.run(hil.load("training_job", [*over, f"events=[{events}]"])) for events in ("", twice))
    assert doubled.waveform_hash == plain.waveform_hash
    assert doubled.traffic["messages"] > 1.5 * plain.traffic["messages"]


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (
            "kind='answers_late', device='ups.a', duration='1 s', delay='1 s'",
            "events.0.device = 'ups.a': speaks no Modbus: it has no section [ups.a.modbus]",
        ),
        ("kind='messages_late', device='bess.main', duration='1 s', delay='1 s'", "events.0.device = 'bess.main': no such"),
        ("kind='answers_late', device='bess.main', duration='1 s'", "events.0.delay"),
        ("kind='answers_lost', device='bess.main', duration='1 s', share=1.5", "events.0.share = 1.5"),
        ("kind='requests_refused', device='bess.main', duration='1 s', code=12", "events.0.code = 12"),
        ("kind='weak_cells', device='bess.main', capacity=0", "events.0.capacity = 0"),
        ("kind='battery_hot', device='bess.main', rise_k=-5", "events.0.rise_k = -5"),
        (
            "LOSS, again_after='3 s'",
            "events.0.again_after = '3 s': needs a duration: what does not end does not happen again",
        ),
        (
            "LOSS}, {LOSS, at='9 s'",
            "events.1.at = '9 s': overlaps events.0; pll_loss of bess.main can be disturbed by one thing at a time",
        ),
        (
            "LOSS, duration='1 s', again_after='5 s'}, {LOSS, at='9 s'",
            "events.1.at = '9 s': overlaps events.0, which happens again at any time",
        ),
    ],
)
def test_what_cannot_be_is_said_in_one_line(event, problem):
    with pytest.raises(hil.ScenarioError) as error:
        hil.load("training_job", [f"events=[{{at='2 s', {event.replace('LOSS', LOSS)}}}]", *UPS])
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_a_run_without_a_wire_has_none_to_disturb():
    fault = "{kind='answers_lost', device='bess.main', at='1 s', duration='1 s'}"
    with pytest.raises(hil.ScenarioError, match="needs transport = 'wire'"):
        hil.load("training_job", ["transport='direct'", f"events=[{fault}]"])
