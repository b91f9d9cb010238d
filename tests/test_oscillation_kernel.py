"""The oscillation detector as a machine: design, refused settings, rounding over long runs, held inputs, spoilt arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from oscillation_support import Run, outputs, sine

from hil.kernel.layout import CODES, parameter_dtypes
from hil.limits.decimation import PASS_GAIN, STOP_DB, anti_alias, chebyshev_2, gain
from hil.limits.oscillation import detector

MS = 1e-3
FAST = {"low_hz": 5.0, "high_hz": 55.0, "window_s": 2.0, "tick_s": MS}
TINY = {"low_hz": 2.0, "high_hz": 5.0, "window_s": 1.28, "tick_s": 0.02, "hop_s": 0.32}


@pytest.mark.parametrize(
    ("sections", "stop_hz", "tick_s"), [(1, 100.0, 1e-3), (3, 145.0, 1e-3), (6, 30.0, 1e-3), (6, 30.0, 1e-4)]
)
def test_the_filter_is_scipys(sections, stop_hz, tick_s):
    from scipy.signal import cheby2, sosfreqz

    sos = cheby2(2 * sections, STOP_DB, stop_hz, fs=1.0 / tick_s, output="sos")
    frequencies = np.linspace(0.0, 0.5 / tick_s, 1001)[:-1]
    peer = np.abs(sosfreqz(sos, frequencies, fs=1.0 / tick_s)[1])
    np.testing.assert_allclose(gain(chebyshev_2(sections, stop_hz, tick_s), frequencies, tick_s), peer, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("pass_hz", "stop_hz", "tick_s"), [(55.0, 145.0, 1e-3), (20.0, 29.9, 1e-3), (20.0, 29.9, 1e-4), (1.0, 1.4, 1e-4)]
)
def test_the_filter_keeps_its_promise_and_no_smaller_one_would(pass_hz, stop_hz, tick_s):
    sections = anti_alias(pass_hz, stop_hz, tick_s)
    keeps = gain(sections, np.linspace(0.0, pass_hz, 500), tick_s)
    stops = gain(sections, np.linspace(stop_hz, 0.5 / tick_s, 5000), tick_s)
    assert keeps[0] == pytest.approx(1.0, abs=1e-8)
    assert keeps.min() >= PASS_GAIN
    assert stops.max() <= 10 ** (-STOP_DB / 20) * (1 + 1e-6)
    if len(sections) > 1:
        assert gain(chebyshev_2(len(sections) - 1, stop_hz, tick_s), np.array([pass_hz]), tick_s)[0] < PASS_GAIN


def test_edges_too_close_for_a_filter():
    with pytest.raises(ValueError, match=r"from 20 to 20\.1 Hz takes \d+ sections, 16 are possible"):
        anti_alias(20.0, 20.1, MS)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"high_hz": 401.0}, "the upper edge must be at most 0.4 of the rate, 400 Hz at a tick of 1 ms"),
        ({"window_s": 0.39}, "window 0.39 s: must hold two periods of the band's lower edge, 0.4 s at 5 Hz"),
        ({"low_hz": 55.0}, "band 55 to 55 Hz: the lower edge must be below the upper one"),
        ({"low_hz": 0.0}, "low_hz = 0.0: must be a positive number"),
        ({"high_hz": float("nan")}, "high_hz = nan: must be a positive number"),
        ({"window_s": float("inf")}, "window_s = inf: must be a positive number"),
        ({"hop_s": 0.01}, "hop 0.01 s: must be between a hundredth of the window and the window of 2 s"),
        ({"hop_s": 2.1}, "hop 2.1 s: must be between a hundredth of the window and the window of 2 s"),
        ({"least": -1.0}, "least = -1.0: must be 0 or a positive number"),
        ({"window_s": 20.0}, "1005 bins of 0.05 Hz, at most 1000 are possible"),
        ({"tick_s": 0.01, "high_hz": 40.0, "window_s": 0.5}, "window 0.5 s: 50 samples, must hold between 64 and 1048576"),
    ],
)
def test_refused_settings(changed, said):
    with pytest.raises(ValueError) as refused:
        detector(**{**FAST, **changed})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_edges_that_are_just_allowed():
    assert detector(low_hz=5.0, high_hz=400.0, window_s=0.4, tick_s=MS).decimation == 1
    assert detector(low_hz=0.1, high_hz=20.0, window_s=20.0, tick_s=MS).first == 0


def sums(run: Run, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The window's bins as the arena has them, and numpy's of the window's samples."""
    design = run.design
    begin = CODES["filter.section_words"] * len(design.sections) + 2 * design.samples + design.bins
    begin += 2 * design.bins + 2 * CODES["oscillation.moments"]
    real, imaginary = run.replay.states["arena"][begin : begin + 2 * design.bins].reshape(2, -1)
    return real + 1j * imaginary, np.fft.fft(samples)[design.first : design.first + design.bins]


def test_rounding_does_not_accumulate_over_ten_million_samples():
    """After them the bins are those of the last window, to the rounding of one window."""
    run = Run(detector(**TINY))
    assert run.design.decimation == 1
    n = run.design.samples
    rng = np.random.default_rng(4)
    piece = 1e9 * rng.standard_normal(1600 * n)
    first = piece[0]
    rows = np.zeros((len(piece), 1 + CODES["oscillation.outputs"]))
    rows[:, 0] = piece
    for _ in range(10_000_000 // len(piece) + 1):
        run.replay.run(rows)
    last = np.full(n, first) + np.cos(2 * np.pi * 4 / n * np.arange(n))
    run.feed(np.concatenate([last, last[:1]]))
    found, wanted = sums(run, last - first)
    # One window of 1e9 has gone out of these sums: nothing but its own rounding may be left, of 1 in 1e16 a sample.
    assert np.abs(found - wanted).max() < 1e9 * 2.0**-52 * n
    found = run.feed(np.concatenate([last[1:], last, last]))[-1]
    assert found[0] == pytest.approx(1.0, abs=1e-6)
    found, wanted = sums(run, last - first)
    assert np.abs(found - wanted).max() < 1e-9  # and after another window, not even that


def test_a_run_goes_on_where_it_ended_and_can_be_copied():
    values = sine(MS, 23.0, 1.0, 5.0, seconds=5.0) + np.random.default_rng(1).standard_normal(5000)
    whole = outputs(values, **FAST)
    run, twin = Run(detector(**FAST)), Run(detector(**FAST))
    first = run.feed(values[:2713])
    for name in ("oscillations", "arena"):
        twin.replay.states[name][...] = run.replay.states[name]
    np.testing.assert_array_equal(np.concatenate([first, twin.feed(values[2713:])]), whole)


def test_a_stimulus_holds_the_input():
    """What is seen is the channel with its last value before the stimulus held while it acts."""
    values = sine(MS, 23.0, 1.0, 5.0, seconds=4.5)
    held = values.copy()
    held[2500:2900] = held[2499]
    run = Run(detector(**FAST), blank=CODES["blank.voltage"])
    found = [run.feed(values[:2500])]
    run.replay.states["blank_until"][CODES["blank.voltage"]] = 2900
    wild = values.copy()
    wild[2500:2900] = 1e9
    found.append(run.feed(wild[2500:]))
    np.testing.assert_array_equal(np.concatenate(found), outputs(held, **FAST))


def test_what_is_no_number_holds_the_input_too():
    values = sine(MS, 23.0, 1.0, 5.0, seconds=4.5)
    held, gone = values.copy(), values.copy()
    held[3000:3100] = held[2999]
    gone[3000:3100] = np.nan
    gone[3050] = np.inf
    np.testing.assert_array_equal(outputs(gone, **FAST), outputs(held, **FAST))
    begun_late = np.concatenate([np.full(777, np.nan), values])
    found = outputs(begun_late, **FAST)
    assert np.isnan(found[:777]).all()
    np.testing.assert_array_equal(found[777:], outputs(values, **FAST))


def test_a_channel_that_falls_silent_leaves_no_subnormal_numbers():
    run = Run(detector(**FAST))
    run.feed(sine(MS, 23.0, 1.0, seconds=2.0, phase=0.0))
    run.feed(np.zeros(40_000))
    sections = run.replay.states["arena"][: CODES["filter.section_words"] * len(run.design.sections)]
    memories = sections.reshape(-1, CODES["filter.section_words"])[:, 5:]
    assert (np.abs(memories) < 1e-28).all()
    assert not ((memories != 0.0) & (np.abs(memories) < np.finfo(float).tiny)).any()


REFUSED = {
    "channel": (-1, 5, 2**62),
    "output": (-1, 2, 2**63 - 1),
    "blank": (-1, CODES["blank.kinds"]),
    "offset": (-1, 1, 2**62),
    "sections": (-1, 17, 5, 2**62),
    "decimation": (0, -1, -(2**62)),
    "samples": (0, -1, 2**62, 63, 65, 128),
    "hop": (0, -1, 3, 1, 128, 2**62),
    "first": (-1, 64, 2**62, 2**63 - 1),
    "bins": (4, -1, 65, 2**62, 2**63 - 1),
}
REFUSED_STATES = {"phase": (-1, 1, 2**62), "index": (-1, 64, 2**62), "hops": (-1, -(2**62))}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in REFUSED.items() for value in values])
def test_spoilt_parameters_are_refused(field, value):
    run = Run(detector(**TINY))
    run.replay.parameters["oscillations"][field] = value
    with pytest.raises(ValueError, match="oscillations: "):
        run.feed(np.ones(10))


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in REFUSED_STATES.items() for value in values])
def test_spoilt_states_are_refused(field, value):
    run = Run(detector(**TINY))
    run.feed(np.ones(100))
    run.replay.states["oscillations"][field] = value
    with pytest.raises(ValueError, match="oscillations: "):
        run.feed(np.ones(10))


SPOIL = """
import sys
sys.path.insert(0, TESTS)
import numpy as np
from oscillation_support import Run
from hil.limits.oscillation import detector

values = (0, -1, 1, 2, 3, 5, 63, 64, 65, 2**31, 2**62, 2**63 - 1, -(2**62), -(2**63))
count = told = 0
for settings in (TINY, FAST):
    probe = Run(detector(**settings))
    for kind in ("parameters", "states"):
        table = getattr(probe.replay, kind)["oscillations"]
        for field in table.dtype.names:
            whole = table.dtype[field].kind == "i"
            for value in values if whole else (0.0, -1e300, float("inf"), float("nan")):
                run = Run(detector(**settings))
                run.feed(np.sin(np.arange(100)))
                getattr(run.replay, kind)["oscillations"][field] = value
                print(kind, field, value, file=sys.stderr, flush=True)
                count += 1
                try:
                    run.feed(np.sin(np.arange(3000)))
                except ValueError:
                    told += 1
    for value in (1e300, float("inf"), float("nan")):
        run = Run(detector(**settings))
        run.replay.states["arena"][:] = value
        run.feed(np.sin(np.arange(6000)))
        count += 1
print(count, told)
"""


def test_no_number_in_an_array_ends_the_process():
    """In a process of its own, its arena no larger than needed, so that the checked build sees what is read beside it."""
    code = SPOIL.replace("TESTS", repr(str(Path(__file__).parent))).replace("TINY", repr(TINY)).replace("FAST", repr(FAST))
    run = subprocess.run([sys.executable, "-X", "faulthandler", "-c", code], capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stderr[-2000:]
    count, told = map(int, run.stdout.split())
    assert count > 400
    assert told > 150
    assert len(parameter_dtypes()["oscillations"].names) == 14
