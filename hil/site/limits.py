"""Limits of a site, and the protection functions behind them: what they stand on before the first tick."""

from __future__ import annotations

from typing import Any

from hil.errors import ScenarioError
from hil.limits.build import Ground, fill_functions, fill_limits, functions_of
from hil.limits.channels import NEGATIVE_SEQUENCE
from hil.limits.entries import entries
from hil.limits.facts import facts_of
from hil.scenario.model import Scenario
from hil.site.parts import Parts, Steady


def sequence_channels(scenario: Scenario) -> tuple[str, ...]:
    """Negative-sequence voltages that a limit looks at, or that the record names: behind the channels of the site."""
    wanted = {channel for stream in scenario.record.streams.values() for channel in stream.channels}
    for _, how in entries(scenario):
        wanted.update((how.channel, *(name for function in how.functions for name in function.inputs)))
    return tuple(channel for channel in NEGATIVE_SEQUENCE.values() if channel in wanted)


def function_channels(scenario: Scenario) -> tuple[str, ...]:
    """Channels that protection functions put behind those of the site."""
    return tuple(name for function in functions_of(entries(scenario)) for name in function.outputs)


def limits(parts: Parts, steady: Steady, channels: tuple[str, ...]) -> None:
    """Fill the limits and their functions. Raises ScenarioError for a function that cannot be at this tick."""
    scenario = parts.scenario
    found = entries(scenario)
    columns = {name: column for column, name in enumerate(channels)}
    ground = Ground(facts_of(scenario), columns, _initial(parts, steady))
    try:
        fill_functions(parts, functions_of(found), ground)
    except ValueError as problem:
        raise ScenarioError(scenario.source, "limits", f": {problem}") from None
    fill_limits(parts, found, ground)


def _initial(parts: Parts, steady: Steady) -> dict[str, float]:
    """Values of channels as if the site had stood for ever; what is missing is 0."""
    found: dict[str, Any] = {"pcc.power_w": steady.grid_w, "pcc.power_measured_w": steady.grid_w}
    found["pcc.reactive_var"] = steady.grid_var
    found["pcc.frequency_hz"] = found["pcc.frequency_measured_hz"] = float(parts.scenario.grid.frequency_hz)
    for node, voltage_pu in (("pcc", steady.voltage_pu), ("bus", steady.bus_voltage_pu)):
        for which in ("", "_a", "_b", "_c", "_lowest_measured", "_highest_measured"):
            found[f"{node}.voltage{which}_pu"] = voltage_pu
    for name, place in parts.scenario.ups_places.items():
        found[f"ups.{name}.input_w"] = float(parts.states["ups_power"]["input_w"][place].sum())
    return found
