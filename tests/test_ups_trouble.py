"""Whole runs with UPSs: an orderly end to every kind of trouble."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import time
from collections.abc import Sequence

import pytest
from command import HIL
from mqtt_support import mosquitto as own_mosquitto
from test_safe_exit import end, events, wait_for_log
from ups_site import site, told

import hil
from controllers import UpsDevice, UpsSupervisor
from firmware_sim.ups.device import EmulatedUps
from hil.errors import LockstepStall, ScenarioError
from hil.scenario.files import from_document
from hil.session.run import Options, run_scenario

pytestmark = pytest.mark.usefixtures("nothing_unseen")

# In trouble.


def broker_stop(at_s: float, duration_s: float) -> dict:
    return {"kind": "broker_stop", "at": f"{at_s} s", "duration": f"{duration_s} s"}


def lost(at_s: float, duration_s: float) -> dict:
    return {"kind": "device_lost", "device": "ups.a", "at": f"{at_s} s", "duration": f"{duration_s} s"}


def silent(at_s: float, duration_s: float) -> dict:
    return {"kind": "device_silent", "device": "ups.a", "at": f"{at_s} s", "duration": f"{duration_s} s"}


TROUBLE = {
    "broker at the start": [broker_stop(0.0, 2.0)],
    "broker for a tick": [broker_stop(2.0, 0.001)],
    "broker three times": [broker_stop(2.0, 0.2), broker_stop(2.2, 0.2), broker_stop(2.4, 1.0)],
    "broker, listed the other way round": [broker_stop(2.2, 0.2), broker_stop(2.0, 0.2)],
    "broker over the end": [broker_stop(7.5, 2.0)],
    "broker over the end, for good": [broker_stop(7.5, 1000.0)],
    "device at the start": [lost(0.0, 2.0)],
    "device over the end": [lost(7.5, 2.0)],
    "device over the end, for good": [lost(7.5, 1000.0)],
    "device back while the broker is away": [lost(2.0, 2.0), broker_stop(3.0, 2.0)],
    "device back as the broker goes": [lost(2.0, 2.0), broker_stop(4.0, 1.0)],
    "device back as the broker comes": [broker_stop(2.0, 2.0), lost(3.0, 1.0)],
    "device gone as the broker goes": [broker_stop(2.0, 1.0), lost(2.0, 2.0)],
    "silent at the start": [silent(0.0, 2.0)],
    "silent over the end, for good": [silent(7.5, 1000.0)],
    "silent while the broker comes back": [broker_stop(2.0, 1.0), silent(2.5, 2.0)],
    "silent, then lost, then silent": [silent(4.0, 1.0), lost(3.0, 1.0), silent(2.0, 1.0)],
}


@pytest.mark.slow
@pytest.mark.parametrize("which", TROUBLE)
def test_trouble_is_survived_and_ends_in_bounded_time(which, engines):
    first, again = (hil.run(site(*TROUBLE[which], duration="8 s")) for _ in range(2))
    assert first.waveform_hash == again.waveform_hash
    assert told(first) == told(again)
    kinds = [event["event"] for event in first.events]
    good = "for good" in which
    assert kinds.count("supervisor_restarted") <= len(TROUBLE[which])
    left = [(event["device"], event["event"]) for event in first.events if event["event"] in ("made_safe", "not_made_safe")]
    assert sorted(left) == [("bess.main", "made_safe"), ("ups.a", "not_made_safe" if good else "made_safe")]
    assert engines[0].tick * 1e-3 < 8.0 + 5.0 + 1.0 + 0.6
    if "end" not in which:
        assert kinds.count("device_failed") == kinds.count("device_back") > 0
        assert engines[0].states["ups"][0]["walk_in_s"] > 1.0  # set anew, or still


def test_the_broker_tells_the_will_when_it_is_back():
    result = hil.run(site(lost(2.0, 1.0), duration="5 s"))
    (lost_at,) = [event for event in result.events if event["event"] == "broker_client_lost"]
    assert lost_at["time_s"] == 2.0
    assert lost_at["client"] == "site:ups.a"


@pytest.mark.parametrize(
    ("scripted", "what"),
    [
        ([broker_stop(2, 2), broker_stop(3, 2)], "events.1.at = '3 s': overlaps events.0; the broker can be"),
        ([lost(2, 2), silent(3, 2)], "events.1.at = '3 s': overlaps events.0; ups.a can be"),
        ([silent(5, 2), lost(3, 3)], "events.1.at = '3 s': overlaps events.0; ups.a can be"),
        ([silent(2, 2), silent(2, 2)], "events.1.at = '2 s': overlaps events.0; ups.a can be"),
    ],
)
def test_what_would_be_taken_back_too_early_is_refused(scripted, what):
    with pytest.raises(ScenarioError, match=what):
        site(*scripted)


UPSS = {name: {"rating": "2 MW"} for name in ("a", "A", "a-driver", "b")}


def test_names_are_kept_apart_and_everyone_is_led_by_one():
    """Names that differ in case, or that end like a driver; two supervisors; one's own for one, and for the others."""
    led: dict[str, list[str]] = {}

    class Notes(UpsSupervisor):
        def __init__(self, name: str) -> None:
            self.name = name

        async def run(self, devices: Sequence[UpsDevice]) -> None:
            led[self.name] = [device.name for device in devices]
            async for _ in self.every(1.0):
                for device in devices:
                    sample = await device.read()
                    assert sample.time_s <= asyncio.get_running_loop().time()
                    device.set_recharge_power(1e3 * len(device.name))

    groups = {
        "one": {"kind": "ups_group", "devices": ["ups.a", "ups.a-driver"], "ramp": "5 MW/min"},
        "two": {"kind": "ups_group", "devices": ["ups.A"], "ramp": "5 MW/min"},
    }
    scenario = from_document(site().document() | {"duration": "5 s", "ups": UPSS, "supervisor": groups})
    result = hil.run(scenario)
    assert [event["event"] for event in result.events if event["event"] == "broker_client_taken_over"] == []
    safe = [event["device"] for event in result.events if event["event"] == "made_safe"]
    assert sorted(safe) == ["ups.A", "ups.a", "ups.a-driver"]  # nobody leads ups.b, and nothing leads the BESS
    result = hil.run(scenario, supervisors={"ups": Notes("rest"), "ups.A": Notes("A")})
    assert led == {"rest": ["ups.a", "ups.a-driver", "ups.b"], "A": ["ups.A"]}
    assert not {"broker_lost", "device_failed"} & {event["event"] for event in result.events}


def test_twenty_over_slow_links_are_there_at_once():
    began: list[float] = []

    class Begins(UpsSupervisor):
        async def run(self, devices: Sequence[UpsDevice]) -> None:
            began.append(asyncio.get_running_loop().time())
            assert len(devices) == 20
            await asyncio.sleep(1e6)

    names = [f"u{number}" for number in range(20)]
    document = site().document() | {
        "duration": "2 s",
        "bess": {},
        "absorber": {},
        "ups": {name: {"rating": "500 kW"} for name in names},
        "supervisor": {"ups": {"kind": "ups_group", "devices": [f"ups.{name}" for name in names], "ramp": "5 MW/min"}},
        "link": {name: {"between": ["supervisor.ups", f"ups.{name}"], "latency": "100 ms"} for name in names},
    }
    result = hil.run(from_document(document), supervisors={"ups": Begins()})
    assert began == [pytest.approx(0.4)]  # connected, subscribed: two round trips, whatever their number
    assert [event["event"] for event in result.events].count("made_safe") == 20


# Silent beyond patience.


class Swallows(UpsSupervisor):
    """After a second, bytes for the driver's client are on their way for ever."""

    async def run(self, devices: Sequence[UpsDevice]) -> None:
        await asyncio.sleep(1.0)
        sock = devices[0]._port._port._client._client.socket()
        sock.ends[0].sent(5)
        await asyncio.sleep(1.0)


def test_what_stays_silent_on_our_broker_ends_the_run_by_name(tmp_path):
    began = time.monotonic()
    with pytest.raises(LockstepStall, match=r"5 bytes for 127\.0\.0\.1:\d+ from 127\.0\.0\.1:\d+"):
        run_scenario(site(), Options(supervisors={"ups": Swallows()}, patience_s=0.3, folder=tmp_path))
    assert time.monotonic() - began < 60.0
    ports = [event["port"] for event in events(tmp_path) if event["event"] in ("server_started", "broker_started")]
    assert len(ports) == 2
    for port in ports:
        with socket.socket() as caller:
            assert caller.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.peer("mosquitto")
def test_a_broker_elsewhere_that_hangs_ends_the_run_by_name(tmp_path):
    class Freezes(UpsSupervisor):
        async def run(self, devices: Sequence[UpsDevice]) -> None:
            await asyncio.sleep(1.0)
            server.freeze()
            await asyncio.sleep(1.0)

    with own_mosquitto(tmp_path) as server:
        scenario = site(mqtt={"broker": server.url})
        with pytest.raises(LockstepStall, match=r"message hil/v1/site/ups\.a/tele/.* for site:ups\.a:driver at the broker"):
            run_scenario(scenario, Options(supervisors={"ups": Freezes()}, patience_s=0.3, folder=tmp_path / "run"))
    (started,) = [event for event in events(tmp_path / "run") if event["event"] == "server_started"]
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", started["port"])) != 0


# The end.


def test_an_interrupt_ends_a_run_with_upss_safely(tmp_path):
    process = subprocess.Popen(
        [*HIL, "run", "hall", "--set", "duration='86400 s'", "--set", "record.rate='1 Hz'"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        log = wait_for_log(tmp_path, process)
        while "ups_transfer" not in log.read_text():  # the dip has been: all are connected
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
    finally:
        end(process)
    assert complaints == ""
    assert process.returncode == 128 + signal.SIGINT
    safe = [event["device"] for event in events(log.parent) if event["event"] == "made_safe"]
    assert sorted(safe) == ["bess.main", "ups.a", "ups.b", "ups.c", "ups.d"]
    assert json.loads((log.parent / "summary.json").read_text())["signal"] == signal.SIGINT


class SetAndRaise(UpsSupervisor):
    """Supports for three seconds, then fails as a user's code would."""

    async def run(self, devices: Sequence[UpsDevice]) -> None:
        async for now in self.every(0.5):
            devices[0].set_support(1e6)
            if now > 3.0:
                raise ZeroDivisionError("a mistake in a supervisor")


@pytest.mark.parametrize("transport", ["wire", "direct"])
def test_an_exception_in_a_supervisor_leaves_the_ups_safe(tmp_path, transport, engines):
    with pytest.raises(ZeroDivisionError, match="a mistake"):
        hil.run(site(transport=transport), supervisors={"ups": SetAndRaise()}, folder=tmp_path)
    safe = {event["device"]: event for event in events(tmp_path) if event["event"] == "made_safe"}
    assert safe["ups.a"]["time_s"] == 3.5
    assert safe["ups.a"]["support_w"] == 0.0
    assert engines[0].states["ups"][0]["support_set_w"] == 0.0


def test_a_device_error_restarts_the_supervisor_and_only_that():
    starts: list[float] = []

    class Asks(UpsSupervisor):
        async def run(self, devices: Sequence[UpsDevice]) -> None:
            starts.append(asyncio.get_running_loop().time())
            async for _ in self.every(0.5):
                await devices[0].reset_disturbances()

    result = hil.run(site(silent(2.0, 3.0), duration="8 s"), supervisors={"ups": Asks()})
    assert starts[:2] == [0.0, 3.05]  # asked at 2.0, a second without an answer, restarted after 50 ms
    assert [event["event"] for event in result.events].count("supervisor_restarted") == len(starts) - 1


@pytest.mark.parametrize("transport", ["wire", "direct"])
def test_a_defect_in_a_device_is_told_and_leaves_nothing_open(tmp_path, monkeypatch, transport):
    original = EmulatedUps.state

    def breaks(self: EmulatedUps) -> dict:
        if self.time_s > 2.0:
            raise ZeroDivisionError("a mistake in a device")
        return original(self)

    monkeypatch.setattr(EmulatedUps, "state", breaks)
    with pytest.raises(ZeroDivisionError, match="a mistake in a device"):
        hil.run(site(duration="5 s", transport=transport), folder=tmp_path)
    assert [event["device"] for event in events(tmp_path) if event["event"] == "made_safe"] == ["ups.a", "bess.main"]
