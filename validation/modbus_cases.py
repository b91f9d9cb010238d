"""What a Modbus TCP server must do, byte by byte: the cases, each with its clause (docs/conformance.md).

Clauses with a bare number are of the MODBUS Application Protocol Specification V1.1b3, those with "TCP" of the MODBUS Messaging
on TCP/IP Implementation Guide V1.0b. Where these leave a choice, the clause says "ours".
"""

from __future__ import annotations

from modbus_device import COILS, DISCRETE, IDENTITY, Case, Receive, Send, Step, frame, packed, pdu, read, words
from modbus_stream_cases import CONNECTIONS, FRAMES


def asked(name: str, clause: str, *pairs: bytes | str) -> Case:
    """Requests and what they are answered with, one after the other."""
    bodies = [pdu(body) if isinstance(body, str) else body for body in pairs]
    steps: list[Step] = []
    for tid, (request, answer) in enumerate(zip(bodies[::2], bodies[1::2], strict=True), 1):
        steps += [Send(frame(tid, request)), Receive(frame(tid, answer))]
    return Case(name, clause, tuple(steps))


def _identified(code: int, more: int, then: int, *objects: int) -> bytes:
    body = b"".join(bytes((number, len(IDENTITY[number]))) + IDENTITY[number] for number in objects)
    return bytes((0x2B, 0x0E, code, 0x83, more, then, len(objects))) + body


# fmt: off
READS = [
    asked("FC 1: 19 coils, packed from the lowest bit, the rest of the last byte 0", "6.1", "01 0013 0013", b"\1\3" + packed(COILS[19:38])),
    asked("FC 1: one coil, the last", "6.1", "01 07FF 0001", b"\1\1" + packed(COILS[2047:])),
    asked("FC 1: 2,000 coils", "6.1", "01 0000 07D0", b"\1\xfa" + packed(COILS[:2000])),
    asked("FC 1: quantity 0", "6.1", "01 0000 0000", "81 03"),
    asked("FC 1: quantity 2,001", "6.1", "01 0000 07D1", "81 03"),
    asked("FC 1: beyond the last coil", "6.1", "01 07FF 0002", "81 02"),
    asked("FC 2: 22 discrete inputs", "6.2", "02 00C4 0016", b"\2\3" + packed(DISCRETE[196:218])),
    asked("FC 2: quantity 2,001", "6.2", "02 0000 07D1", "82 03"),
    asked("FC 2: beyond the last input", "6.2", "02 07FF 0002", "82 02"),
    asked("FC 3: three registers, high byte first", "6.3", "03 012B 0003", "03 06 012B 012C 012D"),
    asked("FC 3: 125 registers", "6.3", "03 0000 007D", read(0, 125)),
    asked("FC 3: quantity 0", "6.3", "03 000A 0000", "83 03"),
    asked("FC 3: quantity 126", "6.3", "03 000A 007E", "83 03"),
    asked("FC 3: quantity 65,535", "6.3", "03 000A FFFF", "83 03"),
    asked("FC 3: beyond the last register", "6.3", "03 03E7 0002", "83 02"),
    asked("FC 3: beyond address 65,535", "6.3", "03 FFFF 0002", "83 02"),
    asked("FC 3: wrong in quantity and address, quantity first", "6.3", "03 FFFF 007E", "83 03"),
    asked("FC 4: input registers, another table than holding registers", "6.4", "04 0008 0002", "04 04 8008 8009"),
    asked("FC 4: quantity 126", "6.4", "04 0000 007E", "84 03"),
    asked("FC 4: beyond the last register", "6.4", "04 03E8 0001", "84 02"),
]
WRITES = [
    asked("FC 5: on, echoed, and read back", "6.5", "05 00AC FF00", "05 00AC FF00", "01 00AC 0001", "01 01 01"),
    asked("FC 5: off", "6.5", "05 00AB 0000", "05 00AB 0000", "01 00AB 0001", "01 01 00"),
    asked("FC 5: any other value is refused and changes nothing", "6.5", "05 00AB 1234", "85 03", "01 00AB 0001", "01 01 01"),
    asked("FC 5: value FF01", "6.5", "05 00AC FF01", "85 03"),
    asked("FC 5: no such coil", "6.5", "05 0800 FF00", "85 02"),
    asked("FC 5: wrong in value and address, value first", "6.5", "05 0800 1234", "85 03"),
    asked("FC 6: echoed, and read back", "6.6", "06 0001 1234", "06 0001 1234", "03 0001 0001", "03 02 1234"),
    asked("FC 6: no such register", "6.6", "06 03E8 0001", "86 02"),
    asked("FC 6: a value that the device does not take", "6.6, 7", "06 01F4 0007", "86 03", "03 01F4 0001", "03 02 01F4"),
    asked("FC 6: a device that fails", "6.6, 7", "06 0258 0001", "86 04"),
    asked("FC 15: ten coils", "6.11", "0F 0013 000A 02 CD01", "0F 0013 000A", "01 0013 000A", "01 02 CD01"),
    asked("FC 15: spare bits of the last byte write nothing", "6.11", "0F 0013 0001 01 FE", "0F 0013 0001", "01 0013 0008", b"\1\1" + packed([False, *COILS[20:27]])),
    asked("FC 15: 1,968 coils", "6.11", pdu("0F 0000 07B0 F6") + bytes(246), "0F 0000 07B0", "01 07A8 0010", b"\1\2" + packed([False] * 8 + COILS[1968:1976])),
    asked("FC 15: quantity 0", "6.11", "0F 0013 0000 00", "8F 03"),
    asked("FC 15: quantity 1,969", "6.11", pdu("0F 0000 07B1 F7") + bytes(247), "8F 03"),
    asked("FC 15: byte count against quantity", "6.11", "0F 0013 000A 01 CD", "8F 03"),
    asked("FC 15: beyond the last coil", "6.11", "0F 07FF 0002 01 03", "8F 02"),
    asked("FC 16: two registers", "6.12", "10 0001 0002 04 000A 0102", "10 0001 0002", "03 0000 0004", "03 08 0000 000A 0102 0003"),
    asked("FC 16: 123 registers", "6.12", pdu("10 0000 007B F6") + words([7] * 123), "10 0000 007B", "03 007A 0002", "03 04 0007 007B"),
    asked("FC 16: quantity 0", "6.12", "10 0001 0000 00", "90 03"),
    asked("FC 16: quantity 124", "6.12", pdu("10 0000 007C F8") + bytes(246), "90 03"),
    asked("FC 16: byte count against quantity", "6.12", "10 0001 0002 02 000A 0102", "90 03", "03 0001 0001", "03 02 0001"),
    asked("FC 16: fewer bytes than its byte count", "6.12", "10 0001 0002 04 000A", "90 03", "03 0001 0001", "03 02 0001"),
    asked("FC 16: more bytes than its byte count", "6.12", "10 0001 0001 02 000A 0102", "90 03", "03 0001 0001", "03 02 0001"),
    asked("FC 16: beyond the last register, nothing is written", "6.12", "10 03E7 0002 04 0007 0007", "90 02", "03 03E7 0001", "03 02 03E7"),
    asked("FC 16: beyond address 65,535", "6.12", "10 FFFF 0002 04 0007 0007", "90 02"),
    asked("FC 16: one of its values is refused, none is written", "6.12, 7", "10 01F3 0002 04 0001 0007", "90 03", "03 01F3 0002", "03 04 01F3 01F4"),
    asked("FC 22: (value AND and) OR (or AND NOT and)", "6.16", "06 0004 0012", "06 0004 0012", "16 0004 00F2 0025", "16 0004 00F2 0025", "03 0004 0001", "03 02 0017"),
    asked("FC 22: and 0 sets, or 0 clears", "6.16", "16 0064 0000 BEEF", "16 0064 0000 BEEF", "16 0065 FF00 0000", "16 0065 FF00 0000", "03 0064 0002", "03 04 BEEF 0000"),
    asked("FC 22: no such register", "6.16", "16 03E8 0000 0000", "96 02"),
    asked("FC 23: writes before it reads", "6.17", "17 0003 0006 000E 0003 06 00FF 00FF 00FF", "17 0C 0003 0004 0005 0006 0007 0008", "17 000E 0002 000E 0001 02 1234", "17 04 1234 00FF"),
    asked("FC 23: 125 read, 121 written", "6.17", pdu("17 0000 007D 02BC 0079 F2") + bytes(242), b"\x17\xfa" + words(range(125))),
    asked("FC 23: 126 to read", "6.17", "17 0000 007E 000E 0001 02 0001", "97 03"),
    asked("FC 23: none to read", "6.17", "17 0000 0000 000E 0001 02 0001", "97 03"),
    asked("FC 23: 122 to write", "6.17", pdu("17 0000 0001 000E 007A F4") + bytes(242), "97 03"),
    asked("FC 23: none to write", "6.17", "17 0000 0001 000E 0000 00", "97 03"),
    asked("FC 23: byte count against quantity", "6.17", "17 0000 0001 000E 0001 04 0007", "97 03", "03 000E 0001", "03 02 000E"),
    asked("FC 23: reads beyond the last register, nothing is written", "6.17", "17 03E7 0002 000E 0001 02 0007", "97 02", "03 000E 0001", "03 02 000E"),
    asked("FC 23: writes beyond the last register", "6.17", "17 0000 0001 03E7 0002 04 0007 0007", "97 02", "03 03E7 0001", "03 02 03E7"),
]
IDENTIFICATION = [
    asked("FC 43/14: basic, all of it", "6.21", "2B 0E 01 00", _identified(1, 0, 0, 0, 1, 2)),
    asked("FC 43/14: basic, from the second object", "6.21", "2B 0E 01 01", _identified(1, 0, 0, 1, 2)),
    asked("FC 43/14: basic, from an object that there is not: from the first", "6.21", "2B 0E 01 40", _identified(1, 0, 0, 0, 1, 2)),
    asked("FC 43/14: regular", "6.21", "2B 0E 02 00", _identified(2, 0, 0, 0, 1, 2, 3, 4, 5, 6)),
    asked("FC 43/14: extended, more follows", "6.21", "2B 0E 03 00", _identified(3, 0xFF, 0x80, 0, 1, 2, 3, 4, 5, 6)),
    asked("FC 43/14: extended, the next one, more follows", "6.21", "2B 0E 03 80", _identified(3, 0xFF, 0x81, 0x80)),
    asked("FC 43/14: extended, the last one", "6.21", "2B 0E 03 81", _identified(3, 0, 0, 0x81)),
    asked("FC 43/14: one object", "6.21", "2B 0E 04 02", _identified(4, 0, 0, 2)),
    asked("FC 43/14: one object that there is not", "6.21", "2B 0E 04 40", "AB 02"),
    asked("FC 43/14: read code 0", "6.21", "2B 0E 00 00", "AB 03"),
    asked("FC 43/14: read code 5", "6.21", "2B 0E 05 00", "AB 03"),
    asked("FC 43: another MEI type", "6.19", "2B 0D 01 00", "AB 01"),
    asked("FC 43/14: too short", "6.21, 7", "2B 0E 01", "AB 03"),
]
FUNCTIONS = [
    asked("A function code that nobody knows", "7", "41 0001", "C1 01"),
    asked("Function code 0", "4.1, 7", "00 0001", "80 01"),
    asked("Function code 83h, as of an exception", "4.1, 7", "83 02", "83 01"),
    asked("FC 3 without data", "7", "03", "83 03"),
    asked("FC 3, a byte short", "7", "03 000A 00", "83 03"),
    asked("FC 3, a byte long", "7", "03 000A 0001 00", "83 03"),
    asked("FC 6, a byte short", "7", "06 0001 12", "86 03", "03 0001 0001", "03 02 0001"),
    asked("FC 22, a byte short", "7", "16 0004 00F2 00", "96 03"),
]
# fmt: on
CASES = (*READS, *WRITES, *IDENTIFICATION, *FUNCTIONS, *FRAMES, *CONNECTIONS)
