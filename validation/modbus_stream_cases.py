"""Cases of conformance that are about frames in a stream, units and connections, not about what a request asks."""

from __future__ import annotations

from modbus_device import (
    IDLE_S,
    MOST_CONNECTIONS,
    PARTIAL_S,
    SLOW,
    Case,
    Closed,
    EndOfSending,
    Receive,
    Send,
    Wait,
    frame,
    pdu,
    read,
    reading,
)

GOOD, ANSWER = frame(1, reading(10)), frame(1, read(10))
LONGEST = frame(1, b"\x41" + bytes(252))
MANY = 4_000  # answers of 259 bytes: more than sockets hold


def _pipelined(count: int) -> Case:
    together = b"".join(frame(100 + number, reading(number)) for number in range(count))
    answers = b"".join(frame(100 + number, read(number)) for number in range(count))
    return Case(f"{count} requests in one segment, answered in order", "TCP 4.2", (Send(together), Receive(answers)))


def _unit(unit: int, name: str, answer: str) -> Case:
    steps = (Send(frame(1, reading(10), unit)), Receive(frame(1, pdu(answer), unit)))
    return Case(f"Unit identifier {unit}, {name}", "TCP 4.4.2, ours" if answer.startswith("83") else "TCP 4.4.2", steps)


def _unsound(name: str, clause: str, bad: bytes) -> Case:
    """What cannot be a frame: what came before it is answered, and the connection is closed."""
    return Case(name, clause, (Send(GOOD + bad), Receive(ANSWER), Closed()))


def _cut(name: str, stream: bytes, answers: bytes, *cuts: int) -> Case:
    ends = zip((0, *cuts), (*cuts, len(stream)), strict=True)
    pieces = [step for begin, end in ends for step in (Send(stream[begin:end]), Wait(0.01))]
    return Case(name, "TCP 3.1.3", (*pieces[:-1], Receive(answers)))


# fmt: off
FRAMES = [
    _unit(1, "the device's own", "03 02 000A"),
    _unit(0, "as clients send it that know no unit", "03 02 000A"),
    _unit(255, "as the guide recommends it", "03 02 000A"),
    _unit(2, "another one: no such target", "83 0B"),
    _unit(247, "another one, the largest: no such target", "83 0B"),
    Case("Transaction identifiers 0 and 65,535", "TCP 3.1.3", (
        Send(frame(0, reading(10))), Receive(frame(0, read(10))),
        Send(frame(0xFFFF, reading(10))), Receive(frame(0xFFFF, read(10))),
    )),
    Case("One transaction identifier, twice", "TCP 3.1.3", (Send(GOOD), Receive(ANSWER), Send(GOOD), Receive(ANSWER))),
    Case("The shortest frame, length 2", "TCP 3.1.3", (Send(frame(1, b"\3")), Receive(frame(1, b"\x83\3")))),
    Case("The longest frame, length 254", "TCP 3.1.3, 4.1", (Send(LONGEST), Receive(frame(1, b"\xc1\1")))),
    _unsound("Protocol identifier 1", "TCP 3.1.3, ours", frame(2, reading(10), protocol=1)),
    _unsound("Protocol identifier 65,535", "TCP 3.1.3, ours", frame(2, reading(10), protocol=0xFFFF)),
    _unsound("Length 0", "TCP 3.1.3, ours", frame(2, reading(10), length=0)),
    _unsound("Length 1", "TCP 3.1.3, ours", frame(2, reading(10), length=1)),
    _unsound("Length 255", "TCP 3.1.3, ours", frame(2, b"\x41" + bytes(253))),
    _unsound("Length 65,535", "TCP 3.1.3, ours", frame(2, reading(10), length=0xFFFF)),
    _unsound("Bytes that are no Modbus", "TCP 3.1.3, ours", b"GET / HTTP/1.1\r\nHost: inverter\r\n\r\n"),
    _pipelined(2), _pipelined(10), _pipelined(40),
    Case("A good and a refused request in one segment", "TCP 4.2", (
        Send(GOOD + frame(2, reading(2000)) + frame(3, reading(11))),
        Receive(ANSWER + frame(2, b"\x83\2") + frame(3, read(11))),
    )),
    Case("A write and its reading back in one segment", "TCP 4.2", (
        Send(frame(1, pdu("06 0001 1234")) + frame(2, reading(1))),
        Receive(frame(1, pdu("06 0001 1234")) + frame(2, pdu("03 02 1234"))),
    )),
    _cut("Byte by byte", GOOD, ANSWER, *range(1, len(GOOD))),
    _cut("Header and PDU in two segments", GOOD, ANSWER, 7),
    _cut("Cut within the length field", GOOD, ANSWER, 5),
    _cut("A frame and a half, then the other half", GOOD + frame(2, reading(11)), ANSWER + frame(2, read(11)), 18),
    _cut("Half a frame, then a half and one more", GOOD + frame(2, reading(11)), ANSWER + frame(2, read(11)), 6),
]
CONNECTIONS = [
    Case("Half-closed after a request", "TCP 4.2.1", (Send(GOOD), EndOfSending(), Receive(ANSWER), Closed())),
    Case("Half-closed after two requests in one segment", "TCP 4.2.1", (
        Send(GOOD + frame(2, reading(11))), EndOfSending(), Receive(ANSWER + frame(2, read(11))), Closed(),
    )),
    Case("Half-closed within a frame: no answer", "TCP 4.2.1", (Send(GOOD[:9]), EndOfSending(), Closed())),
    Case("Half-closed without a request", "TCP 4.2.1", (Send(GOOD), Receive(ANSWER), EndOfSending(), Closed())),
    Case("The rest of a frame comes in time", "TCP 4.2.1", (
        Send(GOOD[:9]), Wait(0.3 * PARTIAL_S), Send(GOOD[9:]), Receive(ANSWER),
    )),
    Case("The rest of a header never comes: closed", "ours", (Send(GOOD[:5]), Closed())),
    Case("The rest of a frame never comes, after one that was whole: closed", "ours", (
        Send(GOOD + GOOD[:9]), Receive(ANSWER), Closed(),
    )),
    Case("A client that says nothing for a while", "TCP 4.2.1", (
        Send(GOOD), Receive(ANSWER), Wait(0.6 * IDLE_S), Send(GOOD), Receive(ANSWER), Wait(0.6 * IDLE_S),
    )),
    Case("A client that says nothing any more: closed", "TCP 4.2.1, ours", (Send(GOOD), Receive(ANSWER), Wait(IDLE_S), Closed())),
    Case("A client within a frame keeps no other waiting", "TCP 4.2.1", (
        Send(GOOD[:9]), Send(GOOD, "b"), Receive(ANSWER, "b"), Send(GOOD[9:]), Receive(ANSWER),
    )),
    Case("A client that promises more than it sends keeps no other waiting", "TCP 4.2.1", (
        Send(frame(1, reading(10), length=60), "x"), Send(GOOD, "b"), Receive(ANSWER, "b"), Closed("x"),
    )),
    Case(f"A client that takes its {MANY:,} answers late keeps no other waiting, and gets them all", "TCP 4.2.1", (
        Send(frame(1, reading(0, 125)) * MANY), Send(GOOD, "b"), Receive(ANSWER, "b"), Receive(frame(1, read(0, 125)) * MANY),
    )),
    Case("A second request while the first is worked on: each answer has its own", "TCP 4.2", (
        Send(frame(1, reading(SLOW))), Wait(0.01), Send(frame(2, reading(5))),
        Receive(frame(1, read(SLOW)) + frame(2, read(5)), in_order=False),
    )),
    Case(f"{MOST_CONNECTIONS} clients at once, ten requests each: nobody gets another's", "TCP 4.2", (
        *(Send(frame(number, reading(40 * client + number)), f"c{client}") for number in range(10) for client in range(MOST_CONNECTIONS)),
        *(Receive(b"".join(frame(number, read(40 * client + number)) for number in range(10)), f"c{client}") for client in range(MOST_CONNECTIONS)),
    )),
    Case("Clients that use the same transaction identifiers", "TCP 4.2", (
        Send(frame(1, reading(1)), "a"), Send(frame(1, reading(2)), "b"), Receive(frame(1, read(2)), "b"), Receive(frame(1, read(1)), "a"),
    )),
    Case("One client too many: the longest idle is closed", "TCP 4.2.1", (
        *(step for client in range(MOST_CONNECTIONS + 1) for step in (Send(GOOD, f"c{client}"), Receive(ANSWER, f"c{client}"))),
        Closed("c0"),
    )),
    Case("One client too many: who has just asked is not the longest idle", "TCP 4.2.1", (
        *(step for client in (*range(MOST_CONNECTIONS), 0, MOST_CONNECTIONS) for step in (Send(GOOD, f"c{client}"), Receive(ANSWER, f"c{client}"))),
        Closed("c1"),
    )),
]
# fmt: on
