"""What the oscillation detector finds: closed forms, the definition window by window, and the incidents it is for."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from oscillation_support import Run, by_definition, by_fft, harmonic, last, outputs, sine, square

from hil.limits.decimation import gain
from hil.limits.oscillation import detector
from hil.verify.runners.oscillation import run

MS = 1e-3
FAST = {"low_hz": 5.0, "high_hz": 55.0, "window_s": 2.0, "tick_s": MS}
SLOW = {"low_hz": 0.1, "high_hz": 20.0, "window_s": 20.0, "tick_s": MS}
SMALL = {"low_hz": 0.5, "high_hz": 4.0, "window_s": 4.0, "tick_s": MS}
VECTORS = tomllib.loads((Path(__file__).parents[1] / "hil/verify/vectors/oscillation.toml").read_text())["vector"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_reference_vectors(vector):
    found, tolerance = run(vector["input"]), vector["tolerance"]
    for name, value in vector["expect"].items():
        if name == "frequency_hz":
            assert abs(found[name] - value) <= tolerance["bins"] * found["bin_hz"]
        else:
            assert found[name] == pytest.approx(value, rel=tolerance.get("relative", 0), abs=tolerance.get("absolute", 0))


@pytest.mark.parametrize(
    ("settings", "frequency_hz", "amplitude", "offset"),
    [(FAST, 23.0, 1e6, 320e6), (FAST, 14.8, 1e6, 1e8), (SLOW, 0.25, 200e6, 1e9)],
    ids=["osc_23", "osc_14_8", "osc_0_25"],
)
def test_the_incidents_to_a_millionth(settings, frequency_hz, amplitude, offset):
    values = sine(MS, frequency_hz, amplitude, offset, seconds=2.2 * settings["window_s"])
    assert last(values, **settings) == pytest.approx((amplitude, frequency_hz, 0.0, 1.0), rel=1e-6, abs=1e-6)


def test_thirty_frames_a_second_show_23_hz_as_7():
    """What a recording has lost no detector finds: 23 Hz is refused there, and what is seen instead lies at 30 − 23."""
    with pytest.raises(ValueError, match=r"at most 0\.4 of the rate, 12 Hz"):
        detector(low_hz=5.0, high_hz=55.0, window_s=2.0, tick_s=1 / 30)
    frames = sine(1e-3, 23.0, 1e6, 320e6, seconds=12.0)[np.round(np.arange(360) * 1000 / 30).astype(int)]
    amplitude, frequency_hz, _, _ = last(frames, low_hz=5.0, high_hz=12.0, window_s=4.0, tick_s=1 / 30)
    assert frequency_hz == pytest.approx(7.0, abs=0.025)
    assert amplitude == pytest.approx(1e6, rel=0.01)


@pytest.mark.parametrize(
    "settings",
    [FAST, SMALL, {**SMALL, "tick_s": 0.02}, {"low_hz": 5.0, "high_hz": 20.0, "window_s": 2.0, "tick_s": 0.02}],
    ids=["5-55 Hz", "0.5-4 Hz", "0.5-4 Hz, 20 ms", "up to 0.4 of the rate"],
)
def test_a_sine_anywhere_in_the_band(settings):
    """From edge to edge in steps of a fraction of a bin.

    Two bins from 0 the image at the negative frequency costs the most; the share leaves out bin 1, into which a sine below
    bin 3 reaches.
    """
    design = detector(**settings)
    for hz in np.arange(settings["low_hz"], settings["high_hz"] + 1e-9, 0.83 / design.window_s):
        run = Run(design)
        amplitude, found, _, share = run.feed(sine(design, hz, 2.0, 7.0, seconds=1.02 * design.window_s))[-1]
        bins = hz * design.window_s
        relative, of_a_bin = (2e-3, 5e-3) if bins < 3 else (6e-4, 2e-3) if bins < 4 else (3e-4, 8e-4)
        assert amplitude == pytest.approx(2.0, rel=relative), bins
        assert abs(found - hz) * design.window_s < of_a_bin, bins
        assert share == pytest.approx(1.0, abs=1e-3) if bins >= 3 else 0.833 < share <= 1.0, bins


@pytest.mark.parametrize("hz", [7.63, 7.87, 8.0])
def test_the_filter_is_made_up_for(hz):
    settings = {"low_hz": 1.0, "high_hz": 8.0, "window_s": 4.0, "tick_s": MS}
    design = detector(**settings)
    assert gain(design.sections, np.array([8.0]), MS)[0] < 0.994
    amplitude, found, _, share = last(sine(MS, hz, 2.0, 7.0, seconds=8.0), **settings)
    assert (amplitude, found) == (pytest.approx(2.0, rel=1e-3), pytest.approx(hz, abs=1e-4))
    # With as much again outside, which is not attenuated.
    assert share == pytest.approx(1.0, abs=1e-3)
    both = sine(MS, hz, 2.0, 7.0, seconds=8.0) + sine(MS, 13.0, 2.0, seconds=8.0)
    assert last(both, **settings)[3] == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize("tick_s", [1e-4, 2.5e-4, 7e-4, 1e-3, 3.3e-3, 1e-2, 2e-2])
def test_any_tick(tick_s):
    settings = {"low_hz": 1.0, "high_hz": 20.0, "window_s": 2.5, "tick_s": tick_s}
    design = detector(**settings)
    assert design.rate_hz >= 2.5 * 20.0 * (1 - 1e-9)
    assert 2.5 * (1 - 1e-9) <= design.window_s <= 2.5 + design.samples // design.hop / design.rate_hz
    values = sine(tick_s, 17.3, 3.0, 100.0, seconds=2.02 * design.window_s)
    assert last(values, **settings) == pytest.approx((3.0, 17.3, 0.0, 1.0), rel=6e-4, abs=1e-6)


def test_the_definition_window_by_window():
    """A random walk with two sines and a jump: what slides equals numpy's and scipy's of windows that were cut out."""
    rng = np.random.default_rng(5)
    for settings in (FAST, {**SMALL, "hop_s": 1.0}, {"low_hz": 1.0, "high_hz": 20.0, "window_s": 2.0, "tick_s": 7e-3}):
        design = detector(**settings)
        n = round(3.2 * design.window_s / design.tick_s)
        values = 3e3 + rng.standard_normal(n).cumsum() + sine(design, 7.7, 4.0, seconds=3.2 * design.window_s + 0.1)[:n]
        values[n // 2 :] += 40.0
        wanted = by_definition(values, design)
        step = design.hop * design.decimation
        # Each is told in the tick after its window.
        found = Run(design).feed(values)[design.samples * design.decimation :: step]
        assert len(found) > 20 or settings is not FAST
        assert np.isfinite(wanted[-1]).all()
        np.testing.assert_allclose(found, wanted[: len(found)], rtol=1e-6, atol=1e-9)


def test_an_fft_of_the_ticks_without_filter_or_decimation():
    """Sines beside each other, harmonics, noise: the same as from all ticks of the window."""
    rng = np.random.default_rng(8)
    design = detector(**FAST)
    values = sine(MS, 23.3, 5.0, 300.0, 4.5) + sine(MS, 31.9, 3.0, seconds=4.5) + sine(MS, 180.0, 4.0, seconds=4.5)
    values += 0.2 * rng.standard_normal(len(values))
    amplitude, hz, _, share = Run(design).feed(values)[design.samples * design.decimation * 2]
    peer = by_fft(values[: design.samples * design.decimation * 2], design)
    assert amplitude == pytest.approx(peer.amplitude, rel=0.005)
    assert hz == pytest.approx(peer.frequency_hz, abs=0.05 / design.window_s)
    assert share == pytest.approx(peer.share, rel=0.01)


def test_of_two_sines_the_stronger_in_the_band():
    both = sine(MS, 12.2, 1.0, seconds=2.5) + sine(MS, 40.1, 1.5, seconds=2.5)
    amplitude, hz, _, share = last(both, **FAST)
    assert (amplitude, hz) == (pytest.approx(1.5, rel=1e-3), pytest.approx(40.1, abs=0.01))
    assert share == pytest.approx(1.0, abs=1e-3)
    amplitude, hz, _, share = last(both, **{**FAST, "high_hz": 30.0})
    assert (amplitude, hz) == (pytest.approx(1.0, rel=1e-3), pytest.approx(12.2, abs=0.01))
    assert share == pytest.approx(1.0 / (1.0 + 1.5**2), abs=1e-3)


@pytest.mark.parametrize("hz", [2.0, 3.5, 70.0, 145.0, 177.0, 223.0, 377.0])
def test_what_lies_outside_the_band_is_not_in_it(hz):
    """177, 223 and 377 Hz lie where the decimated rate of 200 Hz folds 23 Hz to: 70 dB down."""
    amplitude, _, _, share = last(sine(MS, hz, 1e6, 320e6, seconds=3.0), **FAST)
    assert amplitude < 1e6 * 10 ** (-70 / 20) / 0.99
    assert share < 1e-3


def test_a_sine_on_a_ramp_and_after_a_step():
    t = np.arange(9000) * MS
    sample = sine(MS, 1.7, 1.0, seconds=9.0)
    amplitude, hz, _, share = last(sample + 0.5 * t, **SMALL)
    assert (amplitude, hz) == (pytest.approx(1.0, rel=0.01), pytest.approx(1.7, abs=0.01))
    assert share < 0.9
    stepped = outputs(sample + 20.0 * (t > 4.2), **SMALL)
    assert stepped[-1][:2] == pytest.approx((1.0, 1.7), rel=1e-3)  # the window is past the step
    assert stepped[-1][3] == pytest.approx(1.0, abs=2e-3)


def test_a_ramp_alone_is_no_oscillation():
    amplitude, hz, damping, share = last(3e8 - 1e6 * np.arange(9000) * MS, **SMALL)
    assert amplitude == 0.0
    assert math.isnan(hz)
    assert math.isnan(damping)
    assert share < 0.2


@pytest.mark.parametrize("damping", [0.05, 0.01, 0.002, -0.002, -0.01, -0.05])
def test_the_damping_ratio(damping):
    natural = 2.0 * math.pi * 1.3
    growth, hz = -damping * natural, 1.3 * math.sqrt(1.0 - damping**2)
    values = sine(MS, hz, 1.0, growth=growth, seconds=8.1)
    _, found_hz, found, _ = last(values, **SMALL)
    assert found == pytest.approx(damping, rel=0.01)
    assert found_hz == pytest.approx(hz, abs=0.02)


def test_nothing_is_said_before_a_window_is_full():
    found = outputs(sine(MS, 20.0, seconds=4.5), **FAST)
    assert np.isnan(found[:2000]).all()
    assert np.isfinite(found[2000:, [0, 1, 3]]).all()
    assert np.isnan(found[:4000, 2]).all()
    assert np.isfinite(found[4000:, 2]).all()


@pytest.mark.parametrize("value", [0.0, 320e6, -1e-3])
def test_a_constant_does_not_oscillate(value):
    for values in (np.full(9000, value), np.concatenate([np.full(2000, 7e8), np.full(9000, value)])):
        amplitude, hz, damping, share = last(values, **SMALL)
        assert (amplitude, share) == (0.0, 0.0)
        assert math.isnan(hz)
        assert math.isnan(damping)


def test_what_is_smaller_than_least_is_none():
    values = sine(MS, 2.3, 1.0, seconds=5.0)
    assert np.isfinite(last(values, **SMALL, least=0.9)[1])
    amplitude, hz, damping, share = last(values, **SMALL, least=1.1)
    assert amplitude == pytest.approx(1.0, rel=1e-3)
    assert math.isnan(hz)
    assert math.isnan(damping)
    assert share == 0.0


def test_noise_has_its_share_of_the_band():
    """White noise: a band's share is its part of the frequencies up to half the ticks' rate; no bin stands far out."""
    rng = np.random.default_rng(2)
    found = outputs(rng.standard_normal(20_000), **FAST, hop_s=1.0)[2000::1000]
    assert found[:, 3].mean() == pytest.approx((55.0 - 5.0 + 1.5) / 500.0, rel=0.15)
    assert found[:, 0].max() < 0.35
    values = rng.standard_normal(3000) + sine(MS, 33.3, 1.0, seconds=3.0)
    amplitude, hz, _, _ = last(values, **FAST)
    assert (amplitude, hz) == (pytest.approx(1.0, abs=0.15), pytest.approx(33.3, abs=0.1))


@pytest.mark.parametrize("duty", [0.5, 0.7, 0.8, 0.9])
@pytest.mark.parametrize(("low_hz", "high_hz"), [(0.5, 20.0), (2.5, 7.5), (9.0, 20.0)])
def test_a_square_wave_has_the_share_of_its_harmonics(duty, low_hz, high_hz):
    """Period 0.6 s: 1.67 Hz and its multiples."""
    share = sum(harmonic(n, duty) ** 2 / 2.0 for n in range(1, 100) if low_hz <= n / 0.6 <= high_hz) / (duty * (1.0 - duty))
    settings = {"low_hz": low_hz, "high_hz": high_hz, "window_s": 6.0, "tick_s": MS}
    assert last(square(MS, 0.6, duty, 6.2, 1e8, 3e8), **settings)[3] == pytest.approx(share, abs=1e-3)
