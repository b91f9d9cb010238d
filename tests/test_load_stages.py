"""The stages of a load, each against a closed form."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

from hil.loads.base import LoadFeed
from hil.loads.feeds import RemediedFeed, Steady
from hil.loads.remedies import stages
from hil.scenario.load import TrainingLoad

PERIOD_S = 0.001
GPUS = 1000
RATED_W = 700.0 * GPUS


def load(**keys: object) -> TrainingLoad:
    return TrainingLoad.model_validate({"kind": "training", "gpus": GPUS, "gpu": "h100", "edge": 0.0, **keys})


def through(job: TrainingLoad, power_w: np.ndarray, blocks: int = 10**9, first_w: float | None = None):
    """A power through the stages of a load, in blocks; returns it and the stages."""
    found = stages(job, PERIOD_S)
    settled = float(power_w[0]) if first_w is None else first_w
    for stage in found.values():
        settled = stage.settle(settled)
    out = power_w.copy()
    for start in range(0, out.size, blocks):
        block = out[start : start + blocks]
        for stage in found.values():
            stage.act(block)
    return out, found


def square(high: float, low: float, duty: float, period_s: float, seconds: float) -> np.ndarray:
    """A square wave of the GPUs' power, in shares of their rated one; high first."""
    ticks = np.arange(round(seconds / PERIOD_S))
    return RATED_W * np.where((ticks % round(period_s / PERIOD_S)) < duty * period_s / PERIOD_S, high, low)


ALL = {
    "filler": {"fill": 0.5},
    "smoothing": {"profile": "balanced"},
    "capping": {"provisioned": 0.8 * RATED_W, "latency": 2.0, "brake_latency": 0.7},
    "rack": {},
    "supply": {"host": 0.38, "efficiency": 0.95},
}


@pytest.mark.parametrize("table", ALL)
@pytest.mark.parametrize("blocks", [1, 7, 777, 8192])
def test_blocks_of_any_size_give_the_same_bits(table, blocks):
    rng = np.random.default_rng(3)
    power = RATED_W * np.repeat(rng.uniform(0.0, 1.1, 60), 200)
    job = load(**{table: ALL[table]})
    whole, first = through(job, power)
    parts, second = through(job, power, blocks)
    assert np.array_equal(whole, parts)
    assert [stage.figures() for stage in first.values()] == [stage.figures() for stage in second.values()]
    assert not np.array_equal(whole, power)


def test_a_copy_in_mid_stream_goes_on_alike():
    power = RATED_W * np.repeat(np.random.default_rng(4).uniform(0.0, 1.1, 40), 150)
    found = stages(load(**ALL), PERIOD_S)
    for stage in found.values():
        stage.settle(power[0])
        stage.act(power[:1234].copy())
    other = copy.deepcopy(found)
    outs = []
    for one in (found, other):
        rest = power[1234:].copy()
        for stage in one.values():
            stage.act(rest)
        outs.append(rest)
    assert np.array_equal(*outs)


def test_what_begins_steady_stays_so():
    for share in (0.1, 0.7, 1.0):
        power = np.full(20_000, share * RATED_W)
        for table, keys in ALL.items():
            job = load(**{table: keys})
            found = stages(job, PERIOD_S)
            settled = power[0]
            for stage in found.values():
                settled = stage.settle(settled)
            out, _ = through(job, power)
            if table != "capping":  # a cap that leaves the threshold far behind is taken back: there is no steady state
                assert out == pytest.approx(settled, rel=1e-12), (table, share)


# --- Filler ---


@pytest.mark.parametrize(("fill", "delay_ticks"), [(0.8, 1), (1.0, 3), (0.9, 0)])
def test_a_filler_is_flat_but_for_its_delay(fill, delay_ticks):
    power = square(1.0, 0.3, 0.7, 2.0, 20.0)
    out, found = through(load(filler={"fill": fill, "delay": delay_ticks * PERIOD_S}), power)
    below = out < fill * RATED_W - 1e-6
    assert np.count_nonzero(below) == 10 * delay_ticks  # each fall is seen so much later
    assert out.max() <= RATED_W
    assert found["filler"].figures()["energy_j"] == pytest.approx((out - power).sum() * PERIOD_S, rel=1e-12)


def test_a_filler_slows_the_job_by_its_overhead():
    assert load(filler={"overhead": 0.04}).length_s == pytest.approx(1.04 * load().length_s, rel=1e-12)


# --- Smoothing ---


@pytest.mark.parametrize("floor", [0.5, 0.65, 0.8, 0.9])
@pytest.mark.parametrize(("duty", "low"), [(0.83, 0.35), (0.88, 0.1), (0.5, 0.2)])
def test_energy_of_a_floor_on_a_square_wave(floor, duty, low):
    """Overhead (1−d)(f−l)/(d+(1−d)l): 10.5 % for f = 0.9, l = 0.35, d = 0.83."""
    power = square(1.0, low, duty, 2.0, 40.0)
    smoothing = {"percent_tmp_floor": 100 * floor, "ramp_up_rate": 70.0, "ramp_down_rate": 70.0, "ramp_down_hysteresis": 5.0}
    out, found = through(load(smoothing=smoothing), power)
    expected = (1 - duty) * (floor - low) / (duty + (1 - duty) * low)
    assert out.sum() / power.sum() - 1.0 == pytest.approx(expected, rel=1e-9)
    assert found["smoothing"].figures()["burnt_j"] == pytest.approx(expected * power.sum() * PERIOD_S, rel=1e-9)
    assert found["smoothing"].figures()["withheld_j"] == 0.0
    if (floor, duty, low) == (0.9, 0.83, 0.35):
        assert expected == pytest.approx(0.105, rel=0.01)


def test_what_is_left_of_a_swing_under_the_highest_floor():
    """0.9 to 1.1 of the thermal design power: a fifth of it stays."""
    power = square(1.0, 0.2, 0.8, 2.0, 20.0)
    power[(np.arange(power.size) % 2000) < 50] = 1.1 * RATED_W
    out, _ = through(load(smoothing={"profile": "conservative"}), power, first_w=RATED_W)
    assert (out.max() - out.min()) / RATED_W == pytest.approx(0.2, rel=1e-9)


@pytest.mark.parametrize("profile", ["conservative", "moderate", "aggressive", "balanced"])
def test_ramps_and_hysteresis_are_those_of_the_profile(profile):
    job = load(smoothing={"profile": profile})
    smoothing = job.smoothing
    up, down = smoothing.up_w_per_s * GPUS * PERIOD_S, smoothing.down_w_per_s * GPUS * PERIOD_S
    power = np.concatenate([np.full(1000, 0.1), np.ones(20_000), np.full(20_000, 0.1)]) * RATED_W
    out, found = through(job, power)
    rise = np.diff(out)[out[:-1] < RATED_W - 1e-6][: 20_000 - 1]
    rising = np.diff(out[:21_000])
    assert np.max(rising) == pytest.approx(up, rel=1e-9)
    ticks = np.flatnonzero(rising > 0)
    assert ticks.size * PERIOD_S == pytest.approx(0.9 * 700.0 / smoothing.up_w_per_s, abs=1.5 * PERIOD_S)
    falling = out[21_000:]
    floor_w = smoothing.floor * RATED_W
    held = np.flatnonzero(falling < floor_w - 1e-6)[0]
    assert falling[0] == pytest.approx(floor_w, rel=1e-12)
    assert held == round(smoothing.hold_s / PERIOD_S)
    assert np.min(np.diff(falling)) == pytest.approx(-down, rel=1e-9)
    assert falling[-1] == pytest.approx(0.1 * RATED_W, rel=1e-12)
    figures = found["smoothing"].figures()
    assert figures["burnt_j"] - figures["withheld_j"] == pytest.approx((out - power).sum() * PERIOD_S, rel=1e-9)
    assert figures["limited_s"] == pytest.approx(ticks.size * PERIOD_S, abs=2 * PERIOD_S)
    assert rise.size


def test_a_dip_shorter_than_the_hysteresis_leaves_the_next_rise_free():
    power = np.concatenate([np.ones(1000), np.full(500, 0.1), np.ones(1000)]) * RATED_W
    out, _ = through(load(smoothing={"profile": "aggressive"}), power)
    assert out[1500] == RATED_W
    assert np.all(out[1000:1500] == 0.5 * RATED_W)


# --- Capping ---


def rise(seconds: float = 60.0) -> np.ndarray:
    """POLCA's fastest: from the second threshold 37.5 % of the row in 2 s, from 10 s on."""
    time_s = (np.arange(round(seconds / PERIOD_S)) + 0.5) * PERIOD_S
    return np.interp(time_s, [0.0, 10.0 - 1e-6, 10.0, 12.0], [0.8899, 0.8899, 0.89, 1.265]) * RATED_W


def test_the_race_of_polca():
    """The brake comes 5 s after its call: 3 s after the rise has ended, and 4.41 s after 100 % (5 − 2·11/37.5)."""
    keys = {"provisioned": RATED_W, "brake_threshold": 0.89, "t1_power": 1.0, "t2_power": 1.0}
    out, found = through(load(capping=keys), rise()[:16_000], first_w=0.5 * RATED_W)
    figures = found["capping"].figures()
    late_s = figures["first_brake_s"] - figures["largest_at_s"]
    assert late_s == pytest.approx(3.0, rel=0.01)
    assert figures["above_s"] == pytest.approx(4.413, rel=0.01)
    assert figures["longest_above_s"] == figures["above_s"]
    assert figures["first_brake_s"] - figures["first_above_s"] == pytest.approx(figures["above_s"], abs=2 * PERIOD_S)
    assert figures["brakes"] == 1
    assert out[15_900] == pytest.approx(0.3 * 1.265 * RATED_W, rel=1e-9)
    assert figures["taken_j"] == pytest.approx((rise()[:16_000] - out).sum() * PERIOD_S, rel=1e-9)


def test_out_of_band_caps_lose_the_race():
    """Without a brake the power is above what is provisioned for the whole latency of 40 s but the rise."""
    keys = {"provisioned": RATED_W, "brake_threshold": 2.0, "t1": 0.89, "t2_power": 0.7}
    out, found = through(load(capping=keys), rise(), first_w=0.5 * RATED_W)
    figures = found["capping"].figures()
    assert figures["above_s"] == pytest.approx(40.0 - 2.0 * 11 / 37.5, rel=0.01)
    assert figures["brakes"] == 0
    assert out[-1] == pytest.approx(0.7 * 1.265 * RATED_W, rel=1e-9)


def test_a_cap_is_taken_back_below_its_hysteresis_and_late():
    power = np.repeat([0.7, 0.85, 0.83, 0.74], 5000) * RATED_W
    keys = {"provisioned": RATED_W, "t1": 0.8, "t2": 0.95, "latency": 2.0, "t1_power": 0.95}
    out, _ = through(load(capping=keys), power)
    capped = np.flatnonzero(out < power - 1e-6)
    assert capped[0] == 5000 + 2000
    assert capped[-1] == 15_000 + 2000 - 1  # 0.83 · 0.95 is above 0.75, 0.74 · 0.95 is not
    assert np.array_equal(capped, np.arange(capped[0], capped[-1] + 1))


def test_hosts_count_for_the_row():
    keys = {"capping": {"provisioned": 1.3 * RATED_W}, "supply": {"host": 0.38, "rise": 0.0}}
    _, found = through(load(**keys), np.full(100, RATED_W), first_w=0.1 * RATED_W)
    assert found["capping"].figures()["above_s"] == pytest.approx(0.1)


# --- Rack capacitors ---


@pytest.mark.parametrize(("step_w", "lasts_s"), [(200.0, 0.325), (500.0, 0.130), (700.0, 0.093), (1000.0, 0.065)])
def test_how_long_65_j_last(step_w, lasts_s):
    """E/ΔP: 325, 130, 93 and 65 ms."""
    job = load(gpu="h100", rack={"soc": 1.0, "flatten": 1e9, "recharge": 1e9})
    power = np.concatenate([np.full(100, 100.0), np.full(1000, 100.0 + step_w)]) * GPUS
    out, found = through(job, power)
    held = out[100:] < (100.0 + 0.5 * step_w) * GPUS
    assert np.count_nonzero(held) * PERIOD_S == pytest.approx(lasts_s, abs=PERIOD_S)
    figures = found["rack"].figures()
    assert figures["capacity_j"] == pytest.approx(65.0 * GPUS)
    assert figures["given_j"] == pytest.approx(65.0 * GPUS, rel=1e-6)
    assert figures["soc_low"] == pytest.approx(0.0, abs=1e-9)
    assert figures["missing_j"] == pytest.approx(step_w * GPUS - 65.0 * GPUS, rel=1e-5)  # of the second that is looked at


def test_energy_in_and_out_of_a_rack():
    rng = np.random.default_rng(8)
    power = RATED_W * np.repeat(rng.uniform(0.1, 1.0, 300), 50)
    out, found = through(load(rack={"power": 300.0}), power)
    figures = found["rack"].figures()
    stored_j = (figures["soc"] - 0.5) * figures["capacity_j"]
    assert out.sum() * PERIOD_S == pytest.approx(power.sum() * PERIOD_S + stored_j, rel=1e-12)
    assert figures["taken_j"] - figures["given_j"] == pytest.approx(stored_j, rel=1e-9)
    assert np.max(np.abs(out - power)) <= 300.0 * GPUS * (1 + 1e-12)
    assert 0.0 <= figures["soc_low"] < 0.5 < figures["soc_high"] <= 1.0
    assert figures["missing_j"] > 0.0
    assert out.min() >= 0.0


def test_a_rack_with_room_enough_smooths_as_its_low_pass_would():
    """Nothing missing: what is drawn is the first-order mean, whose gain at 1 Hz and τ = 1 s is 1/√(1+(2π)²)."""
    time_s = np.arange(40_000) * PERIOD_S
    power = RATED_W * (0.5 + 0.1 * np.sin(2 * np.pi * time_s))
    out, found = through(load(rack={"energy": 1000.0, "recharge": 1e9}), power)
    assert found["rack"].figures()["missing_j"] == 0.0
    settled = out[20_000:]
    gain = (settled.max() - settled.min()) / (0.2 * RATED_W)
    assert gain == pytest.approx(1.0 / math.sqrt(1.0 + (2 * np.pi) ** 2), rel=2e-3)


# --- Power supplies ---


@pytest.mark.parametrize("rise_s", [0.02, 0.25])
def test_a_step_rises_in_the_time_of_the_filter(rise_s):
    power = np.concatenate([np.full(100, 0.1), np.ones(4000)]) * RATED_W
    out, _ = through(load(supply={"rise": rise_s}), power)
    at = (np.arange(out.size) + 0.5) * PERIOD_S
    low, high = (np.interp((0.1 + share * 0.9) * RATED_W, out[99:], at[99:]) for share in (0.1, 0.9))
    assert high - low == pytest.approx(rise_s, abs=0.05 * PERIOD_S)


def test_a_filter_keeps_energy_and_supplies_lose_their_share():
    rng = np.random.default_rng(9)
    power = RATED_W * np.concatenate([rng.uniform(0.1, 1.0, 3000), np.full(2000, 0.5)])
    out, found = through(load(supply={"efficiency": 0.94, "rise": 0.05}), power)
    lag_s = 0.05 / math.log(9.0)
    left_j = lag_s * (0.5 - power[0] / RATED_W) * RATED_W / 0.94  # what the filter holds more than at first
    assert out.sum() * PERIOD_S + left_j == pytest.approx(power.sum() * PERIOD_S / 0.94, rel=1e-12)
    assert found["supply"].figures()["loss_j"] == pytest.approx(power.sum() * PERIOD_S * (1 / 0.94 - 1), rel=1e-12)


# --- Together ---


class Wave:
    """Pieces of a square wave."""

    def __init__(self) -> None:
        self.at = 0

    def __iter__(self):
        return self

    def __next__(self):
        start, self.at = 4.0 * self.at, self.at + 1
        return np.array([start, start + 3.0, start + 3.0, start + 4.0]), RATED_W * np.array([1.0, 1.0, 0.2, 0.2])


def test_schedule_and_stages_do_not_know_the_blocks_of_the_feed():
    job = load(schedule=[(0.0, 0.5), (30.0, 1.0)], **ALL)
    outs = []
    for size in (50_000, 8192, 999):
        feed = RemediedFeed(Steady(LoadFeed(Wave(), PERIOD_S)), job, PERIOD_S)
        blocks = []
        while feed.tick < 50_000:
            blocks.append(feed.block(min(size, 50_000 - feed.tick)))
        outs.append(np.concatenate(blocks))
        told = feed.figures()["remedies"]
        assert told["until_s"] == pytest.approx(50.0)
        assert told["energy_j"] == pytest.approx(outs[-1].sum() * PERIOD_S, rel=1e-12)
    assert np.array_equal(outs[0], outs[1])
    assert np.array_equal(outs[0], outs[2])


def test_a_schedule_is_straight_lines_times_the_power():
    feed = RemediedFeed(Steady(LoadFeed(Wave(), PERIOD_S)), load(schedule=[(1.0, 0.5), (2.0, 1.0)]), PERIOD_S)
    out = feed.block(4000)
    factor = np.interp((np.arange(4000) + 0.5) * PERIOD_S, [1.0, 2.0], [0.5, 1.0])
    plain = LoadFeed(Wave(), PERIOD_S).block(8192)[:4000]
    assert np.array_equal(out, plain * factor)
    assert feed.first_w == pytest.approx(0.5 * RATED_W)
