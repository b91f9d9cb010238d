"""Whole runs with a UPS on Modbus beside MQTT."""

from __future__ import annotations

import socket
from typing import get_args

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from ups_site import direct, site

import hil
from controllers import UpsSupervisor
from firmware_sim.ups.modbus import MAPS
from hil.errors import ScenarioError
from hil.scenario.modbus import UpsModbusSection

SOURCE = 0x031  # of the generic map: 3 normal, 5 battery
OUTAGE = {"kind": "grid_dip", "at": "2 s", "duration": "3 s", "residual": 0.0}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Polls(UpsSupervisor):
    """Does nothing but read the UPS on Modbus, every half second."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.shown: list[int | None] = []

    async def run(self, devices) -> None:
        client = AsyncModbusTcpClient("127.0.0.1", port=self.port, timeout=0.2, retries=0, reconnect_delay=0.1)
        await client.connect()
        try:
            async for _ in self.every(0.5):
                try:
                    reply = await client.read_holding_registers(SOURCE, count=1)
                except ModbusException:
                    self.shown.append(None)
                else:
                    self.shown.append(reply.registers[0])
        finally:
            client.close()


class Idle(UpsSupervisor):
    """Does nothing."""

    async def run(self, devices) -> None:
        async for _ in self.every(0.5):
            pass


def polled(*events, **modbus):
    """What a client sees of a run, by half seconds, and the run."""
    port = free_port()
    polls = Polls(port)
    scenario = site(*events, ups={"modbus": {"listen": f"127.0.0.1:{port}", **modbus}}, duration="8 s")
    return polls.shown, hil.run(scenario, supervisors={"ups": polls})


def test_a_client_in_the_run_sees_the_outage():
    shown, result = polled(OUTAGE)
    assert shown[:5] == [3] * 5
    assert shown[5:10] == [5] * 5
    assert shown[-1] == 3
    plain = hil.run(site(OUTAGE, duration="8 s"), supervisors={"ups": Idle()})
    assert result.traffic["requests"] == plain.traffic["requests"] + len(shown)
    assert [event["device"] for event in result.events if event["event"] == "server_started"] == ["bess.main", "ups.a"]


def test_two_runs_are_alike():
    first, second = polled(OUTAGE), polled(OUTAGE)
    assert first[0] == second[0]
    assert first[1].waveform_hash == second[1].waveform_hash


@pytest.mark.parametrize("kind", ["device_lost", "device_silent"])
def test_what_befalls_the_device_befalls_both_of_its_wires(kind):
    shown, _ = polled({"kind": kind, "device": "ups.a", "at": "2.1 s", "duration": "2 s"})
    assert shown[:5] == [3] * 5
    assert shown[5:8] == [None] * 3
    assert shown[-3:] == [3] * 3


def test_without_a_wire_the_section_has_no_effect():
    plain, modbus = site(OUTAGE), site(OUTAGE, ups={"modbus": {}})
    assert hil.run(direct(modbus)).waveform_hash == hil.run(direct(plain)).waveform_hash


def test_a_port_that_is_taken_is_told_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ScenarioError, match=rf"ups\.a\.modbus\.listen = '{listen}': cannot listen there"):
            hil.run(site(ups={"modbus": {"listen": listen}}))


def test_a_scenario_may_name_every_map():
    assert get_args(UpsModbusSection.model_fields["map"].annotation) == tuple(MAPS)
