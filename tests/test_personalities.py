"""Devices of vendors as their clients meet them: what a silent controller's device does, and what its registers say."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from bench_device import Bench

from controllers.modbus import ModbusConnection
from firmware_sim.storage.device import Nameplate
from firmware_sim.storage.personalities.personality import Personality
from firmware_sim.storage.personalities.registry import PERSONALITIES
from hil.errors import DeviceLost, DeviceRefused
from hil.scenario.storage import WATCHED, Firmware

HOUSEHOLD = ("bess.main.rating='10 kVA'", "bess.main.energy='20 kWh'", "bess.main.setpoint_ramp='100 MW/s'")
Write = tuple[int, list[int]]


def words(code: str, value: float, *, little: bool = False) -> list[int]:
    """Registers of a number, by its letter in `struct`."""
    packed = struct.pack(f">{code}", value)
    registers = list(struct.unpack(f">{len(packed) // 2}H", packed))
    return registers[::-1] if little else registers


@dataclass(frozen=True)
class Silence:
    """A controller commands a device, refreshes it, and falls silent.

    start, refresh: what it writes; idle: what it goes on writing that is no refresh. shown: a register, and what it reads
    before and after. set_w: of the firmware, before and after. limits: the time-out is that of the limits.
    """

    name: str
    seconds: int
    start: list[Write]
    refresh: Write
    shown: tuple[int, list[int], list[int]]
    set_w: tuple[float, float] = (0.0, 0.0)
    unit: int | None = None
    idle: tuple[Write, ...] = ()
    watchdog_s: int | None = None
    limits: bool = False


# 64201 of a map whose model 1 has 66 registers follows 103, 120, 121 and 122: 40002 + 68 + 52 + 28 + 32 + 46.
KACO = 40_228
SUNSPEC_704 = 40_002 + 68 + 155 + 52
SILENCES = {
    "sunspec, watts": Silence(
        "sunspec", 9,
        [(SUNSPEC_704 + 31, [0, 9]), (SUNSPEC_704 + 26, words("i", 1000)), (SUNSPEC_704 + 30, [1]), (SUNSPEC_704 + 22, [1])],
        (SUNSPEC_704 + 24, words("i", -4000)), (SUNSPEC_704 + 24, words("i", -4000), words("i", 1000)), (-4000, 1000),
        idle=((SUNSPEC_704 + 26, words("i", 1000)),),
    ),
    "sunspec, per cent": Silence(
        "sunspec", 9,
        [
            (SUNSPEC_704 + 31, [0, 9]), (SUNSPEC_704 + 28, words("h", 2500)), (SUNSPEC_704 + 29, words("h", -1000)),
            (SUNSPEC_704 + 23, [0]), (SUNSPEC_704 + 30, [1]), (SUNSPEC_704 + 22, [1]),
        ],
        (SUNSPEC_704 + 28, words("h", 5000)), (SUNSPEC_704 + 28, words("h", 5000), words("h", -1000)), (5000, -1000),
        idle=((SUNSPEC_704 + 29, words("h", -1000)), (SUNSPEC_704 + 24, words("i", 77))),
    ),
    "kaco: only WATCHDOG restarts it": Silence(
        "kaco-gridsave", 10, [(KACO + 8, [10]), (KACO + 9, words("h", -500))], (KACO + 8, [10]),
        (KACO + 9, words("h", -500), [0]), (-5000, 0), idle=((KACO + 9, words("h", -500)),),
    ),
    "victron: documented": Silence(
        "victron-ess", 60, [(37, [1000])], (40, [2000]), (37, [1000], [0]), (-3000, 0), unit=227,
        idle=((38, [0]), (33, [3])),
    ),
    "victron: as users report": Silence(
        "victron-ess", 10, [(96, [0, 4000])], (98, words("i", -500)), (98, words("i", -500), [0, 0]), (-3500, 0), unit=227,
        watchdog_s=10,
    ),
    "solaredge: back to self-consumption": Silence(
        "solaredge-storedge", 8,
        [(0xE004, [4]), (0xE00B, [8, 0]), (0xE00E, words("f", 4500, little=True)), (0xE00D, [3])], (0xE00D, [3]),
        (0xE00D, [3], [3]), (-4500, 0), idle=((0xE00A, [7]),),
    ),
    "solaredge: back to a default that discharges": Silence(
        "solaredge-storedge", 8,
        [(0xE00A, [4]), (0xE010, words("f", 2000, little=True)), (0xE004, [4]), (0xE00B, [8, 0]), (0xE00D, [1])],
        (0xE00D, [1]), (0xE00D, [1], [1]), (0, 2000),
    ),
    "gen24: the limits end": Silence(
        "fronius-gen24", 12, [(40358, [12]), (40355, words("h", -4000))], (40348, [2]), (40348, [2], [0]), limits=True,
        idle=((40231, [1]),),
    ),
    "sma": Silence(
        "sma-cyclic", 60, [(40151, [0, 802]), (40149, words("i", -6000))], (40149, words("i", -6000)),
        (40151, [0, 802], [0, 803]), (-6000, 0), idle=((40153, [0, 0]),),
    ),
    "foxess": Silence(
        "foxess-h3", 20, [(44001, [20]), (44002, words("i", 3000)), (44000, [1])], (44002, words("i", 3000)),
        (44000, [1], [0]), (3000, 0), idle=((41000, [1]),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SILENCES.values(), ids=SILENCES)
def test_a_controller_falls_silent(case):
    """Writes stop, reads go on: to the tick, the time-out after the last write that restarts it, the device falls back."""
    bench = Bench(*HOUSEHOLD, firmware=case.name, nameplate=Nameplate(watchdog_s=case.watchdog_s))
    firmware = bench.firmware
    address, before, after = case.shown

    async def main(port: int) -> None:
        if case.name == "victron-ess":
            async with connected(port, 100) as system:
                await system.write(2902, [3])
        async with connected(port, case.unit or next(iter(bench.maps))) as client:
            for where, registers in case.start:
                await client.write(where, registers)
            for _ in range(2):
                await asyncio.sleep(0.7 * case.seconds)
                await client.write(*case.refresh)
            await asyncio.sleep(0.002)
            expires = int(firmware["commanded_at"]) + 1000 * case.seconds
            for write in case.idle:
                await client.write(*write)
            while bench.engine.tick < expires:
                assert await client.read(address, len(before)) == before
                assert firmware["reversions"] == firmware["limit_reversions"] == 0
                assert case.limits or firmware["set_w"] == pytest.approx(case.set_w[0])
                await asyncio.sleep(min(0.5, 1e-3 * max(1, expires - bench.engine.tick)))
            await asyncio.sleep(0.001)
            if case.limits:
                assert (firmware["limit_enable"], firmware["limit_reversions"]) == (0, 1)
            else:
                assert int(firmware["reverted_at"]) == expires
                assert firmware["set_w"] == pytest.approx(case.set_w[1])
            assert bench.engine.tick <= expires + 2
            assert await client.read(address, len(after)) == after

    bench.serve(main, patience_s=20.0)


LITTLE_2000 = words("f", 2000, little=True)
SMA = [(40151, [0, 802]), (40149, words("i", -6000))]
STOREDGE = [(0xE00E, LITTLE_2000), (0xE010, LITTLE_2000), (0xE004, [4]), (0xE00B, [5, 0]), (0xE00D, [4])]
AFTERWARDS: dict[str, tuple[str, list[Write], int, list[Write], float, tuple[float, int]]] = {
    # device, writes, unit, later writes, how much later, set-point and its enable then
    "solaredge: a new default mode": ("solaredge-storedge", STOREDGE, 1, [(0xE00A, [3])], 6, (-2000, 1)),
    "solaredge: no matter to the default mode": ("solaredge-storedge", STOREDGE, 1, [(0xE005, [1])], 6, (0, 0)),
    "sma: active once more": ("sma-cyclic", SMA, 3, [(40151, [0, 802])], 61, (0, 1)),
    "sma: said twice": ("sma-cyclic", SMA, 3, [(40151, [0, 802])], 1, (-6000, 1)),
    "foxess: enabled once more": (
        "foxess-h3", [(44001, [5]), (44002, words("i", 3000)), (44000, [1])], 247, [(44000, [1])], 6, (0, 1),
    ),
    "victron: mode 3 said twice": ("victron-ess", [(2902, [3])], 100, [(2902, [3])], 1, (-1000, 1)),
}  # fmt: skip


@pytest.mark.parametrize("case", AFTERWARDS.values(), ids=AFTERWARDS)
def test_what_is_over_does_not_come_back(case):
    """Only a new set-point replaces one that has timed out, and a mode that is said twice changes nothing."""
    name, start, unit, again, wait_s, (set_w, enable) = case
    bench = Bench(*HOUSEHOLD, firmware=name)

    async def main(port: int) -> None:
        async with connected(port, unit) as client, connected(port, 227) as inverter:
            for write in start:
                await client.write(*write)
            if name == "victron-ess":
                await inverter.write(37, [1000])
            await asyncio.sleep(wait_s)
            for write in again:
                await client.write(*write)
            await asyncio.sleep(0.005)
            assert (bench.firmware["set_w"], bench.firmware["set_enable"]) == (pytest.approx(set_w), enable)

    bench.serve(main, patience_s=20.0)


def test_sungrow_has_no_watchdog():
    """Forced charging stays, whatever becomes of the controller."""
    bench = Bench(*HOUSEHOLD, firmware="sungrow-sh")

    async def main(port: int) -> None:
        async with connected(port, 1) as client:
            for address, value in ((13051, 3000), (13050, 0xAA), (13049, 2)):
                await client.write(address, [value])
            for _ in range(12):
                await asyncio.sleep(100.0)
                assert await client.read(13049, 3) == [2, 0xAA, 3000]
                assert bench.firmware["set_w"] == -3000
            await client.write(13050, [0xBB])
            await asyncio.sleep(0.1)
            assert bench.firmware["set_w"] == 3000
            await client.write(13049, [0])
            await asyncio.sleep(0.1)
            assert bench.firmware["set_enable"] == 0

    bench.serve(main, patience_s=20.0)


def connected(port: int, unit_id: int) -> ModbusClient:
    return ModbusClient(port, unit_id)


class ModbusClient:
    """A connection by pymodbus."""

    def __init__(self, port: int, unit_id: int) -> None:
        self._connection = ModbusConnection("bess.main", "127.0.0.1", port, unit_id=unit_id, timeout_s=1.0)

    async def __aenter__(self) -> ModbusConnection:
        await self._connection.connect()
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        self._connection.close()


Shown = tuple[int, str, float, Callable[[Bench], float]]  # address, number, step, what the plant says


def channel(name: str, factor: float = 1.0) -> Callable[[Bench], float]:
    return lambda bench: factor * bench.channel(name)


POWER, SOC = "bess.main.power_w", "bess.main.soc"
SHOWN: dict[str, list[Shown]] = {
    "kaco-gridsave": [
        (KACO + 35, "h", 1, channel(POWER)),
        (KACO + 37, "H", 0.01, channel("pcc.frequency_measured_hz")),
        (KACO + 5, "H", 1, lambda _: 11),
    ],
    "victron-ess": [
        (840, "H", 0.1, channel("bess.main.dc_voltage_v")),
        (841, "h", 0.1, channel("bess.main.dc_current_a", -1)),
        (842, "h", 1, channel("bess.main.dc_power_w", -1)),
        (843, "H", 1, channel(SOC, 100)),
        (844, "H", 1, lambda _: 1),
    ],
    "sungrow-sh": [(33046, "H", 10, lambda _: 10_000), (33047, "H", 10, lambda _: 10_000)],
    "solaredge-storedge": [
        (0xE144, "f", 0.001, lambda _: 10_000),
        (0xE170, "f", 0.001, channel("bess.main.dc_voltage_v")),
        (0xE172, "f", 0.001, channel("bess.main.dc_current_a", -1)),
        (0xE174, "f", 0.01, channel("bess.main.dc_power_w", -1)),
        (0xE184, "f", 0.001, channel(SOC, 100)),
    ],
    "fronius-gen24": [
        (40083, "h", 1, channel(POWER)),
        (40349 + 2, "H", 0.01, channel(SOC, 100)),
        (40345, "H", 1, lambda _: 10_000),
    ],
    "sma-cyclic": [
        (30231, "I", 1, lambda _: 10_000),
        (30513, "Q", 1, lambda _: 2**64 - 1),  # not counted: not a number
        (30775, "i", 1, channel(POWER)),
        (30803, "I", 0.01, channel("pcc.frequency_measured_hz")),
        (30845, "I", 1, channel(SOC, 100)),
        (40189, "I", 1, lambda _: 10_000),
    ],
    "foxess-h3": [(41009, "H", 1, lambda _: 5), (41010, "H", 1, lambda _: 95)],
}
CHARGE: dict[str, list[Write]] = {
    "kaco-gridsave": [(KACO + 9, words("h", -400))],
    "victron-ess": [(2716, words("i", 4000))],
    "sungrow-sh": [(13051, [4000]), (13050, [0xAA]), (13049, [2])],
    "solaredge-storedge": [(0xE004, [4]), (0xE00E, words("f", 4000, little=True)), (0xE00D, [3])],
    "fronius-gen24": [(40348, [2]), (40355, words("h", -4000))],
    "sma-cyclic": [(40151, [0, 802]), (40149, words("i", -4000))],
    "foxess-h3": [(44000, [1]), (44002, words("i", -4000))],
}


@pytest.mark.parametrize("name", SHOWN)
def test_registers_show_what_the_plant_does(name):
    """Charging with 4 kW, every register within a step of the plant's value, words in the vendor's order."""
    bench = Bench(*HOUSEHOLD, firmware=name)
    little = PERSONALITIES[name].little_words

    async def main(port: int) -> None:
        async with connected(port, next(iter(bench.maps))) as client:
            for write in CHARGE[name]:
                await client.write(*write)
            await asyncio.sleep(2.0)
            assert bench.channel(POWER) == pytest.approx(-4000, rel=0.02)
            for address, code, step, value in SHOWN[name]:
                registers = await client.read(address, struct.calcsize(code) // 2)
                read = struct.unpack(f">{code}", struct.pack(f">{len(registers)}H", *registers[:: -1 if little else 1]))[0]
                scale = 1 if code == "f" else step
                assert read * scale == pytest.approx(value(bench), abs=0.51 * step, rel=1e-6), address

    bench.serve(main)


def test_sungrow_shows_input_registers():
    """Function 4; 32 bits with the low word first."""
    bench = Bench(*HOUSEHOLD, firmware="sungrow-sh")
    bank = bench.registers
    assert struct.unpack(">HH", bank.read(4, 5213, 2)) == (0, 0)
    for address, value in ((13051, 4000), (13050, 0xAA), (13049, 2)):
        bank.write(3, address, [value])
    bench.plant.advance(2000)
    low, high = struct.unpack(">HH", bank.read(4, 5213, 2))
    assert struct.unpack(">i", struct.pack(">HH", high, low))[0] == round(bench.channel(POWER))
    assert struct.unpack(">H", bank.read(4, 13022, 1))[0] == round(1000 * bench.channel(SOC))
    assert struct.unpack(">H", bank.read(4, 12999, 1))[0] == 0x40


@pytest.mark.parametrize(
    ("name", "write", "code"),
    [
        ("sma-cyclic", (40149, [0x8000, 0]), 3),  # NaN is no set-point
        ("sma-cyclic", (40149, words("i", 10_001)), 3),
        ("sma-cyclic", (40149, [5]), 2),
        ("sungrow-sh", (13049, [3]), 3),
        ("sungrow-sh", (13050, [0xDD]), 3),
        ("foxess-h3", (44002, words("i", -10_001)), 3),
        ("solaredge-storedge", (0xE00E, words("f", 20_000, little=True)), 3),
        ("solaredge-storedge", (0xE00E, words("f", float("nan"), little=True)), 3),
        ("solaredge-storedge", (0xE00B, words("I", 86_401, little=True)), 3),
        ("solaredge-storedge", (0xE174, [0, 0]), 2),
        ("victron-ess", (2902, [4]), 3),
        ("kaco-gridsave", (KACO + 9, words("h", 1001)), 3),
        ("kaco-gridsave", (KACO + 4, [2]), 3),
        ("fronius-gen24", (40355, words("h", -10_001)), 3),
        ("fronius-gen24", (40348, [4]), 3),
    ],
)
def test_what_a_device_does_not_take(name, write, code):
    bench = Bench(*HOUSEHOLD, firmware=name)

    async def main(port: int) -> None:
        async with connected(port, next(iter(bench.maps))) as client:
            before = bench.firmware["commanded_at"].item()
            with pytest.raises(DeviceRefused, match=f"exception {code}$"):
                await client.write(*write)
            await asyncio.sleep(0.005)
            assert bench.firmware["commanded_at"] == before
            assert code in PERSONALITIES[name].exceptions

    bench.serve(main)


def test_solaredge_takes_one_client():
    """The second is closed; the first is not disturbed, and its place is free when it has left."""
    bench = Bench(*HOUSEHOLD, firmware="solaredge-storedge")

    async def main(port: int) -> None:
        async with connected(port, 1) as first:
            await first.read(0xE174, 2)
            with pytest.raises(DeviceLost):
                async with connected(port, 1) as second:
                    await second.read(0xE174, 2)
            await first.read(0xE174, 2)
        await asyncio.sleep(1.0)
        async with connected(port, 1) as third:
            await third.read(0xE174, 2)

    bench.serve(main)


def test_the_scenario_knows_the_personalities():
    """A device's key `firmware` takes them all, and its unit identifier is the vendor's where none is given."""
    assert get_args(Firmware) == tuple(PERSONALITIES)
    assert {each.name for each in PERSONALITIES.values() if each.watchdog is not None and each.watchdog.default_s} == WATCHED
    assert list(Bench(firmware="victron-ess").maps) == [100, 227]


PAGE = (Path(__file__).parents[1] / "docs" / "personalities.md").read_text(encoding="utf-8")


def silence_row(each: Personality) -> str:
    if each.watchdog is None:
        return f"| `{each.name}` | none | – | – | stays as it is |"
    dog = each.watchdog
    first = f"{dog.default_s} s" if dog.default_s else "off"
    return f"| `{each.name}` | {first} | {dog.register or '–'} | {', '.join(dog.restarts)} | {dog.fallback} |"


def wire_row(each: Personality) -> str:
    functions, units = ", ".join(map(str, sorted(each.functions))), " and ".join(map(str, each.unit_ids))
    order = "low word first" if each.little_words else "high word first"
    cells = (f"`{each.name}`", each.device, units, each.port, functions, order, each.most_connections, each.setpoint)
    return f"| {' | '.join(map(str, cells))} |"


@pytest.mark.parametrize("each", PERSONALITIES.values(), ids=PERSONALITIES)
def test_the_page_says_what_the_data_say(each):
    assert silence_row(each) in PAGE
    assert wire_row(each) in PAGE
    assert not each.assumed or f"- `{each.name}`: {each.assumed}." in PAGE
