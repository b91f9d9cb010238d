"""The compiled fleet against the same model in plain Python, and against closed forms."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from dataclasses import astuple

import fleet_reference
import numpy as np
import pytest

from hil.errors import ScenarioError
from hil.loads.base import LoadFeed
from hil.loads.fleet import Replicas, ramped
from hil.loads.inference import KEPT_S, Fleet
from hil.loads.requests import Request
from hil.scenario.load import InferenceLoad


def load_of(**keys: object) -> InferenceLoad:
    return InferenceLoad.model_validate({"kind": "inference", "gpu_power": 700.0, **keys})


def requests_of(seed: int, count: int, seconds: float, *, on_a_grid: bool = False) -> list[Request]:
    """Random requests; on a grid many events fall on the same moment."""
    rng = np.random.default_rng(seed)
    arrival_s = np.sort(rng.uniform(0, seconds, count))
    if on_a_grid:
        arrival_s = np.round(arrival_s * 2) / 2
    context = rng.integers(0, 6000, count) // (500 if on_a_grid else 1) * (500 if on_a_grid else 1)
    generated = rng.integers(0, 300, count) // (30 if on_a_grid else 1) * (30 if on_a_grid else 1)
    columns = (arrival_s.tolist(), context.tolist(), generated.tolist())
    return [Request(*row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("on_a_grid", [False, True])
@pytest.mark.parametrize(
    ("replicas", "max_batch", "count"), [(1, 1, 40), (2, 3, 300), (7, 32, 900), (64, 4, 900), (100, 32, 3000)]
)
def test_it_does_what_the_plain_one_does(replicas, max_batch, count, on_a_grid):
    """When the power steps and when requests are complete, to the bit; the power to rounding."""
    load = load_of(replicas=replicas, max_batch=max_batch)
    requests = requests_of(replicas, count, 60.0, on_a_grid=on_a_grid)
    ours, plain = Fleet(load, requests), fleet_reference.Fleet(load, requests)
    for until_s in (8.0, 16.0, 61.3, 700.0, 4000.0):
        time_s, size_w = ours.steps(until_s)
        steps = plain.steps(until_s)
        assert time_s.tolist() == [time for time, _ in steps]
        assert size_w == pytest.approx([size for _, size in steps], abs=1e-6)
        assert ours.power_w() == pytest.approx(plain.power_w(), rel=1e-12)
        for asked_s in (until_s, until_s - 3.7):
            there = plain.served(asked_s)
            assert astuple(ours.served(asked_s)) == (there.requests, there.context_tokens, there.generated_tokens)
    assert ours.served(4000.0).requests == count


@pytest.mark.parametrize("edge", [0.0, 0.02, 0.5])
def test_its_power_is_that_of_the_plain_one(edge):
    load = load_of(replicas=5, max_batch=4, edge=edge)
    requests = requests_of(3, 400, 40.0)
    ours = LoadFeed(Fleet(load, requests).breakpoints(), 0.001)
    plain = LoadFeed(fleet_reference.Fleet(load, requests).breakpoints(), 0.001)
    for _ in range(10):
        assert np.max(np.abs(ours.block(8192) - plain.block(8192))) < 1e-5


def test_ramps_are_straight_and_exact():
    """Against the sum of clipped lines at each break-point and between them."""
    rng = np.random.default_rng(4)
    begin_s = np.sort(rng.uniform(9.7, 18.0, 200))
    begin_s[50] = begin_s[51]
    size_w = rng.uniform(-1, 1, 200)
    time_s, power_w = ramped(begin_s, size_w, 0.3, 10.0, 18.0, 7.0)
    assert time_s[0] == 10.0
    assert time_s[-1] == 18.0
    assert np.all(np.diff(time_s) > 0)
    asked_s = rng.uniform(10.0, 18.0, 5000)
    exact_w = 7.0 + np.clip((asked_s[:, np.newaxis] - begin_s) / 0.3, 0.0, 1.0) @ size_w
    assert np.max(np.abs(np.interp(asked_s, time_s, power_w) - exact_w)) < 1e-12


@pytest.mark.parametrize("duplicated", [copy.deepcopy, lambda original: pickle.loads(pickle.dumps(original))])
def test_copied_in_mid_stream_both_go_on_alike(duplicated):
    fleet = Fleet(load_of(replicas=3, max_batch=4), requests_of(5, 2000, 100.0))
    pieces = fleet.breakpoints()
    list(itertools.islice(pieces, 5))
    again = duplicated(pieces)
    first = list(itertools.islice(pieces, 20))
    for (time_s, power_w), (other_s, other_w) in zip(first, itertools.islice(again, 20), strict=True):
        assert np.array_equal(time_s, other_s)
        assert np.array_equal(power_w, other_w)


def test_memory_goes_with_what_is_outstanding():
    """Two hours at 20 requests a second leave no more behind than the first ten minutes did."""
    count = 144_000
    rng = np.random.default_rng(1)
    arrival_s = np.arange(count) / 20.0
    tokens = rng.integers(1, 200, (2, count))
    fleet = Fleet(
        load_of(replicas=20), iter([(arrival_s[i : i + 500], *tokens[:, i : i + 500]) for i in range(0, count, 500)])
    )
    kept = []
    for until_s in np.arange(8.0, 7200.0, 8.0):
        fleet.steps(until_s)
        kept.append(sum(time_s.size for time_s, _ in fleet._complete))
    assert max(kept) <= (KEPT_S + 16.0) * 20.0
    assert fleet.served(7100.0).requests == pytest.approx(142_000, abs=300)
    with pytest.raises(ValueError, match=r"known from 65\d\d"):
        fleet.served(100.0)
    assert fleet.served(0.0).requests == 0


def test_what_came_before_a_time_does_not_count():
    load, requests = load_of(replicas=3), requests_of(9, 5000, 1000.0)
    whole, later = Fleet(load, requests), Fleet(load, requests, count_from_s=300.0)
    whole.steps(400.0)
    before = astuple(whole.served(300.0))
    for fleet in (whole, later):
        fleet.steps(1400.0)
    difference = [a - b for a, b in zip(astuple(whole.served(1000.0)), before, strict=True)]
    assert list(astuple(later.served(1000.0))) == difference
    assert later.served(200.0).requests == 0
    at_once = Fleet(load, [Request(0.0, 0, 0)])
    at_once.steps(1.0)
    assert at_once.served(0.5).requests == 1


def test_buffers_of_another_length_are_refused():
    replicas = Replicas(1, np.zeros(2), 1.0, 1.0)
    with pytest.raises(ValueError, match="one length"):
        replicas.serve(1.0, np.empty(3), np.empty(2), np.empty(3), np.empty((3, 2), np.int64))
    with pytest.raises(ValueError, match="edge"):
        ramped(np.zeros(1), np.zeros(1), 0.0, 0.0, 1.0, 0.0)


# --- Powers of prefill and decode ---


def test_a_long_prompt_draws_more():
    """Half way to the peak at half its tokens, the peak beyond; the energy of a request stays its own."""
    load = load_of(replicas=1, edge=0.0, prefill_power=1.0, prefill_peak=1.2, prefill_peak_tokens=8000)
    for tokens, share in ((0, 1.0), (4000, 1.1), (8000, 1.2), (16_000, 1.2)):
        feed = LoadFeed(Fleet(load, [Request(0.0, tokens, 0)]).breakpoints(), 0.001)
        if tokens:
            assert feed.block(300)[100] == pytest.approx(5600.0 * share)
    requests = requests_of(6, 200, 20.0)
    fleet = Fleet(load, requests)
    feed = LoadFeed(Fleet(load, requests).breakpoints(), 0.001)
    energy_j = sum(feed.block(8000).sum() for _ in range(100)) * 0.001
    own_j = sum(fleet.request_energy_j(request) for request in requests)
    assert energy_j == pytest.approx(fleet.idle_w * 800.0 + own_j, rel=1e-9)


def test_a_logistic_batch_by_hand():
    """Four sequences on one replica: 1/(1 + e^(−k·log2(n/m))) between idle and decode_power, which the full batch has."""
    load = load_of(
        replicas=1, edge=0.0, max_batch=4, idle_power=0.2, decode_power=0.6, decode_curve="logistic", decode_midpoint=2,
        decode_steepness=1.5, prefill_tokens_per_s=1e6,
    )  # fmt: skip
    grown = [1.0 / (1.0 + math.exp(-1.5 * math.log2(n / 2))) for n in (1, 2, 3, 4)]
    feed = LoadFeed(Fleet(load, [Request(10.0 * n, 1, 3000) for n in range(4)]).breakpoints(), 0.001)
    wave = feed.block(40_000)
    for n in range(4):
        assert wave[10_000 * n + 5000] == pytest.approx(5600.0 * (0.2 + 0.4 * grown[n] / grown[3]))
    assert load.decode_levels()[0] == 0.2
    with pytest.raises(ValueError, match="batched"):
        Fleet(load, []).request_energy_j(Request(0.0, 1, 1))


def test_a_gpu_fills_what_is_not_given():
    assert load_of(gpu="a100", gpu_power=300.0).gpu_power_w == 300.0
    filled = InferenceLoad.model_validate({"kind": "inference", "gpu": "a100"})
    assert filled.gpu_power_w == 400.0
    assert filled.idle_power == pytest.approx(80.0 / 400.0)
    filled.gpu = "h100"
    assert filled.gpu_power_w == 700.0
    assert filled.idle_power == pytest.approx(121.7 / 700.0)
    with pytest.raises(ScenarioError, match="prefill_peak"):
        filled.prefill_peak = 0.9
