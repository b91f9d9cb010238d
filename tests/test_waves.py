"""What samples of the waveform say (hil/waves), against closed forms and another implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.waves.fundamental import CYCLES, fundamental, half_cycles, phasor, rms
from hil.waves.harmonics import cycles_of, highest_order, resampled, subgroups
from hil.waves.sliding import sliding_mean
from hil.waves.statistics import aggregated, percentile

TURN = 2.0 * math.pi


def phases(rate_hz: float, frequency_hz: float, seconds: float, harmonics: dict[float, float] | None = None, order=(0, 1, 2)):
    """Three voltages with a peak of 1; harmonics: amplitude by order, in every phase shifted with it."""
    turns = frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz
    found = []
    for place in order:
        angle = TURN * (turns - place / 3.0) + 0.4
        found.append(
            np.cos(angle) + sum(share * np.cos(number * angle + number) for number, share in (harmonics or {}).items())
        )
    return found


@given(st.integers(1, 60), st.floats(1.0, 20.0), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_a_sliding_mean_is_that_of_held_samples(count, samples, seed):
    """Against the integral of the steps."""
    values = np.random.default_rng(seed).normal(size=count)
    found = sliding_mean(values, samples)
    for place in range(count):
        if place + 1 < samples:
            assert np.isnan(found[place])
            continue
        edges = np.arange(place + 2, dtype=float)
        begin = place + 1 - samples
        weights = np.clip(edges[1:] - np.maximum(edges[:-1], begin), 0.0, None)
        assert found[place] == pytest.approx(values[: place + 1] @ weights / samples, abs=1e-9)


def test_a_mean_over_a_gap_is_not_known():
    values = np.ones(30)
    values[10] = np.nan
    assert np.flatnonzero(np.isnan(sliding_mean(values, 4.0))).tolist() == [0, 1, 2, 10, 11, 12, 13]


@pytest.mark.parametrize(("rate_hz", "nominal_hz"), [(10_000, 60), (7_680, 60), (6_400, 50), (1_000, 50)])
@pytest.mark.parametrize("off_hz", [-2.3, 0.0, 0.37, 1.9])
def test_frequency_phase_and_rms_of_a_distorted_voltage(rate_hz, nominal_hz, off_hz):
    frequency_hz = nominal_hz + off_hz
    voltages = phases(rate_hz, frequency_hz, 2.0, {5: 0.04, 7: 0.03})
    found = fundamental(voltages, rate_hz, nominal_hz, 1.0)
    known = ~np.isnan(found.frequency_hz)
    assert np.flatnonzero(known)[0] <= CYCLES * rate_hz / nominal_hz
    assert np.abs(found.frequency_hz[known] - frequency_hz).max() < 0.005
    turns = frequency_hz * np.arange(known.size) / rate_hz + 0.4 / TURN
    there = ~np.isnan(found.turns)
    assert there.mean() > 0.97
    assert np.abs((found.turns - turns)[there]).max() < 2e-4
    expected = math.sqrt((1.0 + 0.04**2 + 0.03**2) / 2.0)
    settled = rms(voltages[0], found.period_samples)[int(CYCLES * rate_hz / nominal_hz) :]
    assert np.abs(settled / expected - 1.0).max() < 0.3 * nominal_hz / rate_hz + 1e-3
    one = fundamental(voltages[1:2], rate_hz, nominal_hz, 1.0).frequency_hz
    assert np.abs(one[~np.isnan(one)] - frequency_hz).max() < 0.02


def test_a_frequency_that_moves_is_followed_one_and_a_half_cycles_late():
    rate_hz, slope = 10_000, 0.8
    time_s = np.arange(3 * rate_hz) / rate_hz
    turns = 60.0 * time_s + 0.5 * slope * time_s**2
    voltages = [np.cos(TURN * (turns - place / 3.0)) for place in range(3)]
    found = fundamental(voltages, rate_hz, 60.0, 1.0).frequency_hz
    late = 60.0 + slope * (time_s - CYCLES / 2 / 60.0)
    assert np.abs(found - late)[1000:].max() < 1e-3


def test_without_a_voltage_there_is_no_frequency_and_no_harmonics():
    voltages = [
        np.where((np.arange(20_000) > 9_000) & (np.arange(20_000) < 11_000), 0.0, one) for one in phases(10_000, 60, 2.0)
    ]
    found = fundamental(voltages, 10_000, 60, 1.0)
    assert np.isnan(found.frequency_hz[9_400:11_000]).all()
    assert np.abs(found.frequency_hz[11_600:] - 60.0).max() < 1e-6
    groups = subgroups(voltages, found.turns, 12, 2_000, 50)
    lost = np.isnan(groups.values[0, :, 5])
    assert 1 <= lost.sum() <= 3
    assert groups.values[:, ~lost, 2:].max() < 0.3  # what is not lost may still hold part of the dip, which flags it elsewhere


@pytest.mark.parametrize(("rate_hz", "nominal_hz"), [(10_000, 60), (7_680, 60), (12_800, 50)])
@pytest.mark.parametrize("off_hz", [-1.7, 0.0, 0.93])
def test_harmonic_subgroups_of_known_harmonics(rate_hz, nominal_hz, off_hz):
    harmonics = {2: 0.011, 5: 0.05, 7: 0.03, 23: 0.012, 49: 0.004, 50: 0.003}
    voltages = phases(rate_hz, nominal_hz + off_hz, 3.0, harmonics)
    cycles = cycles_of(nominal_hz)
    turns = fundamental(voltages, rate_hz, nominal_hz, 1.0).turns
    groups = subgroups(voltages, turns, cycles, round(cycles * rate_hz / nominal_hz), 50)
    assert groups.values.shape[1] in (13, 14, 15)
    assert np.diff(groups.begins) == pytest.approx(cycles * rate_hz / (nominal_hz + off_hz), rel=1e-4)
    expected = np.zeros(51)
    expected[list(harmonics)] = list(harmonics.values())
    expected[1] = 1.0
    found = groups.values * math.sqrt(2.0)
    assert np.abs(found[:, :, 1:] - expected[1:]).max() < 3e-4


@pytest.mark.parametrize(
    ("number", "groups_in"), [(7.0 + 1 / 12, True), (7.0 - 1 / 12, True), (7.5, False), (7.0 + 2 / 12, False)]
)
def test_an_interharmonic_counts_where_it_lies_beside_a_harmonic(number, groups_in):
    """IEC 61000-4-7: the bin of the harmonic and its two neighbours, 5 Hz away, are its subgroup."""
    voltages = phases(10_000, 60.0, 2.0, {number: 0.02})
    groups = subgroups(voltages, fundamental(voltages, 10_000, 60.0, 1.0).turns, 12, 2_000, 50)
    found = groups.values[0, :, 7] * math.sqrt(2.0)
    assert found == pytest.approx(np.full(found.size, 0.02 if groups_in else 0.0), abs=3e-4)


def test_samples_are_made_true_up_to_what_is_promised():
    rate = 1.0
    at = np.random.default_rng(1).uniform(40.0, 400.0, (3, 200))
    for frequency in (0.0, 0.013, 0.21, 0.4):
        samples = np.cos(TURN * frequency * rate * np.arange(500))[None]
        assert resampled(samples, at)[0] == pytest.approx(np.cos(TURN * frequency * at), abs=1e-3)
    assert highest_order(10_000, 60, 50) == 50
    assert highest_order(3_840, 60, 50) == 25


def test_power_of_phasors():
    voltages, currents = phases(10_000, 59.6, 1.0), phases(10_000, 59.6, 1.0)
    lag = [np.cos(np.arccos(-1.0) * 0.0 + TURN * (59.6 * np.arange(10_000) / 10_000) + 0.4 - 0.5)]
    period = fundamental(voltages, 10_000, 60.0, 1.0).period_samples
    product = phasor(voltages[0], 10_000, 60.0, period) * np.conj(phasor(lag[0], 10_000, 60.0, period))
    settled = product[1_000:]
    assert settled.real == pytest.approx(np.full(settled.size, math.cos(0.5)), abs=0.02)
    assert settled.imag == pytest.approx(np.full(settled.size, math.sin(0.5)), abs=0.02)
    assert sliding_mean(voltages[0] * currents[0], period)[1_000:] == pytest.approx(np.full(9_000, 0.5), abs=0.005)


def test_half_cycles_hold_a_value_from_rise_to_fall():
    turns = np.linspace(0.0, 5.0, 1001) - 0.25
    held = half_cycles(np.arange(1001.0), turns)
    assert np.unique(held).size == 11
    assert np.diff(np.flatnonzero(np.diff(held) != 0.0)) == pytest.approx(np.full(9, 100), abs=1)


@given(st.integers(1, 7), st.integers(0, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_aggregates_are_roots_of_mean_squares(together, windows, seed):
    values = np.random.default_rng(seed).normal(size=(2, windows, 3))
    found = aggregated(values, together)
    assert found.shape == (2, windows // together, 3)
    for place in range(found.shape[1]):
        part = values[:, place * together : (place + 1) * together]
        assert found[:, place] == pytest.approx(np.sqrt((part**2).mean(axis=1)))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=300), st.sampled_from([0.95, 0.99, 0.5, 1.0]))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(values, share):
    (found,) = percentile(np.array([[value] for value in values] + [[np.nan]]), share)
    assert found in values
    assert np.mean(np.array(values) <= found) >= share - 1e-9
    below = [value for value in values if value < found]
    assert not below or np.mean(np.array(values) <= max(below)) < share


@pytest.mark.peer_package("pqopen")
def test_harmonics_and_rms_are_those_of_pqopen():
    powerquality = pytest.importorskip("pqopen.powerquality")
    voltages = phases(10_000, 60.0, 2.0, {3: 0.02, 5: 0.05, 11: 0.01, 7.5: 0.01})
    found = fundamental(voltages, 10_000, 60.0, 1.0)
    groups = subgroups(voltages, found.turns, 12, 2_000, 50)
    begin = round(float(groups.begins[2]))
    window = voltages[0][begin : begin + 2_000]
    spectrum = np.abs(np.fft.rfft(window)) / 2_000 * math.sqrt(2.0)
    theirs = powerquality.calc_harmonics(np.fft.rfft(window) / 2_000 * math.sqrt(2.0), 12, 50)[0]
    assert spectrum[60] == pytest.approx(0.05 / math.sqrt(2.0), abs=1e-6)
    assert groups.values[0, 2, 1:51] == pytest.approx(np.asarray(theirs)[1:51], abs=2e-4)
