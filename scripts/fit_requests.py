"""Fits the numbers of hil/loads/azure_2023.json to the two Azure LLM inference traces of 2023, and prints what came of it.

    python scripts/fit_requests.py FOLDER

FOLDER holds AzureLLMInferenceTrace_code.csv and AzureLLMInferenceTrace_conv.csv (Azure/AzurePublicDataset, CC-BY 4.0). Needs
scipy. What is computed here and what is set by hand stands in docs/loads.md; validation/arrivals.py measures the result.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from hil.loads.base import Floats
from hil.loads.requests import RequestFile
from hil.loads.synthetic import FITTED

TRACES = {"code": "AzureLLMInferenceTrace_code.csv", "conversation": "AzureLLMInferenceTrace_conv.csv"}
LEVELS = [
    0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995,
    0.999, 0.9995, 1,
]  # fmt: skip
PAUSE_S = 1.0  # a longer wait ends a burst of the code trace; by hand
BASE_RATE_PER_S, SURGE_S = 6.5, 12.0  # of such a burst; by hand, against the peaks
SPACINGS = {"code": 48, "conversation": 80}  # by hand, likewise
PIECES = 58  # of constant rate in the conversation trace, about a minute each


def read(path: Path) -> Floats:
    """Arrival, s, context tokens and generated tokens of each request, shape (3, n)."""
    return np.array([(r.arrival_s, r.context_tokens, r.generated_tokens) for r in RequestFile(path)]).T


def table(values: Floats, floor: float = 1e-6) -> list[float]:
    """Quantiles at LEVELS; of a constant one number."""
    levels = LEVELS if np.ptp(values) > 0 else [0]
    return [float(f"{v:.4g}") for v in np.quantile(np.maximum(values, floor), levels, method="hazen")]


def dealt_mean(quantiles: list[float], n: int) -> float:
    """Mean of n strata of a table, each at its middle."""
    return float(np.exp(np.interp((np.arange(n) + 0.5) / n, LEVELS, np.log(quantiles))).mean())


def score_correlation(a: Floats, b: Floats) -> float:
    """Correlation of normal scores that gives the rank correlation of a and b."""
    return round(float(2 * np.sin(np.pi / 6 * stats.spearmanr(a, b).statistic)), 3)


def of_bursts(at: Floats) -> dict[str, Any]:
    """Bursts between pauses, with surges in them: the code trace."""
    wait = np.diff(at)
    ends = np.flatnonzero(wait > PAUSE_S)
    first, last = np.r_[0, ends + 1], np.r_[ends, len(at) - 1]
    size, gap = last - first + 1.0, wait[ends]
    duration = (at[last] - at[first]) * size / np.maximum(size - 1, 1)  # with the wait after the last request
    steady = np.flatnonzero((size >= 10) & (size < 1.5 * BASE_RATE_PER_S * duration))
    return {
        "bursts": len(size),
        "base_rate_per_s": BASE_RATE_PER_S,
        "most_per_s": round(float((size[size >= 30] / duration[size >= 30]).max()), 1),
        "surge_s": SURGE_S,
        "persistence": 0.0,
        "size_duration": score_correlation(size, duration),
        "size_gap": score_correlation(size[:-1], gap),
        "size": size,
        "duration_s": table(duration, 0.01),
        "gap_s": table(gap),
        "spacing": table(np.concatenate([wait[first[i] : last[i]] * size[i] / duration[i] for i in steady])),
    }


def of_pieces(at: Floats) -> dict[str, Any]:
    """Pieces of constant rate without gaps, whose rates persist: the conversation trace."""
    edges = np.linspace(0, at[-1] + 1e-6, PIECES + 1)
    size = np.histogram(at, edges)[0].astype(float)
    duration_s = at[-1] / PIECES
    z = stats.norm.ppf((stats.rankdata(size) - 0.5) / PIECES)
    piece = np.minimum(np.searchsorted(edges, at[:-1], side="right") - 1, PIECES - 1)
    return {
        "bursts": PIECES,
        "base_rate_per_s": 100.0,  # above any rate: no surges
        "most_per_s": 100.0,
        "surge_s": 1.0,
        "persistence": round(float(np.corrcoef(z[:-5], z[5:])[0, 1]) ** (1 / 5), 3),
        "size_duration": 0.0,
        "size_gap": 0.0,
        "size": size,
        "duration_s": table(np.full(PIECES, duration_s), 0.01),
        "gap_s": table(np.full(PIECES, 1e-6)),
        "spacing": table(np.diff(at) * (size / duration_s)[piece]),
    }


def fit(name: str, path: Path) -> dict[str, Any]:
    """The fitted numbers of one trace."""
    at, context, generated = read(path)
    found = (of_bursts if name == "code" else of_pieces)(at)
    sizes = table(found["size"])
    stretch = len(at) / found["bursts"] / dealt_mean(sizes, found["bursts"])  # so that a deck has the trace's requests
    return {
        "span_s": round(float(at[-1]), 3),
        "spacings": SPACINGS[name],
        **found,
        "size": [float(f"{quantile * stretch:.4g}") for quantile in sizes],
        "context_generated": score_correlation(context, generated),
        "context_tokens": table(context),
        "generated_tokens": table(generated),
    }


def main() -> None:
    """Fit both traces and write the file."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    fitted = {"levels": LEVELS, **{name: fit(name, Path(sys.argv[1]) / file) for name, file in TRACES.items()}}
    lines = re.sub(r"\[[^\]]*\]", lambda found: " ".join(found[0].split()), json.dumps(fitted, indent=1))
    FITTED.write_text(lines + "\n", encoding="utf-8")
    numbers = sum(np.size(value) for name in TRACES for value in fitted[name].values())
    print(f"{FITTED}: {numbers} numbers")


if __name__ == "__main__":
    main()
