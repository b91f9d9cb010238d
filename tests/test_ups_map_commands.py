"""What clients order through the register maps of UPSs: outputs that go off and on, at once or by a device's own timers."""

from __future__ import annotations

import asyncio

import pytest
from ups_bench import now
from ups_maps import MapBench

from firmware_sim.modbus.bank import Table

BACK_AT_5_S = {"events": [{"kind": "grid_dip", "at": "1 s", "duration": "4 s", "residual": 0.0}]}
NO_OUTAGE = {"events": []}
MODES = ("off", "bypass", "normal", "battery")


async def changes(bench, until_s):
    """When the output changed between off and on, and what feeds it then."""
    found, before = [], False
    while now() < until_s:
        await asyncio.sleep(0.01)
        if (bench.firmware["mode"] == 0) != before:
            before = not before
            found.append((round(now(), 1), MODES[bench.firmware["mode"]]))
    return found


# Map, sections, when, writes (address, value, code), and when the output goes off and on.
ORDERS = {
    "generic: shutdown after a delay": ("generic", NO_OUTAGE, 0.0, [(0x121, 3, "i")], [(3.0, "off")]),
    "generic: aborted": ("generic", NO_OUTAGE, 0.0, [(0x121, 3, "i"), (0x121, -1, "i")], []),
    "generic: off and on": ("generic", NO_OUTAGE, 0.0, [(0x121, 3, "i"), (0x123, 5, "i")], [(3.0, "off"), (5.0, "normal")]),
    "generic: reboot": ("generic", NO_OUTAGE, 1.0, [(0x125, 4, "i")], [(1.0, "off"), (5.0, "normal")]),
    "generic: returns with the line": ("generic", BACK_AT_5_S, 1.5, [(0x121, 1, "i")], [(2.5, "off"), (5.5, "normal")]),
    "generic: stays off": ("generic", BACK_AT_5_S, 1.5, [(0x127, 2, "H"), (0x121, 1, "i")], [(2.5, "off")]),
    "huawei: load.off": ("huawei-ups2000", NO_OUTAGE, 1.0, [(11045, 0, "H"), (11030, 1, "H")], [(1.0, "off")]),
    "huawei: shutdown.return": (
        "huawei-ups2000", NO_OUTAGE, 0.0, [(11044, 1, "H"), (11047, (1 << 16) + 1, "I")], [(6.0, "off"), (66.0, "normal")],
    ),
    "huawei: shutdown.stayoff": ("huawei-ups2000", NO_OUTAGE, 0.0, [(11044, 0, "H"), (11049, 1, "H")], [(6.0, "off")]),
    "apc: shutdown.return": (
        "apc-smart-ups", NO_OUTAGE, 0.0, [(1029, 5, "h"), (1538, 0x188, "I")], [(5.0, "off"), (13.0, "normal")],
    ),
    "apc: shutdown.return in an outage": (
        "apc-smart-ups", BACK_AT_5_S, 1.5, [(1031, 1, "i"), (1538, 0x188, "I")], [(1.5, "off"), (5.5, "normal")],
    ),
    "apc: shutdown.stayoff": ("apc-smart-ups", BACK_AT_5_S, 1.5, [(1538, 0x184, "I")], [(1.5, "off")]),
    "apc: load.on.delay": (
        "apc-smart-ups", NO_OUTAGE, 0.0, [(1030, 4, "h"), (1538, 0x104, "I"), (1538, 0x142, "I")],
        [(0.0, "off"), (4.0, "normal")],
    ),
    "apc: cancelled": ("apc-smart-ups", NO_OUTAGE, 0.0, [(1029, 5, "h"), (1538, 0x188, "I"), (1538, 0x101, "I")], []),
}  # fmt: skip


@pytest.mark.parametrize("case", ORDERS)
def test_the_output_goes_off_and_on(case):
    name, sections, at_s, writes, expected = ORDERS[case]
    bench = MapBench(name, {"qualify": "100 ms", "walk_in": "100 ms"}, **sections)

    async def main(client):
        await asyncio.sleep(at_s)
        for address, value, code in writes:
            await client.write(address, value, code)
        found = await changes(bench, max([time_s for time_s, _ in expected], default=10.0) + 5.0)
        assert [what for _, what in found] == [what for _, what in expected]
        for (time_s, _), (expected_s, what) in zip(found, expected, strict=True):
            assert time_s == pytest.approx(expected_s, abs=0.15 if what == "off" else 1.3), (
                found
            )  # looks at the line each second

    bench.talk(main)


def test_countdowns_can_be_read_and_end():
    """RFC 1628: what is left of a delay, -1 where nothing counts."""
    bench = MapBench("generic", **NO_OUTAGE)

    async def main(client):
        assert await client.number(0x121, "i") == -1
        await client.write(0x121, 10, "i")
        await asyncio.sleep(4.0)
        assert await client.number(0x121, "i") == 6
        await asyncio.sleep(7.0)
        assert await client.number(0x121, "i") == -1
        assert bench.firmware["mode"] == 0

    bench.talk(main)


# Settings of the firmware: address, code, what is written, and the field of its state with what it holds then.
SETTINGS = [
    (0x148, "H", 1, "counter", 1),
    (0x14A, "H", 1, "bypass", 1),
    (0x14C, "I", 123_456, "recharge_w", 123_456),
    (0x14E, "H", 155, "walk_in_s", 15.5),
    (0x14F, "H", 25, "walk_in_delay_s", 2.5),
    (0x150, "I", 1_000_000, "support_set_w", 1e6),
    (0x152, "H", 70, "support_s", 7.0),
]


@pytest.mark.parametrize(("address", "code", "value", "field", "held"), SETTINGS, ids=[row[3] for row in SETTINGS])
def test_generic_settings_reach_the_firmware_and_read_back(address, code, value, field, held):
    bench = MapBench("generic", **NO_OUTAGE)

    async def main(client):
        await client.write(address, value, code)
        assert bench.firmware[field] == pytest.approx(held)
        assert await client.number(address, code) == value

    bench.talk(main)


REFUSED = {
    "generic: a delay below -1": ("generic", 0x121, -2, "i", "3"),
    "generic: more than it can recharge": ("generic", 0x14C, 600_001, "I", "3"),
    "generic: half a delay": ("generic", 0x121, 1, "H", "2"),
    "generic: a reading": ("generic", 0x016, 1, "H", "2"),
    "huawei: an order that is none": ("huawei-ups2000", 11029, 2, "H", "3"),
    "apc: two orders at once": ("apc-smart-ups", 1538, 0x106, "I", "3"),
    "apc: another group of outlets": ("apc-smart-ups", 1538, 0x204, "I", "3"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_device_refuses_changes_nothing(case):
    name, address, value, code, exception = REFUSED[case]
    bench = MapBench(name, **NO_OUTAGE)

    async def main(client):
        with pytest.raises(ValueError, match=f"^{exception}$"):
            await client.write(address, value, code)
        await asyncio.sleep(0.1)
        assert bench.engine.states["run"]["command_head"] == 0

    bench.talk(main)


def test_the_disturbance_counter_counts_latches_and_is_reset():
    dips = [{"kind": "grid_dip", "at": f"{at} s", "duration": "50 ms", "residual": 0.2} for at in (1, 2, 3)]
    bench = MapBench("generic", {"counter_disturbances": 3}, events=dips)

    async def main(client):
        await client.write(0x148, 1)
        counted = []
        for _ in range(4):
            await asyncio.sleep(1.0)
            counted.append((await client.number(0x144), await client.number(0x147)))
        assert counted == [(0, 0), (1, 0), (2, 0), (3, 1)]
        await client.write(0x149, 1)
        assert (await client.number(0x144), await client.number(0x147), await client.number(0x145, "I")) == (0, 0, 3)

    bench.talk(main)


def test_seconds_on_battery_count_from_the_transfer_and_end_with_it():
    bench = MapBench("generic", {"qualify": "100 ms", "walk_in": "100 ms"}, **BACK_AT_5_S)

    async def main(client):
        shown = []
        for at_s in (0.9, 3.1, 4.9, 8.0):
            await asyncio.sleep(at_s - now())
            shown.append(await client.number(0x014))
        assert shown == [0, 2, 4, 0]

    bench.talk(main)


def test_a_contact_switches_the_load_off_until_another_brings_it_back():
    bench = MapBench("contacts", **NO_OUTAGE)

    async def main(client):
        await client.set_coil(0, on=True)
        await client.set_coil(0, on=False)
        await asyncio.sleep(3.0)
        assert bench.firmware["mode"] == 0
        assert await client.read(Table.DISCRETE_INPUTS, 9, 1) == [True]
        await client.set_coil(1, on=True)
        await asyncio.sleep(0.5)
        assert bench.firmware["mode"] == 2

    bench.talk(main)
