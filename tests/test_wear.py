"""Wear of a storage: the worked example of ASTM E1049-85, closed forms, and the package `rainflow` where it is installed."""

from __future__ import annotations

import collections
import collections.abc
import importlib
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.report.wear import depth_histogram, equivalent_full_cycles, rainflow, reversals, soc_swing, throughput_j

ASTM = [-2, 1, -3, 5, -1, 3, -4, 4, -2]  # ASTM E1049-85, figure 6
COUNTED = {3.0: 0.5, 4.0: 1.5, 6.0: 0.5, 8.0: 1.0, 9.0: 0.5}  # its table: the cycles of each range
VALUES = st.integers(-20, 20).map(float)
HISTORIES = st.lists(VALUES, max_size=60)


def counted(values: object) -> dict[float, float]:
    """Cycles of each range."""
    sums: dict[float, float] = collections.defaultdict(float)
    for span, _, count in zip(*rainflow(values), strict=True):
        sums[float(span)] += float(count)
    return dict(sums)


def test_the_worked_example_of_the_standard() -> None:
    assert counted(ASTM) == COUNTED


def test_means_and_order_of_the_worked_example() -> None:
    spans, means, counts = rainflow(ASTM)
    assert spans.tolist() == [3, 4, 4, 8, 9, 8, 6]
    assert means.tolist() == [-0.5, -1, 1, 1, 0.5, 0, 1]
    assert counts.tolist() == [0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5]


def test_points_between_peaks_and_standstill_change_nothing() -> None:
    fine = np.repeat(np.interp(np.linspace(0, 8, 33), np.arange(9), ASTM), 3)
    assert counted(fine) == COUNTED
    assert reversals(fine).tolist() == ASTM


@pytest.mark.parametrize("values", [[], [0.5], [0.5, 0.5, 0.5]])
def test_what_never_moves_has_no_cycles(values: list[float]) -> None:
    assert [part.tolist() for part in rainflow(values)] == [[], [], []]
    assert equivalent_full_cycles(values) == soc_swing(values) == 0.0


@given(HISTORIES)
def test_cycles_account_for_every_movement(values: list[float]) -> None:
    """Each closed cycle goes there and back: the ranges add up to the history's total variation, and none beyond its span."""
    spans, _, counts = rainflow(values)
    assert 2.0 * float(spans @ counts) == sum(abs(b - a) for a, b in itertools.pairwise(values))
    assert 2.0 * equivalent_full_cycles(values) == 2.0 * float(spans @ counts)
    assert max(spans, default=0.0) == soc_swing(values)


@pytest.mark.peer_package("rainflow")
@given(st.lists(VALUES, min_size=3, max_size=60))  # of two values the package sees no movement
def test_the_package_rainflow_counts_the_same(values: list[float]) -> None:
    peer = importlib.import_module("rainflow")
    theirs: dict[float, float] = collections.defaultdict(float)
    for span, count in peer.count_cycles(values):
        theirs[span] += count
    assert counted(values) == {span: count for span, count in theirs.items() if span > 0}


def test_a_triangle_of_soc() -> None:
    """k swings between 0.3 and 0.7 from the middle: k - 1 whole cycles, and the rest as halves; throughput by the mean."""
    t = np.arange(0, 5.0, 1e-3)
    soc = 0.5 + 0.2 * (2 / math.pi) * np.arcsin(np.sin(2 * math.pi * t))
    assert depth_histogram(soc, [0.0, 0.1, 0.25, 0.39, 0.41]).tolist() == [0.0, 1.0, 0.0, 4.5]
    assert equivalent_full_cycles(soc) == pytest.approx(5 * 0.4, rel=1e-3)
    assert soc_swing(soc) == pytest.approx(0.4)
    assert throughput_j(np.where(t % 1 < 0.5, 2e6, -1e6), 1e-3) == pytest.approx(7.5e6)


def test_edges_of_the_histogram_belong_to_the_bin_above() -> None:
    assert depth_histogram([0.0, 0.5, 0.0, 1.0], [0.0, 0.5, 1.0]).tolist() == [0.0, 1.5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rainflow([[1.0, 2.0]]), "values = an array of 2 dimensions: must be of one"),
        (lambda: equivalent_full_cycles([0.1, math.nan]), r"soc\[1\]: must be a finite number"),
        (lambda: throughput_j([1.0], 0.0), "dt_s = 0: must be above 0"),
        (lambda: depth_histogram([0.1], [0.5]), "edges: must be two numbers or more, each above the one before"),
    ],
)
def test_bad_input_is_one_line(call: collections.abc.Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        call()
