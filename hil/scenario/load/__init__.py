"""Section `[load]`: what the site draws, one module a kind. Parameters and their sources: docs/loads.md.

Nothing here makes a load: that is hil/loads.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hil.scenario.load.inference import InferenceLoad
from hil.scenario.load.remedies import Capping, Filler, Rack, Smoothing, Supply
from hil.scenario.load.sum import InferencePart, SumLoad, TracePart, TrainingPart
from hil.scenario.load.trace import TraceLoad
from hil.scenario.load.training import TrainingLoad

Load = Annotated[TrainingLoad | InferenceLoad | TraceLoad | SumLoad, Field(discriminator="kind")]

__all__ = [
    "Capping",
    "Filler",
    "InferenceLoad",
    "InferencePart",
    "Load",
    "Rack",
    "Smoothing",
    "SumLoad",
    "Supply",
    "TraceLoad",
    "TracePart",
    "TrainingLoad",
    "TrainingPart",
]
