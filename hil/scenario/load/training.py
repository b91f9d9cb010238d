"""A synchronous training job. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Number, Refused, Share, source
from hil.scenario.load.base import LoadSection
from hil.scenario.quantity import Power, Time

_ASSUMED = source("assumed; docs/loads.md")
_CHECKPOINT = source("secondary: to idle within a second, a few seconds long; docs/loads.md")


class TrainingLoad(LoadSection):
    """A synchronous training job: compute and communication phases, checkpoints, start, stop, crash."""

    kind: Literal["training"] = "training"
    power_w: Power = Field(
        gt=0,
        description="power in the compute phase",
        json_schema_extra=source("compute phases run near the thermal design power (arXiv 2508.14318)"),
    )
    iteration_s: Time = Field(
        default=4.0,
        ge=0.001,
        description="length of an iteration: a compute and a communication phase",
        json_schema_extra=source("periods of 1 to 10 s (arXiv 2606.22096, abstract)"),
    )
    edge_s: Time = Field(
        default=0.25,
        ge=0,
        description="time from one phase's power to the other's, in a straight line",
        json_schema_extra=source("secondary: NERC's 1.9 pu/s for about 250 ms; that shorter ones are possible is assumed"),
    )
    compute_share: Share = Field(
        default=0.8,
        description="share of an iteration that is the compute phase",
        json_schema_extra=source("assumed: 0.5 to 0.9; docs/loads.md"),
    )
    communication_power: Share = Field(
        default=0.35,
        description="power in the communication phase, share of power",
        json_schema_extra=source("troughs of 0.2 to 0.75 of the thermal design power by model (arXiv 2308.12908)"),
    )
    idle_power: Share = Field(
        default=0.1,
        description="power while idle, share of power",
        json_schema_extra=source("H100: 72.5 W bare of 700 W (arXiv 2604.07345)"),
    )
    jitter: Number = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="standard deviation of the iteration time, share of it, seeded, cut at 3 σ; at most 1/3 with two phases",
        json_schema_extra=_ASSUMED,
    )
    start_s: Time = Field(default=0.0, ge=0, description="when the job starts; it is idle before", json_schema_extra=CHOICE)
    start_ramp_s: Time = Field(
        default=0.0, ge=0, description="time in which it rises from idle at its start", json_schema_extra=CHOICE
    )
    stop_s: Time | None = Field(default=None, gt=0, description="when the job stops; it is idle after; default: never")
    checkpoint_every_s: Time | None = Field(
        default=None, gt=0, description="period of checkpoints, each at the end of its iteration; default: there are none"
    )
    checkpoint_duration_s: Time = Field(
        default=5.0,
        gt=0,
        description="how long a checkpoint stays at its power; its edges come on top",
        json_schema_extra=_CHECKPOINT,
    )
    checkpoint_power: Share = Field(
        default=0.1, description="power in a checkpoint, share of power", json_schema_extra=_CHECKPOINT
    )

    @model_validator(mode="after")
    def _phases_hold_their_edges(self) -> Self:
        if 0.0 < self.compute_share < 1.0:
            shortest_s = self.iteration_s * min(self.compute_share, 1.0 - self.compute_share) * (1.0 - 3.0 * self.jitter)
            if shortest_s < 0.0:
                raise Refused("must be at most 1/3 where an iteration has two phases", "jitter")
            if self.edge_s > shortest_s:
                raise Refused(f"must fit the shortest phase of an iteration, {shortest_s:g} s", "edge")
        if self.checkpoint_every_s is not None and self.checkpoint_duration_s + 2 * self.edge_s >= self.checkpoint_every_s:
            raise Refused("must be shorter, with its edges, than checkpoint_every", "checkpoint_duration")
        if self.stop_s is not None and self.stop_s <= self.start_s:
            raise Refused(f"must come after start, {self.start_s:g} s", "stop")
        return self
