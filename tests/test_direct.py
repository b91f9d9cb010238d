"""`transport = "direct"`: the same run without sockets, to the bit; what the wire would show, refuse and leave safe."""

from __future__ import annotations

import asyncio
import random
import struct
from pathlib import Path

import pytest
from bench_device import held
from test_lockstep import in_lockstep

import hil
from controllers import StorageDevice, Supervisor
from controllers.contracts import StorageSample
from controllers.storage_driver import StorageDriver
from firmware_sim.modbus.bank import ModbusFault, Table
from firmware_sim.registers.sunspec_map import SunSpecMap
from firmware_sim.storage.device import Device, Nameplate
from firmware_sim.storage.sunspec import sunspec_bess
from hil.fleet.direct import ImagePort, PromptDriver
from hil.fleet.images import EngineStorageImage
from hil.loads.source import LoadSource
from hil.scenario.model import Scenario
from hil.site.build import build_engine
from hil.standards.sunspec import model

SECOND = """
    {rating='10 MVA', energy='2 MWh', soc=0.6, driver={rate='7 Hz', reversion='2 s'}, setpoint_ramp='5 MW/s'}
"""
LAW_ON_WIRE = ["absorber.main.placement='wire'", "bess.main.setpoint_ramp='10 GW/s'", "bess.main.slew='10 GW/s'"]
SCENARIOS = {
    "flagship": ("training_job", ["duration='130 s'"]),
    "a law on the wire": ("training_job", ["duration='40 s'", "events=[]", *LAW_ON_WIRE]),
    "a law on the wire alone": ("training_job", ["duration='20 s'", "events=[]", *LAW_ON_WIRE, "supervisor={}"]),
    "inference": ("inference_replay", ["duration='60 s'"]),
    "several": (
        "training_job",
        [
            "duration='30 s'", "events=[]", f"bess.second={SECOND.strip()}", "bess.main.driver.rate='33 Hz'",
            "bess.third={rating='1 MVA', energy='0.1 MWh'}",
            "supervisor.other={kind='soc_window', device='bess.second', rate='3 Hz', stale_after='100 ms', required=false}",
            "supervisor.fast={kind='soc_window', device='bess.third', rate='1 kHz', most=0.9, horizon='10 s'}",
            "bess.third.driver={rate='250 Hz', reversion='0 s'}",
        ],
    ),
    "coarse ticks": ("training_job", ["duration='30 s'", "events=[]", "tick='10 ms'", "bess.main.driver.rate='7 Hz'"]),
    "no room to charge": ("training_job", ["duration='40 s'", "events=[]", "bess.main.soc_max=0.55"]),
}  # fmt: skip


LONG = ("flagship", "several", "inference")


def both(name: str, overrides: list[str], supervisor: type[Supervisor] | None = None, **options: object) -> list[hil.Result]:
    """The run over the wire, and the run without one."""
    results = []
    for transport in ("wire", "direct"):
        scenario = hil.load(name, [*overrides, f"transport='{transport}'"])
        own = {} if supervisor is None else {"supervisors": {"bess.main": supervisor()}}
        results.append(hil.run(scenario, **own, **options))
    return results


def told(result: hil.Result) -> list[dict]:
    """What happened, but for what only a wire has."""
    return [event for event in result.events if event["event"] != "server_started"]


@pytest.mark.parametrize("which", [pytest.param(which, marks=[pytest.mark.slow] * (which in LONG)) for which in SCENARIOS])
def test_a_run_without_a_wire_is_the_same_to_the_bit(which, engines):
    wire, direct = both(*SCENARIOS[which])
    assert direct.waveform_hash == wire.waveform_hash
    for name, state in engines[0].states.items():  # heartbeats and timers too, and after the devices have been left
        assert state.tobytes() == engines[1].states[name].tobytes(), name
    assert engines[0].tick == engines[1].tick > engines[0].end_tick
    assert engines[0].states["pcs"]["controller_heartbeat"].max() > 5
    assert told(direct) == told(wire)
    assert any(event["event"] == "made_safe" for event in told(direct))
    assert direct.verdict == wire.verdict
    assert direct.reasons == wire.reasons
    assert wire.traffic["requests"] > 100
    assert direct.traffic["requests"] == 0
    assert (wire.summary()["transport"], direct.summary()["transport"]) == ("wire", "direct")


def test_the_drivers_command_something_in_those_runs():
    """Else equal hashes would say nothing: without its supervisor and law the waveform is another one."""
    name, overrides = SCENARIOS["several"]
    with_supervisors = hil.run(hil.load(name, [*overrides, "transport=direct"]))
    without = hil.run(hil.load(name, [*overrides, "transport=direct", "supervisor={}"]))
    assert with_supervisors.waveform_hash != without.waveform_hash


class Restless(Supervisor):
    """Sets before it reads, uses threads, changes its mind, falls silent for longer than its targets live."""

    samples: list[StorageSample]

    def __init__(self) -> None:
        self.samples = []

    async def run(self, device: StorageDevice) -> None:
        chance = random.Random(3)
        loop = asyncio.get_running_loop()
        await device.set_active_power(2.5e6 + 0.4)
        async for now in self.every(0.037):
            await asyncio.to_thread(lambda: None)
            self.samples.append(await device.read())
            await device.set_active_power(chance.uniform(-device.rating_w, device.rating_w))
            await asyncio.sleep(chance.uniform(0.0, 0.05))
            if 8.0 < now < 9.0:
                await asyncio.sleep(7.5)  # the reversion timer acts
            if now > 20.0 and loop.time() < 20.2:
                await asyncio.sleep(0.5)


def test_a_supervisor_of_ones_own_sees_and_does_the_same():
    seen = []

    class Watched(Restless):
        def __init__(self) -> None:
            super().__init__()
            seen.append(self.samples)

    overrides = ["duration='30 s'", "events=[]", "bess.main.setpoint_ramp='5 MW/s'"]
    wire, direct = both("training_job", overrides, Watched)
    assert seen[0] == seen[1]
    assert len(seen[0]) > 200
    assert {type(getattr(sample, name)) for sample in seen[1] for name in StorageSample.__slots__} == {float, bool}
    assert direct.waveform_hash == wire.waveform_hash
    assert told(direct) == told(wire)
    assert [event["event"] for event in told(direct)].count("reversion") == 1


class BeyondWhatItTakes(Supervisor):
    """Commands the rating that the registers show, which rounds to more than the device takes."""

    async def run(self, device: StorageDevice) -> None:
        async for now in self.every(0.1):
            battery = await device.read()
            assert battery.time_s <= now
            await device.set_active_power(device.rating_w if 3.0 < now < 4.0 else 1e6)


def test_what_the_device_refuses_over_the_wire_it_refuses_without_one():
    overrides = ["duration='12 s'", "events=[]", "bess.main.discharge='4.0007 MW'", "bess.main.setpoint_ramp='5 MW/s'"]
    wire, direct = both("training_job", overrides, BeyondWhatItTakes)
    assert direct.waveform_hash == wire.waveform_hash
    for result in (wire, direct):
        kinds = [event["event"] for event in told(result)]
        assert kinds.count("request_refused") > 10
        assert kinds.count("device_failed") == kinds.count("device_back") == 1
        assert kinds.count("supervisor_restarted") > 0
    ours, theirs = ([(e["time_s"], e["event"], e.get("reason")) for e in told(result)] for result in (direct, wire))
    assert ours == theirs
    refused = next(event for event in told(direct) if event["event"] == "request_refused")
    assert refused["request"] == "704.WSet = 4.001e+06"
    assert refused["code"] == 3


class SetAndRaise(Supervisor):
    """Commands 3 MW for five seconds, then fails as a user's code would."""

    async def run(self, device: StorageDevice) -> None:
        assert isinstance(device, StorageDevice)
        async for now in self.every(0.1):
            await device.set_active_power(3e6)
            if now > 5.0:
                raise ZeroDivisionError("a mistake in a supervisor")


def last_event(folder: Path) -> str:
    safe, failed = (folder / "events.jsonl").read_text().splitlines()[-2:]
    assert "run_failed" in failed
    return safe


def test_an_exception_in_a_supervisor_leaves_the_device_as_safe(tmp_path):
    last = []
    for transport in ("wire", "direct"):
        scenario = hil.load("training_job", [f"transport={transport}", "events=[]"])
        with pytest.raises(ZeroDivisionError, match="a mistake"):
            hil.run(scenario, supervisors={"bess.main": SetAndRaise()}, folder=tmp_path / transport)
        last.append(last_event(tmp_path / transport))
    assert last[0] == last[1]
    assert '"event": "made_safe"' in last[1]
    assert '"from_w": 3000000.0' in last[1]


def test_a_defect_in_the_driver_is_not_taken_for_a_silent_device(tmp_path, monkeypatch):
    original = StorageDriver._send

    async def breaks(self, power_w):
        if asyncio.get_running_loop().time() > 2.0:
            raise ZeroDivisionError("a mistake in a driver")
        await original(self, power_w)

    monkeypatch.setattr(StorageDriver, "_send", breaks)
    with pytest.raises(ZeroDivisionError, match="a mistake in a driver"):
        hil.run(hil.load("training_job", ["transport=direct"]), folder=tmp_path)
    assert '"event": "made_safe"' in last_event(tmp_path)


def test_a_port_that_waits_is_a_defect(monkeypatch):
    async def waits(self):
        await asyncio.sleep(0.01)
        return 0.0, 0.0

    monkeypatch.setattr(ImagePort, "shown", waits)
    with pytest.raises(RuntimeError, match="a port without a wire has waited"):
        hil.run(hil.load("training_job", ["transport=direct", "duration='1 s'", "events=[]"]))


def test_a_cancelled_driver_does_not_cycle_on():
    device = hil.load("training_job", ["transport=direct", "events=[]"])
    port = ImagePort("bess.main", bess(device), lambda *_: None)

    async def main() -> None:
        async with PromptDriver("bess.main", port) as driver:
            await driver.read()
            cycles = driver._sample
            assert driver._cycling is not None
            driver._cycling.cancel()
            await asyncio.sleep(0.2)
            assert driver._sample is cycles

    in_lockstep(main)


def bess(scenario: Scenario) -> SunSpecMap:
    source = LoadSource(scenario)
    return sunspec_bess(Device(EngineStorageImage(build_engine(scenario, source.first_w), scenario, "main"), Nameplate()))


VALUES = [0.0, 0.5, 1.5, -0.5, 1e-9, 32767.4, 32768.0, -32768.0, 65534.0, 65535.0, 2**31 - 1.0, -(2.0**31), 2.0**32 - 1, 1e30]
VALUES += [float("nan"), float("inf"), float("-inf"), -1.0, 8.0e7, 123456.789]


@pytest.mark.parametrize("number", [1, 701, 702, 704, 713, 715, 802])
def test_what_is_shown_is_what_the_registers_hold(number):
    """Every numeric point, at every scale, for values in and out of range: the quick form against encoder and decoder."""
    chance = random.Random(number)
    values = [*VALUES, *(chance.uniform(-1, 1) * 10 ** chance.uniform(-3, 11) for _ in range(300)), None]
    kinds = set()
    for point in model(number).points.values():
        if point.type == "string":
            with pytest.raises(ValueError, match="is a string"):
                point.shown()
            continue
        kinds.add(point.type)
        for scale in (-3, -1, 0, 1, 4):
            show, encode = point.shown(scale), point.encoder(scale)
            for value in values:
                shown, held = show(value), point.decode(struct.unpack(f">{point.size}H", encode(value)), scale)
                assert shown == held, (point.name, scale, value)
                assert shown is None or isinstance(shown, float)
    assert kinds


def test_the_map_reads_and_writes_without_registers_as_with_them():
    scenario = hil.load("training_job", ["events=[]"])
    one, other = bess(scenario), bess(scenario)
    read = written = 0
    chance = random.Random(5)
    for (number, name), (point, scale, declared) in one._declared.items():
        if point.type == "string":
            continue
        read += 1
        address = one.addresses[number, name]
        assert one.reader(number, name)() == point.decode(held(other, address, point.size), scale), (number, name)
        if not hasattr(declared, "allowed"):
            with pytest.raises(KeyError):
                one.writer(number, name)
            continue
        for value in (0.0, 1.0, 3.0, 7.0, 1e5 + 0.3, -2e6, 4e9, chance.uniform(0, 6e4), float("nan")):
            written += 1
            assert outcome(one.writer(number, name), value) == outcome(over_registers(other, number, name), value)
            assert one.reader(number, name)() == point.decode(held(other, address, point.size), scale), (number, name, value)
    assert read > 100
    assert written > 50


def over_registers(registers: SunSpecMap, number: int, name: str):
    point, scale, _ = registers._declared[number, name]
    return lambda value: registers.write(Table.HOLDING, registers.addresses[number, name], point.encode(value, scale))


def outcome(write, value: float) -> tuple:
    try:
        write(value)
    except (ModbusFault, OverflowError, ValueError) as error:
        return type(error), str(error), getattr(error, "code", None)
    return ()
