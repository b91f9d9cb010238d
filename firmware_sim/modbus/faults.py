"""What goes wrong on the wire of an emulated device, by draws that repeat: answers late, lost, wrong, or no answer at all."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, NamedTuple

from firmware_sim.modbus.bank import ExceptionCode
from firmware_sim.modbus.engine import Units
from hil.draws import noise, uniform

Kind = Literal["delay", "ignore", "drop", "exception", "garbage", "bad_crc", "wrong_transaction", "wrong_length", "disconnect"]
Request = tuple[int, int, bytes]  # transaction, unit, PDU

_EVERYWHERE: frozenset[Kind] = frozenset(("delay", "ignore", "drop", "exception", "garbage"))
ON_MBAP: frozenset[Kind] = _EVERYWHERE | {"wrong_transaction", "wrong_length", "disconnect"}
ON_RTU_OVER_TCP: frozenset[Kind] = _EVERYWHERE | {"bad_crc", "disconnect"}
ON_A_LINE: frozenset[Kind] = _EVERYWHERE | {"bad_crc"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that happens to a share of the requests.

    kind: "delay" (carried out at once, the answer held back by `delay_s`), "ignore" (not seen by the device), "drop" (carried
    out, the answer lost), "exception" (not carried out, answered with `code`), "garbage" (random bytes instead of the answer),
    "bad_crc", "wrong_transaction" (the next number), "wrong_length" (one byte more than there is), "disconnect" (carried out,
    then closed).
    share: of the requests, 0 to 1. unit: whose requests alone, None for everybody's.
    """

    kind: Kind
    share: float = 1.0
    delay_s: float = 0.0
    code: int = ExceptionCode.DEVICE_FAILURE
    unit: int | None = None


class Outcome(NamedTuple):
    """What becomes of a request: the frame that answers it, b"" for none, how much later; and whether the connection ends."""

    frame: bytes
    delay_s: float = 0.0
    disconnects: bool = False


class WireFaults:
    """The faults of one server, at most one of a kind; they may be changed at any time and hold from the next request on.

    possible: kinds that its framing can have. seed, device: what draws are keyed by, with the kind and the number of the
    request; requests are counted while there are faults. struck: hears of each fault that happens: kind, unit, number.
    """

    def __init__(self, possible: frozenset[Kind], seed: int, device: str) -> None:
        self.possible = possible
        self.seed = seed
        self.device = device
        self.struck: Callable[[Kind, int, int], None] | None = None
        self.active = False
        self._faults: dict[Kind, Fault] = {}
        self._requests = 0

    def set(self, fault: Fault) -> None:
        """Begin a fault, in place of one of its kind. Raises ValueError for what this wire cannot have."""
        if fault.kind not in self.possible:
            raise ValueError(f"fault {fault.kind!r}: must be one of {', '.join(sorted(self.possible))}")
        if not 0.0 <= fault.share <= 1.0:
            raise ValueError(f"share {fault.share}: must be 0 to 1")
        if fault.delay_s < 0.0:
            raise ValueError(f"delay_s {fault.delay_s}: must be 0 or more")
        self._faults[fault.kind] = fault
        self.active = True

    def clear(self, kind: Kind | None = None) -> None:
        """End a fault, or all."""
        if kind is None:
            self._faults.clear()
        else:
            self._faults.pop(kind, None)
        self.active = bool(self._faults)

    def answer(
        self, units: Units, request: Request, framed: Callable[[int, int, bytes], bytes], allowed: Collection[int] | None
    ) -> Outcome:
        """What becomes of a request."""
        transaction, unit, pdu = request
        if not units.addressed(unit):
            return Outcome(b"")
        number, self._requests = self._requests, self._requests + self.active
        struck = self._strike(unit, number)
        if "ignore" in struck:
            return Outcome(b"")
        if "exception" in struck:
            reply: bytes | None = bytes((pdu[0] | 0x80, struck["exception"].code))
        else:
            reply = units.answer(unit, pdu, allowed)
        delay_s = struck["delay"].delay_s if "delay" in struck else 0.0
        if "disconnect" in struck or "drop" in struck or reply is None:
            return Outcome(b"", delay_s, "disconnect" in struck)
        if "wrong_transaction" in struck:
            transaction = (transaction + 1) & 0xFFFF
        frame = framed(transaction, unit, reply)
        if "garbage" in struck:
            frame = noise(len(frame), self.seed, "bytes", number, self.device)
        elif "bad_crc" in struck:
            frame = frame[:-1] + bytes((frame[-1] ^ 0xFF,))
        elif "wrong_length" in struck:
            frame = frame[:4] + (int.from_bytes(frame[4:6], "big") + 1).to_bytes(2, "big") + frame[6:]
        return Outcome(frame, delay_s)

    def _strike(self, unit: int, number: int) -> dict[Kind, Fault]:
        struck: dict[Kind, Fault] = {}
        for kind, fault in self._faults.items():
            if fault.unit in (None, unit) and uniform(self.seed, kind, number, self.device) < fault.share:
                struck[kind] = fault
                if self.struck is not None:
                    self.struck(kind, unit, number)
        return struck
