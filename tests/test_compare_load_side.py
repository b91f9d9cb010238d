"""Remedies that act in the load itself, against what follows from the load on paper."""

from __future__ import annotations

import pytest

import hil
from hil.scenario.files import written
from hil.scenario.load import TrainingLoad
from hil.scenario.overlay import lay, read_overlay

pytestmark = pytest.mark.skipif("smoothing" not in TrainingLoad.model_fields, reason="loads have no remedies of their own yet")

STEADY = ["duration='60 s'", "load.start='0 s'", "load.start_ramp='0 s'", "load.stop='61 s'", "load.overshoot=1.0"]
"""Fifteen iterations, and nothing but iterations."""


@pytest.mark.parametrize("name", ["filler", "smoothing", "rack", "shelf"])
def test_packaged_remedies_fit_the_packaged_scenario(name):
    overlay = read_overlay(name)
    assert lay(written("mitigation"), (overlay,)).scenario().title.endswith(overlay.title)


@pytest.fixture(scope="module")
def steady():
    return hil.compare("mitigation", ["filler", "smoothing", "rack", "shelf"], overrides=STEADY)


def test_the_load_before_its_remedies_is_the_same(steady):
    assert all(row.same_load for row in steady.rows)
    assert len({row.load.digest for row in steady.rows}) == 1
    assert len({row.waveform_hash for row in steady.rows}) == len(steady.rows)


def test_a_floor_costs_what_its_waveform_says(steady):
    scenario = hil.load("mitigation", STEADY)
    load = scenario.load
    filled = (0.9 - 0.35) * ((1.0 - load.compute_share) * 4.0 - 0.25 * 0.1 / 0.65)
    expected = filled / ((load.compute_share + (1.0 - load.compute_share) * 0.35) * 4.0)
    assert steady["smoothing"].overhead == pytest.approx(expected, rel=0.02)
    assert steady["filler"].overhead == pytest.approx(expected, rel=0.02)


def test_a_floor_leaves_what_is_above_it(steady):
    row = steady["smoothing"]
    assert row.share(row.measured.usual_swing_w) == pytest.approx(0.1, abs=0.002)
    overshooting = hil.compare("mitigation", ["smoothing"], overrides=[*STEADY[:-1], "load.overshoot=1.1"])["smoothing"]
    assert overshooting.share(overshooting.measured.usual_swing_w) == pytest.approx(0.2, abs=0.002)


def test_capacitors_lose_nothing_and_are_filled_and_emptied(steady):
    for name, capacity_j in (("rack", 35_714 * 65.0), ("shelf", 35_714 * 7e3)):
        row = steady[name]
        use = row.measured.storage["load.rack"]
        assert use.energy_j == pytest.approx(capacity_j)
        assert row.overhead == pytest.approx(0.0, abs=1e-6)
        assert row.drawn_j - row.load.energy_j == pytest.approx(use.stored_j, abs=1e-6 * row.drawn_j)
    assert steady["rack"].measured.storage["load.rack"].soc_swing == 1.0  # an iteration is more than they hold
    left = {name: steady[name].share(steady[name].measured.usual_swing_w) for name in ("rack", "shelf")}
    assert left["shelf"] < 0.1 < left["rack"]
