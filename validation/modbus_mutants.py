"""Requests as clients send them, and what becomes of them when something breaks them on the way."""

from __future__ import annotations

import random
import struct

from modbus_device import BROKEN, REFUSES_7, UNIT, frame

FUNCTIONS = (1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43)
EDGES = (0, 1, 2, 7, 8, 120, 121, 122, 123, 124, 125, 126, REFUSES_7, BROKEN, 998, 999, 1000, 1967, 1968, 1969, 2000, 2001)
EDGES += (2046, 2047, 2048, 0x7FFF, 0x8000, 0xFEFF, 0xFF00, 0xFFFE, 0xFFFF)
MOST_PDU = 253


def good(draws: random.Random) -> bytes:
    """A PDU that is well formed; where and what it asks may still be refused."""
    function = draws.choice(FUNCTIONS)
    address = draws.choice(EDGES) if draws.random() < 0.2 else draws.randrange(1000)
    few = draws.randint(1, 8) if draws.random() < 0.9 else draws.randint(100, 121)
    if function <= 4:
        return struct.pack(">BHH", function, address, few if draws.random() < 0.8 else draws.choice(EDGES))
    if function == 5:
        return struct.pack(">BHH", 5, address, draws.choice((0, 0xFF00)))
    if function == 6:
        return struct.pack(">BHH", 6, address, draws.choice((7, draws.randrange(0x10000))))
    if function == 15:
        count = draws.randint(1, 40) if draws.random() < 0.9 else draws.randint(1900, 1968)
        size = (count + 7) // 8
        return struct.pack(">BHHB", 15, address, count, size) + draws.randbytes(size)
    if function == 16:
        return struct.pack(">BHHB", 16, address, few, 2 * few) + _words(draws, few)
    if function == 22:
        return struct.pack(">BHHH", 22, address, draws.randrange(0x10000), draws.randrange(0x10000))
    if function == 23:
        return struct.pack(">BHHHHB", 23, draws.randrange(1000), few, address, few, 2 * few) + _words(draws, few)
    return bytes((43, 14, draws.randint(1, 4), draws.choice((0, 0, 1, 2, 6, 7, 0x80, 0x81))))


def _words(draws: random.Random, count: int) -> bytes:
    return b"".join(draws.choice((b"\0\7", draws.randbytes(2))) for _ in range(count))


def broken(body: bytes, draws: random.Random) -> bytes:
    """A PDU with something wrong, of a length that a frame can have."""
    way = draws.randrange(7)
    bent = bytearray(body)
    if way == 0:
        for _ in range(draws.randint(1, 4)):
            bent[draws.randrange(len(bent))] ^= 1 << draws.randrange(8)
    elif way == 1:
        bent[draws.randrange(len(bent))] = draws.choice((0, 1, 0x7F, 0x80, 0xFF))
    elif way == 2:
        del bent[draws.randint(1, len(bent)) :]
    elif way == 3:
        bent += draws.randbytes(draws.randint(1, 20))
    elif way == 4:
        other = good(draws)
        bent = bent[: draws.randint(1, len(bent))] + other[draws.randrange(len(other)) :]
    elif way == 5:
        bent = bytearray((draws.choice(FUNCTIONS),)) + draws.randbytes(draws.choice((0, 1, 4, 5, 9, 20, 252)))
    else:
        bent = bytearray(draws.randbytes(draws.randint(1, MOST_PDU)))
    return bytes(bent[:MOST_PDU])


def mutant(draws: random.Random) -> bytes:
    """A frame: six in ten with a broken PDU, one in twenty with a broken header or cut short."""
    body = good(draws)
    if draws.random() < 0.6:
        body = broken(body, draws)
    unit = UNIT if draws.random() < 0.9 else draws.randrange(256)
    whole = frame(draws.randrange(0x10000), body, unit)
    if draws.random() >= 0.05:
        return whole
    way = draws.randrange(4)
    if way == 0:
        return frame(draws.randrange(0x10000), body, unit, length=draws.choice((0, 1, 2, 254, 255, draws.randrange(0x10000))))
    if way == 1:
        return frame(draws.randrange(0x10000), body, unit, protocol=draws.choice((1, 0xFF00, draws.randrange(0x10000))))
    if way == 2:
        return whole[: draws.randrange(len(whole))]
    header = bytearray(whole)
    header[draws.randrange(7)] ^= 1 << draws.randrange(8)
    return bytes(header)


def pieces(stream: bytes, draws: random.Random) -> list[bytes]:
    """A stream in up to six pieces."""
    cuts = sorted(draws.randrange(len(stream) + 1) for _ in range(draws.randrange(6)))
    return [part for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) if (part := stream[begin:end])]
