"""The slow side of a run: servers of emulated devices, drivers, supervisors, scripted stops of servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Self

from controllers.contracts import StorageDevice
from controllers.sunspec_storage import DriverSettings, SunSpecStorage
from controllers.supervisor import SocWindowSupervisor, Supervisor
from firmware_sim.modbus.pdu import ModbusFault
from firmware_sim.modbus.tcp import ModbusTcpServer
from firmware_sim.sunspec_bess import SunSpecBess
from hil.clock.participants import acting_as
from hil.errors import DeviceError, ScenarioError
from hil.kernel.engine import Engine
from hil.scenario.event import ServerStop
from hil.scenario.model import Scenario
from hil.scenario.storage import SocWindow
from hil.session.image import EngineStorageImage
from hil.verdict.liveness import Liveness

Event = Callable[[str, dict[str, object]], None]
# Order of those who wake at one instant: the run itself, scripted events, devices, drivers, supervisors.
_SCRIPT, _SERVERS, _DRIVERS, _SUPERVISORS = 1, 1_000, 2_000, 3_000
_DEFAULT_TARGET_TTL_S = 1.0


class Slow:
    """Everything asyncio of one run; an async context manager.

    own: supervisors of one's own, by device (`bess.main`); they replace the scenario's for that device and are required.
    """

    def __init__(self, scenario: Scenario, engine: Engine, event: Event, own: Mapping[str, Supervisor]) -> None:
        unknown = set(own) - {f"bess.{name}" for name in scenario.bess}
        if unknown:
            raise ScenarioError(scenario.source, "supervisors", f": no such device: {', '.join(sorted(unknown))}")
        self._scenario = scenario
        self._engine = engine
        self._event = event
        self._own = own
        self._servers: dict[str, tuple[ModbusTcpServer, tuple[str, int]]] = {}
        self._stack = AsyncExitStack()
        self._supervisors: list[asyncio.Task[None]] = []
        self._script: list[asyncio.Task[None]] = []
        self._images: dict[str, EngineStorageImage] = {}
        self.liveness: dict[str, Liveness] = {}
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        self._engine.shared_with = "controllers"
        try:
            for index, name in enumerate(self._scenario.bess):
                await self._serve(index, name)
            for index, name in enumerate(self._scenario.bess):
                await self._drive(index, name)
            for index, event in enumerate(self._scenario.events):
                if event.kind == "server_stop":
                    with acting_as(_SCRIPT + index, f"events.{index}"):
                        self._script.append(self._start(self._stop_server(event), f"events.{index}"))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Supervisors first, then the drivers, each leaving its device safe, then the script and the servers."""
        await _end(self._supervisors)
        await self._stack.aclose()
        await _end(self._script)
        for server, _ in self._servers.values():
            await server.stop()
        if self.failed.done() and not self.failed.cancelled():
            self.failed.exception()  # seen

    def requests(self) -> int:
        """Requests that the servers have answered."""
        return sum(server.requests for server, _ in self._servers.values())

    async def _serve(self, index: int, name: str) -> None:
        bess = self._scenario.bess[name]
        image = self._images[name] = EngineStorageImage(self._engine, self._scenario, name)
        device = SunSpecBess(image, serial=f"{name}-{index + 1:04d}")

        def refused(request: bytes, fault: ModbusFault) -> None:
            details: dict[str, object] = {"device": f"bess.{name}", "request": request.hex(), "code": int(fault.code)}
            self._event("request_refused", {**details, "reason": str(fault)})

        server = ModbusTcpServer(device.registers, unit_id=bess.unit_id, refused=refused)
        host, _, port = bess.listen.rpartition(":")
        with acting_as(_SERVERS + index, f"bess.{name}"):
            try:
                address = await server.start(host, int(port))
            except OSError as error:
                raise ScenarioError(
                    self._scenario.source,
                    f"bess.{name}.listen",
                    f" = {bess.listen!r}: cannot listen there ({error.strerror or error}); port 0 takes any free one",
                ) from None
        self._servers[f"bess.{name}"] = (server, address)
        self._event("server_started", {"device": f"bess.{name}", "port": address[1]})

    async def _drive(self, index: int, name: str) -> None:
        """Start the driver of a device that has a supervisor or a law on the wire, and the supervisor."""
        device_name = f"bess.{name}"
        found = self._supervisor(device_name)
        on_wire = self._scenario.on_wire(device_name)
        if found is None and on_wire is None:
            return
        settings = self._scenario.bess[name].driver
        _, (host, port) = self._servers[device_name]
        driver = SunSpecStorage(
            device_name,
            host,
            port,
            unit_id=self._scenario.bess[name].unit_id,
            settings=DriverSettings(
                rate_hz=settings.rate_hz,
                timeout_s=settings.timeout_s,
                reversion_s=int(settings.reversion_s),
                ramp_down_s=settings.ramp_down_s,
                target_ttl_s=_DEFAULT_TARGET_TTL_S if found is None else found[2],
            ),
            event=lambda what, details: self._event(what, {"device": device_name, **details}),
            acknowledged=None if found is None else self._heard(f"supervisor.{found[0]}"),
            law=None if on_wire is None else self._images[name].reader("law_w"),
            law_sent=None if on_wire is None else self._heard(f"absorber.{on_wire}"),
        )
        with acting_as(_DRIVERS + index, device_name):
            device = await self._stack.enter_async_context(driver)
        if found is not None:
            label, supervisor, _ = found
            with acting_as(_SUPERVISORS + index, f"supervisor.{label}"):
                self._supervisors.append(self._start(self._supervise(label, supervisor, device), f"supervisor.{label}"))

    def _heard(self, who: str) -> Callable[[], None]:
        """What hears that the device accepted something from `who`."""
        silence = self.liveness.setdefault(who, Liveness())
        loop = asyncio.get_running_loop()
        return lambda: silence.acknowledged(loop.time())

    def _supervisor(self, device: str) -> tuple[str, Supervisor, float] | None:
        if device in self._own:
            return device, self._own[device], _DEFAULT_TARGET_TTL_S
        for name, section in self._scenario.supervisor.items():
            if section.device == device:
                return name, _soc_window(section), section.stale_after_s
        return None

    def _start(self, work: Awaitable[None], name: str) -> asyncio.Task[None]:
        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001  # whatever a user's supervisor raises ends the run, safely
                if not self.failed.done():
                    self.failed.set_exception(error)

        return asyncio.create_task(guarded(), name=name)

    async def _supervise(self, label: str, supervisor: Supervisor, device: StorageDevice) -> None:
        """Run a supervisor; start it again after a device error, which its driver deals with."""
        while True:
            try:
                await supervisor.run(device)
            except DeviceError as problem:
                self._event("supervisor_restarted", {"supervisor": label, "problem": str(problem)})
                await asyncio.sleep(0.05)
            else:
                self._event("supervisor_ended", {"supervisor": label})
                return

    async def _stop_server(self, event: ServerStop) -> None:
        loop = asyncio.get_running_loop()
        server, (host, port) = self._servers[event.device]
        await asyncio.sleep(event.at_s - loop.time())
        await server.stop()
        self._event("server_stopped", {"device": event.device})
        await asyncio.sleep(event.at_s + event.duration_s - loop.time())
        await server.start(host, port)
        self._event("server_started", {"device": event.device, "port": port})


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _soc_window(section: SocWindow) -> Supervisor:
    return SocWindowSupervisor(section.window, rate_hz=section.rate_hz, horizon_s=section.horizon_s, most=section.most)
