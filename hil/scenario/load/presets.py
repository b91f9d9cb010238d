"""GPUs and models whose figures have a source: what `gpu` and `model` set where a key is not given. No load lives here.

Sources and tags: [V] read in the paper, [S] secondary, [M] from memory, as in docs/loads.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

Gpu = Literal["h100", "a100", "l40s"]
ModelName = Literal["llama-2-70b", "bloom-176b"]


@dataclass(frozen=True)
class GpuPreset:
    """Powers of one GPU, W; None: nobody's figure is known. edpp: short excursions, share of the thermal design power."""

    tdp_w: float
    idle_w: float
    idle_context_w: float
    edpp: float | None
    source: str

    @property
    def idle(self) -> float:
        """Bare idle power, share of the thermal design power."""
        return self.idle_w / self.tdp_w

    @property
    def idle_context(self) -> float:
        """Idle power with a CUDA context, share of the thermal design power."""
        return self.idle_context_w / self.tdp_w


GPUS: dict[str, GpuPreset] = {
    "h100": GpuPreset(
        700.0, 72.5, 121.7, None, "idle 72.5 W (arXiv 2604.07345) [V]; with a CUDA context 121.7 W (arXiv 2605.23918) [V]"
    ),
    "a100": GpuPreset(
        400.0, 53.7, 80.0, None, "idle 53.7 W, with a CUDA context 80.0 W (arXiv 2605.23918) [V]; thermal design power [M]"
    ),
    "l40s": GpuPreset(
        350.0, 35.6, 102.1, None, "idle 35.6 W, with a CUDA context 102.1 W (arXiv 2605.23918) [V]; thermal design power [S]"
    ),
}


_PROMPT_TOKENS = 1024
_BATCH = 32


@dataclass(frozen=True)
class Served:
    """How long a model takes on the GPUs of a replica: for a prompt of 1,024 tokens alone, for a token in a batch of 32."""

    prompt_s: float
    token_s: float

    @property
    def prefill_tokens_per_s(self) -> float:
        """Tokens of prompts a second of one replica."""
        return _PROMPT_TOKENS / self.prompt_s

    @property
    def decode_tokens_per_s(self) -> float:
        """Generated tokens a second of one sequence of a full batch."""
        return 1.0 / self.token_s

    @property
    def max_batch(self) -> int:
        """Sequences of the batch of which the time of a token is known."""
        return _BATCH


MODELS: dict[ModelName, dict[Gpu, dict[int, Served]]] = {
    "llama-2-70b": {
        "h100": {2: Served(0.15795, 0.05230), 4: Served(0.10561, 0.03688), 8: Served(0.07791, 0.03862)},
        "a100": {2: Served(0.37706, 0.07219), 4: Served(0.22708, 0.05235), 8: Served(0.15446, 0.05302)},
    },
    "bloom-176b": {
        "h100": {8: Served(0.13262, 0.04584)},
        "a100": {8: Served(0.28919, 0.06538)},
    },
}
"""By model, GPU and GPUs of a replica: medians of what Splitwise (arXiv 2311.18677) measured on DGX-H100 and DGX-A100 [V]."""

SPEEDS = ("prefill_tokens_per_s", "decode_tokens_per_s", "max_batch")
"""What a model sets, beside the GPUs of a replica."""

GPUS_OF_A_MODEL = 8
"""GPUs of a replica where they are not given, of which every model has figures."""


def fill(section: BaseModel, gpu: str, keys: Mapping[str, str]) -> None:
    """Set the fields of a section that were not given to figures of a GPU; keys: fields, and the figure that each has."""
    _set(section, GPUS[gpu], keys)


def fill_speeds(section: BaseModel, served: Served) -> None:
    """Set the speeds and the batch of a fleet that were not given to those of a model."""
    _set(section, served, {key: key for key in SPEEDS})


def _set(section: BaseModel, preset: Any, keys: Mapping[str, str]) -> None:
    for field, figure in keys.items():
        if field not in section.model_fields_set:
            section.__dict__[field] = getattr(preset, figure)
