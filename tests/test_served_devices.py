"""Devices that a test is served, in a thread of its process: where they are reached, how they end, whatever ends them."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from ci_support import short

import hil
from hil.errors import EventRefused
from hil.testing.serving import Devices, one_device

pytestmark = pytest.mark.realtime


def threads():
    return {thread.name for thread in threading.enumerate()}


@pytest.fixture
def scenario(tmp_path):
    return hil.load(short(tmp_path))


def answers(place):
    with socket.socket() as client:
        return client.connect_ex((place.host, place.port)) == 0


def wait_for(happened, patience_s=30.0):
    until = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_they_are_reached_disturbed_and_gone(scenario):
    before = threads()
    with Devices(scenario) as devices:
        assert (list(devices), len(devices), "bess.main" in devices) == (["bess.main"], 1, True)
        place = devices["bess.main"]
        assert answers(place)
        with pytest.raises(KeyError, match=r"no device 'bess\.other'; there are: bess\.main"):
            devices.endpoints("bess.other")
        assert devices.rows()["bess.main"].state == "running"
        devices.command("stop bess.main 500ms")
        wait_for(lambda: not answers(place))
        wait_for(lambda: answers(place))
        devices.command("contactor_open bess.main")
        devices.mend("contactor_open")
        wait_for(lambda: {"contactor_open", "contactor_open_over"} <= {event["event"] for event in devices.events})
        devices.command("dip 0.9 10s")
        devices.calm()
        with pytest.raises(EventRefused, match=r"^dipp: no such command; did you mean 'dip'\?$"):
            devices.command("dipp")
        assert {"grid_dip", "grid_dip_over"} <= {event["event"] for event in devices.events}
    assert threads() == before
    assert not answers(place)
    devices.stop()
    with pytest.raises(hil.HilError, match=r"short\.toml: its devices are not served any more$"):
        devices.command("stop bess.main")


def test_a_device_is_reached_in_all_its_ways(scenario):
    with Devices(one_device("ups", {"map": "generic", "load": "10 kW"})) as devices:
        on_mqtt, on_modbus = devices.endpoints("ups.main")
        assert (on_mqtt.topic, on_mqtt.port is not None) == ("hil/v1/site/ups.main", True)
        assert (on_modbus.map, on_modbus.unit) == ("generic", 1)
        assert answers(on_mqtt)
        assert answers(on_modbus)


def test_what_cannot_be_served_is_raised_at_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        scenario = hil.load(short(tmp_path), [f"bess.main.listen={address!r}"])
        before = threads()
        with pytest.raises(hil.ScenarioError, match=r"bess\.main\.listen = .*in use"):
            Devices(scenario)
        assert threads() == before
    with pytest.raises(hil.ScenarioError, match="neither a bess nor a ups nor a meter"):
        Devices(hil.load(short(tmp_path), ["bess={}", "absorber={}"]))


def test_devices_that_end_by_themselves_are_told(tmp_path):
    strict = ["clock.policy=abort", "clock.overrun_budget='1 us'", "tick='100 us'"]
    devices = Devices(hil.load(short(tmp_path), strict))
    wait_for(lambda: not any(thread.name == "hil devices" for thread in threading.enumerate()))
    with pytest.raises(hil.HilError, match=r"short\.toml: its devices ended by themselves: the clock's policy abort"):
        devices.stop()
    devices.stop()


def test_they_ask_nothing_of_the_machine(scenario):
    with Devices(scenario) as devices:
        started = next(event for event in devices.events if event["event"] == "loop_started")
        assert (started["priority"], started["memory_locked"]) == (0, False)
