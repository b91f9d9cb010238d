"""Several loads on one site. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Flag, Name, Number, Refused, Section, Whole
from hil.scenario.load.base import LoadSection
from hil.scenario.load.inference import InferenceLoad
from hil.scenario.load.trace import TraceLoad
from hil.scenario.load.training import TrainingLoad
from hil.scenario.quantity import Time

_MOST_COPIES = 1000


class PartSection(Section):
    """Keys of every part of a sum."""

    shift_s: Time = Field(
        default=0.0,
        ge=0,
        description="how far it is ahead: at the start of the run it is where it would be after that time",
        json_schema_extra=CHOICE,
    )
    copies: Whole = Field(
        default=1,
        ge=1,
        le=_MOST_COPIES,
        description="how many of it there are, each with a seed of its own",
        json_schema_extra=CHOICE,
    )
    copies_apart_s: Time = Field(
        default=0.0, ge=0, description="how far each copy is ahead of the one before it", json_schema_extra=CHOICE
    )


class TrainingPart(PartSection, TrainingLoad):
    """A training job that is part of a sum."""

    scale: Number = Field(default=1.0, gt=0, description="how often the site has it, in step", json_schema_extra=CHOICE)


class InferencePart(PartSection, InferenceLoad):
    """A fleet that is part of a sum."""


class TracePart(PartSection, TraceLoad):
    """Recorded power that is part of a sum."""


Part = Annotated[TrainingPart | InferencePart | TracePart, Field(discriminator="kind")]


class SumLoad(LoadSection):
    """Several loads together; remedies of its own act on their sum."""

    kind: Literal["sum"] = "sum"
    part: dict[Name, Part] = Field(min_length=1, description="its parts, by name")
    spread_checkpoints: Flag = Field(
        default=False,
        description="true: the checkpoints of its n training jobs are k/n of their period apart, copies counted",
        json_schema_extra=CHOICE,
    )

    @property
    def gpu_count(self) -> float | None:
        """How many GPUs all its parts run on; None where one does not say it."""
        counts = [_times(part, part.gpu_count) for part in self.part.values()]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    @property
    def rated_w(self) -> float | None:
        """Thermal design power of all GPUs, W; None where a part does not say it."""
        ratings = [_times(part, part.rated_w) for part in self.part.values()]
        known = [rating for rating in ratings if rating is not None]
        return sum(known) if len(known) == len(ratings) else None

    @property
    def _gpus_from(self) -> str:
        return "gpus and gpu_power, in each part"

    @model_validator(mode="after")
    def _one_power_factor(self) -> Self:
        for name, part in self.part.items():
            if part.power_factor != self.power_factor:
                problem = f"must be {self.power_factor:g}, the power factor of the sum: it has one"
                raise Refused(problem, "part", name, "power_factor")
        return self

    @model_validator(mode="after")
    def _gpus_are_in_parts(self) -> Self:
        for table in ("filler", "smoothing"):
            if getattr(self, table) is not None:
                raise Refused("belongs to a part: it acts in the GPUs of one job", table)
        return self


def _times(part: Part, of_one: float | None) -> float | None:
    scale = float(part.scale) if isinstance(part, TrainingPart) else 1.0
    return None if of_one is None else part.copies * scale * of_one
