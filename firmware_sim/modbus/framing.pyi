"""Interface of the compiled framing: requests out of a stream of bytes, replies into frames."""

from collections.abc import Collection

from firmware_sim.modbus.engine import Units

class Framing:
    """One stream of requests. allowed: functions that its client may use, None for all."""

    def __init__(self, units: Units, allowed: Collection[int] | None = None) -> None: ...
    @property
    def broken(self) -> bool:
        """Whether bytes have come that cannot be a frame."""

    @property
    def completed(self) -> int:
        """Frames that were complete so far: while it stands, `partial` is of one and the same."""

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and is not complete."""

    def space(self) -> memoryview:
        """Where the next bytes go."""

    def answered(self, count: int) -> bytes | bytearray:
        """So many bytes lie there: the replies to all requests that are complete now, in order."""

    def took(self, count: int) -> None:
        """So many bytes lie there; they are for `cut`, until it gives None, or for `drop`."""

    def drop(self) -> None:
        """Forget what has been taken."""

    def cut(self) -> tuple[int, int, bytes] | None:
        """The next complete request as transaction (0 in RTU), unit, PDU; None where there is none."""

    def rest(self) -> tuple[int, int, bytes] | None:
        """What is left once nothing more comes: a request of a length that its function does not have, or nothing."""

    @staticmethod
    def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
        """A reply as it is sent."""

class Mbap(Framing):
    """Modbus TCP (MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1): cut by the header's length field.

    What is not protocol 0, or cannot have such a length, breaks the stream for good.
    """

class Rtu(Framing):
    """RTU (MODBUS over Serial Line V1.02, section 2.5.1): cut by the length that a function's request has, and by its CRC.

    What has a wrong CRC breaks the stream, and nothing is taken, until `rest`.
    """

def crc16(content: bytes) -> int:
    """CRC of an RTU frame, which sends its low byte first (Serial Line V1.02, section 6.2.2)."""
