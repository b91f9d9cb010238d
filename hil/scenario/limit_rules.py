"""Rules of limits that reach across keys, or into what they stand in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hil.scenario.base import Refused
from hil.scenario.limit import (
    BatteryTemperature,
    CurrentDistortion,
    Limit,
    OutputVoltage,
    Overcurrent,
    Overfrequency,
    Overload,
    RampRate,
    RideThrough,
    ThermalOverload,
    TransientOvervoltage,
    Underfrequency,
    VoltageDistortion,
)
from hil.scenario.limit.base import RelaySection, TripSection
from hil.scenario.limit.storage import CellVoltage, VoltageStage

_WITHOUT_DISC = (
    "iec_standard_inverse",
    "iec_very_inverse",
    "iec_extremely_inverse",
    "iec_long_time_inverse",
    "user",
)
"""Curves for which no source gives the time of a disc."""

_NAMED = (ThermalOverload, RideThrough, VoltageStage, Overload, OutputVoltage)
MOST_HZ = 0.4
"""Share of the rate of samples up to which a band may reach."""


@dataclass(frozen=True)
class Around:
    """What limits stand in: a scenario, or a file for recordings.

    nominal_hz: the frequency, which the file gives as `frequency_key`. ambient_degc: of batteries, as far as known, by their
    devices. rate_hz: of the samples, infinite where it is not known yet. battery_v: nominal voltages of batteries and of a
    cell of each (None: it has none), likewise. waveforms: whether there may be any.
    """

    nominal_hz: float
    frequency_key: str
    ambient_degc: Mapping[str, float] = field(default_factory=dict)
    rate_hz: float = math.inf
    battery_v: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)
    waveforms: bool = False


_OF_A_TRIP = {"trips": "trips", "breaker_time": "breaker_time_s", "lockout": "lockout", "reclose_after": "reclose_after_s"}
"""Keys, with their fields, that only mean something where a limit trips."""


def limit_slug(name: str) -> str:
    """A limit's name as part of a channel's."""
    return re.sub(r"\W+", "_", name).strip("_").lower()


def is_relay(limit: Limit) -> bool:
    """Whether a relay judges it, by the share of its operating time, and not a bound by itself."""
    if isinstance(limit, RelaySection):
        dropout = getattr(limit, limit.picks_up.dropout)
        return limit.acts_as == "relay" or limit.timer != "consecutive" or dropout is not None
    return isinstance(limit, Overcurrent)


def check_limits(limits: Sequence[Limit], around: Around) -> None:
    """Raises Refused."""
    names = [limit.name for limit in limits]
    slugs: dict[str, str] = {}
    for index, limit in enumerate(limits):
        if names.index(limit.name) < index:
            raise Refused(f"limits.{names.index(limit.name)} has this name; names must differ", "limits", index, "name")
        _check_bound(around, index, limit)
        _check_keys(around, index, limit)
        if isinstance(limit, RelaySection):
            _check_relay(around, index, limit)
        if isinstance(limit, TripSection):
            _check_trip(index, limit)
        if is_relay(limit) or isinstance(limit, _NAMED):  # whose channels go by their names
            other = slugs.setdefault(limit_slug(limit.name), limit.name)
            if other != limit.name:
                raise Refused(f"its channels would have the names of those of {other!r}", "limits", index, "name")


def _check_bound(around: Around, index: int, limit: Limit) -> None:
    """Refuse a bound with what is normal beyond it: what it judges would be a violation at rest."""
    nominal = f"{around.frequency_key} = {around.nominal_hz:g} Hz"
    if isinstance(limit, Underfrequency) and limit.min_hz >= around.nominal_hz:
        raise Refused(f"must be below {nominal}", "limits", index, "min")
    if isinstance(limit, Overfrequency) and limit.max_hz <= around.nominal_hz:
        raise Refused(f"must be above {nominal}", "limits", index, "max")
    if isinstance(limit, BatteryTemperature) and limit.during == "always" and limit.node in around.ambient_degc:
        ambient_degc = around.ambient_degc[limit.node]
        if limit.max_degc is not None and limit.max_degc <= ambient_degc:
            raise Refused(f"must be above {limit.node}.ambient = {ambient_degc:g} degC", "limits", index, "max")
        if limit.min_degc is not None and limit.min_degc >= ambient_degc:
            raise Refused(f"must be below {limit.node}.ambient = {ambient_degc:g} degC", "limits", index, "min")
    if isinstance(limit, VoltageStage) and limit.node in around.battery_v:
        normal_v, cell_v = around.battery_v[limit.node]
        what = f"{limit.node}.dc_voltage"
        if isinstance(limit, CellVoltage):
            if cell_v is None:
                raise Refused(f"{limit.node} has no cells: its kind must be dc_voltage", "limits", index, "node")
            normal_v, what = cell_v, "a cell's nominal voltage"
        if limit.min_v is not None and limit.min_v >= normal_v:
            raise Refused(f"must be below {what} = {normal_v:g} V", "limits", index, "min")
        if limit.max_v is not None and limit.max_v <= normal_v:
            raise Refused(f"must be above {what} = {normal_v:g} V", "limits", index, "max")
    if isinstance(limit, RideThrough):
        if any(level >= 1.0 for level, _ in limit.below):
            raise Refused("must have levels below 1 pu", "limits", index, "below")
        if any(level <= 1.0 for level, _ in limit.above):
            raise Refused("must have levels above 1 pu", "limits", index, "above")


def _check_relay(around: Around, index: int, limit: RelaySection) -> None:
    """Refuse a drop-out on the wrong side, and keys of timers that the limit does not have."""
    of = limit.picks_up
    pickup, dropout = float(getattr(limit, of.pickup)), getattr(limit, of.dropout)
    nominal = around.nominal_hz if of.nominal is None else of.nominal
    if dropout is not None and not (pickup <= dropout < nominal if of.under else nominal < dropout <= pickup):
        ends = ("at least", "below") if of.under else ("at most", "above")
        key = "min" if of.under else "max"
        problem = f"must be {ends[0]} {key} = {pickup:g} {of.unit} and {ends[1]} {nominal:g} {of.unit}"
        raise Refused(problem, "limits", index, "dropout")
    delay_s = float(getattr(limit, "delay_s", 0.0))
    timed = {"resetting": ("reset_time", limit.reset_time_s), "cumulative": ("timer_window", limit.timer_window_s)}
    for timer, (key, time_s) in timed.items():
        if time_s > 0.0 and limit.timer != timer:
            raise Refused(f'is a key of timer = "{timer}", and the timer is {limit.timer}', "limits", index, key)
    if limit.timer != "consecutive" and delay_s == 0.0:
        does = "keeps a time" if limit.timer == "resetting" else "adds times up"
        raise Refused(f"must be above 0: a {limit.timer} timer {does}", "limits", index, "delay")
    if limit.timer == "resetting" and limit.reset_time_s == 0.0:
        raise Refused("must be above 0: for so long a resetting timer keeps its time", "limits", index, "reset_time")
    if limit.timer_window_s > 0.0:
        if limit.timer_window_s <= delay_s:
            raise Refused(f"must be longer than delay = {delay_s:g} s", "limits", index, "timer_window")
        if dropout is not None:
            raise Refused("is for a time that drop-out ends; that of timer_window has none", "limits", index, "dropout")


def _check_trip(index: int, limit: TripSection) -> None:
    """Refuse keys of a trip where nobody says whether it trips or, out of service, logs; and a breaker that would not help."""
    for key, name in _OF_A_TRIP.items():
        if name in limit.model_fields_set and "action" not in limit.model_fields_set:
            raise Refused("needs action = 'trip' beside it", "limits", index, key)
    if limit.action == "log":
        return
    node = str(getattr(limit, "node", "pcc"))
    if node.startswith("ups."):
        what = f"must be 'log' at {node}: the breaker at the input of a UPS does not relieve its battery or its output"
        raise Refused(what, "limits", index, "action")
    if limit.lockout and limit.reclose_after_s is not None:
        raise Refused(
            "needs lockout = false: after a lock-out the event 'reset_lockout' closes", "limits", index, "reclose_after"
        )
    if not limit.lockout and limit.reclose_after_s is None:
        raise Refused("missing; without a lock-out the breaker closes again", "limits", index, "reclose_after")


def _check_keys(around: Around, index: int, limit: Limit) -> None:
    """Refuse what one key needs of another, or of the samples."""
    if isinstance(limit, (VoltageDistortion, CurrentDistortion, TransientOvervoltage)) and not around.waveforms:
        raise Refused(
            "is judged on point-on-wave recordings only (hil check): a site of this testbed has RMS values",
            "limits",
            index,
            "kind",
        )
    if isinstance(limit, (Overcurrent, ThermalOverload)) and limit.node == "pcc" and limit.base_va is None:
        raise Refused("missing; the PCC has no rating", "limits", index, "base")
    if isinstance(limit, Overcurrent):
        _check_curve(index, limit)
    if isinstance(limit, RideThrough) and limit.below_line:
        levels, times = zip(*limit.below_line, strict=True)
        if len(levels) != 2 or not levels[0] > levels[1] or not times[0] > times[1]:
            raise Refused("must be two pairs, the upper level with the longer time first", "limits", index, "below_line")
        if levels[0] >= 1.0:
            raise Refused("must have levels below 1 pu", "limits", index, "below_line")
    if isinstance(limit, RideThrough) and not (limit.below or limit.below_line or limit.above):
        raise Refused("missing; a ride-through has steps below or above", "limits", index, "below")
    if isinstance(limit, RampRate):
        _check_form(index, limit)
    band = getattr(limit, "band_hz", None)
    if band is None:
        return
    most_hz = MOST_HZ * around.rate_hz
    if band[1] > most_hz:
        raise Refused(f"its upper edge must be at most {most_hz:g} Hz, 0.4 of the tick rate", "limits", index, "band")
    if limit.kind in ("oscillation", "damping", "band_share") and limit.window_s * band[0] < 2.0 - 1e-9:
        raise Refused(f"must hold two periods of the lower edge, {2.0 / band[0]:g} s", "limits", index, "window")


def _check_curve(index: int, limit: Overcurrent) -> None:
    """Refuse constants without the curve that they are of, and a disc of which no time is known."""
    wanted = {"a": limit.a_s, "exponent": limit.exponent}
    given = {**wanted, "b": limit.b_s}
    if limit.curve == "user":
        for key in (key for key, value in wanted.items() if value is None):
            raise Refused('missing; curve = "user" needs it', "limits", index, key)
    for key in (key for key, value in given.items() if value is not None and limit.curve != "user"):
        raise Refused('only with curve = "user"', "limits", index, key)
    if limit.curve == "definite":
        if limit.reset == "disc":
            raise Refused('"disc" only with a curve', "limits", index, "reset")
        if limit.flat_above is not None:
            raise Refused("only with a curve", "limits", index, "flat_above")
    if limit.reset == "disc" and limit.disc_time_s is None and limit.curve in _WITHOUT_DISC:
        raise Refused(f'missing; reset = "disc" needs it where curve = "{limit.curve}"', "limits", index, "disc_time")
    if limit.reset != "disc" and limit.disc_time_s is not None:
        raise Refused('only with reset = "disc"', "limits", index, "disc_time")


def _check_form(index: int, limit: RampRate) -> None:
    """Refuse keys that mean nothing with the form of a ramp."""
    if limit.mean_s is not None and limit.form not in ("mean_difference", "unstated"):
        raise Refused(f"not with form = {limit.form!r}: only with mean_difference and unstated", "limits", index, "mean")
    if limit.block_start_s is not None and limit.form != "block_average":
        raise Refused(f"not with form = {limit.form!r}: only with block_average", "limits", index, "block_start")
    if limit.form == "range" and limit.direction != "both":
        raise Refused("a range has no direction: only both with form = 'range'", "limits", index, "direction")
