"""Modbus requests and replies against the specification (MODBUS Application Protocol Specification V1.1b3), byte by byte."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from modbus_support import (
    PDUS,
    Bank,
    mask,
    packed,
    read,
    read_write,
    write,
    write_coil,
    write_coils,
    write_one,
)

from firmware_sim.modbus.bank import Table
from firmware_sim.modbus.engine import Units, answer


# fmt: off
@pytest.mark.parametrize(("pdu", "expected"), [
    (read(0, 10, 1), b"\x01\x02\x49\x02"),
    (read(0, 10, 2), b"\x02\x02\xb6\x01"),
    (read(0, 2000, 1), bytes((1, 250)) + packed([int(bit % 3 == 0) for bit in range(2000)])),
    (read(10, 2), b"\x03\x04\x00\x0a\x00\x0b"),
    (read(10, 2, 4), b"\x04\x04\x00\x0b\x00\x0c"),
    (read(0, 125), bytes((3, 250)) + struct.pack(">125H", *range(125))),
    (write_coil(5, 0xFF00), b"\x05\x00\x05\xff\x00"),
    (write_coil(5, 0), b"\x05\x00\x05\x00\x00"),
    (write_one(5, 0x1234), b"\x06\x00\x05\x12\x34"),
    (write_coils(0, [1] * 1968), b"\x0f\x00\x00\x07\xb0"),
    (write(0, range(123)), b"\x10\x00\x00\x00\x7b"),
    (mask(5, 0xF2, 0x25), mask(5, 0xF2, 0x25)),
    (read_write(5, 1, 5, [77]), b"\x17\x02\x00\x4d"),  # writes before it reads
    (read_write(0, 125, 800, [0] * 121), bytes((23, 250)) + struct.pack(">125H", *range(125))),
])
def test_request_and_answer(pdu, expected):
    assert answer(Bank(), pdu) == expected


@pytest.mark.parametrize(("pdu", "table", "address", "written"), [
    (write_coil(5, 0xFF00), "bits", 5, [1]),
    (write_coil(6, 0), "bits", 6, [0]),
    (write_coils(19, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]), "bits", 19, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]),
    (write_one(5, 0x1234), "values", 5, [0x1234]),
    (write(5, [0, 0xFFFF, 3]), "values", 5, [0, 0xFFFF, 3]),
    (mask(0x12, 0xF2, 0x25), "values", 0x12, [(0x12 & 0xF2) | (0x25 & ~0xF2)]),  # section 6.16
    (mask(999, 0xFFFF, 0), "values", 999, [999]),
])
def test_a_write_writes(pdu, table, address, written):
    bank, before = Bank(), getattr(Bank(), table)
    answer(bank, pdu)
    before[address : address + len(written)] = written
    assert getattr(bank, table) == before


# Exceptions: function, quantity and length, address, value, device; a row that is wrong in two ways shows which comes first.
REFUSED = {
    1: [b"\x00\x00", b"\x07", b"\x08\x00\x00\x00\x00", b"\x2b\x0d\x00\x00", b"\x41", b"\x83\x00", b"\xff"],
    2: [
        read(2999, 2, 1), read(65_535, 2, 2), read(999, 2), read(65_535, 2), write_coil(3000, 0), write_coils(2999, [1, 1]),
        write_coils(65_535, [1, 1]), write_one(2000, 1), write(999, [7, 7]), write(65_535, [1, 2]), mask(1000, 0, 0),
        read_write(999, 2, 500, [7]), read_write(65_535, 2, 5, [1]), read_write(5, 1, 65_535, [7, 7]), b"\x2b\x0e\x04\x03",
    ],
    3: [
        read(10, 0, 1), read(10, 2001, 1), read(10, 2001, 2), read(65_535, 0, 1), read(10, 1, 1)[:-1],
        read(10, 0), read(10, 126), read(10, 65_535), read(10, 0, 4), read(10, 126, 4), read(65_535, 126), read(65_535, 0),
        b"\x03", read(10, 2)[:-1], read(10, 2) + b"\0",
        write_coil(5, 0x1234), write_coil(5, 1), write_coil(3000, 0xFF01), write_coil(5, 0)[:-1],
        write_coils(5, []), write_coils(5, [1] * 9, size=1), write_coils(5, [1] * 8, size=2),
        write_coils(5, [1] * 1969, size=247), write_coils(5, [1]) + b"\0", b"\x0f\x00",
        write_one(2000, 1)[:-1], write_one(500, 7), b"\x10", write(5, []),
        write(0, [0] * 124), write(65_535, [0] * 124), write(5, [1, 2], size=2), write(5, [1, 2], size=6),
        write(5, [1, 2]) + b"\0\0", write(498, [1, 2, 7, 4]), mask(5, 0, 0)[:-1], mask(5, 0, 0) + b"\0", mask(500, 0, 7),
        b"\x17\x00", read_write(5, 0, 5, [7]),
        read_write(5, 1, 5, []), read_write(5, 1, 5, [0] * 122), read_write(65_535, 2, 5, []), read_write(5, 1, 500, [7]),
        read_write(5, 1, 5, [77], size=4), read_write(5, 1, 5, [77]) + b"\0", read_write(65_535, 126, 5, [77]),
        b"\x2b", b"\x2b\x0e\x01", b"\x2b\x0e\x01\x00\x00", b"\x2b\x0e\x00\x00", b"\x2b\x0e\x05\x00",
    ],
    4: [write_one(600, 1), write(599, [1, 2])],
}
# fmt: on


@pytest.mark.parametrize(("code", "pdu"), [(code, pdu) for code, pdus in REFUSED.items() for pdu in pdus])
def test_a_refused_request_names_the_fault_and_changes_nothing(code, pdu):
    bank = Bank()
    assert answer(bank, pdu) == bytes((pdu[0] | 0x80, code))
    assert (bank.values, bank.bits) == (Bank().values, Bank().bits)


@pytest.mark.parametrize("function", [1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43])
def test_a_function_that_the_device_does_not_have(function):
    bank = Bank()
    bank.functions = Bank.functions - {function}
    assert answer(bank, bytes((function,))) == bytes((function | 0x80, 1))
    assert answer(Bank(), bytes((function, 0x0E, 1, 0, 0)), allowed=Bank.functions - {function})[1] == 1


def test_a_device_may_claim_a_function_that_the_protocol_here_does_not_have():
    bank = Bank()
    bank.functions = Bank.functions | {7}
    assert answer(bank, b"\x07") == b"\x87\x01"


def test_a_device_that_fails_answers_so_and_says_why(caplog):
    heard = []
    assert answer(Bank(), write_one(700, 1), lambda request, fault: heard.append((request, str(fault)))) == b"\x86\x04"
    assert heard == [(write_one(700, 1), "ZeroDivisionError: a mistake")]
    (record,) = caplog.records
    assert record.exc_info[0] is ZeroDivisionError


def test_a_device_that_gives_too_little_never_makes_a_bad_frame(caplog):
    class Short(Bank):
        def read(self, table: Table, address: int, count: int) -> bytes:
            return super().read(table, address, count)[:-1]

    assert answer(Short(), read(10, 2)) == b"\x83\x04"
    assert "the bank gave 3 bytes, not 4" in caplog.text
    with pytest.raises(ValueError, match="a function code"):
        answer(Bank(), b"")


BASIC = {0: b"Ridethrough", 1: b"BESS", 2: b"1.0"}
REGULAR = BASIC | {3: b"https://x", 6: b"app"}
EXTENDED = REGULAR | {0x80: b"p" * 100, 0x81: b"q" * 120, 0x90: b"r" * 50}
HUAWEI = {0x87: bytes((0, 0, 0, 1)), 0x88: b"1=UPS2000A;2=V2R1C1SPC50;3=P1.0-D1.0;4=X;5=0;6=0"}


def listed(objects: dict[int, bytes]) -> bytes:
    return b"".join(bytes((number, len(content))) + content for number, content in objects.items())


def some(objects: dict[int, bytes], *numbers: int) -> dict[int, bytes]:
    return {number: objects[number] for number in numbers}


# fmt: off
IDENTITIES = {  # request after 2B 0E: code, object; reply after 2B 0E: code, level, more, next, number, objects
    "basic": (BASIC, "01 00", bytes((1, 0x81, 0, 0, 3)) + listed(BASIC)),
    "basic from its second object": (BASIC, "01 01", bytes((1, 0x81, 0, 0, 2)) + listed(some(BASIC, 1, 2))),
    "basic of one that has more": (EXTENDED, "01 00", bytes((1, 0x83, 0, 0, 3)) + listed(BASIC)),
    "an unknown object begins anew": (BASIC, "01 77", bytes((1, 0x81, 0, 0, 3)) + listed(BASIC)),
    "an object of another level begins anew": (REGULAR, "01 03", bytes((1, 0x82, 0, 0, 3)) + listed(BASIC)),
    "regular": (REGULAR, "02 00", bytes((2, 0x82, 0, 0, 5)) + listed(REGULAR)),
    "regular of one that has less": (BASIC, "02 00", bytes((2, 0x81, 0, 0, 3)) + listed(BASIC)),
    "extended, more follows": (EXTENDED, "03 00",
        bytes((3, 0x83, 0xFF, 0x81, 6)) + listed({n: v for n, v in EXTENDED.items() if n < 0x81})),
    "extended, what followed": (EXTENDED, "03 81", bytes((3, 0x83, 0, 0, 2)) + listed(some(EXTENDED, 0x81, 0x90))),
    "one object": (EXTENDED, "04 80", bytes((4, 0x83, 0, 0, 1)) + listed(some(EXTENDED, 0x80))),
    "as huawei-ups2000 asks": (HUAWEI, "03 87", bytes((3, 3, 0, 0, 2)) + listed(HUAWEI)),
    "no basic objects": (HUAWEI, "01 00", bytes((1, 3, 0, 0, 0))),
    "no objects": ({}, "01 00", bytes((1, 1, 0, 0, 0))),
}
# fmt: on


@pytest.mark.parametrize(("identity", "asked", "expected"), IDENTITIES.values(), ids=IDENTITIES)
def test_read_device_identification(identity, asked, expected):
    assert answer(Bank(identity), b"\x2b\x0e" + bytes.fromhex(asked)) == b"\x2b\x0e" + expected


def test_identification_has_bounds():
    assert answer(Bank({0: b"", 1: b"", 2: b"x" * 244}), b"\x2b\x0e\x04\x02")[7:9] == bytes((2, 244))
    assert answer(Bank({0: b"", 1: b"", 2: b"x" * 245}), b"\x2b\x0e\x04\x02") == b"\xab\x04"
    assert answer(Bank(HUAWEI), b"\x2b\x0e\x04\x87") == b"\xab\x03"


@given(PDUS)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_pdu_gets_a_well_formed_answer(pdu):
    bank = Bank()
    got = answer(bank, pdu)
    if got[0] & 0x80:
        assert got in {bytes((pdu[0] | 0x80, code)) for code in (1, 2, 3, 4)}
        assert (bank.values, bank.bits) == (Bank().values, Bank().bits)
    elif got[0] in (1, 2):
        assert got[:2] == bytes((pdu[0], (int.from_bytes(pdu[3:5], "big") + 7) // 8))
        assert len(got) == 2 + got[1] <= 252
    elif got[0] in (3, 4, 23):
        assert got[:2] == bytes((pdu[0], 2 * int.from_bytes(pdu[3:5], "big")))
        assert len(got) == 2 + got[1] <= 252
    elif got[0] == 43:
        assert got[:3] == pdu[:3]
        assert len(got) <= 253
    elif got[0] in (6, 16):
        assert got == pdu[:5]
        written = pdu[3:] if got[0] == 6 else pdu[6:]
        assert answer(bank, read(int.from_bytes(pdu[1:3], "big"), len(written) // 2))[2:] == written
    else:
        assert got == (pdu if got[0] == 22 else pdu[:5])


@pytest.mark.parametrize(("serial", "silent", "requests"), [(False, False, 3), (False, True, 1), (True, True, 2)])
def test_who_answers_whom(serial, silent, requests):
    banks = {1: Bank(), 2: Bank()}
    units = Units(banks, serial=serial, silent=silent)
    pdu = write_one(5, 7)
    missing = None if silent else b"\x86\x0b"
    assert (units.answer(1, pdu), units.answer(3, pdu)) == (pdu, missing)
    assert (units.addressed(1), units.addressed(3), units.addressed(0)) == (True, not silent, serial or not silent)
    assert units.answer(0, write_one(6, 8)) == missing
    assert [bank.values[5:7] for bank in banks.values()] == [[7, 8 if serial else 6], [5, 8 if serial else 6]]
    assert units.requests == requests
    assert units.answer(0, read(1, 1)) == (None if silent else b"\x83\x0b")  # a broadcast that only reads does nothing
