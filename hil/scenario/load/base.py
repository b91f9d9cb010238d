"""What every kind of load has. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

import itertools
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from hil.scenario.base import Number, Refused, Section, Whole, source
from hil.scenario.load.remedies import Capping, Filler, Rack, Smoothing, Supply
from hil.scenario.quantity import Power, Time

_ASSUMED = source("assumed; docs/loads.md")


def _in_time(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if any(later[0] <= earlier[0] for earlier, later in itertools.pairwise(points)):
        raise ValueError("times must rise")
    if any(factor < 0.0 for _, factor in points):
        raise ValueError("factors must be at least 0")
    return points


Schedule = Annotated[list[tuple[Time, Number]], Field(min_length=1), AfterValidator(_in_time)]
"""Times from the start and factors; straight lines between them, held before the first and after the last."""


class LoadSection(Section):
    """Keys of every kind of load."""

    power_factor: Number = Field(
        default=0.98, gt=0, le=1, description="power factor of the IT load, lagging and constant", json_schema_extra=_ASSUMED
    )
    schedule: Schedule | None = Field(
        default=None,
        description="times and factors of its power, straight lines between them, before all remedies; default: none",
    )
    filler: Filler | None = Field(default=None, description="a software filler; none without the table")
    smoothing: Smoothing | None = Field(default=None, description="power smoothing of the GPUs; none without the table")
    capping: Capping | None = Field(default=None, description="power capping; none without the table")
    rack: Rack | None = Field(default=None, description="rack capacitors; none without the table")
    supply: Supply | None = Field(default=None, description="hosts and power supplies; none without the table")

    @property
    def gpu_count(self) -> float | None:
        """How many GPUs it runs on; None where nothing says it."""
        return None

    @property
    def rated_w(self) -> float | None:
        """Thermal design power of all its GPUs, W; None where nothing says it."""
        return None

    @model_validator(mode="after")
    def _remedies_know_their_gpus(self) -> Self:
        if self.gpu_count is None:
            for table in ("smoothing", "rack"):
                if getattr(self, table) is not None:
                    raise Refused(f"needs the number of GPUs: {self._gpus_from}", table)
        if self.rated_w is None:
            hosts = self.supply is not None and self.supply.host > 0.0
            for table, wanted in (("filler", self.filler), ("smoothing", self.smoothing), ("supply", hosts or None)):
                if wanted is not None:
                    raise Refused(f"needs the thermal design power of the GPUs: {self._gpus_from}", table)
        return self

    @property
    def _gpus_from(self) -> str:
        """What would have to be given."""
        return "gpus and gpu_power"


class GpuSection(LoadSection):
    """Keys of loads that do not count their GPUs in another way."""

    gpus: Whole | None = Field(default=None, ge=1, description="number of GPUs, for the remedies; default: unknown")
    gpu_power_w: Power | None = Field(
        default=None, gt=0, description="thermal design power of one GPU, for the remedies; default: unknown"
    )

    @property
    def gpu_count(self) -> float | None:
        """How many GPUs it runs on; None where nothing says it."""
        return self.gpus

    @property
    def rated_w(self) -> float | None:
        """Thermal design power of all its GPUs, W; None where nothing says it."""
        return None if self.gpus is None or self.gpu_power_w is None else self.gpus * float(self.gpu_power_w)

    @model_validator(mode="after")
    def _both(self) -> Self:
        if self.gpu_power_w is not None and self.gpus is None:
            raise Refused("needs gpus, the number of GPUs", "gpu_power")
        return self
