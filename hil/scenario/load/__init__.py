"""Section `[load]`: what the site draws, one module a kind. Parameters and their sources: docs/loads.md.

Nothing here makes a load: that is hil/loads.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hil.scenario.load.inference import InferenceLoad
from hil.scenario.load.sum import SumLoad
from hil.scenario.load.trace import TraceLoad
from hil.scenario.load.training import TrainingLoad

Load = Annotated[TrainingLoad | InferenceLoad | TraceLoad | SumLoad, Field(discriminator="kind")]

__all__ = ["InferenceLoad", "Load", "SumLoad", "TraceLoad", "TrainingLoad"]
