"""Loads against closed forms and against their own files."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest

import hil
from hil.loads.base import LoadFeed
from hil.loads.inference import Fleet
from hil.loads.requests import Request, RequestFile
from hil.loads.rows import Rows
from hil.loads.sampler import fill
from hil.loads.source import LoadSource
from hil.loads.training import Crash, TrainingBreakpoints
from hil.scenario.load import InferenceLoad, TrainingLoad
from hil.session.run import Options, run_scenario

PERIOD_S = 0.001


def training(**keys: object) -> TrainingLoad:
    return TrainingLoad.model_validate({"kind": "training", "power": 100e6, "iteration": 2.0, "edge": 0.0, **keys})


def samples(load: TrainingLoad, seconds: float, seed: int = 0, crash_s: float | None = None, block: int = 1000):
    feed = LoadFeed(TrainingBreakpoints(load, seed, [] if crash_s is None else [Crash(crash_s)]), PERIOD_S)
    blocks = []
    while feed.tick < round(seconds / PERIOD_S):
        blocks.append(feed.block(block))
    return np.concatenate(blocks)[: round(seconds / PERIOD_S)]


# --- The sampler ---


def test_sampler_is_exact_on_random_lines():
    """Each tick is the mean of the piecewise-linear power over it: compared with the exact integral at tick edges."""
    rng = np.random.default_rng(1)
    time_s = np.sort(np.concatenate([[0.0], rng.uniform(0, 1, 400), [1.0]]))
    time_s[50] = time_s[51]  # a step
    power_w = rng.uniform(-1, 1, time_s.size)
    out = np.empty(1000)
    fill(time_s, power_w, 0.0, PERIOD_S, out)
    knots = np.concatenate([[0.0], np.cumsum(np.diff(time_s) * (power_w[1:] + power_w[:-1]) / 2)])
    edges = np.arange(1001) * PERIOD_S
    index = np.clip(np.searchsorted(time_s, edges, side="right") - 1, 0, time_s.size - 2)
    width = np.where(time_s[index + 1] > time_s[index], time_s[index + 1] - time_s[index], 1.0)
    at = power_w[index] + (power_w[index + 1] - power_w[index]) * (edges - time_s[index]) / width
    integral = knots[index] + (power_w[index] + at) / 2 * (edges - time_s[index])
    assert np.max(np.abs(out - np.diff(integral) / PERIOD_S)) < 1e-9


def test_sampler_refuses_a_single_point():
    with pytest.raises(ValueError, match="two break-points"):
        fill(np.zeros(1), np.zeros(1), 0.0, PERIOD_S, np.zeros(3))


# --- Training ---


@pytest.mark.parametrize("duty", [0.5, 0.7, 0.8, 0.9])
def test_harmonics_of_a_square_wave(duty):
    """n-th harmonic amplitude (2ΔP/πn)·|sin(πnd)|: the Fourier series of a rectangle."""
    load = training(compute_share=duty, communication_power=0.0)
    wave = samples(load, 20.0)
    spectrum = 2 * np.abs(np.fft.rfft(wave)) / wave.size
    for n in range(1, 8):
        expected = 2 * 100e6 / (np.pi * n) * abs(np.sin(np.pi * n * duty))
        assert spectrum[10 * n] == pytest.approx(expected, abs=2e-3 * 100e6)


def test_mean_power_and_edges():
    load = training(iteration=4.0, edge=0.25, compute_share=0.8, communication_power=0.35, power=25e6)
    wave = samples(load, 400.0)
    assert wave.mean() == pytest.approx(25e6 * (0.8 + 0.2 * 0.35), rel=2e-3)
    steepest = np.max(np.abs(np.diff(wave))) / PERIOD_S
    assert steepest == pytest.approx(25e6 * 0.65 / 0.25, rel=1e-6)


def test_checkpoint_start_crash_and_stop():
    load = training(
        power=10e6, start=3.0, start_ramp=5.0, checkpoint_every=20.0, checkpoint_duration=4.0, checkpoint_power=0.2, edge=0.1,
        idle_power=0.1, compute_share=1.0,
    )  # fmt: skip
    wave = samples(load, 60.0, crash_s=50.0)
    at = lambda second: wave[round(second / PERIOD_S)]
    assert at(2.9) == pytest.approx(1e6)
    assert at(5.5) == pytest.approx(5.5e6, rel=1e-3)
    assert at(15.0) == pytest.approx(10e6)
    dip = np.flatnonzero(wave[20_000:40_000] < 2.001e6)
    assert dip.size * PERIOD_S == pytest.approx(4.0, abs=0.01)
    assert at(49.9) == pytest.approx(10e6)
    assert at(50.2) == pytest.approx(1e6)
    assert np.all(wave[50_200:] == 1e6)
    assert samples(training(stop=7.0, compute_share=1.0), 9.0)[7_100:] == pytest.approx(10e6)


def test_blocks_do_not_change_a_load():
    load = training(jitter=0.05, edge=0.05, checkpoint_every=9.0, checkpoint_duration=1.0)
    whole = samples(load, 40.0, seed=3, block=40_000)
    assert np.allclose(samples(load, 40.0, seed=3, block=777), whole, rtol=0, atol=1e-3)


def test_seed_moves_the_jitter_alone():
    load = training(jitter=0.05)
    first, again, other = (samples(load, 60.0, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    still = training()
    assert np.array_equal(samples(still, 20.0, seed=1), samples(still, 20.0, seed=2))


def test_a_day_does_not_need_a_day_in_memory():
    feed = LoadFeed(TrainingBreakpoints(training(jitter=0.02), 0), 0.01)
    most = 0
    for _ in range(864):
        assert feed.block(10_000).size == 10_000
        most = max(most, feed._time_s.size)
    assert most < 2_000


# --- Inference ---


def fleet(**keys: object) -> InferenceLoad:
    settings = {"kind": "inference", "trace": __file__, "gpu_power": 700.0, "gpus_per_replica": 8, "replicas": 2, **keys}
    return InferenceLoad.model_validate(settings)


def energy_j(load: InferenceLoad, requests: list[Request], seconds: float) -> float:
    feed = LoadFeed(Fleet(load, requests).breakpoints(), PERIOD_S)
    return float(sum(feed.block(8000).sum() for _ in range(round(seconds / 8.0)))) * PERIOD_S


@pytest.mark.parametrize("edge", [0.0, 0.02])
def test_one_request_by_hand(edge):
    """2000 tokens at 10,000/s: 0.2 s at full power; then 30 tokens at 30/s: 1 s at idle plus one part of the batch."""
    load = fleet(replicas=1, edge=edge, max_batch=10, idle_power=0.2, decode_power=0.6)
    feed = LoadFeed(Fleet(load, [Request(1.0, 2000, 30)]).breakpoints(), PERIOD_S)
    wave = feed.block(8000)
    assert wave[500] == pytest.approx(0.2 * 5600)
    assert wave[1100] == pytest.approx(5600)
    assert wave[1500] == pytest.approx(5600 * (0.2 + 0.4 / 10))
    assert wave[2500] == pytest.approx(0.2 * 5600)
    assert wave.sum() * PERIOD_S == pytest.approx(5600 * (0.2 * 8 + 0.8 * 0.2 + 0.04 * 1.0), rel=1e-9)


def test_energy_is_the_sum_of_the_requests_whatever_the_batching():
    rng = np.random.default_rng(5)
    arrivals = np.sort(rng.uniform(0, 20, 300))
    context, generated = rng.integers(0, 6000, 300), rng.integers(0, 200, 300)
    requests = [Request(float(t), int(c), int(g)) for t, c, g in zip(arrivals, context, generated, strict=True)]
    load = fleet(replicas=3, max_batch=4)  # so few slots that requests queue
    model = Fleet(load, requests)
    expected = model.idle_w * 160 + sum(model.request_energy_j(request) for request in requests)
    assert energy_j(load, requests, 160.0) == pytest.approx(expected, rel=1e-9)


def test_decoding_waits_while_the_replica_prefills():
    load = fleet(replicas=1, edge=0.0, max_batch=10)
    model = Fleet(load, [Request(0.0, 1000, 30), Request(0.5, 5000, 3)])
    list(itertools.islice(model.breakpoints(), 2))
    # first: prefill 0.1 s, decode from 0.1 s, held up from 0.5 to 1.0 s, so it ends at 1.6 s; second: decodes 1.0 to 1.1 s
    assert [model.served(at).requests for at in (1.09, 1.11, 1.59, 1.61)] == [0, 1, 1, 2]


@pytest.mark.shared
def test_the_whole_coding_hour_is_served(code_trace):
    with code_trace.open() as file:
        rows = list(csv.DictReader(file))
    result = run_scenario(hil.load("inference_replay", [f"load.trace='{code_trace}'"]), Options(controllers=False))
    assert result.load["requests_served"] == len(rows) == 8819
    assert result.load["context_tokens"] == sum(int(row["ContextTokens"]) for row in rows)
    assert result.load["generated_tokens"] == sum(int(row["GeneratedTokens"]) for row in rows)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("left_out", [1, 4000, 8818])
def test_leaving_one_request_out_takes_its_own_energy(code_trace, tmp_path, left_out):
    lines = code_trace.read_text().splitlines(keepends=True)
    fewer = tmp_path / "fewer.csv"
    fewer.write_text("".join(lines[: left_out + 1] + lines[left_out + 2 :]))  # the header is line 0
    scenario = hil.load("inference_replay", [f"load.trace='{code_trace}'"])
    request = list(RequestFile(code_trace))[left_out]
    own = Fleet(scenario.load, []).request_energy_j(request)
    energies = []
    for trace in (code_trace, fewer):
        source = LoadSource(hil.load("inference_replay", [f"load.trace='{trace}'"]))
        energies.append(sum(float(source.feed.block(8000).sum()) for _ in range(450)) * PERIOD_S)
    assert own > 0
    assert energies[0] - energies[1] == pytest.approx(own, rel=1e-4)


@pytest.mark.shared
def test_the_conversation_hour_reads_too(conversation_trace):
    requests = list(RequestFile(conversation_trace))
    assert len(requests) == 19_366
    assert requests[-1].arrival_s == pytest.approx(3501.7, abs=1.0)


# --- Traces ---


def test_a_trace_is_interpolated_and_repeated(tmp_path):
    path = tmp_path / "power.csv"
    path.write_text("t,kw\n10,0\n11,100\n12,100\n")
    keys = [f"load.trace='{path}'", "load.time_column='t'", "load.power_column='kw'", "load.scale=1000", "load.repeat=true"]
    source = LoadSource(hil.load("training_job", ["load={}", "events=[]", "load.kind='trace'", *keys]))
    wave = source.feed.block(4000)
    assert wave[500] == pytest.approx(50_050)
    assert wave[1500] == 100_000
    assert wave[2500] == pytest.approx(50_050)


def test_a_csv_file_is_not_held_open(tmp_path):
    """Neither between rows nor where a reader is left standing; lines stay whole over blocks, quoted line ends too."""
    path = tmp_path / "rows.csv"
    lines = [f"{i},é{i}" for i in range(10_000)]
    lines[4094:4096] = ['4094,"two', 'lines"', "4095,é4095"]
    path.write_text("\ufefft,p\r\n" + "\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")
    rows = Rows(path, ("p",), "s")
    assert next(rows) == (2, ["é0"])
    assert path not in [entry.resolve() for entry in Path("/proc/self/fd").glob("*")]
    rest = [row for _, (row,) in rows]
    assert len(rest) == 9_999
    assert rest[4093] == "two\r\nlines"
    assert rest[4094:] == [f"é{i}" for i in range(4095, 10_000)]
