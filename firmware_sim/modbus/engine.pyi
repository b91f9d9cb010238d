"""Interface of the compiled protocol engine: request PDU to reply PDU, and who answers which unit identifier."""

from collections.abc import Callable, Collection, Mapping

from firmware_sim.modbus.bank import Bank, ModbusFault

def answer(
    bank: Bank,
    request: bytes,
    refused: Callable[[bytes, ModbusFault], None] | None = None,
    allowed: Collection[int] | None = None,
) -> bytes:
    """Reply PDU to a request PDU, exception replies included; `refused` hears of those.

    Functions 1 to 6, 15, 16, 22, 23 and 43/14, where the bank has them. allowed: those that this client may use, None for all.
    Whatever else a bank raises is logged and answered with exception 04. Raises ValueError for no bytes.
    """

class Units:
    """The devices behind one server, by unit identifier.

    serial: the rules of a serial line (MODBUS over Serial Line V1.02, section 2.2): unit 0 is a broadcast, which all execute
    and nobody answers, if it writes and no more; other units' requests are met with silence.
    silent: silence for units that are not there instead of exception 0x0B.
    refused: hears of every request that is answered with an exception. requests: how many were for somebody here.
    """

    refused: Callable[[bytes, ModbusFault], None] | None

    def __init__(
        self,
        banks: Mapping[int, Bank],
        *,
        serial: bool = False,
        silent: bool = False,
        refused: Callable[[bytes, ModbusFault], None] | None = None,
    ) -> None: ...
    @property
    def requests(self) -> int: ...
    def addressed(self, unit: int) -> bool:
        """Whether anything here reacts to a unit identifier."""

    def answer(self, unit: int, request: bytes, allowed: Collection[int] | None = None) -> bytes | None:
        """Reply PDU; None for silence."""
