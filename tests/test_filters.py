"""Butterworth filters: designed as scipy designs them, and run by the compiled cascade as scipy runs them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from hil.kernel.arena import Arena
from hil.kernel.layout import CODES, parameter_dtypes, state_dtypes
from hil.kernel.protection.replay import Replay
from hil.limits.filters import butterworth, fill_filter, response, settled

SCIPY = {"low_pass": "low", "high_pass": "high", "band_pass": "band"}
BANDS = [(0.1, 55.0), (0.1, 20.0), (0.1, 5.0), (5.0, 55.0), (8.0, 9.0), (30.0, 80.0), (0.05, 0.2)]
RATES = [200.0, 1000.0, 10_000.0]


def of_scipy(sections):
    return np.insert(sections, 3, 1.0, axis=1)


def replay(*filters, blanks=None):
    """Filters of (sections, initial), all on channel 0; outputs behind it."""
    params, states = np.zeros(len(filters), parameter_dtypes()["filters"]), np.zeros(len(filters), state_dtypes()["filters"])
    arena = Arena()
    arena.place(3)
    for i, (sections, initial) in enumerate(filters):
        fill_filter(
            params[i], states[i], arena, sections, channel=0, output=1 + i, blank=CODES["blank.voltage"], initial=initial
        )
    blank_until = np.zeros(3, np.int64) if blanks is None else blanks
    return Replay({"filters": params}, {"filters": states, "arena": arena.array(), "blank_until": blank_until})


def run(bench, x, outputs=1):
    rows = np.zeros((len(x), 1 + outputs))
    rows[:, 0] = x
    bench.run(rows)
    return rows[:, 1:].T


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("edges", BANDS, ids=str)
@pytest.mark.parametrize("kind", SCIPY)
def test_answers_are_those_of_scipy(kind, edges, rate_hz):
    """To 1e-9. An edge near 1e-5 of the rate is resolved to 1e-7 only: doubles near 1 tell its poles apart no better."""
    x = np.random.default_rng(1).standard_normal(4000)
    given = edges if kind == "band_pass" else edges[0]
    passes_slow = kind == "low_pass" or edges[1] <= 5.0
    tolerance = 1e-7 if passes_slow and edges[0] / rate_hz < 1e-4 else 1e-9
    for order in range(1, 9):
        theirs = signal.sosfilt(signal.butter(order, given, SCIPY[kind], fs=rate_hz, output="sos"), x)
        ours = signal.sosfilt(of_scipy(butterworth(kind, order, given, rate_hz)), x)
        assert np.max(np.abs(ours - theirs)) <= tolerance * np.max(np.abs(theirs)), order


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("order", [1, 2, 3, 6, 8])
def test_gain_at_edges_and_where_a_filter_passes(order, rate_hz):
    low = butterworth("low_pass", order, 7.0, rate_hz)
    high = butterworth("high_pass", order, 7.0, rate_hz)
    band = butterworth("band_pass", order, (0.1, 55.0), rate_hz)
    assert abs(response(low, 7.0, rate_hz)) == pytest.approx(0.5**0.5, rel=1e-9)
    assert abs(response(high, 7.0, rate_hz)) == pytest.approx(0.5**0.5, rel=1e-9)
    assert np.abs(response(band, [0.1, 55.0], rate_hz)) == pytest.approx(0.5**0.5, rel=1e-6)
    assert abs(response(low, 0.0, rate_hz)) == pytest.approx(1.0, abs=1e-12)
    assert abs(response(high, rate_hz / 2, rate_hz)) == pytest.approx(1.0, abs=1e-12)
    assert np.abs(response(band, [0.0, rate_hz / 2], rate_hz)) == pytest.approx(0.0, abs=1e-9)
    assert len(low) == len(high) == (order + 1) // 2
    assert len(band) == order


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize(
    ("kind", "order", "edges"),
    [
        ("low_pass", 3, 0.1),
        ("low_pass", 6, 35.0),
        ("high_pass", 2, 0.1),
        ("high_pass", 5, 0.1),
        ("band_pass", 2, (0.1, 55.0)),
        ("band_pass", 3, (5.0, 55.0)),
    ],
)
def test_a_filter_begins_settled(kind, order, edges, rate_hz):
    """A constant gives its final value at once, and it stays; so scipy's memories of a settled filter do too."""
    sections = butterworth(kind, order, edges, rate_hz)
    (y,) = run(replay((sections, 4e7)), np.full(3000, 4e7))
    final = 4e7 if kind == "low_pass" else 0.0
    assert np.max(np.abs(y - final)) <= 1e-9 * 4e7
    memories = 4e7 * signal.sosfilt_zi(of_scipy(sections))
    assert settled(sections, 4e7) == pytest.approx(memories, rel=1e-6, abs=1e-6 * 4e7)


@pytest.mark.parametrize("rate_hz", [1000.0, 10_000.0])
@pytest.mark.parametrize(
    ("kind", "order", "edges"),
    [("low_pass", 8, 20.0), ("high_pass", 2, 0.1), ("band_pass", 1, (0.1, 55.0)), ("band_pass", 4, (0.1, 55.0))],
)
def test_the_compiled_cascade_is_sosfilt(kind, order, edges, rate_hz):
    sections = butterworth(kind, order, edges, rate_hz)
    x = 1.0 + np.random.default_rng(2).standard_normal(20_000)
    other = butterworth("low_pass", 1, 3.0, rate_hz)  # beside it in the arena
    first, second = run(replay((other, 0.5), (sections, 1.0)), x, outputs=2)
    theirs, _ = signal.sosfilt(of_scipy(sections), x, zi=settled(sections, 1.0))
    assert np.max(np.abs(second - theirs)) <= 1e-12 * np.max(np.abs(theirs))
    theirs, _ = signal.sosfilt(of_scipy(other), x, zi=settled(other, 0.5))
    assert np.max(np.abs(first - theirs)) <= 1e-12


def test_while_a_stimulus_blanks_the_input_is_held():
    sections = butterworth("band_pass", 2, (0.1, 55.0), 1000.0)
    x = np.concatenate([np.full(50, 2.0), np.linspace(-9.0, 9.0, 200), np.full(700, 3.0)])
    blanks = np.zeros(3, np.int64)
    blanks[CODES["blank.voltage"]] = 250
    bench = replay((sections, 1.0), blanks=blanks)
    (y,) = run(bench, x)
    theirs, _ = signal.sosfilt(of_scipy(sections), np.r_[np.ones(250), x[250:]], zi=settled(sections, 1.0))
    assert y == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    ("kind", "order", "edges", "rate_hz", "said"),
    [
        ("low_pass", 0, 5.0, 1000.0, "order 0: must be a whole number of at least 1"),
        ("low_pass", 2.5, 5.0, 1000.0, "order 2.5: must be a whole number of at least 1"),
        ("low_pass", True, 5.0, 1000.0, "order True: must be a whole number of at least 1"),
        ("high_pass", 2, 500.0, 1000.0, "edge 500 Hz: must be above 0 and below half the rate, 500 Hz"),
        ("high_pass", 2, 0.0, 1000.0, "edge 0 Hz: must be above 0 and below half the rate, 500 Hz"),
        ("high_pass", 2, float("nan"), 1000.0, "edge nan Hz: must be above 0 and below half the rate, 500 Hz"),
        ("band_pass", 2, (0.1, 55.0), 100.0, "edge 55 Hz: must be above 0 and below half the rate, 50 Hz"),
        ("band_pass", 2, (5.0, 5.0), 100.0, "edges 5 and 5 Hz: the second must be above the first"),
        ("band_pass", 2, 5.0, 100.0, "edges [5.0]: a band_pass has two"),
        ("low_pass", 2, (1.0, 5.0), 100.0, "edges [1.0, 5.0]: a low_pass has one"),
        ("band_pass", 17, (1.0, 5.0), 100.0, "order 17: a band_pass of it has 17 sections, at most 16"),
        ("low_pass", 33, 5.0, 100.0, "order 33: a low_pass of it has 17 sections, at most 16"),
        ("notch", 2, 5.0, 100.0, "kind 'notch': must be low_pass, high_pass or band_pass"),
        ("low_pass", 2, 5.0, 0.0, "rate 0 Hz: must be above 0"),
    ],
)
def test_what_cannot_be_designed(kind, order, edges, rate_hz, said):
    with pytest.raises(ValueError) as refused:
        butterworth(kind, order, edges, rate_hz)
    assert str(refused.value) == said
