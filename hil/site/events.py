"""Stimuli of the plant: scripted ones as rows for the kernel, those given while it runs as commands to it."""

from __future__ import annotations

import cmath
import math

from hil.kernel.engine import Engine
from hil.kernel.layout import CODES
from hil.limits.blanking import FOR_GOOD, blank_ticks, lasting_ticks
from hil.scenario.event import Fault, GenerationLoss, GridDip, GridOutage, ResetLockout, Stimulus
from hil.scenario.model import Scenario
from hil.site.parts import Parts

_TURN = cmath.exp(2j * math.pi / 3.0)
# The phase that the fault singles out, in turns from phase a.
_SINGLED_OUT = {"ag": 0, "bg": 1, "cg": 2, "bc": 0, "ca": 1, "ab": 2, "bcg": 0, "cag": 1, "abg": 2}


def events(parts: Parts) -> None:
    """Fill the events of the plant."""
    scenario = parts.scenario
    chosen = [event for event in scenario.events if isinstance(event, (GridDip, GridOutage, GenerationLoss))]
    for row, event in zip(parts.make_parameters("events", len(chosen)), chosen, strict=True):
        row["start_tick"] = scenario.ticks_of(event.at_s)
        ticks = lasting_ticks(scenario, event)
        row["end_tick"] = FOR_GOOD if ticks is None else row["start_tick"] + ticks
        for name, value in _values(scenario, event).items():
            row[name] = value


def stimulate(engine: Engine, scenario: Scenario, event: Stimulus | ResetLockout) -> None:
    """Let a running plant feel an event from its next tick on, whatever its time."""
    if isinstance(event, ResetLockout):
        breaker = scenario.breakers.index(event.breaker)
        engine.command(scenario.numbers, CODES["stimulus.reset_breaker"], float(breaker))
        return
    ticks = lasting_ticks(scenario, event)
    values = {**_values(scenario, event), "begin": -1.0 if ticks is None else ticks}
    for name, value in values.items():
        engine.command(scenario.numbers, CODES[f"stimulus.{name}"], float(value))


def stimulate_no_more(engine: Engine, scenario: Scenario) -> None:
    """Let all that was given so end with the next tick."""
    engine.command(scenario.numbers, CODES["stimulus.end_all"], 0.0)


def _values(scenario: Scenario, event: Stimulus) -> dict[str, float]:
    """What an event does, as fields of its row, which are points of the grid as well."""
    values: dict[str, float] = dict.fromkeys(("negative_re", "negative_im", "zero_re", "zero_im"), 0.0)
    values["blanks"] = not event.judged
    values["blank_ticks"] = blank_ticks(scenario, event)
    if isinstance(event, GridDip):
        positive, negative, zero = sequences(event.fault, event.residual)
        values |= {"kind": CODES["event.dip"], "value": positive, "negative_re": negative.real, "negative_im": negative.imag}
        values |= {"zero_re": zero.real, "zero_im": zero.imag}
    elif isinstance(event, GridOutage):
        values |= {"kind": CODES["event.outage"], "value": 0.0}
    else:
        values |= {"kind": CODES["event.generation_loss"], "value": event.power_w}
    return values


def sequences(fault: Fault, residual: float) -> tuple[float, complex, complex]:
    """Positive, negative and zero sequence of the source during a dip, shares of its voltage.

    docs/model.md, "Dips"; the types are A, B, C and E of Bollen's classification (Understanding Power Quality Problems, 1999).
    """
    if fault == "abc":
        return residual, 0j, 0j
    if len(fault) == 3:  # two phases to ground
        positive, negative, zero = (1.0 + 2.0 * residual) / 3.0, (1.0 - residual) / 3.0, (1.0 - residual) / 3.0
    elif fault.endswith("g"):
        positive, negative, zero = (2.0 + residual) / 3.0, (residual - 1.0) / 3.0, (residual - 1.0) / 3.0
    else:
        positive, negative, zero = (1.0 + residual) / 2.0, (1.0 - residual) / 2.0, 0.0
    turns = _SINGLED_OUT[fault]
    return positive, negative * _TURN**turns, zero * _TURN**-turns
