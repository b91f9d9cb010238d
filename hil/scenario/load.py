"""Section `[load]`: what the site draws. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import Flag, Number, Refused, Section, Share, Whole
from hil.scenario.paths import TracePath
from hil.scenario.quantity import Power, Time


class LoadSection(Section):
    """Keys of every kind of load."""

    power_factor: Number = Field(0.98, gt=0, le=1, description="lagging, constant")


class TrainingLoad(LoadSection):
    """A synchronous training job: compute and communication phases, checkpoints, start, stop, crash."""

    kind: Literal["training"] = "training"
    power_w: Power = Field(gt=0, description="in the compute phase")
    iteration_s: Time = Field(4.0, ge=0.001)
    edge_s: Time = Field(0.25, ge=0)
    compute_share: Share = 0.8
    communication_power: Share = 0.35
    idle_power: Share = 0.1
    jitter: Number = Field(0.0, ge=0, le=0.5, description="standard deviation of the iteration time, share of it; seeded")
    start_s: Time = Field(0.0, ge=0, description="idle before")
    start_ramp_s: Time = Field(0.0, ge=0)
    stop_s: Time | None = Field(None, gt=0, description="idle after")
    checkpoint_every_s: Time | None = Field(None, gt=0)
    checkpoint_duration_s: Time = Field(5.0, gt=0)
    checkpoint_power: Share = 0.1

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


class InferenceLoad(LoadSection):
    """A fleet that serves requests, of a file or synthetic ones: prefill and decode with continuous batching."""

    kind: Literal["inference"] = "inference"
    trace: TracePath | None = Field(None, description="CSV with the columns TIMESTAMP,ContextTokens,GeneratedTokens")
    arrivals: Literal["azure_code", "azure_conversation"] = Field("azure_conversation", description="where no trace is given")
    gpu_power_w: Power = Field(700.0, gt=0, description="thermal design power of one GPU")
    gpus_per_replica: Whole = Field(8, ge=1)
    replicas: Whole = Field(16, ge=1, le=1_000_000)
    scale: Number = Field(1.0, gt=0, description="how many such fleets the site holds")
    idle_power: Share = 0.174
    prefill_power: Number = Field(1.0, gt=0, le=1.5, description="share of gpu_power while a replica prefills")
    decode_power: Number = Field(0.5, gt=0, le=1.5, description="share of gpu_power at a full batch")
    prefill_tokens_per_s: Number = Field(10_000.0, gt=0, description="of one replica")
    decode_tokens_per_s: Number = Field(30.0, gt=0, description="of one sequence")
    max_batch: Whole = Field(32, ge=1, description="sequences that a replica holds at once")
    edge_s: Time = Field(0.02, ge=0, description="power supplies smooth a step over this time")

    @model_validator(mode="after")
    def _active_above_idle(self) -> Self:
        for key in ("prefill_power", "decode_power"):
            if getattr(self, key) < self.idle_power:
                raise Refused(f"must be at least idle_power = {self.idle_power:g}", key)
        return self


class TraceLoad(LoadSection):
    """Recorded power."""

    kind: Literal["trace"] = "trace"
    trace: TracePath = Field(description="CSV with a header, a column of times and one of powers")
    time_column: str = "time_s"
    power_column: str = "power_w"
    scale: Number = Field(1.0, gt=0)
    repeat: Flag = False


Load = Annotated[TrainingLoad | InferenceLoad | TraceLoad, Field(discriminator="kind")]
