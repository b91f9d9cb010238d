"""What every validation shares: figures with their bounds, names of peers with versions, one JSON line at the end."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # for rig.py, the bench that runs an engine


@dataclasses.dataclass(frozen=True)
class Figure:
    """One comparison: how far the model is from an independent solution, and how far it may be."""

    name: str
    value: float
    bound: float
    against: str


def peer(*packages: str) -> str:
    """Names of packages with their versions, as a figure's `against` gives them."""
    return " and ".join(f"{package} {version(package)}" for package in packages)


def largest(ours: np.ndarray, theirs: np.ndarray, over: np.ndarray | float) -> float:
    """Largest difference, as a share of `over`; infinite where something is not a number."""
    share = np.abs(np.asarray(ours) - np.asarray(theirs)) / over
    return float(np.max(share)) if np.all(np.isfinite(share)) else float("inf")


def report(validation: str, figures: Sequence[Figure]) -> None:
    """Each figure on a line, and the one JSON line that others read."""
    for figure in figures:
        mark = "ok  " if figure.value <= figure.bound else "FAIL"
        print(f"{mark} {figure.value:9.3g} <= {figure.bound:<7.3g} {figure.name} (against {figure.against})")
    print(json.dumps({"validation": validation, "figures": [dataclasses.asdict(figure) for figure in figures]}))
