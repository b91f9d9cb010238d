"""A fleet that serves requests. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Number, Refused, Share, Whole, source
from hil.scenario.load.base import LoadSection
from hil.scenario.load.presets import GPUS_OF_A_MODEL, MODELS, Gpu, ModelName, fill, fill_speeds
from hil.scenario.paths import TracePath
from hil.scenario.quantity import Power, Time

_ASSUMED = source("assumed; docs/loads.md")
_MOST_STREAMS = 10_000
"""Streams of requests, each as of one trace, beyond which a second of a load takes a second and more to make."""
_FLEET = source("assumed: with them a prompt of 7,437 tokens stays under a second; docs/loads.md")


def _either(words: Iterable[str]) -> str:
    """The words, the last after "or"."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


class InferenceLoad(LoadSection):
    """A fleet that serves requests, of a file or synthetic ones: prefill and decode with continuous batching."""

    kind: Literal["inference"] = "inference"
    trace: TracePath | None = Field(
        default=None,
        description="requests, a CSV in the format of the Azure LLM inference trace or of BurstGPT; default: synthetic ones",
    )
    arrivals: Literal["azure_code", "azure_conversation"] = Field(
        default="azure_conversation",
        description="which trace the synthetic requests are like, where no trace is given",
        json_schema_extra=source("fitted to the Azure LLM inference trace 2023; docs/loads.md"),
    )
    rate: Number = Field(
        default=1.0,
        gt=0,
        le=1e5,
        description="how many times the requests of that trace come: each burst has so many more, at the same times",
        json_schema_extra=CHOICE,
    )
    streams: Whole = Field(
        default=1,
        ge=1,
        le=10_000,
        description="how many such streams come, each with bursts of its own; all have that rate",
        json_schema_extra=CHOICE,
    )
    diurnal: Number = Field(
        default=0.0,
        ge=0,
        le=0.95,
        description="how much the rate of synthetic requests swings over a day, as a cosine; share of its mean",
        json_schema_extra=_ASSUMED,
    )
    peak_at_s: Time = Field(
        default=54_000.0,
        ge=0,
        le=86_400,
        description="when in the day the rate is highest; the run begins at 0, midnight",
        json_schema_extra=_ASSUMED,
    )
    gpu: Gpu | None = Field(
        default=None,
        description="sets gpu_power and idle_power where they are not given; default: those of an H100",
        json_schema_extra=source("idle with a CUDA context: arXiv 2605.23918 [V]; power: A100 [M], L40S [S]; docs/loads.md"),
    )
    model: ModelName | None = Field(
        default=None,
        description="sets prefill_tokens_per_s, decode_tokens_per_s, max_batch and gpus_per_replica where they are not given; "
        "needs gpu; default: no model",
        json_schema_extra=source("measurements of Splitwise (arXiv 2311.18677) on DGX-H100 and DGX-A100 [V]; docs/loads.md"),
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
    prefill_peak: Number | None = Field(
        default=None,
        gt=0,
        le=1.5,
        description="power while it prefills a long prompt, share of gpu_power, at least prefill_power; default: the same",
        json_schema_extra=source(
            "beyond the thermal design power, set by the length of the input (arXiv 2308.12908); A100: 1.08 to 1.27 of 400 W"
        ),
    )
    prefill_peak_tokens: Whole = Field(
        default=8192,
        ge=1,
        description="tokens of a prompt from which on it has that power; between them it rises in proportion",
        json_schema_extra=_ASSUMED,
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
    decode_curve: Literal["linear", "logistic"] = Field(
        default="linear",
        description="how that power grows with the sequences of a batch: in proportion, or by a logistic curve over its log2",
        json_schema_extra=source("linear: assumed; logistic: the form that OpenG2G fits to measurements"),
    )
    decode_midpoint: Number = Field(
        default=8.0,
        ge=1,
        description="sequences at the middle of the logistic curve",
        json_schema_extra=_ASSUMED,
    )
    decode_steepness: Number = Field(
        default=1.0,
        gt=0,
        le=20,
        description="of the logistic curve, for each doubling of the batch",
        json_schema_extra=_ASSUMED,
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
    def _of_its_gpu(self) -> Self:
        if self.gpu is not None:
            fill(self, self.gpu, {"gpu_power_w": "tdp_w", "idle_power": "idle_context"})
        return self

    @model_validator(mode="after")
    def _of_its_model(self) -> Self:
        if self.model is None:
            return self
        known = MODELS[self.model]
        if self.gpu is None or self.gpu not in known:
            raise Refused(f"must come with gpu = {_either(map(repr, known))}: of no other are its speeds known", "model")
        if "gpus_per_replica" not in self.model_fields_set:
            self.__dict__["gpus_per_replica"] = GPUS_OF_A_MODEL
        served = known[self.gpu].get(self.gpus_per_replica)
        if served is None:
            counts = _either(map(str, known[self.gpu]))
            raise Refused(
                f"must be {counts} with model = {self.model!r}: of no other are its speeds known", "gpus_per_replica"
            )
        fill_speeds(self, served)
        return self

    @model_validator(mode="after")
    def _active_above_idle(self) -> Self:
        for key in ("prefill_power", "decode_power"):
            if getattr(self, key) < self.idle_power:
                raise Refused(f"must be at least idle_power = {self.idle_power:g}", key)
        if self.prefill_peak is not None and self.prefill_peak < self.prefill_power:
            raise Refused(f"must be at least prefill_power = {self.prefill_power:g}", "prefill_peak")
        return self

    @model_validator(mode="after")
    def _few_enough(self) -> Self:
        if self.rate * self.streams > _MOST_STREAMS:
            most = f"{_MOST_STREAMS:,}, some 50,000 requests a second"
            raise Refused(f"must, times rate = {self.rate:g}, be at most {most}", "streams")
        return self

    @model_validator(mode="after")
    def _synthetic_alone(self) -> Self:
        if self.trace is not None:
            for key in ("rate", "streams", "diurnal"):
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise Refused("must be left out where a trace is given: it is of synthetic requests", key)
        return self

    def decode_levels(self) -> list[float]:
        """Power of a replica that decodes 0, 1, … max_batch sequences, share of gpu_power."""
        above = self.decode_power - self.idle_power
        if self.decode_curve == "linear":
            return [self.idle_power + above * batch / self.max_batch for batch in range(self.max_batch + 1)]

        def grown(batch: int) -> float:
            return 1.0 / (1.0 + math.exp(-self.decode_steepness * math.log2(batch / self.decode_midpoint)))

        full = grown(self.max_batch)
        return [self.idle_power, *(self.idle_power + above * grown(batch) / full for batch in range(1, self.max_batch + 1))]
