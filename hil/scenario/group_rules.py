"""What limits at a group of UPSs may ask: what its channels, sums and worst units, can answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hil.scenario.base import Refused
from hil.scenario.limit import BatteryTemperature, DcLink, Limit, OutputVoltage, SocRange

_OF_ONE = "is judged for each UPS by itself, and a group shows its sums and its worst units"
_NEEDS_ONE = ("on_battery", "overload", "transfers", "c_rate", "cell_voltage", "dc_voltage")


def check_groups(limits: Sequence[Limit], groups: Collection[str]) -> None:
    """Raises Refused."""
    for index, limit in enumerate(limits):
        if getattr(limit, "node", "") not in groups:
            continue
        if limit.kind in _NEEDS_ONE:
            raise Refused(f"is a group of UPSs; {limit.kind} {_OF_ONE}", "limits", index, "node")
        if isinstance(limit, SocRange) and limit.window[1] < 1.0:
            raise Refused("must end at 1: a group of UPSs shows its lowest state of charge", "limits", index, "window")
        if isinstance(limit, BatteryTemperature):
            if limit.during != "always":
                raise Refused("must be 'always' at a group of UPSs", "limits", index, "during")
            if limit.min_degc is not None:
                raise Refused("not at a group of UPSs, which shows its highest temperature", "limits", index, "min")
        if isinstance(limit, DcLink) and limit.max is not None:
            raise Refused("not at a group of UPSs, which shows its lowest DC link", "limits", index, "max")
        if isinstance(limit, OutputVoltage) and limit.above and limit.below:
            raise Refused("at a group of UPSs a limit is below or above; give two", "limits", index, "above")
