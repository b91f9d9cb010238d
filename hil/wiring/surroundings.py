"""What everything on the slow side of a run is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from hil.kernel.engine import Engine
from hil.scenario.model import Scenario
from hil.verdict.liveness import Liveness
from hil.wiring.wires import Wire

Event = Callable[[str, dict[str, object]], None]


class Order(IntEnum):
    """Order of those who wake at one instant: the run itself is 0, a device adds its place in the scenario."""

    SCRIPT = 1
    BROKER = 5_000
    LINKS = 5_001
    STATIONS = 10_000
    DRIVERS = 20_000
    SUPERVISORS = 30_000


@dataclass(frozen=True)
class Surroundings:
    """The scenario, its engine, the run's log, and who was heard of when.

    host: where devices and our broker listen, in place of what the scenario says. wire: what the devices' Modbus servers
    stand on. epoch_s: what the site's clock shows at the start, as devices tell it. liveness: by `supervisor.NAME` and
    `absorber.NAME`, with the device where there are several; for the verdict.
    """

    scenario: Scenario
    engine: Engine
    event: Event
    host: str | None = None
    epoch_s: float = 0.0
    wire: Wire = field(default_factory=Wire)
    liveness: dict[str, Liveness] = field(default_factory=dict)

    def heard(self, who: str, device: str | None = None) -> Callable[[], None]:
        """What hears that a device accepted something from `who`; device: given where `who` commands several."""
        silence = self.liveness.setdefault(who if device is None else f"{who}, {device}", Liveness(who))
        loop = asyncio.get_running_loop()
        return lambda: silence.acknowledged(loop.time())

    def event_of(self, device: str) -> Event:
        """The log as a device writes into it."""
        return lambda what, details: self.event(what, {"device": device, **details})
