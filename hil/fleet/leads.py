"""Who leads which devices: the scenario's supervisors, or one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controllers.supervisor import SocWindowSupervisor, Supervisor
from controllers.ups_supervisor import UpsGroupSettings, UpsGroupSupervisor, UpsSupervisor
from hil.errors import ScenarioError
from hil.fleet.own import own_supervisor
from hil.scenario.model import Scenario
from hil.scenario.supervisor import OwnSupervisor, SocWindow, SupervisorKind, UpsGroup

DEFAULT_TARGET_TTL_S = 1.0
ALL_UPSS = "ups"
Own = Mapping[str, Supervisor | UpsSupervisor]


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


class Leads:
    """The supervisors of a run, made once before anything starts.

    own: supervisors of one's own, by device (`bess.main`, `ups.a`, or `ups` for all other UPSs); each takes its devices from
    the scenario's. Raises ScenarioError for one that leads no device of the scenario, is of another kind, or cannot be made.
    """

    def __init__(self, scenario: Scenario, own: Own) -> None:
        self._scenario = scenario
        self._storage: dict[str, Lead] = {}
        self.groups: list[GroupLead] = []
        for device, supervisor in own.items():
            if device not in scenario.served and not (device == ALL_UPSS and scenario.ups_alone):
                raise ScenarioError(scenario.source, "supervisors", f": no such device: {device}")
            kind = Supervisor if device.startswith("bess.") else UpsSupervisor
            if not isinstance(supervisor, kind):
                raise ScenarioError(scenario.source, "supervisors", f": {device} needs a {kind.__name__}")
            if isinstance(supervisor, Supervisor):
                self._storage[device] = Lead(device, supervisor)
        self._add_own_groups({device: one for device, one in own.items() if isinstance(one, UpsSupervisor)})
        for name, section in scenario.supervisor.items():
            self._add(name, section, _supervisor(scenario, name, section))

    def of(self, device: str) -> Lead | None:
        """Who leads a storage device; None where nobody does."""
        return self._storage.get(device)

    def _add_own_groups(self, own: Mapping[str, UpsSupervisor]) -> None:
        rest = [device for name in self._scenario.ups_alone if (device := f"ups.{name}") not in own]
        self.groups += [
            GroupLead(device, supervisor, rest if device == ALL_UPSS else [device])
            for device, supervisor in own.items()
            if device != ALL_UPSS or rest
        ]

    def _add(self, name: str, section: SupervisorKind, supervisor: Supervisor | UpsSupervisor) -> None:
        """What one's own, given by device, has left of it."""
        if isinstance(supervisor, Supervisor):
            (device,) = section.led
            self._storage.setdefault(device, Lead(name, supervisor, section.stale_after_s))
            return
        taken = {device for lead in self.groups for device in lead.devices}
        left = [device for device in section.led if device not in taken]
        if left:
            self.groups.append(GroupLead(name, supervisor, left))


def _supervisor(scenario: Scenario, name: str, section: SupervisorKind) -> Supervisor | UpsSupervisor:
    if isinstance(section, OwnSupervisor):
        return own_supervisor(scenario, name, section)
    return _soc_window(section) if isinstance(section, SocWindow) else _ups_group(section)


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
