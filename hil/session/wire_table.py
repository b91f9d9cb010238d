"""How fast must the wire be: one scenario over a grid of driver cycles and link latencies."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from hil.errors import ScenarioError
from hil.scenario.files import from_document
from hil.scenario.model import Scenario
from hil.session.run import Options, run_scenario
from hil.verdict.outcome import Outcome


@dataclass(frozen=True)
class WireCell:
    """One run. margins: by limit, what was left of its span (negative: violated); None where it was not judged."""

    cycle_s: float
    latency_s: float
    verdict: Outcome
    outcomes: dict[str, Outcome]
    margins: dict[str, float | None]
    reasons: list[str]


def wire_table(
    scenario: Scenario, cycles_s: Iterable[float], latencies_s: Iterable[float], *, jobs: int
) -> Iterator[WireCell]:
    """Run every pair, `jobs` at a time in processes of their own; yields in the order of the pairs, latencies fastest.

    Every storage device whose law is on the wire gets the cycle as its driver's, and the latency as its link's, one way.
    Raises ScenarioError where no law is on the wire.
    """
    devices = [absorber.device for absorber in scenario.absorber.values() if scenario.on_wire(absorber.device)]
    if not devices:
        raise ScenarioError(scenario.source, "absorber", ": none has placement = 'wire'; nothing to vary")
    documents = []
    for cycle_s, latency_s in itertools.product(cycles_s, latencies_s):
        document = scenario.document()
        for device in devices:
            _set(document, scenario, device, cycle_s, latency_s)
        from_document(document, source=scenario.source)  # what cannot be run is told before anything runs
        documents.append((document, scenario.source, cycle_s, latency_s))
    if jobs == 1:
        yield from map(_cell, documents)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_cell, documents)


def _set(document: dict[str, Any], scenario: Scenario, device: str, cycle_s: float, latency_s: float) -> None:
    bess = document["bess"][device.removeprefix("bess.")]
    bess["driver"]["rate"] = f"{1.0 / cycle_s!r} Hz"
    found = scenario.link_of(device)
    controller = f"absorber.{scenario.on_wire(device)}"
    name = f"wire_{device.removeprefix('bess.')}" if found is None else found[0]
    link = document.setdefault("link", {}).setdefault(name, {"between": [controller, device]})
    link["latency"] = f"{latency_s!r} s"


def _cell(job: tuple[dict[str, Any], str, float, float]) -> WireCell:
    document, source, cycle_s, latency_s = job
    result = run_scenario(from_document(document, source=source), Options())
    return WireCell(
        cycle_s=cycle_s,
        latency_s=latency_s,
        verdict=result.verdict,
        outcomes={name: limit.outcome for name, limit in result.limits.items() if limit.required},
        margins={name: limit.margin for name, limit in result.limits.items() if limit.required},
        reasons=result.reasons,
    )
