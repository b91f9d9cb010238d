"""Synthetic requests against the Azure LLM inference traces of 2023 that they are fitted to, over 20 seeds.

Every figure is the worst of all seeds: how far one hour of the generator is from the hour of the trace.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from harness import Figure, report

from hil.loads.requests import Request, RequestFile
from hil.loads.synthetic import synthetic_requests

SHARED = Path(os.environ.get("RIDETHROUGH_SHARED", Path(__file__).parents[2] / "shared"))
TRACES = {"azure_code": "AzureLLMInferenceTrace_code.csv", "azure_conversation": "AzureLLMInferenceTrace_conv.csv"}
SEEDS = range(20)
# Figure: bound, as a share of the trace's value.
BOUNDS = {
    "requests a second": 0.05,
    "CV of the times between arrivals": 0.20,
    "most arrivals in 1 s": 0.30,
    "most arrivals in 10 s": 0.20,
    "mean of context tokens": 0.05,
    "mean of generated tokens": 0.05,
    "median of context tokens": 0.10,
    "median of generated tokens": 0.10,
    "95th percentile of context tokens": 0.10,
    "95th percentile of generated tokens": 0.10,
}


def most_within(arrival_s: np.ndarray, window_s: float) -> int:
    """Largest number of arrivals in any window of that length, wherever it begins."""
    return int(np.max(np.arange(1, arrival_s.size + 1) - np.searchsorted(arrival_s, arrival_s - window_s)))


def measured(requests: list[Request], span_s: float) -> dict[str, float]:
    """The figures of one hour."""
    arrival_s = np.array([request.arrival_s for request in requests])
    wait_s = np.diff(arrival_s)
    found = {
        "requests a second": arrival_s.size / span_s,
        "CV of the times between arrivals": float(wait_s.std() / wait_s.mean()),
        "most arrivals in 1 s": most_within(arrival_s, 1.0),
        "most arrivals in 10 s": most_within(arrival_s, 10.0),
    }
    for name in ("context", "generated"):
        tokens = np.array([getattr(request, f"{name}_tokens") for request in requests])
        found[f"mean of {name} tokens"] = float(tokens.mean())
        found[f"median of {name} tokens"] = float(np.median(tokens))
        found[f"95th percentile of {name} tokens"] = float(np.percentile(tokens, 95))
    return found


def hour(arrivals: str, seed: int, span_s: float) -> list[Request]:
    """The requests of one span of a seed."""
    requests = []
    for request in synthetic_requests(arrivals, seed):
        if request.arrival_s >= span_s:
            break
        requests.append(request)
    return requests


def figures() -> list[Figure]:
    """All figures of both traces."""
    found = []
    for arrivals, file in TRACES.items():
        of_trace = list(RequestFile(SHARED / "data" / "azure_llm_2023" / file))
        span_s = of_trace[-1].arrival_s
        trace = measured(of_trace, span_s)
        seeds = [measured(hour(arrivals, seed, span_s), span_s) for seed in SEEDS]
        for name, bound in BOUNDS.items():
            worst = max(abs(seed[name] / trace[name] - 1.0) for seed in seeds)
            spread = f"{min(seed[name] for seed in seeds):.4g} to {max(seed[name] for seed in seeds):.4g}"
            label = f"{arrivals}: {name}, worst of {len(seeds)} seeds ({spread}), share of the trace's {trace[name]:.4g}"
            found.append(Figure(label, worst, bound, "the trace"))
    return found


if __name__ == "__main__":
    if not (SHARED / "data" / "azure_llm_2023").is_dir():
        sys.exit(f"arrivals: needs the Azure LLM inference trace 2023 in {SHARED / 'data' / 'azure_llm_2023'}")
    report("arrivals", figures())
