"""The verdict of a run: its required limits, and the evidence that is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.kernel.engine import Engine
from hil.limits.build import functions_of, relays_of
from hil.limits.entries import entries
from hil.limits.facts import facts_of
from hil.limits.judged import Judged
from hil.scenario.limit import DisturbanceCounter
from hil.scenario.model import Scenario
from hil.verdict.breakers import with_breakers
from hil.verdict.counters import with_counters, without_ups
from hil.verdict.evidence import Evidence
from hil.verdict.foreseen import NO_LIMIT
from hil.verdict.limits import limit_result
from hil.verdict.liveness import Liveness
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult, decided


@dataclass(frozen=True)
class Verdict:
    """The answer, the limits behind it, and what blocks PASS although no required limit was violated."""

    outcome: Outcome
    limits: dict[str, LimitResult]
    reasons: list[str] = field(default_factory=list)


def judge(
    scenario: Scenario,
    engine: Engine,
    liveness: Mapping[str, Liveness],
    missing: Iterable[str],
    sampled_s: float | None = None,
) -> Verdict:
    """Judge a run.

    FAIL of a required limit outranks everything; missing evidence only blocks PASS. liveness: by supervisor and absorber.
    missing: what the session knows to be missing, such as the rest of a run that was interrupted. sampled_s: time between two
    samples of a recorded load.
    """
    ticks = min(engine.tick, engine.end_tick)
    states = engine.states["limits"]
    ways: dict[str, list[tuple[Judged, Any]]] = {limit.name: [] for limit in scenario.limits}
    for (limit, how), state in zip(entries(scenario), states, strict=True):
        ways[limit.name].append((how, state))
    relays = relays_of(functions_of(entries(scenario)), engine.states)
    late_s = float(scenario.clock.overrun_budget_s)
    evidence = Evidence(float(scenario.tick_s), ticks, scenario.measurement, late_s, relays, sampled_s=sampled_s)
    limits = {}
    for limit in scenario.limits:
        if not isinstance(limit, DisturbanceCounter):
            limits[limit.name] = limit_result(evidence, limit, ways[limit.name])
        elif not ways[limit.name]:
            limits[limit.name] = without_ups(limit)
        else:
            counters = engine.states["ups"]["counter"]
            turned_on = {f"ups.{name}" for name, place in scenario.ups_places.items() if counters[place].any()}
            found = limit_result(evidence, limit, ways[limit.name])
            limits[limit.name] = with_counters(found, facts_of(scenario), turned_on)
    limits = with_breakers(scenario, limits, (engine.parameters["trips"], engine.states["trips"]))
    outcome, reasons = decided(limits, [*missing, *_missing(scenario, engine, liveness)], NO_LIMIT)
    return Verdict(outcome, limits, reasons)


def _missing(scenario: Scenario, engine: Engine, liveness: Mapping[str, Liveness]) -> list[str]:
    reasons = []
    if engine.underruns:
        reasons.append(f"load: {engine.underruns} ticks without a value (under-run)")
    for name, silence in liveness.items():
        allowed = _silence_allowed(scenario, silence.who)
        if allowed is not None and silence.longest_s > allowed:
            reasons.append(
                f"{name}: silent for {silence.longest_s:.3f} s from {silence.longest_from_s:.3f} s, allowed {allowed:g} s"
            )
    for name, absorber in scenario.absorber.items():
        faults = int(engine.states["law"][list(scenario.bess).index(absorber.device.removeprefix("bess."))]["faults"])
        if faults:
            reasons.append(f"absorber.{name}: {faults} answers of its law were not finite, or missing, and counted as zero")
    if engine.largest_demand_w > 0.0:
        ratio = scenario.grid.short_circuit_va / engine.largest_demand_w
        if ratio < scenario.grid.validity_floor:
            reasons.append(
                f"grid: short-circuit ratio {ratio:.2f} is below the model's validity, {scenario.grid.validity_floor:g}"
            )
    collapsed = int(engine.states["network"][0]["collapsed_ticks"])
    if collapsed:
        reasons.append(f"grid: no solution of the network in {collapsed} ticks")
    void = int(engine.states["run"][0]["commands_void"])
    if void:
        validity = f"{1e3 * scenario.clock.command_validity_s:g} ms (clock.command_validity)"
        reasons.append(f"commands: {void} were void, taken by no tick within {validity}")
    if engine.dropped_rows:
        reasons.append(f"record: {engine.dropped_rows} rows dropped")
    return reasons


def _silence_allowed(scenario: Scenario, name: str) -> float | None:
    """How long `supervisor.NAME` or `absorber.NAME` may be silent; None where it is not required."""
    kind, _, own = name.partition(".")
    if kind == "absorber":
        return float(scenario.absorber[own].stale_after_s)
    supervisor = scenario.supervisor.get(own)
    if supervisor is None:  # one of the user's own
        return 1.0
    return float(supervisor.stale_after_s) if supervisor.required else None
