"""A fleet that serves requests. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import Number, Refused, Share, Whole, source
from hil.scenario.load.base import LoadSection
from hil.scenario.paths import TracePath
from hil.scenario.quantity import Power, Time

_ASSUMED = source("assumed; docs/loads.md")
_FLEET = source("assumed: with them a prompt of 7,437 tokens stays under a second; docs/loads.md")


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

    @property
    def gpu_count(self) -> float:
        """How many GPUs all its fleets have."""
        return float(self.scale) * self.replicas * self.gpus_per_replica

    @property
    def rated_w(self) -> float:
        """Thermal design power of all its GPUs, W."""
        return self.gpu_count * float(self.gpu_power_w)

    @model_validator(mode="after")
    def _active_above_idle(self) -> Self:
        for key in ("prefill_power", "decode_power"):
            if getattr(self, key) < self.idle_power:
                raise Refused(f"must be at least idle_power = {self.idle_power:g}", key)
        return self
