"""The rolling maximum and minimum of the kernel against every window looked at anew."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hil.kernel.arena import Arrays
from hil.kernel.layout import CODES
from hil.kernel.protection.replay import Replay

SPANS = (2, 3, 4, 5, 6, 7, 11, 12, 13, 63, 64, 65, 100, 127, 128, 129, 130, 191, 192, 193, 257, 1001)
SIGNALS = ("noise", "rising", "falling", "few values", "walk", "saw", "one step")


def signal(name: str, count: int, rng: np.random.Generator) -> np.ndarray:
    at = np.arange(count, dtype=float)
    return {
        "noise": rng.normal(size=count),
        "rising": at,
        "falling": -at,
        "few values": rng.integers(0, 3, count).astype(float),
        "walk": np.cumsum(rng.normal(size=count)),
        "saw": at % 37.0,
        "one step": (at > count // 2).astype(float),
    }[name]


def replay(kind: str, **given: float) -> tuple[Replay, Arrays]:
    """One limit on the first channel, with the windows of `given`."""
    arrays = Arrays()
    params, states = arrays.make("limits", 1)
    params["kind"], params["high"], params["low"] = CODES[f"limit.{kind}"], math.inf, -math.inf
    params["has_high"], params["has_low"] = 1, kind == "level"
    params["delay_ticks"], params["blank"] = given.get("delay", 0), CODES["blank.voltage"]
    for name in ("top", "bottom") if kind == "range" else ("held_high", "held_low"):
        arrays.arena.extremum(states[0][name], int(given["span"]))
    arrays.states["arena"] = arrays.arena.array()
    return Replay(arrays.parameters, arrays.states), arrays


def each(of: Replay, samples: np.ndarray, field: str, blanked: np.ndarray | None = None) -> np.ndarray:
    """What a sample alone makes of a field that keeps the most extreme."""
    none = -math.inf if field == "highest" else math.inf
    state, found = of.states["limits"][0], []
    for i, sample in enumerate(samples):
        of.states["blank_until"][CODES["blank.voltage"]] = of.tick + (blanked is not None and blanked[i])
        state["highest"], state["lowest"] = -math.inf, math.inf
        of.run(np.array([[sample]]))
        found.append(none if state[field] == none else float(state[field]))
    return np.array(found)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_range_is_that_of_every_window(name):
    rng = np.random.default_rng(SIGNALS.index(name))
    for span in SPANS:
        samples = signal(name, int(rng.integers(1, 4 * span + 300)), rng)
        of, _ = replay("range", span=span)
        padded = np.concatenate([np.full(span - 1, np.nan), samples])
        windows = np.lib.stride_tricks.sliding_window_view(padded, span)
        expected = np.nanmax(windows, axis=1) - np.nanmin(windows, axis=1)
        np.testing.assert_array_equal(each(of, samples, "highest"), expected, f"{span} samples")


@pytest.mark.parametrize("field", ["highest", "lowest"])
def test_what_is_held_for_a_delay_begins_anew_after_what_is_not_judged(field):
    rng = np.random.default_rng(8)
    for span in SPANS:
        count = 6 * span + 200
        samples = np.cumsum(rng.normal(size=count))
        samples[rng.random(count) < 0.3 / span] = np.nan
        blanked = rng.random(count) < 0.3 / span
        blanked[count // 2 : count // 2 + span // 2] = True
        of, _ = replay("level", span=span, delay=span - 1)
        got = each(of, samples, field, blanked)
        least = np.min if field == "highest" else np.max
        none = -math.inf if field == "highest" else math.inf
        expected, judged = [], 0
        for i, sample in enumerate(samples):
            judged = 0 if blanked[i] or np.isnan(sample) else judged + 1
            expected.append(least(samples[i - span + 1 : i + 1]) if judged >= span else none)
        np.testing.assert_array_equal(got, expected, f"{span} samples")
        assert np.isfinite(got).any()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("offset", -1), ("offset", 10**6), ("ring", 12), ("block", 0), ("block", 5), ("base", 1), ("base", 10**6),
        ("index", 8), ("index", -1), ("span", 0), ("span", 10**6), ("number", -1), ("number", 2**62), ("mask", 1),
        ("mask", 2**62), ("head", 1), ("tail", 64),
    ],
)  # fmt: skip
def test_a_window_that_cannot_be_is_refused(field, value):
    of, _ = replay("range", span=17)
    of.states["limits"]["top"][field] = value
    with pytest.raises(ValueError, match="a window outside the arena"):
        of.run(np.zeros((1, 1)))
