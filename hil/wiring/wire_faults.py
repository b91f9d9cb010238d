"""What goes wrong with the answers of a device's Modbus server, as its faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from firmware_sim.modbus.faults import Fault, Kind
from hil.errors import EventRefused
from hil.scenario import fault

_FAULTS: Mapping[type, Callable[[Any], Fault]] = {
    fault.AnswersLate: lambda event: Fault("delay", event.share, delay_s=event.delay_s),
    fault.AnswersLost: lambda event: Fault("drop", event.share),
    fault.RequestsRefused: lambda event: Fault("exception", event.share, code=event.code),
    fault.ConnectionsDropped: lambda event: Fault("disconnect", event.share),
}


def wire_fault(event: fault.AnswerFault, possible: frozenset[Kind]) -> Fault:
    """The fault that an event begins and ends. possible: kinds that the wire can have, not always all. Raises EventRefused."""
    found = _garbled(event, possible) if isinstance(event, fault.AnswersGarbled) else _FAULTS[type(event)](event)
    if found.kind not in possible:
        raise EventRefused(f"{event.kind}: the wire of {event.device} cannot have it")
    return found


def _garbled(event: fault.AnswersGarbled, possible: frozenset[Kind]) -> Fault:
    """One wrong field: that of the header, or where there is none, the checksum."""
    field: Kind = "wrong_transaction" if "wrong_transaction" in possible else "bad_crc"
    return Fault("garbage" if event.whole else field, event.share)
