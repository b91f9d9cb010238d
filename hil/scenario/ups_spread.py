"""Section `[ups.NAME.spread]`: in which keys the units of a group of UPSs differ, and what each of them gets.

Draws are stratified: the units of a group share out the range of a key, or its values, as evenly as whole units can, and only
which unit gets what is random. So a share of sixty sites is that share, and not one that it has on average.
"""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from hil.draws import uniform
from hil.errors import ScenarioError
from hil.scenario.base import Refused, Section, Share, Whole, source
from hil.scenario.quantity import PerUnit, Power, Time, of_name

T = TypeVar("T", bound=Section)
_EVENLY = "share of the units that get each value; default: the same for each"
_PAIR = "[low, high]: spread evenly between two ends"
_OF_A_GROUP = source("a choice of this testbed; docs/ups_groups.md")


def _ends(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("must be [low, high] with low at most high")
    return value


PerUnitRange = Annotated[tuple[PerUnit, PerUnit], AfterValidator(_ends)]
TimeRange = Annotated[tuple[Time, Time], AfterValidator(_ends)]
PowerRange = Annotated[tuple[Power, Power], AfterValidator(_ends)]
Shares: Any = Field(default_factory=list, description=_EVENLY, json_schema_extra=_OF_A_GROUP)


class Spread(Section):
    """What the units of a group get for one key."""

    @property
    def between(self) -> tuple[float, float] | None:
        """The ends of a range; None where values are given."""
        return next((getattr(self, name) for name in type(self).model_fields if name.startswith("range")), None)

    @property
    def among(self) -> list[Any]:
        """The values; none where a range is given."""
        return next(getattr(self, name) for name in type(self).model_fields if name.startswith("values"))

    @property
    def ends(self) -> list[Any]:
        """Values by which every other can be judged: all of them, or the ends of the range."""
        return list(self.between or self.among)

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, given: Any) -> Any:
        """A list of two is short for a range."""
        if not isinstance(given, (list, tuple)) or "range" not in _keys(cls):
            return given
        if len(given) != 2:
            raise ValueError("must be [low, high], or a table of values")
        return {"range": given}

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        ranged = "range" in _keys(type(self))
        if (self.between is None) == (not self.among):
            raise Refused("missing; " + ("give range, or values" if ranged else "give values"), "values")
        shares = getattr(self, "shares")  # noqa: B009  # each kind of spread has it
        if shares and len(shares) != len(self.among):
            raise Refused(f"must be as many as values, {len(self.among)}", "shares")
        if shares and abs(sum(shares) - 1.0) > 1e-9:
            raise Refused("must add up to 1", "shares")
        return self

    def at(self, position: float) -> Any:
        """What stands at a position from 0 to 1 among all units."""
        if self.between is not None:
            low, high = self.between
            return low + position * (high - low)
        shares = getattr(self, "shares") or [1.0 / len(self.among)] * len(self.among)  # noqa: B009
        below = 0.0
        for value, share in zip(self.among, shares, strict=True):
            below += share
            if position < below:
                return value
        return next(value for value, share in zip(reversed(self.among), reversed(shares), strict=True) if share > 0.0)


def _keys(model: type[Section]) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}


class PerUnitSpread(Spread):
    """What the units of a group get for a key per unit: `["0.70 pu", "0.90 pu"]` is short for its range."""

    range: PerUnitRange | None = Field(default=None, description=_PAIR)
    values: list[PerUnit] = Field(default_factory=list, description="values that units get")
    shares: list[Share] = Shares


class TimeSpread(Spread):
    """What the units of a group get for a time: `["5 s", "30 s"]` is short for its range."""

    range_s: TimeRange | None = Field(default=None, description=_PAIR)
    values_s: list[Time] = Field(default_factory=list, description="times that units get")
    shares: list[Share] = Shares


class PowerSpread(Spread):
    """What the units of a group get for a power: `["20 MW", "30 MW"]` is short for its range."""

    range_w: PowerRange | None = Field(default=None, description=_PAIR)
    values_w: list[Power] = Field(default_factory=list, description="powers that units get")
    shares: list[Share] = Shares


class ShareSpread(Spread):
    """What the units of a group get for a share: `[0.9, 1.0]` is short for its range."""

    range: Annotated[tuple[Share, Share], AfterValidator(_ends)] | None = Field(default=None, description=_PAIR)
    values: list[Share] = Field(default_factory=list, description="shares that units get")
    shares: list[Share] = Shares


class CountSpread(Spread):
    """How many disturbances within the window take each unit of a group off the grid; 0: its counter is off."""

    values: list[Whole] = Field(min_length=1, description="numbers that units get")
    shares: list[Share] = Shares


class UpsSpread(Section):
    """In which keys the units of a group differ; a key that is not here is that of the group, for every unit."""

    rating_w: PowerSpread | None = Field(default=None, description="ratings; the units share the demand by them")
    counter_disturbances: CountSpread | None = Field(default=None, description="disturbances that are too many")
    counter_window_s: TimeSpread | None = Field(default=None, description="windows of the counters")
    input_low: PerUnitSpread | None = Field(default=None, description="lowest voltages at which the line is good")
    input_high: PerUnitSpread | None = Field(default=None, description="highest voltages at which the line is good")
    transfer_s: TimeSpread | None = Field(default=None, description="how long the line must be bad")
    qualify_s: TimeSpread | None = Field(default=None, description="how long the line must be good")
    walk_in_delay_s: TimeSpread | None = Field(default=None, description="waits before the input rises")
    walk_in_s: TimeSpread | None = Field(default=None, description="times in which the input rises")
    soc: ShareSpread | None = Field(default=None, description="states of charge at the start")
    autonomy_s: TimeSpread | None = Field(default=None, description="how long the batteries feed the rated output")

    @property
    def given(self) -> dict[str, Spread]:
        """Spreads by the names of the fields that they are of."""
        return {name: spread for name in type(self).model_fields if (spread := getattr(self, name)) is not None}


def positions(count: int, seed: int, group: str, key: str, *, middle: bool = False) -> list[float]:
    """A position from 0 to 1 for each unit: one in each of so many equal strata, which unit in which at random.

    middle: of its stratum, so that what has a share of the positions gets it to one unit; else anywhere in it. They go by
    seed, group and key alone, so that another group or another key changes nothing of them.
    """
    where = f"{group}.{key}"
    order = sorted(range(count), key=lambda unit: uniform(seed, "ups_stratum", unit, where))
    found = [0.0] * count
    for stratum, unit in enumerate(order):
        found[unit] = (stratum + (0.5 if middle else uniform(seed, "ups_within", unit, where))) / count
    return found


def units_of(group: T, count: int, spread: UpsSpread | None, seed: int, name: str) -> list[T]:
    """Each unit of a group by itself, as the seed has drawn it."""
    given = {} if spread is None else spread.given
    at = {key: positions(count, seed, name, key, middle=one.between is None) for key, one in given.items()}
    alone = group.model_copy(update={"count": None, "spread": None})
    return [
        alone.model_copy(update=_with_counter({key: one.at(at[key][unit]) for key, one in given.items()}))
        for unit in range(count)
    ]


def check_spread(group: Section, spread: UpsSpread) -> None:
    """Refuse a value of a spread that the key itself would not take. Raises Refused."""
    if spread.autonomy_s is not None and getattr(group, "energy_wh", None) is not None:
        raise Refused("only where no energy is given", "spread", "autonomy")
    for key, one in spread.given.items():
        for value in one.ends:
            unit = group.model_copy(update={"count": None, "spread": None})
            try:
                for name, drawn in _with_counter({key: value}).items():
                    setattr(unit, name, drawn)
            except ScenarioError as error:
                shown = error.problem.removeprefix(" = ")
                raise Refused(f"a unit with {shown}", "spread", of_name(key)[0]) from None


def _with_counter(drawn: dict[str, Any]) -> dict[str, Any]:
    """What a unit gets, and whether it counts at all: not where 0 disturbances are drawn."""
    if "counter_disturbances" not in drawn:
        return drawn
    counted = drawn.pop("counter_disturbances")
    return drawn | {"counter": counted != 0} | ({"counter_disturbances": counted} if counted else {})
