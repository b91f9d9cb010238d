"""GPUs whose figures have a source: what `gpu = "NAME"` sets where a key is not given. No load lives here.

Sources and tags: [V] read in the paper, [S] secondary, [M] from memory, as in docs/loads.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

Gpu = Literal["h100", "a100", "l40s"]


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


def fill(section: BaseModel, gpu: str, keys: Mapping[str, str]) -> None:
    """Set the fields of a section that were not given to figures of a GPU; keys: fields, and the figure that each has."""
    preset: Any = GPUS[gpu]
    for field, figure in keys.items():
        if field not in section.model_fields_set:
            section.__dict__[field] = getattr(preset, figure)
