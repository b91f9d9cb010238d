"""Section `[load]`: what the site draws. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Flag, Number, Refused, Section, Share, Whole, source
from hil.scenario.paths import TracePath
from hil.scenario.quantity import Power, Time

_ASSUMED = source("assumed; docs/loads.md")
_CHECKPOINT = source("secondary: to idle within a second, a few seconds long; docs/loads.md")
_FLEET = source("assumed: with them a prompt of 7,437 tokens stays under a second; docs/loads.md")


class LoadSection(Section):
    """Keys of every kind of load."""

    power_factor: Number = Field(
        default=0.98, gt=0, le=1, description="power factor of the IT load, lagging and constant", json_schema_extra=_ASSUMED
    )


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


class InferenceLoad(LoadSection):
    """A fleet that serves requests, of a file or synthetic ones: prefill and decode with continuous batching."""

    kind: Literal["inference"] = "inference"
    trace: TracePath | None = Field(
        default=None,
        description="requests, a CSV with the columns TIMESTAMP,ContextTokens,GeneratedTokens; default: synthetic ones",
    )
    arrivals: Literal["azure_code", "azure_conversation"] = Field(
        default="azure_conversation",
        description="which trace the synthetic requests are like, where no trace is given",
        json_schema_extra=source("fitted to the Azure LLM inference trace 2023; docs/loads.md"),
    )
    gpu_power_w: Power = Field(
        default=700.0, gt=0, description="thermal design power of one GPU", json_schema_extra=source("H100")
    )
    gpus_per_replica: Whole = Field(default=8, ge=1, description="GPUs of one replica", json_schema_extra=_ASSUMED)
    replicas: Whole = Field(default=16, ge=1, le=1_000_000, description="replicas of one fleet", json_schema_extra=_ASSUMED)
    scale: Number = Field(
        default=1.0, gt=0, description="how many such fleets the site holds, all doing the same", json_schema_extra=_ASSUMED
    )
    idle_power: Share = Field(
        default=0.174,
        description="power while idle, share of gpu_power",
        json_schema_extra=source("H100: 121.7 W with a CUDA context (arXiv 2605.23918)"),
    )
    prefill_power: Number = Field(
        default=1.0,
        gt=0,
        le=1.5,
        description="power while a replica prefills, share of gpu_power; at least idle_power",
        json_schema_extra=source("spikes to or beyond the thermal design power, under a second (arXiv 2308.12908)"),
    )
    decode_power: Number = Field(
        default=0.5,
        gt=0,
        le=1.5,
        description="power while it decodes a full batch, share of gpu_power; at least idle_power",
        json_schema_extra=source(
            "'well below TDP' (ML.ENERGY, arXiv 2505.06371; Splitwise, arXiv 2311.18677); the figure is assumed"
        ),
    )
    prefill_tokens_per_s: Number = Field(
        default=10_000.0, gt=0, description="tokens of prompts a second of one replica", json_schema_extra=_FLEET
    )
    decode_tokens_per_s: Number = Field(
        default=30.0, gt=0, description="generated tokens a second of one sequence", json_schema_extra=_FLEET
    )
    max_batch: Whole = Field(
        default=32, ge=1, description="sequences that a replica decodes at once", json_schema_extra=_FLEET
    )
    edge_s: Time = Field(
        default=0.02,
        ge=0,
        description="time over which power supplies smooth a step; energy is kept",
        json_schema_extra=source("a power supply's hold-up of 20 ms (OCP ORv3)"),
    )

    @model_validator(mode="after")
    def _active_above_idle(self) -> Self:
        for key in ("prefill_power", "decode_power"):
            if getattr(self, key) < self.idle_power:
                raise Refused(f"must be at least idle_power = {self.idle_power:g}", key)
        return self


class TraceLoad(LoadSection):
    """Recorded power from a CSV with a header; straight lines between samples, the first of which is the start of the run."""

    kind: Literal["trace"] = "trace"
    trace: TracePath = Field(
        description="the file, beside the scenario: a CSV with a header, a column of times and one of powers"
    )
    time_column: str = Field(default="time_s", description="name of the column of times, in seconds", json_schema_extra=CHOICE)
    power_column: str = Field(default="power_w", description="name of the column of powers", json_schema_extra=CHOICE)
    scale: Number = Field(default=1.0, gt=0, description="watts for each unit of that column", json_schema_extra=CHOICE)
    repeat: Flag = Field(
        default=False,
        description="true: it starts anew at its end; false: a trace that ends before the run blocks PASS",
        json_schema_extra=CHOICE,
    )


Load = Annotated[TrainingLoad | InferenceLoad | TraceLoad, Field(discriminator="kind")]
