"""What a server answers to a stream of bytes and what it writes, from the specification alone: slow and plain.

Written from the MODBUS Application Protocol Specification V1.1b3, clause by clause, for the device of `modbus_device`; nothing
of `firmware_sim` is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modbus_device import BROKEN, COILS, DISCRETE, HOLDING, IDENTITY, INPUT, REFUSES_7, UNIT, packed, words

Answers = frozenset[bytes]
"""Each a whole PDU; several where the specification leaves open which."""


class _Refusal(Exception):
    """An exception response, with its code."""


@dataclass
class Oracle:
    """The device's tables, by number, as they should be, and every write that should have been made."""

    coils: list[int] = field(default_factory=lambda: [*map(int, COILS)])
    holding: list[int] = field(default_factory=lambda: list(HOLDING))
    writes: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)

    def stream(self, data: bytes) -> tuple[list[tuple[bytes, Answers]], bool]:
        """Of each answer the header without its length and what may follow; and whether the connection is closed early."""
        answers: list[tuple[bytes, Answers]] = []
        while len(data) >= 7:
            length = int.from_bytes(data[4:6], "big")
            if data[2:4] != b"\0\0" or not 2 <= length <= 254:
                return answers, True
            if len(data) < 6 + length:
                break
            body, unit = data[7 : 6 + length], data[6]
            known = unit in (UNIT, 0, 255)
            answers.append((data[:4] + data[6:7], self.request(body) if known else frozenset([bytes((body[0] | 0x80, 0x0B))])))
            data = data[6 + length :]
        return answers, False

    def request(self, body: bytes) -> Answers:
        """What one PDU is answered with; makes its writes."""
        function = body[0]
        try:
            if function not in (1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43):
                raise _Refusal(1)
            if function == 43:
                return _identification(body)
            by_function = {
                1: self._bits,
                2: self._bits,
                3: self._registers,
                4: self._registers,
                5: self._coil,
                6: self._register,
            }
            by_function |= {15: self._coils, 16: self._several, 22: self._mask, 23: self._exchange}
            return frozenset([bytes((function,)) + by_function[function](body)])
        except _Refusal as refusal:
            return frozenset([bytes((function | 0x80, refusal.args[0]))])

    def _bits(self, body: bytes) -> bytes:  # 6.1, 6.2
        address, count = _fields(body, 2, 5)
        table = self.coils if body[0] == 1 else [*map(int, DISCRETE)]
        _need(1 <= count <= 2000, 3)
        _need(address + count <= len(table), 2)
        bits = packed(map(bool, table[address : address + count]))
        return bytes((len(bits),)) + bits

    def _registers(self, body: bytes) -> bytes:  # 6.3, 6.4
        address, count = _fields(body, 2, 5)
        table = self.holding if body[0] == 3 else INPUT
        _need(1 <= count <= 125, 3)
        _need(address + count <= len(table), 2)
        return bytes((2 * count,)) + words(table[address : address + count])

    def _coil(self, body: bytes) -> bytes:  # 6.5
        address, value = _fields(body, 2, 5)
        _need(value in (0x0000, 0xFF00), 3)
        _need(address < len(self.coils), 2)
        self._write(1, address, [int(value == 0xFF00)])
        return body[1:]

    def _register(self, body: bytes) -> bytes:  # 6.6
        address, value = _fields(body, 2, 5)
        self._write(3, address, [value])
        return body[1:]

    def _coils(self, body: bytes) -> bytes:  # 6.11
        _need(len(body) >= 6, 3)
        address, count = _fields(body[:5], 2, 5)
        _need(1 <= count <= 1968 and body[5] == (count + 7) // 8 and len(body) == 6 + body[5], 3)
        self._write(1, address, [body[6 + at // 8] >> at % 8 & 1 for at in range(count)])
        return body[1:5]

    def _several(self, body: bytes) -> bytes:  # 6.12
        _need(len(body) >= 6, 3)
        address, count = _fields(body[:5], 2, 5)
        _need(1 <= count <= 123 and body[5] == 2 * count and len(body) == 6 + body[5], 3)
        self._write(3, address, _values(body[6:]))
        return body[1:5]

    def _mask(self, body: bytes) -> bytes:  # 6.16
        address, keep, put = _fields(body, 3, 7)
        _need(address < len(self.holding), 2)
        self._write(3, address, [self.holding[address] & keep | put & ~keep & 0xFFFF])
        return body[1:]

    def _exchange(self, body: bytes) -> bytes:  # 6.17
        _need(len(body) >= 10, 3)
        read_at, read_count, write_at, count = _fields(body[:9], 4, 9)
        _need(1 <= read_count <= 125 and 1 <= count <= 121 and body[9] == 2 * count and len(body) == 10 + body[9], 3)
        _need(read_at + read_count <= len(self.holding) and write_at + count <= len(self.holding), 2)
        self._write(3, write_at, _values(body[10:]))
        return bytes((2 * read_count,)) + words(self.holding[read_at : read_at + read_count])

    def _write(self, number: int, address: int, values: list[int]) -> None:
        """Address, then value, then the device (7); all or nothing."""
        table = self.coils if number == 1 else self.holding
        _need(address + len(values) <= len(table), 2)
        if number == 3:
            _need(not (address <= REFUSES_7 < address + len(values) and values[REFUSES_7 - address] == 7), 3)
            _need(not address <= BROKEN < address + len(values), 4)
        table[address : address + len(values)] = values
        self.writes.append((number, address, tuple(values)))


def _need(condition: bool, code: int) -> None:
    if not condition:
        raise _Refusal(code)


def _fields(body: bytes, count: int, length: int) -> list[int]:
    """Words after the function code of a PDU of this length."""
    _need(len(body) == length, 3)
    return _values(body[1 : 1 + 2 * count])


def _values(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _identification(body: bytes) -> Answers:  # 6.21
    if len(body) == 1:  # without an MEI type: not supported, or too short
        return frozenset([b"\xab\1", b"\xab\3"])
    _need(body[1] == 0x0E, 1)
    _need(len(body) == 4 and 1 <= body[2] <= 4, 3)
    code, wanted = body[2:]
    if code == 4:
        _need(wanted in IDENTITY, 2)
        numbers, rest = [wanted], []
    else:
        last = {1: 0x02, 2: 0x06, 3: 0xFF}[code]
        known = [number for number in sorted(IDENTITY) if number <= last]
        numbers, rest = [number for number in known if number >= wanted] if wanted in known else known, []
    while sum(2 + len(IDENTITY[number]) for number in numbers) > 253 - 7:
        rest.insert(0, numbers.pop())
    more = b"\xff" + bytes((rest[0],)) if rest else b"\0\0"
    objects = b"".join(bytes((number, len(IDENTITY[number]))) + IDENTITY[number] for number in numbers)
    return frozenset([bytes((0x2B, 0x0E, code, 0x83)) + more + bytes((len(numbers),)) + objects])
