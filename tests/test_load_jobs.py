"""A training job's phases, stragglers, overshoot, failures and restarts, against closed forms."""

from __future__ import annotations

import copy
import itertools
import math
import statistics

import numpy as np
import pytest

from hil.errors import ScenarioError
from hil.loads.base import LoadFeed
from hil.loads.training import Crash, TrainingBreakpoints
from hil.scenario.load import TrainingLoad

PERIOD_S = 0.001
FULL_W = 100e6


def training(**keys: object) -> TrainingLoad:
    return TrainingLoad.model_validate({"kind": "training", "power": FULL_W, "iteration": 2.0, "edge": 0.0, **keys})


def samples(load: TrainingLoad, seconds: float, *, seed: int = 0, crashes: tuple[Crash, ...] = (), period_s: float = PERIOD_S):
    feed = LoadFeed(TrainingBreakpoints(load, seed, crashes), period_s)
    ticks = round(seconds / period_s)
    return np.concatenate([feed.block(min(8192, ticks - start)) for start in range(0, ticks, 8192)])


# --- Phases ---


def test_three_phases():
    """The square of each phase by itself: the mean, and the first harmonics as a sum of those of three rectangles."""
    load = training(compute_share=0.6, communication_power=0.3, optimiser_share=0.1, optimiser_power=0.7)
    wave = samples(load, 20.0)
    levels, shares = np.array([1.0, 0.3, 0.7]), np.array([0.6, 0.3, 0.1])
    assert wave.mean() == pytest.approx(FULL_W * float(levels @ shares), rel=1e-9)
    assert [wave[at] / FULL_W for at in (1100, 1300, 1700, 1900)] == pytest.approx([1.0, 0.3, 0.3, 0.7])
    spectrum = 2 * np.fft.rfft(wave) / wave.size
    ends = np.cumsum([0.0, *shares])
    for n in range(1, 6):
        parts = [
            level * (np.exp(-2j * np.pi * n * begin) - np.exp(-2j * np.pi * n * end)) / (1j * np.pi * n)
            for level, begin, end in zip(levels, ends[:-1], ends[1:], strict=True)
        ]
        assert abs(spectrum[10 * n]) == pytest.approx(FULL_W * abs(sum(parts)), abs=2e-3 * FULL_W)


@pytest.mark.parametrize(
    ("duty", "amplitudes"),
    [
        (0.5, (0.6366, 0.0, 0.2122, 0.1273)),
        (0.7, (0.5150, 0.3027, 0.0656, 0.1273)),
        (0.8, (0.3742, 0.3027, 0.2018, 0.0)),
        (0.9, (0.1967, 0.1871, 0.1717, 0.1273)),
    ],
)
def test_amplitudes_of_the_table(duty, amplitudes):
    wave = samples(training(compute_share=duty, communication_power=0.0), 20.0)
    spectrum = 2 * np.abs(np.fft.rfft(wave)) / wave.size / FULL_W
    assert [spectrum[10 * n] for n in (1, 2, 3, 5)] == pytest.approx(amplitudes, abs=1.5e-4)
    swing = np.cumsum(wave - wave.mean())[:2000] * PERIOD_S
    assert (swing.max() - swing.min()) / (FULL_W * 2.0) == pytest.approx(duty * (1 - duty), rel=2e-3)


def test_power_from_the_number_of_gpus():
    load = TrainingLoad.model_validate({"kind": "training", "gpus": 16384, "gpu": "h100"})
    assert load.full_w == load.rated_w == 16384 * 700.0
    assert load.idle_share == pytest.approx(72.5 / 700.0)
    assert samples(training(gpus=16384, gpu="h100", start=5.0), 1.0)[0] == pytest.approx(FULL_W * 72.5 / 700.0)


# --- Stragglers ---


@pytest.mark.parametrize(("sigma_s", "edge_s"), [(0.05, 0.0), (0.05, 0.1), (0.02, 0.2)])
def test_the_edge_of_stragglers_is_their_distribution(sigma_s, edge_s):
    """Against a million node times, drawn and averaged."""
    load = training(straggle=sigma_s, edge=edge_s, compute_share=0.6, communication_power=0.0)
    wave = samples(load, 2.0)
    z = np.random.default_rng(1).standard_normal(1_000_000)
    ends = np.sort(z[np.abs(z) <= 3.0]) * sigma_s + 1.2
    ticks = (np.arange(wave.size) + 0.5) * PERIOD_S
    near = (ticks > 1.2 - 3.5 * sigma_s) & (ticks < 1.2 + 3.5 * sigma_s + edge_s)
    at = ticks[near]
    if edge_s == 0.0:
        done = np.searchsorted(ends, at) / ends.size
    else:
        sums = np.concatenate([[0.0], np.cumsum(ends)])
        began, ended = np.searchsorted(ends, at), np.searchsorted(ends, at - edge_s)
        done = (ended + ((began - ended) * at - (sums[began] - sums[ended])) / edge_s) / ends.size
    assert wave[near] / FULL_W == pytest.approx(1.0 - done, abs=3e-3)


def test_stragglers_keep_the_energy_of_a_synchronous_job():
    keys = {"edge": 0.1, "compute_share": 0.6, "communication_power": 0.2}
    together, apart = samples(training(**keys), 40.0), samples(training(straggle=0.05, **keys), 40.0)
    assert apart.sum() == pytest.approx(together.sum(), rel=1e-6)
    assert np.max(np.abs(np.diff(apart[1000:2000]))) < 0.75 * np.max(np.abs(np.diff(together[1000:2000])))


@pytest.mark.parametrize("edge_s", [0.0, 0.05])
def test_few_nodes_fall_one_by_one_and_many_as_their_distribution(edge_s):
    keys = {"straggle": 0.05, "edge": edge_s, "compute_share": 0.6, "communication_power": 0.0}
    few = samples(training(nodes=4, **keys), 2.0, seed=2)
    if edge_s == 0.0:
        levels = np.unique(np.round(few / FULL_W, 6))
        assert {0.0, 0.25, 0.5, 0.75, 1.0} <= set(levels)
        assert levels.size <= 5 + 4  # a tick in which a node falls lies between
    many = samples(training(nodes=512, **keys), 400.0, seed=2).reshape(-1, 2000).mean(axis=0)
    limit = samples(training(**keys), 2.0)
    begin = 500  # the rise of the first iteration is not there
    assert many[begin:] / FULL_W == pytest.approx(limit[begin:] / FULL_W, abs=0.01)
    other = samples(training(nodes=4, **keys), 2.0, seed=3)
    assert not np.array_equal(few, other)


# --- Overshoot ---


@pytest.mark.parametrize("edge_s", [0.0, 0.01, 0.05, 0.2])
@pytest.mark.parametrize("peak", [1.1, 1.25])
def test_an_overshoot_keeps_the_mean_of_a_second(edge_s, peak):
    """No mean over 1 s is above the power of the compute phase, and the one from the rise on is that."""
    load = training(overshoot=peak, overshoot_time=0.05, edge=edge_s, iteration=5.0)
    wave = samples(load, 10.0, period_s=1e-4) / FULL_W
    sums = np.concatenate([[0.0], np.cumsum(wave)])
    means = (sums[10_000:] - sums[:-10_000]) * 1e-4
    assert means.max() <= 1.0 + 1e-9
    after_rise = means[45_000:60_000]
    assert after_rise.max() == pytest.approx(1.0, abs=1e-6)
    assert wave.max() == pytest.approx(peak, rel=1e-9)
    top = np.count_nonzero(np.abs(wave[40_000:60_000] - peak) < 1e-9) * 1e-4
    assert top == pytest.approx(0.05, abs=2e-4)
    assert wave[68_000] == 1.0  # 1.8 s after the rise it is back at the full power


def test_short_phases_leave_an_overshoot_unpaid_only_where_the_rest_pays():
    load = training(overshoot=1.1, iteration=0.8, compute_share=0.7, communication_power=0.3)
    means = np.convolve(samples(load, 20.0) / FULL_W, np.full(1000, 1e-3), mode="valid")
    assert means[1000:].max() <= 1.0
    with pytest.raises(ScenarioError, match="too much for a mean of power over 1 s"):
        TrainingLoad(power_w=1e6, edge_s=0.0, iteration_s=0.5, compute_share=0.9, communication_power=0.95, overshoot=1.3)


# --- Crash, failure, restart ---


def test_the_full_collapse():
    """450 → 40 MW in 36 s, 7 MW for 4 h, back in 3 min: two crashes, the second of which restarts."""
    load = training(power=450e6, compute_share=1.0, edge=0.0)
    fall = Crash(60.0, fall_s=36.0, to_w=40e6)
    stay = Crash(96.0, fall_s=0.0, to_w=7e6, restart_after_s=4 * 3600.0, restart_ramp_s=180.0)
    time_s = np.arange(0.005, 15_000, 0.01)
    wave = samples(load, 15_000.0, crashes=(fall, stay), period_s=0.01)
    back_s = 96.0 + 4 * 3600.0
    expected = np.interp(time_s, [60.0, 96.0 - 1e-9, 96.0, back_s, back_s + 180.0], np.array([450e6, 40e6, 7e6, 7e6, 450e6]))
    assert np.max(np.abs(wave - expected)) < 3e6 * 0.01
    assert np.diff(wave[6001:9599]).min() / 0.01 == pytest.approx(-410e6 / 36.0, rel=1e-6)
    job = TrainingBreakpoints(load, 0, (fall, stay))
    list(itertools.islice(job, 20))
    assert job.outages(0.0, 3600.0) == {"failures": 0, "crashes": 2, "down_s": 3540.0}
    assert job.outages(0.0, 15_000.0)["down_s"] == pytest.approx(back_s + 180.0 - 60.0)


def test_a_crash_while_it_falls_or_recovers_takes_over():
    load = training(compute_share=1.0, idle_power=0.1)
    wave = samples(load, 30.0, crashes=(Crash(5.0, 4.0, 0.0, 5.0, 10.0), Crash(7.0, 1.0, 20e6, 8.0, 2.0), Crash(16.0, 0.0)))
    at = lambda second: wave[round(second / PERIOD_S)] / FULL_W
    assert at(6.0) == pytest.approx(0.75, abs=1e-3)
    assert at(7.5) == pytest.approx(0.35, abs=1e-3)  # from 0.5 to 0.2
    assert at(14.9) == pytest.approx(0.2)  # the first restart is off
    assert at(15.9) == pytest.approx(0.2 + 0.8 * 0.9 / 2.0, abs=1e-3)
    assert at(16.1) == at(29.9) == pytest.approx(0.1)


def test_a_restart_reads_its_checkpoint_and_takes_its_time():
    load = training(
        compute_share=1.0, edge=0.1, checkpoint_every=20.0, checkpoint_duration=1.0, checkpoint_power=0.3, idle_power=0.1,
        fall=2.0, restart_after=6.0, restore=5.0, restart_ramp=4.0,
    )  # fmt: skip
    wave = samples(load, 60.0, crashes=(Crash(10.0),))
    at = lambda second: wave[round(second / PERIOD_S)] / FULL_W
    assert [at(9.9), at(11.0), at(13.0), at(18.0), at(23.0), at(25.1)] == pytest.approx(
        [1.0, 0.55, 0.1, 0.3, 0.3 + 0.7 / 2.0, 1.0], abs=1e-3
    )
    checkpoint = np.flatnonzero(wave[26_000:] < 0.31 * FULL_W) * PERIOD_S + 26.0
    assert checkpoint[0] == pytest.approx(45.1, abs=0.01)  # its period from the restart on, and an edge


def test_stop_ends_it_for_good():
    load = training(stop=8.0, failure_every=1.0, restart_after=0.1)
    wave = samples(load, 20.0, crashes=(Crash(12.0, 0.0, 50e6),))
    assert np.all(wave[8001:] == 0.1 * FULL_W)


def test_checkpoints_come_later_by_their_offset():
    keys = {"compute_share": 1.0, "checkpoint_every": 20.0, "checkpoint_duration": 2.0, "iteration": 1.0}
    first = np.flatnonzero(samples(training(**keys), 60.0) < FULL_W)[0]
    later = np.flatnonzero(samples(training(checkpoint_offset=7.0, **keys), 60.0) < FULL_W)[0]
    assert (later - first) * PERIOD_S == pytest.approx(7.0, abs=1e-6)


def _failures(load: TrainingLoad, seed: int, until_s: float) -> list[float]:
    job = TrainingBreakpoints(load, seed)
    while next(job)[0][-1] < until_s:
        pass
    return [at_s for at_s, cause in job._falls if cause == "failure" and at_s <= until_s]


def test_failures_are_those_of_a_poisson_process():
    """3.1 h apart in the mean. Their times are exponential: chi-square over ten equal classes, one chance in ten thousand."""
    load = training(iteration=900.0, edge=1.0, failure_every=3.1 * 3600.0, restart_after=0.0)
    gaps: list[float] = []
    counts = []
    for seed in range(60):
        falls = _failures(load, seed, 54 * 86400.0 / 4)
        counts.append(len(falls))
        gaps += list(np.diff([0.0, *falls]))
    hours = np.array(gaps) / 3600.0
    assert hours.mean() == pytest.approx(3.1, rel=4.0 / math.sqrt(hours.size))
    classes = np.bincount(np.minimum(9, (10 * -np.expm1(-hours / 3.1)).astype(int)), minlength=10)
    chi_square = float(np.sum((classes - hours.size / 10) ** 2) / (hours.size / 10))
    assert chi_square < 33.72  # 9 degrees of freedom
    assert statistics.variance(counts) / statistics.mean(counts) == pytest.approx(1.0, abs=0.6)


def test_failures_fall_restart_and_are_told():
    load = training(compute_share=1.0, edge=0.1, failure_every=50.0, fall=1.0, restart_after=5.0, restart_ramp=2.0)
    job = TrainingBreakpoints(load, 5)
    feed = LoadFeed(job, 0.01)
    wave = np.concatenate([feed.block(10_000) for _ in range(10)])
    told = job.outages(0.0, 1000.0)
    assert told["crashes"] == 0
    assert told["failures"] == len(_failures(load, 5, 1000.0)) > 5
    down = wave < 0.999 * FULL_W
    assert np.count_nonzero(down) * 0.01 == pytest.approx(told["down_s"], rel=0.01)
    assert told["down_s"] == pytest.approx(7.0 * told["failures"], abs=7.0)


def test_a_job_that_is_not_yet_up_does_not_fail():
    load = training(compute_share=1.0, failure_every=20.0, restart_after=5.0, restart_ramp=40.0)
    falls = np.concatenate([_failures(load, seed, 2000.0) for seed in range(3)])
    apart = np.diff(falls)[np.diff(falls) > 0.0]
    assert apart.size > 60
    assert apart.min() > 45.0


def test_a_copy_of_a_job_goes_on_alike():
    load = training(
        straggle=0.02, nodes=8, edge=0.05, jitter=0.02, overshoot=1.1, optimiser_share=0.1,
        failure_every=20.0, restart_after=3.0, checkpoint_every=9.0, checkpoint_duration=1.0,
    )  # fmt: skip
    feed = LoadFeed(TrainingBreakpoints(load, 3, (Crash(11.0),)), PERIOD_S)
    feed.block(8192)
    other = copy.deepcopy(feed)
    assert np.array_equal(feed.block(60_000), other.block(60_000))


def test_break_points_never_go_back():
    load = training(
        straggle=0.02, nodes=8, edge=0.05, jitter=0.05, overshoot=1.1, optimiser_share=0.1, optimiser_power=0.5,
        failure_every=15.0, fall=0.7, restart_after=2.0, restore=1.0, checkpoint_every=9.0, checkpoint_duration=1.0,
    )  # fmt: skip
    for seed in range(5):
        times, powers = [], []
        for time_s, power_w in itertools.islice(TrainingBreakpoints(load, seed, (Crash(11.0), Crash(11.5))), 12):
            times.append(time_s)
            powers.append(power_w)
        assert np.all(np.diff(np.concatenate(times)) >= 0.0)
        assert np.concatenate(powers).min() >= 0.1 * FULL_W - 1e-6
        assert np.concatenate(powers).max() <= 1.1 * FULL_W + 1e-6
