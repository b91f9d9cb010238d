"""Entries of `[[expect]]`: what a run must show for its verdict to be PASS, be it that a limit is violated."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from hil.scenario.base import CHOICE, Refused, Section, Whole
from hil.scenario.quantity import ENERGY, FREQUENCY, PER_UNIT, Dimension, Frequency, Time, of_name

Bound = float | str
Span = tuple[Time, Time]

OF_ENERGY = (
    "ramp", "peak_to_peak", "dynamic_range", "variation", "oscillation", "soc_window", "reverse_power", "underpower",
    "overload",
)  # fmt: skip
"""Kinds of limits of which an energy can be missing."""
ENERGIES = ("energy", "energy_swing")
CHANGES = ("change", "change_share")


class ExpectSection(Section):
    """Keys of every expectation."""

    name: str = Field(min_length=1, description="what the verdict calls it; names differ")


class SpanSection(ExpectSection):
    """Keys of those that look at a part of the run."""

    from_s: Time = Field(default=0.0, ge=0, description="from when on it looks", json_schema_extra=CHOICE)
    to_s: Time | None = Field(default=None, gt=0, description="until when it looks; default: the end of the run")

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.to_s is not None and self.to_s <= self.from_s:
            raise Refused(f"must come after from, {self.from_s:g} s", "to")
        return self


class LimitExpect(ExpectSection):
    """How a limit ends. One that is expected to end otherwise than with PASS cannot be required."""

    kind: Literal["limit"] = "limit"
    limit: str = Field(description="name of the limit")
    outcome: Literal["PASS", "FAIL", "INCONCLUSIVE", "NOT EXERCISED"] = Field(description="how it ends")
    first_violation_s: Span | None = Field(
        default=None, description="when it is first violated, [earliest, latest]; default: at any time"
    )
    missing: tuple[Bound, Bound] | None = Field(
        default=None, description="energy that was missing to hold it, [least, most]; default: any"
    )

    @model_validator(mode="after")
    def _of_a_violation(self, info: ValidationInfo) -> Self:
        for key, given in (("first_violation", self.first_violation_s), ("missing", self.missing)):
            if given is not None and self.outcome != "FAIL":
                raise Refused("needs outcome = 'FAIL'", key)
        if self.first_violation_s is not None:
            _rising(self.first_violation_s, "first_violation")
        if self.missing is not None:
            self.__dict__["missing"] = _read(self.missing, ENERGY, "missing", info)
        return self

    @property
    def missing_wh(self) -> Span | None:
        """`missing`, in Wh."""
        return None if self.missing is None else _numbers(self.missing, ENERGY)


class SignalExpect(SpanSection):
    """A figure of a recorded signal."""

    kind: Literal["signal"] = "signal"
    signal: str = Field(description="the channel, one that is recorded")
    statistic: Literal[
        "min", "max", "mean", "range", "first", "last", "change", "change_share", "energy", "energy_swing", "frequency"
    ] = Field(
        description="which figure, over the rows from `from` to `to`: first, last: the row there; change: last less first, "
        "change_share: over first; energy: of a power; energy_swing: largest less smallest that has run up; frequency: "
        "of what swings most"
    )
    frames_hz: Frequency | None = Field(
        default=None,
        gt=0,
        description="as a logger sees it that takes so many samples a second, without a filter before; default: as recorded",
    )
    between: tuple[Bound, Bound] = Field(description="[lowest, highest] that the figure may be, with its unit")

    @property
    def dimension(self) -> Dimension:
        """Of the figure."""
        if self.statistic in ENERGIES:
            return ENERGY
        if self.statistic == "frequency":
            return FREQUENCY
        found = of_name(self.signal.rpartition(".")[2])[1]
        return PER_UNIT if found is None or self.statistic == "change_share" else found

    @property
    def bounds(self) -> Span:
        """`between`, in SI; energies in Wh."""
        return _numbers(self.between, self.dimension)

    @model_validator(mode="after")
    def _bounds_of_the_figure(self, info: ValidationInfo) -> Self:
        self.__dict__["between"] = _read(self.between, self.dimension, "between", info)
        if self.statistic in ENERGIES and not self.signal.endswith("_w"):
            raise Refused("an energy is that of a power, a signal in W", "statistic")
        if self.frames_hz is not None and self.statistic != "frequency":
            raise Refused("needs statistic = 'frequency'", "frames")
        return self


class EventExpect(SpanSection):
    """How often something stands in the log of events."""

    kind: Literal["event"] = "event"
    event: str = Field(min_length=1, description="its name in the log (docs/runs.md)")
    device: str | None = Field(default=None, description="of which device; default: of any")
    count: tuple[Whole, Whole] = Field(
        default=(1, 1_000_000), description="how often, [least, most]; [0, 0]: never", json_schema_extra=CHOICE
    )

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if not 0 <= self.count[0] <= self.count[1]:
            raise Refused("must be [least, most], whole numbers from 0 on", "count")
        return self


Expect = Annotated[LimitExpect | SignalExpect | EventExpect, Field(discriminator="kind")]


def _rising(span: Span, key: str) -> None:
    if span[0] > span[1]:
        raise Refused("must be [earliest, latest]", key)


def _read(given: tuple[Bound, Bound], dimension: Dimension, key: str, info: ValidationInfo) -> tuple[Bound, Bound]:
    """The pair as a file has it. Refuses what is no pair of such quantities."""
    plain = not (info.context or {}).get("file")
    numbers = []
    for place, bound in enumerate(given):
        try:
            numbers.append(dimension.read(bound, plain=plain))
        except ValueError as problem:
            raise Refused(str(problem), key, place) from None
    if numbers[0] > numbers[1]:
        raise Refused("must be [lowest, highest]", key)
    low, high = (bound if isinstance(bound, str) else dimension.text(bound) for bound in given)
    return low, high


def _numbers(given: tuple[Bound, Bound], dimension: Dimension) -> Span:
    return dimension.read(given[0], plain=True), dimension.read(given[1], plain=True)
