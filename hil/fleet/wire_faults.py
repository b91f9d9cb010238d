"""What goes wrong with the answers of a device's Modbus server, as its faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from firmware_sim.modbus.faults import Fault
from hil.scenario import fault

_FAULTS: Mapping[type, Callable[[Any], Fault]] = {
    fault.AnswersLate: lambda event: Fault("delay", event.share, delay_s=event.delay_s),
    fault.AnswersLost: lambda event: Fault("drop", event.share),
    fault.RequestsRefused: lambda event: Fault("exception", event.share, code=event.code),
    fault.AnswersGarbled: lambda event: Fault("garbage" if event.whole else "wrong_transaction", event.share),
    fault.ConnectionsDropped: lambda event: Fault("disconnect", event.share),
}


def wire_fault(event: fault.AnswerFault) -> Fault:
    """The fault that an event begins and ends."""
    return _FAULTS[type(event)](event)
