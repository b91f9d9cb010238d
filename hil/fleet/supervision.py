"""Supervisors of a run: the scenario's or one's own, kept going through device errors, heard of when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from controllers.supervisor import SocWindowSupervisor, Supervisor
from hil.errors import DeviceError
from hil.fleet.surroundings import Event, Surroundings
from hil.scenario.storage import SocWindow

DEFAULT_TARGET_TTL_S = 1.0
_RESTART_S = 0.05


@dataclass(frozen=True)
class Lead:
    """Who leads a device: a name for log and verdict, the supervisor, and how long a target that is not renewed is sent."""

    label: str
    supervisor: Supervisor
    target_ttl_s: float = DEFAULT_TARGET_TTL_S


def lead_of(around: Surroundings, device: str, own: Supervisor | None) -> Lead | None:
    """Who leads a storage device: `own` before the scenario's; None where nobody does."""
    if own is not None:
        return Lead(device, own)
    for name, section in around.scenario.supervisor.items():
        if section.device == device:
            return Lead(name, _soc_window(section), section.stale_after_s)
    return None


class Failure:
    """Tasks whose failure ends the run: `future` gets the first exception of any."""

    def __init__(self) -> None:
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, work: Awaitable[None], name: str) -> asyncio.Task[None]:
        """A task; what it raises is kept."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001  # whatever a user's supervisor raises ends the run, safely
                if not self.future.done():
                    self.future.set_exception(error)

        return asyncio.create_task(guarded(), name=name)

    def seen(self) -> None:
        """Nobody else need look."""
        if self.future.done() and not self.future.cancelled():
            self.future.exception()


async def supervise(label: str, run: Callable[[], Awaitable[None]], event: Event) -> None:
    """Run a supervisor; start it again after a device error, which its driver deals with."""
    while True:
        try:
            await run()
        except DeviceError as problem:
            event("supervisor_restarted", {"supervisor": label, "problem": str(problem)})
            await asyncio.sleep(_RESTART_S)
        else:
            event("supervisor_ended", {"supervisor": label})
            return


async def end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _soc_window(section: SocWindow) -> Supervisor:
    return SocWindowSupervisor(section.window, rate_hz=section.rate_hz, horizon_s=section.horizon_s, most=section.most)
