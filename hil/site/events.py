"""Scripted stimuli of the plant as rows for the kernel."""

from __future__ import annotations

import cmath
import math

from hil.kernel.layout import CODES
from hil.scenario.event import Fault, GenerationLoss, GridDip
from hil.site.parts import Parts

_NEVER = 2**62
_TURN = cmath.exp(2j * math.pi / 3.0)
# The phase that the fault singles out, in turns from phase a.
_SINGLED_OUT = {"ag": 0, "bg": 1, "cg": 2, "bc": 0, "ca": 1, "ab": 2, "bcg": 0, "cag": 1, "abg": 2}


def events(parts: Parts) -> None:
    """Fill the events of the plant."""
    scenario, measuring = parts.scenario, parts.scenario.measurement
    chosen = [event for event in scenario.events if isinstance(event, (GridDip, GenerationLoss))]
    for row, event in zip(parts.make_parameters("events", len(chosen)), chosen, strict=True):
        start = scenario.ticks_of(event.at_s)
        end = _NEVER if event.duration_s is None else start + max(1, scenario.ticks_of(event.duration_s))
        row["start_tick"], row["end_tick"] = start, end
        row["blanks"] = not event.judged
        if isinstance(event, GridDip):
            row["kind"] = CODES["event.dip"]
            window_s = measuring.window_s
            positive, negative, zero = sequences(event.fault, event.residual)
            row["value"] = positive
            row["negative_re"], row["negative_im"] = negative.real, negative.imag
            row["zero_re"], row["zero_im"] = zero.real, zero.imag
        else:
            row["kind"] = CODES["event.generation_loss"]
            window_s = measuring.frequency_window_s
            row["value"] = event.power_w
        if end != _NEVER:
            row["blank_ticks"] = scenario.ticks_of(event.settle_s + window_s + measuring.delay_s)


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
