"""A revenue meter of the kernel on a lock-step loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from firmware_sim.meter.device import EmulatedMeter
from firmware_sim.meter.sunspec import SunSpecMeter
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.clock.lockstep import LockstepLoop
from hil.fleet.images import EngineMeterImage
from hil.loads.source import LoadSource
from hil.record.events import EventLog
from hil.record.recorder import Recorder
from hil.scenario.files import from_document
from hil.session.plant import SitePlant
from hil.site.build import build_engine

SITE = {
    "duration": "10000 s",
    "grid": {"short_circuit": "500 MVA"},
    "load": {"kind": "training", "power": "20 MW", "power_factor": 0.9, "jitter": 0.0, "start": "0 s", "start_ramp": "0 s"},
    "meter": {"main": {"rating": "25 MVA"}},
    "record": {"rate": "1 Hz"},
}


class MeterBench:
    """One meter `meter.main`; sections replace the site's own."""

    def __init__(self, **sections: Any) -> None:
        self.scenario = from_document(SITE | sections)
        source = LoadSource(self.scenario)
        self.engine = build_engine(self.scenario, source.first_w)
        recorder = Recorder(self.engine, [], lambda stream: None)
        self.plant = SitePlant(self.engine, source.feed, recorder, EventLog(), ([], []))
        self.device = EmulatedMeter(EngineMeterImage(self.engine, self.scenario, "main"), serial="main-0001")
        self.registers = SunSpecMeter(self.device).registers

    @property
    def state(self) -> Any:
        """What the kernel keeps of it."""
        return self.engine.states["revenue_meters"][0]

    def channel(self, name: str) -> float:
        """Latest value of a channel."""
        return self.engine.value(self.engine.channels.index(name))

    def serve(self, main: Callable[[int], Awaitable[None]]) -> None:
        """Run `main(port)` with the meter listening."""

        async def served() -> None:
            server = ModbusTcpServer(self.registers)
            _, port = await server.start("127.0.0.1", 0)
            try:
                await main(port)
            finally:
                await server.stop()

        with asyncio.Runner(loop_factory=lambda: LockstepLoop(self.plant, patience_s=60.0)) as runner:
            runner.run(served())
