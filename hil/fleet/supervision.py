"""Supervisors of a run: the scenario's or one's own, kept going through device errors, heard of when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from controllers.supervisor import SocWindowSupervisor, Supervisor
from controllers.ups_supervisor import UpsGroupSettings, UpsGroupSupervisor, UpsSupervisor
from hil.errors import DeviceError, ScenarioError
from hil.fleet.surroundings import Event, Surroundings
from hil.scenario.model import Scenario
from hil.scenario.supervisor import SocWindow, UpsGroup

T = TypeVar("T")
DEFAULT_TARGET_TTL_S = 1.0
_RESTART_S = 0.05


@dataclass(frozen=True)
class Lead:
    """Who leads a storage device: a name for log and verdict, the supervisor, how long a target is sent without renewal."""

    label: str
    supervisor: Supervisor
    target_ttl_s: float = DEFAULT_TARGET_TTL_S


@dataclass(frozen=True)
class GroupLead:
    """Who leads which UPSs, in their order."""

    label: str
    supervisor: UpsSupervisor
    devices: list[str]


Own = Mapping[str, Supervisor | UpsSupervisor]
ALL_UPSS = "ups"


def check_own(scenario: Scenario, own: Own) -> None:
    """Raise ScenarioError for a supervisor of one's own that leads no device of the scenario, or one of another kind."""
    for device, supervisor in own.items():
        if device not in scenario.devices and not (device == ALL_UPSS and scenario.ups):
            raise ScenarioError(scenario.source, "supervisors", f": no such device: {device}")
        kind = Supervisor if device.startswith("bess.") else UpsSupervisor
        if not isinstance(supervisor, kind):
            raise ScenarioError(scenario.source, "supervisors", f": {device} needs a {kind.__name__}")


def lead_of(around: Surroundings, device: str, own: Own) -> Lead | None:
    """Who leads a storage device: one's own before the scenario's; None where nobody does."""
    mine = own.get(device)
    if isinstance(mine, Supervisor):
        return Lead(device, mine)
    for name, section in around.scenario.supervisor.items():
        if isinstance(section, SocWindow) and section.device == device:
            return Lead(name, _soc_window(section), section.stale_after_s)
    return None


def group_leads(around: Surroundings, own: Own) -> list[GroupLead]:
    """Who leads the UPSs: one's own takes its device, or all that have none of their own, from the scenario's groups."""
    scenario = around.scenario
    own_upss = {device: supervisor for device, supervisor in own.items() if isinstance(supervisor, UpsSupervisor)}
    rest = [device for name in scenario.ups if (device := f"ups.{name}") not in own_upss]
    mine = [
        GroupLead(device, supervisor, rest if device == ALL_UPSS else [device])
        for device, supervisor in own_upss.items()
        if device != ALL_UPSS or rest
    ]
    taken = {device for lead in mine for device in lead.devices}
    for name, section in scenario.supervisor.items():
        if isinstance(section, UpsGroup):
            left = [device for device in section.devices if device not in taken]
            if left:
                mine.append(GroupLead(name, _ups_group(section), left))
    return mine


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
    """Run a supervisor; start it again after a device error, which its driver deals with.

    In a row of attempts that fail at once the first is told: an outage of an hour is not 72,000 lines of the log.
    """
    loop = asyncio.get_running_loop()
    failing = False
    while True:
        began_s = loop.time()
        try:
            await run()
        except DeviceError as problem:
            if not failing or loop.time() > began_s + _RESTART_S:
                event("supervisor_restarted", {"supervisor": label, "problem": str(problem)})
            failing = True
            await asyncio.sleep(_RESTART_S)
        else:
            event("supervisor_ended", {"supervisor": label})
            return


async def together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all at once: over slow links one after the other would take long. What was begun is ended where one fails."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        await end(tasks)
        raise


async def end(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _soc_window(section: SocWindow) -> Supervisor:
    return SocWindowSupervisor(section.window, rate_hz=section.rate_hz, horizon_s=section.horizon_s, most=section.most)


def _ups_group(section: UpsGroup) -> UpsSupervisor:
    return UpsGroupSupervisor(
        UpsGroupSettings(
            ramp_w_per_s=section.ramp_w_per_s,
            staged=section.staged,
            recharge_share=section.recharge_share,
            recharge_w=section.recharge_w,
            support_w=section.support_w,
            support_below_hz=section.support_below_hz or 0.0,
            support_full_hz=section.support_full_hz or 0.0,
            rate_hz=section.rate_hz,
        )
    )
