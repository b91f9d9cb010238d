"""A ratio: its value."""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.limits.ratios import Ratio
from hil.verify.bench import Bench


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: kind, of (the values that it is made from), scale, least. found: value."""
    values = given["of"]
    ratio = Ratio(given["kind"], **{key: given[key] for key in ("scale", "least") if key in given})
    bench = Bench()
    params, _ = bench.add("ratios")
    ratio.fill(params[0], channels=tuple(range(len(values))), output=len(values))
    return {"value": float(bench.run(*(np.array([float(value)]) for value in values), outputs=1)[0, -1])}
