"""What the cases of conformance are written in: the device that is asked, frames, and what a case is made of."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

UNIT = 1
COILS = [number % 3 == 0 for number in range(2048)]
DISCRETE = [number % 5 == 0 for number in range(2048)]
HOLDING = list(range(1000))
INPUT = [0x8000 + number for number in range(1000)]
REFUSES_7, BROKEN, SLOW = 500, 600, 700
"""Holding registers: one that does not take 7, one that cannot be written, one whose reading takes 50 ms where that may be."""
IDENTITY = {
    0: b"Ridethrough",
    1: b"BESS-1",
    2: b"V1.0",
    3: b"https://ridethrough.invalid",
    4: b"Battery",
    5: b"LFP",
    6: b"Control",
    0x80: b"a" * 200,
    0x81: b"b" * 60,
}
MOST_CONNECTIONS = 8
PARTIAL_S, IDLE_S = 0.5, 2.0
"""Time that the rest of a frame has, and a client between two requests."""


@dataclass(frozen=True)
class Send:
    """Bytes of a client in one piece."""

    data: bytes
    client: str = "a"


@dataclass(frozen=True)
class Receive:
    """Exactly these bytes come next; where the order is free, these frames in any."""

    data: bytes
    client: str = "a"
    in_order: bool = True


@dataclass(frozen=True)
class Wait:
    """Nothing is sent for so long."""

    seconds: float


@dataclass(frozen=True)
class EndOfSending:
    """A client closes its sending half."""

    client: str = "a"


@dataclass(frozen=True)
class Closed:
    """The server closes the connection and sends nothing more."""

    client: str = "a"


Step = Send | Receive | Wait | EndOfSending | Closed


@dataclass(frozen=True)
class Case:
    """Steps in order. At the end every client that is still connected must get a good request answered, and that alone."""

    name: str
    clause: str
    steps: tuple[Step, ...]


def pdu(text: str) -> bytes:
    """From hexadecimal digits."""
    return bytes.fromhex(text)


def frame(tid: int, body: bytes, unit: int = UNIT, protocol: int = 0, length: int | None = None) -> bytes:
    """Header and PDU (TCP 3.1.3)."""
    return struct.pack(">HHHB", tid, protocol, len(body) + 1 if length is None else length, unit) + body


def reading(address: int, count: int = 1) -> bytes:
    """A request for holding registers."""
    return struct.pack(">BHH", 3, address, count)


def read(address: int, count: int = 1) -> bytes:
    """What it is answered with while nothing was written."""
    return struct.pack(f">BB{count}H", 3, 2 * count, *HOLDING[address : address + count])


def packed(bits: Iterable[bool]) -> bytes:
    """Bits as bytes, the first in the lowest bit (6.1)."""
    digits = "".join("01"[bit] for bit in bits)
    return bytes(int(digits[at : at + 8][::-1], 2) for at in range(0, len(digits), 8))


def words(values: Iterable[int]) -> bytes:
    """Registers, high byte first (4.2)."""
    return b"".join(value.to_bytes(2, "big") for value in values)
