"""Breakers of the kernel against the second implementation, validation/protection/breakers.py, on random sites to the tick."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rig import BESS, Rig
from ups_support import UPS, dip

from hil.limits.channels import breaker_channels

sys.path.append(str(Path(__file__).parents[1] / "validation"))
from protection.breakers import Breaker, Relay, breakers

TICKS = 3_000
WINDOW = 17  # ticks that a measuring window of one cycle holds
CHANNELS = {
    "undervoltage": "{}.voltage_lowest_measured_pu",
    "overvoltage": "{}.voltage_highest_measured_pu",
    "underpower": "{}.power_measured_w",
    "converter_current": "{}.current_pu",
}
KEYS = {"undervoltage": "min", "overvoltage": "max", "underpower": "min", "converter_current": "max"}
BOUNDS = {
    "undervoltage": (0.6, 0.95),
    "overvoltage": (1.001, 1.06),
    "underpower": (1e6, 6e6),
    "converter_current": (0.05, 0.3),
}
NODES = {
    "undervoltage": ("pcc", "bus"),
    "overvoltage": ("pcc", "bus"),
    "underpower": ("pcc",),
    "converter_current": ("bess.x",),
}


def drawn(rng: np.random.Generator) -> tuple[Rig, list[dict[str, Any]], dict[str, list[int]]]:
    """A site, not run yet, with up to five relays on up to three breakers."""
    limits = []
    for number in range(rng.integers(1, 6)):
        kind = rng.choice(list(CHANNELS))
        bound = float(rng.uniform(*BOUNDS[kind]))
        limit = {
            "name": f"{number}",
            "kind": kind,
            "node": str(rng.choice(NODES[kind])),
            KEYS[kind]: f"{bound!r} W" if kind == "underpower" else bound,
            "delay": f"{rng.choice([0, 1, 5, 40])} ms",
            "action": "trip",
            "trips": str(rng.choice(["pcc", "pcc", "bess.x", "ups.a"])),
            "breaker_time": f"{rng.choice([0, 1, 7, 60])} ms",
        }
        if rng.random() < 0.6:
            limit |= {"lockout": False, "reclose_after": f"{rng.choice([0, 1, 20, 150])} ms"}
        limits.append(limit)
    there = sorted({limit["trips"] for limit in limits})
    resets = {name: sorted(rng.choice(TICKS - 1, 3, replace=False).tolist()) for name in there}
    events = [
        {"kind": "reset_lockout", "at": f"{tick} ms", "breaker": name} for name, ticks in resets.items() for tick in ticks
    ]
    events += [dip(rng.integers(50, 2_500) / 1e3, rng.integers(1, 400) / 1e3, rng.uniform(0.0, 0.9)) for _ in range(4)]
    sections = {
        "limits": limits, "events": events, "bess": {"x": {**BESS, "resync_time": "50 ms"}},
        "absorber": {"a": {"kind": "ramp_limit", "device": "bess.x", "ramp": "2 MW/s"}},
        "ups": {"a": {**UPS, "share": 0.4, "qualify": "50 ms", "walk_in": "100 ms"}},
        "grid": {"short_circuit": "100 MVA", "source": 1.04, "x_over_r": 2.0},
    }  # fmt: skip
    load_w = np.repeat(rng.uniform(2e6, 9e6, 10), TICKS // 10)
    return Rig(sections, load_w), limits, resets


def again(rig: Rig, limits: list[dict[str, Any]], resets: dict[str, list[int]]) -> dict[str, Breaker]:
    """What the second implementation makes of what the relays of a run saw."""
    ticks_of = rig.scenario.ticks_of
    there = rig.scenario.breakers
    relays = []
    for limit, given in zip(limits, rig.scenario.limits, strict=True):
        values = rig[CHANNELS[limit["kind"]].format(limit["node"])]
        bound = next(getattr(given, name) for name in ("min", "max", "min_w") if hasattr(given, name))
        dead = limit["kind"] == "underpower" or (limit["kind"], limit["node"]) == ("undervoltage", "bus")
        relays.append(
            Relay(
                breaker=limit["trips"],
                beyond=values < bound if KEYS[limit["kind"]] == "min" else values > bound,
                delay=ticks_of(given.delay_s),
                breaker_time=ticks_of(given.breaker_time_s),
                reclose=None if given.lockout else ticks_of(given.reclose_after_s),
                blocked_by="pcc" if dead and "pcc" in there else None,
                settle=WINDOW,
            )
        )
    return breakers(relays, resets, TICKS)


def agree(rig: Rig, expected: dict[str, Breaker]) -> bool:
    shown = {name: [rig[channel] for channel in breaker_channels(name)] for name in expected}
    told = {name: [one.closed, one.tripping, one.lockout] for name, one in expected.items()}
    return all(np.array_equal(shown[name], np.array(told[name], float)) for name in expected)


def compare(seeds: range) -> tuple[int, int]:
    """Sites in which a breaker opened, and in which one closed again."""
    opened = closed = 0
    for seed in seeds:
        rig, limits, resets = drawn(np.random.default_rng(seed))
        expected = again(rig.run(), limits, resets)
        assert agree(rig, expected), f"seed {seed}"
        steps = [np.diff(np.array(one.closed, float)) for one in expected.values()]
        opened += any((step < 0).any() for step in steps)
        closed += any((step > 0).any() for step in steps)
    return opened, closed


def test_random_sites():
    opened, closed = compare(range(60))
    assert opened > 40
    assert closed > 30


@pytest.mark.slow
def test_many_random_sites():
    opened, closed = compare(range(1_000, 2_000))
    assert opened > 700
    assert closed > 500


MISTAKES: dict[str, Callable[[Any, Any], None]] = {
    "a breaker a tick slower": lambda trips, _: add(trips, "breaker_ticks", 1),
    "a reclosing a tick later": lambda trips, _: add(trips, "reclose_ticks", 1),
    "no lock-out": lambda trips, _: put(trips, "locks_out", 0),
    "a lock-out everywhere": lambda trips, _: put(trips, "locks_out", 1),
    "no blocking": lambda trips, _: put(trips, "blocked", 0),
    "unblocked at once": lambda trips, _: put(trips, "settle_ticks", 0),
    "no reset": lambda _, resets: put(resets, "breaker", -1),
    "a reset a tick later": lambda _, resets: add(resets, "tick", 1),
}


def add(rows: Any, field: str, more: int) -> None:
    rows[field] += more


def put(rows: Any, field: str, value: int) -> None:
    rows[field] = value


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_relay_or_a_breaker_would_show(mistake):
    for seed in range(60):
        rig, limits, resets = drawn(np.random.default_rng(seed))
        MISTAKES[mistake](rig.engine.parameters["trips"], rig.engine.parameters["resets"])
        if not agree(rig.run(), again(rig, limits, resets)):
            return
    pytest.fail("60 random sites do not show it")
