"""How figures become files: one style, and the same file for the same figure. What is drawn stands elsewhere."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

FORMATS = (".png", ".svg")
DPI = 110
# Text as text, and the same file from the same run. A dollar in a name begins no formula.
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ridethrough",
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9.0,
    "text.parse_math": False,
}


def save(path: Path, made: Callable[[], Figure]) -> None:
    """Make a figure in our style and write it, the same file for the same figure.

    Raises ValueError for another ending than those of FORMATS, before it is made; OSError for a file that cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: must end in {' or '.join(FORMATS)}")
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # whatever a user's own style is
        mpl.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # of a name that somebody gave
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else {}
        made().savefig(path, dpi=DPI, format=path.suffix[1:].lower(), metadata=metadata)
