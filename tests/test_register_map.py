"""Declared points as tables: windows, cuts, words, ranges, faults, all or nothing."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.modbus.bank import ExceptionCode, ModbusFault, Table
from firmware_sim.registers.codec import BIT, number, string
from firmware_sim.registers.point import FLAG, OneOf, Point, Range
from firmware_sim.registers.register_map import RegisterMap

HOLDING = Table.HOLDING


class Device:
    """Points over plain values. An image of it changes with `tick`."""

    def __init__(self, **options: object) -> None:
        self.tick = 0
        self.left = 10
        self.power = 70_000.0
        self.written: list[tuple[str, float]] = []
        u32, i16 = number("u32"), number("i16", 10.0)
        points = [
            Point("name", 10, string(2), "ab"),
            Point("power", 12, u32, lambda: self.power + self.tick),
            Point("set", 14, i16, lambda: 0.0, self.store("set"), Range(-100, 100, "W")),
            Point("word", 15, number("u16"), lambda: 5.0, self.store("word"), OneOf(0xAA, 0xBB)),
            Point("long", 16, u32, lambda: None, self.store("long"), Range(0, 1e9), commands=2),
            Point("coil", 3, BIT, lambda: self.power > 0, self.store("coil"), FLAG, Table.COILS),
            Point("contact", 8, BIT, lambda: self.power < 0, table=Table.DISCRETE_INPUTS),
        ]
        blocks = [(HOLDING, 8, 20), (Table.COILS, 0, 10), (Table.DISCRETE_INPUTS, 0, 9)]
        self.map = RegisterMap(points, generation=lambda: self.tick, room=lambda: self.left, blocks=blocks, **options)

    def store(self, name: str):
        return lambda value: self.written.append((name, value))

    def registers(self, address: int, count: int) -> list[int]:
        return list(struct.unpack(f">{count}H", self.map.read(HOLDING, address, count)))


def test_any_window_is_a_cut_of_the_whole():
    device = Device()
    whole = device.registers(8, 20)
    assert whole == [0, 0, 0x6162, 0, 1, 4464, 0, 5, 0, 0, *[0] * 10]
    for first in range(8, 28):
        for count in range(1, 28 - first + 1):
            assert device.registers(first, count) == whole[first - 8 : first - 8 + count]


def test_what_was_read_is_kept_until_the_image_changes():
    device = Device()
    assert device.registers(12, 2) == [1, 4464]
    device.power = 0.0
    assert device.registers(12, 2) == [1, 4464]
    device.tick = 1
    assert device.registers(12, 2) == [0, 1]


@pytest.mark.parametrize(
    ("table", "address", "values", "code", "reason"),
    [
        (HOLDING, 7, [1], 2, "register 7 cannot be written"),
        (HOLDING, 12, [0, 1], 2, "register 12 cannot be written"),  # read-only
        (HOLDING, 9, [1], 2, "register 9 cannot be written"),  # within a block only
        (HOLDING, 16, [1], 2, "register 16 is a part of long, which can only be written whole"),
        (HOLDING, 17, [1], 2, "register 17 is a part of long, which can only be written whole"),
        (HOLDING, 14, [11], 3, "set = 110.0: must be between -100 and 100 W"),
        (HOLDING, 14, [0x10000 - 11], 3, "set = -110.0: must be between -100 and 100 W"),
        (HOLDING, 15, [0xCC], 3, "word = 204: must be one of 170, 187"),
        (HOLDING, 14, [1, 0xCC], 3, "word = 204: must be one of 170, 187"),  # the first has not taken effect
        (HOLDING, 14, [1, 0xAA, 0x7735, 0x9401], 3, "long = 2.0000.+: must be between 0 and 1e"),
        (HOLDING, 15, [0xCC, 1], 2, "register 16 is a part of long"),  # addresses before values
        (Table.INPUT, 14, [1], 2, "input register 14 cannot be written"),
        (Table.DISCRETE_INPUTS, 8, [1], 2, "discrete input 8 cannot be written"),
        (Table.COILS, 2, [1], 2, "coil 2 cannot be written"),
    ],
)
def test_a_write_that_is_refused_has_done_nothing(table, address, values, code, reason):
    device = Device()
    with pytest.raises(ModbusFault, match=reason) as refusal:
        device.map.write(table, address, values)
    assert refusal.value.code == code
    assert device.written == []


def test_a_write_takes_effect_whole_or_is_told_that_the_device_is_busy():
    device = Device()
    device.left = 3
    values = [0x10000 - 10, 0xBB, 0, 7]
    with pytest.raises(ModbusFault) as refusal:
        device.map.write(HOLDING, 14, values)
    assert refusal.value.code == ExceptionCode.DEVICE_BUSY
    assert device.written == []
    device.left = 4
    device.map.write(HOLDING, 14, values)
    assert device.written == [("set", -100.0), ("word", 0xBB), ("long", 7.0)]


def test_bits():
    device = Device()
    assert device.map.read(Table.COILS, 0, 10) == b"\x08\x00"
    assert device.map.read(Table.COILS, 3, 1) == b"\x01"
    assert device.map.read(Table.DISCRETE_INPUTS, 0, 9) == b"\x00\x00"
    device.power, device.tick = -1.0, 1
    assert device.map.read(Table.COILS, 0, 4) == b"\x00"
    assert device.map.read(Table.DISCRETE_INPUTS, 0, 9) == b"\x00\x01"
    with pytest.raises(ModbusFault, match="there is no discrete input 9"):
        device.map.read(Table.DISCRETE_INPUTS, 0, 10)
    device.map.write(Table.COILS, 3, [1])
    assert device.written == [("coil", 1.0)]


def test_tables_are_apart_unless_they_are_one():
    with pytest.raises(ModbusFault, match="there is no input register 10"):
        Device().map.read(Table.INPUT, 10, 1)
    device = Device(alias=True)
    assert device.map.read(Table.INPUT, 10, 8) == device.map.read(HOLDING, 10, 8)


def test_a_frozen_device_shows_one_instant_and_takes_writes():
    device = Device()
    assert device.registers(12, 1) == [1]  # part of what will be asked for
    device.map.frozen = True
    device.power, device.tick = 5.0, 7
    assert device.registers(12, 2) == [1, 4464]
    assert device.map.read(Table.COILS, 3, 1) == b"\x01"
    device.map.write(HOLDING, 15, [0xAA])
    assert device.written == [("word", 0xAA)]
    device.map.frozen = False
    assert device.registers(12, 2) == [0, 12]


def test_an_absent_device_shows_that_nothing_has_a_value():
    device = Device()
    device.map.absent = True
    assert device.registers(10, 8) == [0x6162, 0, 0, 0, 0, 0, 0, 0]
    assert device.map.read(Table.COILS, 3, 1) == b"\x00"


def test_points_do_not_share_registers():
    points = [Point("a", 1, number("u32")), Point("b", 2, number("u16"))]
    with pytest.raises(ValueError, match="b and a share register 2"):
        RegisterMap(points, generation=int, room=int)


@pytest.mark.parametrize(
    ("codec", "value", "registers"),
    [
        (number("u16"), 65_536.0, "ffff"),  # saturates
        (number("i16", 0.1), -1.25, "fff4"),  # -12.5 counts, to even
        (number("i16", missing=-0x8000), 40_000.0, "8000"),
        (number("i16", missing=-0x8000), None, "8000"),
        (number("u16"), math.nan, "0000"),
        (number("u32"), 0x12345678, "12345678"),
        (number("u32", little_words=True), 0x12345678, "56781234"),
        (number("u64", little_words=True), 0x0123456789ABCDEF, "cdef89ab45670123"),
        (number("f32"), -2.5, "c0200000"),
        (number("f32", little_words=True), -2.5, "0000c020"),
        (number("u16", 1 / 512), 55.5, "6f00"),  # a binary fraction
        (string(3), "Üps", "3f7073000000"),
        (string(1), "long", "6c6f"),
    ],
)
def test_how_values_stand_in_registers(codec, value, registers):
    assert codec.encode(value).hex() == registers


@given(st.sampled_from(["u16", "i16", "u32", "i32", "u64", "i64"]), st.booleans(), st.data())
def test_every_count_survives(kind, little_words, data):
    codec = number(kind, little_words=little_words)
    registers = data.draw(st.binary(min_size=2 * codec.size, max_size=2 * codec.size))
    assert codec.encode(codec.decode(registers)) == registers
