"""Register maps of UPSs: points as pymodbus reads them, decoded by hand from the devices' documents, against the plant."""

from __future__ import annotations

import asyncio
import math

import pytest
from ups_maps import MapBench

from firmware_sim.modbus.bank import Table
from firmware_sim.ups.modbus import MAPS

PHASE_V = 400.0 / math.sqrt(3.0)
RATING_W = 6e6


async def on_line(_):
    await asyncio.sleep(0.5)


async def on_battery(b):
    while b.firmware["mode"] != 3 or not b.channel("battery_w"):
        await asyncio.sleep(0.1)


async def low_battery(b):
    while not b.firmware["low_battery"]:
        await asyncio.sleep(0.1)


async def off(b):
    b.device.command("operation", 0)
    await asyncio.sleep(0.1)


def soc(b):
    return 100.0 * b.channel("soc")


def output_a(b):
    volts = b.channel("output_voltage_pu")
    return b.channel("output_w") / (3.0 * PHASE_V * volts) if volts else 0.0


def input_a(b):
    volts = PHASE_V * b.channel("bus.voltage_measured_pu")
    return math.hypot(b.channel("input_w"), b.channel("input_var")) / (3.0 * volts) if volts else 0.0


def output_hz(b):
    if b.channel("mode") == 0:
        return 0.0
    return b.channel("pcc.frequency_measured_hz") if b.channel("line_ok") else 60.0


def phase(letter):
    return lambda b: PHASE_V * b.channel(f"bus.voltage_{letter}_pu")


def output_v(b):
    return PHASE_V * b.channel("output_voltage_pu")


def input_hz(b):
    return b.channel("pcc.frequency_measured_hz")


def input_v(b):
    return PHASE_V * b.channel("bus.voltage_measured_pu")


def load(b):
    return 100.0 * b.channel("output_w") / RATING_W


def of(name, factor=1.0):
    return lambda b: factor * b.channel(name)


# By map: address, `struct` code, scale, and what it must show: the plant's value at the same tick.
VALUES = {
    "generic": [
        (0x015, "H", 1, of("runtime_s")), (0x016, "H", 1, soc), (0x017, "H", 0.1, of("battery_voltage_v")),
        (0x019, "h", 1, of("temperature_degc")), (0x020, "H", 0.1, input_hz), (0x021, "H", 1, lambda _: 3),
        (0x022, "H", 1, phase("a")), (0x023, "H", 1, phase("b")), (0x024, "H", 1, phase("c")),
        (0x028, "H", 100, of("input_w", 1 / 3)), (0x032, "H", 0.1, output_hz), (0x034, "H", 1, output_v),
        (0x03C, "H", 100, of("output_w", 1 / 3)), (0x03D, "H", 1, load), (0x046, "H", 0.1, input_hz),
        (0x140, "H", 1, of("mode")), (0x141, "H", 1, of("rectifier")), (0x142, "H", 1, of("walk_in_share", 100)),
        (0x144, "H", 1, of("disturbances")), (0x147, "H", 1, of("latched")),
        (0x160, "i", 1, of("input_w")), (0x162, "i", 1, of("output_w")), (0x166, "i", 1, of("battery_w")),
        (0x168, "i", 0.1, of("battery_current_a")), (0x16A, "i", 0.1, input_a), (0x16C, "i", 0.1, output_a),
    ],
    "huawei-ups2000": [
        (11000, "H", 0.1, input_v), (11003, "H", 0.1, input_hz), (11008, "H", 0.1, output_v),
        (11011, "H", 0.1, lambda b: min(output_a(b), 6553.5)), (11014, "H", 0.1, output_hz),
        (11015, "H", 100, of("output_w")), (11018, "H", 100, of("output_w")), (11021, "H", 0.1, load),
        (11027, "H", 0.1, of("temperature_degc")), (12000, "H", 0.1, of("battery_voltage_v")), (12003, "H", 1, soc),
        (12004, "I", 1, of("runtime_s")), (19009, "H", 100, lambda _: RATING_W), (1000, "H", 0.1, input_v),
    ],
    "apc-smart-ups": [
        (128, "I", 1, of("runtime_s")), (130, "H", 1 / 512, soc), (131, "h", 1 / 32, of("battery_voltage_v")),
        (135, "h", 1 / 128, of("temperature_degc")), (136, "H", 1 / 256, load), (138, "H", 1 / 256, load),
        (140, "H", 1 / 32, lambda b: min(output_a(b), 2047.97)), (142, "H", 1 / 64, output_v), (144, "H", 1 / 128, output_hz),
        (151, "H", 1 / 64, input_v), (1026, "H", 1, lambda _: 1.1 * PHASE_V), (1027, "H", 1, lambda _: 0.85 * PHASE_V),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_values_are_the_plants_within_a_step_of_the_register(name):
    """On line, on battery, and with a battery that is low, at the tick at which it is read."""
    bench = MapBench(name)

    async def main(client):
        for reach in (on_line, on_battery, low_battery):
            await reach(bench)
            for address, code, scale, expected in VALUES[name]:
                shown = await client.number(address, code, scale)
                assert shown == pytest.approx(expected(bench), abs=0.5001 * scale + 1e-6), hex(address)

    bench.talk(main)


# By map: what shows the state, and its values on line, on battery, with a low battery, off.
STATES = {
    "generic": [(0x031, "H", 3, 5, 5, 2), (0x013, "H", 2, 2, 3, 3), (0x101, "I", 0, 0x222, 0x226, 0x2624)],
    "huawei-ups2000": [
        (11024, "H", 2, 3, 3, 0), (12002, "H", 2, 5, 5, 2), (11043, "H", 0, 0, 0x40, 0x40), (41185, "H", 0, 2, 2, 2),
    ],
    "apc-smart-ups": [
        (0, "I", 0x02, 0x44, 0x44, 0x50), (2, "H", 0, 2, 2, 12), (18, "H", 0, 1, 3, 2), (3, "I", 1, 1, 0x4001, 0x4002),
    ],
    "contacts": [(0, "H", 0, 1, 1, 0), (1, "H", 0, 0, 1, 1), (2, "H", 1, 1, 0, 0), (4, "H", 1, 0, 0, 0), (9, "H", 0, 0, 0, 1)],
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_states(name):
    bench = MapBench(name)

    async def main(client):
        for place, reach in enumerate((on_line, on_battery, low_battery, off)):
            await reach(bench)
            shown = [await client.number(address, code) for address, code, *_ in STATES[name]]
            assert shown == [row[2 + place] for row in STATES[name]]

    bench.talk(main)


@pytest.mark.parametrize("name", MAPS)
def test_every_point_can_be_read_by_itself_and_shows_what_it_holds(name):
    """Whatever the declarations say, no point hides another, and each is where it says."""
    bench = MapBench(name)

    async def main(client):
        await asyncio.sleep(3.0)
        for point in bench.modbus.registers.points:
            value = point.read() if callable(point.read) else point.read
            shown = await client.read(point.table, point.address, point.codec.size)
            if point.table in (Table.COILS, Table.DISCRETE_INPUTS):
                assert shown == [bool(value)], point.name
            else:
                assert shown == point.codec.encode(value), point.name

    bench.talk(main)


BLOCKS = {
    "generic": [(0x000, 89), (0x100, 120)],
    "huawei-ups2000": [(11000, 28), (12000, 34), (19009, 1), (11024, 1), (11043, 1), (12002, 1), (11046, 1), (41180, 27)],
    "apc-smart-ups": [(0, 27), (128, 44), (516, 120), (1026, 22)],
}


@pytest.mark.parametrize("name", BLOCKS)
def test_clients_may_read_whole_blocks_and_nothing_else(name):
    bench = MapBench(name)

    async def main(client):
        for address, count in BLOCKS[name]:
            assert len(await client.read(Table.HOLDING, address, count)) == 2 * count
        with pytest.raises(ValueError, match="2"):
            await client.read(Table.HOLDING, 60_000, 1)

    bench.talk(main)
