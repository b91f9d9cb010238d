"""Ticks that are judged together end as ticks that are judged one by one, to the bit."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

import hil
from hil.kernel.layout import state_dtypes
from hil.scenario.files import from_document

SITE = Path(__file__).parents[1] / "benchmarks" / "limits_site.toml"
DURATION_S = 24.0
EVENTS = [
    {"at": "3.0005 s", "kind": "grid_dip", "duration": "153 ms", "residual": 0.6},
    {"at": "4 s", "kind": "grid_dip", "duration": "77 ms", "residual": 0.2, "judged": True},
    {"at": "9 s", "kind": "generation_loss", "power": "40 MW", "duration": "2.003 s"},
    {"at": "14.001 s", "kind": "grid_dip", "duration": "9 ms", "residual": 0.7},
    {"at": "14.017 s", "kind": "grid_dip", "duration": "9 ms", "residual": 0.7, "judged": True},
]
SETTINGS = {"duration": f"{DURATION_S} s", "tick": "500 us", "events": EVENTS}
LOAD = {"power": "60 MW", "iteration": "700 ms", "edge": "20 ms", "start": "1 s", "start_ramp": "2 s"}


def fresh() -> hil.KernelRun:
    document = tomllib.loads(SITE.read_text())
    return hil.KernelRun(from_document(document | SETTINGS | {"load": document["load"] | LOAD}))


def suspect(run: hil.KernelRun, ticks: int) -> None:
    """From here on, for so long, samples are no evidence."""
    for states in (run.states["limits"], run.states["run"]):
        states["suspect_until"] = np.maximum(states["suspect_until"], run.tick + ticks)


def end_of(run: hil.KernelRun) -> dict[str, bytes]:
    return {name: run.states[name].tobytes() for name in state_dtypes()}


def tapped(run: hil.KernelRun, steps: list[int]) -> np.ndarray:
    """Rows of a run that is advanced by so many ticks at a time, two stretches of which are no evidence."""
    rows = []
    whole = round(DURATION_S / 500e-6)
    tick = k = 0
    stops = [10_000, 30_001, whole]
    while tick < whole:
        until = min([tick + steps[k % len(steps)], *(stop for stop in stops if stop > tick)])
        rows.append(run.rows(until * 500e-6))
        tick, k = until, k + 1
        if tick in stops[:2]:
            suspect(run, 777)
    return np.concatenate(rows)


@pytest.fixture(scope="module")
def alone():
    run = fresh()
    return run, tapped(run, [1])


@pytest.mark.parametrize("steps", [[100_000], [2, 31, 32, 33, 64, 65, 7], [32]], ids=["whole", "mixed", "batches"])
def test_a_batch_ends_as_its_ticks_alone(alone, steps):
    one_by_one, expected = alone
    run = fresh()
    rows = tapped(run, steps)
    assert np.array_equal(rows, expected, equal_nan=True)
    assert end_of(run) == end_of(one_by_one)
    assert run.waveform_hash == one_by_one.waveform_hash
    assert [run[name] for name in run.channels[:5]] == rows[-1, :5].tolist()  # the latest row is where it always is


def test_the_site_gives_limits_enough_to_do(alone):
    run, rows = alone
    limits = run.states["limits"]
    assert (limits["excursions"] > 0).sum() > 12
    assert (limits["excursions"] > 1).sum() > 3
    assert (limits["beyond_ticks"] > 40).sum() > 8
    assert (limits["blank_ticks"] > 0).sum() > 8
    assert (limits["suspect_ticks"] > 0).sum() > 20
    assert np.isnan(rows).any()
