"""Protection functions and limits on rows that came from elsewhere: a recording, a reference vector, a random waveform."""

from collections.abc import Mapping
from typing import Any

import numpy as np

class Replay:
    """Runs functions and limits over rows.

    parameters, states: structured arrays by the names of `hil.kernel.layout` ("limits" and those of `FUNCTIONS`), what is
    left out is empty; states also "arena" and "blank_until". They lie open, as those of an engine. warm_up_ticks: before them
    what limits do not judge, by their `suspect_until`, is not counted either. Raises ValueError for arrays of another kind.
    """

    parameters: dict[str, Any]
    states: dict[str, Any]
    tick: int
    warm_up_ticks: int
    def __init__(self, parameters: Mapping[str, Any], states: Mapping[str, Any]) -> None: ...
    def run(self, rows: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        """Run one tick a row; the outputs of functions are written into the rows, shape (ticks, channels).

        Goes on where the last call ended. Raises ValueError for what cannot be run.
        """
