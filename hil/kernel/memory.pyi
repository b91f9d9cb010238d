"""Interface of the compiled calls for memory."""

from typing import Any

import numpy as np

def lock_memory() -> int:
    """Keep the pages of this process in memory, those to come too, each from when it is first used (`MCL_ONFAULT`).

    0, or the system's error number (`errno`); ENOTSUP where the system has no such call.
    """

def unlock_memory() -> int:
    """Undo it; 0, or an error number."""

def touch(pages: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    """Write each page of some bytes with what it holds, shape (n,), so that it is there. Nobody else may write meanwhile."""
