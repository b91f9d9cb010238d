"""One emulated BESS on a lock-step loop, without a run around it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import hil
from firmware_sim.modbus.bank import Bank, Table
from firmware_sim.modbus.tcp import ModbusTcpServer
from firmware_sim.storage.device import Nameplate
from firmware_sim.storage.personalities.registry import PERSONALITIES, bank_of
from hil.clock.lockstep import LockstepLoop
from hil.fleet.images import EngineStorageImage
from hil.limits.entries import entry_details
from hil.loads.source import LoadSource
from hil.record.events import EventLog
from hil.record.recorder import Recorder
from hil.session.plant import SitePlant
from hil.site.build import build_engine


def held(bank: Bank, address: int, count: int = 1) -> list[int]:
    """Holding registers of a device."""
    return list(struct.unpack(f">{count}H", bank.read(Table.HOLDING, address, count)))


class Bench:
    """The flagship's BESS, without its absorber, controllers and events. firmware: the personality of its device."""

    def __init__(self, *overrides: str, firmware: str = "sunspec", nameplate: Nameplate | None = None) -> None:
        scenario = hil.load("training_job", ["events=[]", "absorber.main.kind=none", *overrides])
        source = LoadSource(scenario)
        self.engine = build_engine(scenario, source.first_w)
        names = (entry_details(scenario), ["bess.main"])
        self.log = EventLog()
        self.plant = SitePlant(self.engine, source.feed, Recorder(self.engine, [], lambda stream: None), self.log, names)
        self.image = EngineStorageImage(self.engine, scenario, "main")
        self.maps = bank_of(self.image, firmware, nameplate)
        self.registers: Any = next(iter(self.maps.values()))
        self.server = ModbusTcpServer(
            self.maps if len(self.maps) > 1 else self.registers,
            unit_id=next(iter(self.maps)),
            most_connections=PERSONALITIES[firmware].most_connections,
            refuses=PERSONALITIES[firmware].most_connections == 1,
        )

    @property
    def firmware(self) -> Any:
        """State of the inverter firmware."""
        return self.engine.states["pcs"][0]

    def channel(self, name: str) -> float:
        """Latest value of a channel."""
        return self.engine.value(self.engine.channels.index(name))

    def serve(self, main: Callable[[int], Awaitable[None]], patience_s: float = 60.0) -> None:
        """Run `main(port)` with the device listening."""

        async def served() -> None:
            _, port = await self.server.start("127.0.0.1", 0)
            try:
                await main(port)
            finally:
                await self.server.stop()

        with asyncio.Runner(loop_factory=lambda: LockstepLoop(self.plant, patience_s=patience_s)) as runner:
            runner.run(served())
