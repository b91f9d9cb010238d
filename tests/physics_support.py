"""What tests/test_physics.py expects of network, firmware and law, written from docs/model.md."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import root


def _voltage(e: float, z: complex, current: Callable[[complex], complex]) -> float | None:
    """Largest |V| that solves E = V + Z·I(V) as phasors, by Newton's method; None where nothing does."""

    def mismatch(x: np.ndarray) -> list[float]:
        v = complex(*x)
        rest = e - z * current(v) - v
        return [rest.real, rest.imag]

    found = [root(mismatch, start, tol=1e-14).x for start in ([2.0, 0.0], [e, 0.0])]
    return max((float(np.hypot(*x)) for x in found if np.hypot(*mismatch(x)) < 1e-12), default=None)


def network(
    e: float, z: complex, load: complex, storage: complex, below: float, measured: float
) -> tuple[float, float, float]:
    """Voltage at the PCC and the delivered shares of load and storage, powers as P + jQ per unit ("Network")."""
    voltage = _voltage(e, z, lambda v: ((load - storage) / (v or 1e-9)).conjugate())
    if voltage is not None and voltage >= below:
        return voltage, 1.0, 1.0
    seen = max(measured, 0.05)
    size = (load / below - storage / seen).conjugate()
    voltage = _voltage(e, z, lambda v: size * v / (abs(v) or 1.0))  # constant in size, in phase with the voltage
    if voltage is None:
        return 0.0, 0.0, 0.0
    return voltage, voltage / below, voltage / seen


def limited(want: complex, most: float) -> complex:
    """P + jQ within an apparent power, active power first ("Inverter firmware")."""
    p = min(max(want.real, -most), most)
    room = math.sqrt(max(most**2 - p**2, 0.0))
    return complex(p, min(max(want.imag, -room), room))


def windowed(x: np.ndarray, ticks: int, delay: int, before: float) -> np.ndarray:
    """Mean of the last `ticks` samples, `delay` ticks late, of a signal that stood at `before` for ever."""
    padded = np.concatenate([np.full(ticks - 1 + delay, before), x])
    return np.lib.stride_tricks.sliding_window_view(padded, ticks).mean(axis=1)[: x.size]


def ramp_limit(measured: np.ndarray, rise: float, fall: float, every: int, h: float, before: float) -> np.ndarray:
    """The law on the load as measured at the end of the tick before, held between updates ("Absorbers")."""
    share, answer, out = before, 0.0, np.empty(measured.size)
    for k in range(measured.size):
        if k % every == 0:
            seen = measured[k - 1] if k else before
            share += min(max(seen - share, -fall * every * h), rise * every * h)
            answer = seen - share
        out[k] = answer
    return out
