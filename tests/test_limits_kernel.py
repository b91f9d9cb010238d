"""Limits against brute force over the rows, and the waveform hash against another implementation."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import xxhash
from rig import H, Rig

sys.path.append(str(Path(__file__).parents[1] / "validation"))
from protection.masks import sustained

TICKS = 6_000


def walk(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 20e6 + np.cumsum(rng.normal(0, 1.5e5, TICKS)) + 4e6 * (rng.random(TICKS) < 0.002).cumsum() % 3e6


def rig_of(limits: list[dict], seed: int = 1, **sections: object) -> Rig:
    measured = {"window": "5 ms"}
    return Rig({"limits": limits, "measurement": measured, "grid": {"short_circuit": "100 MVA"}, **sections}, walk(seed)).run()


def state(rig: Rig, index: int = 0):
    return rig.engine.states["limits"][index]


def check(limit_state, beyond: np.ndarray, first_judged: int) -> None:
    """Counts of an element from a mask of violated ticks."""
    assert limit_state["beyond_ticks"] == beyond.sum()
    starts = np.flatnonzero(beyond & ~np.concatenate([[False], beyond[:-1]]))
    assert limit_state["excursions"] == starts.size
    assert limit_state["first_tick"] == (starts[0] + first_judged if starts.size else -1)


@pytest.mark.parametrize("delay_s", [0.0, 0.001, 0.02, 0.3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_undervoltage_with_delay(delay_s, seed):
    voltage = rig_of([], seed)["pcc.voltage_lowest_measured_pu"]
    pickup = float(np.quantile(voltage, 0.4))
    rig = rig_of([{"name": "27", "kind": "undervoltage", "min": pickup, "delay": f"{delay_s} s"}], seed)
    delay = round(delay_s / H)
    held = sustained(voltage, delay, np.max)
    assert state(rig)["lowest"] == held.min()
    assert state(rig)["lowest_tick"] == np.argmin(held) + delay
    check(state(rig), held < pickup, delay)


def test_a_limit_looks_at_its_own_node():
    limits = [{"name": node, "kind": "undervoltage", "node": node, "min": 0.5} for node in ("pcc", "bus")]
    rig = rig_of(limits, transformer={"rating": "40 MVA"})
    lowest = [rig[f"{node}.voltage_lowest_measured_pu"].min() for node in ("pcc", "bus")]
    assert [state(rig, index)["lowest"] for index in (0, 1)] == lowest
    assert lowest[1] < lowest[0]


@pytest.mark.parametrize("delay_s", [0.0, 0.05])
def test_converter_current_with_delay(delay_s):
    bess = {"rating": "10 MVA", "energy": "10 MWh"}
    absorber = {"kind": "ramp_limit", "device": "bess.x", "ramp": "0.5 MW/s"}
    limit = {"name": "I", "kind": "converter_current", "node": "bess.x", "max": 0.3, "delay": f"{delay_s} s"}
    rig = rig_of([limit], bess={"x": bess}, absorber={"a": absorber})
    delay = round(delay_s / H)
    held = sustained(rig["bess.x.current_pu"], delay, np.min)
    assert state(rig)["highest"] == held.max()
    check(state(rig), held > 0.3, delay)
    assert (held > 0.3).any()


@pytest.mark.parametrize("window_s", [0.001, 0.1, 2.0, 20.0])
def test_peak_to_peak(window_s):
    limit = {"name": "p2p", "kind": "peak_to_peak", "max": "3 MW", "window": f"{window_s} s"}
    rig = rig_of([limit])
    power = rig["pcc.power_measured_w"]
    width = round(window_s / H) + 1
    span = np.array([np.ptp(power[max(0, k - width + 1) : k + 1]) for k in range(TICKS)])
    assert state(rig)["highest"] == pytest.approx(span.max(), rel=1e-12)
    check(state(rig), span > 3e6, 0)


@pytest.mark.parametrize(("window_s", "mean_s"), [(1.0, 0.1), (0.05, 0.5), (3.0, 1.0), (10.0, 1.0)])
def test_ramp(window_s, mean_s):
    limit = {"name": "ramp", "kind": "ramp", "max": "0.6 MW/s", "window": f"{window_s} s", "mean": f"{mean_s} s"}
    rig = rig_of([limit])
    power = rig["pcc.power_measured_w"]
    window, mean = round(window_s / H), round(mean_s / H)
    before = np.full(window + mean, walk(1)[0])  # the site had stood like its first tick for ever
    means = np.convolve(np.concatenate([before, power]), np.full(mean, 1.0 / mean), "valid")[1:]
    ramp = (means[window:] - means[:-window])[:TICKS] / (window * H)
    assert state(rig)["highest"] == pytest.approx(ramp.max(), abs=1.0)
    assert state(rig)["lowest"] == pytest.approx(ramp.min(), abs=1.0)
    assert state(rig)["beyond_ticks"] == pytest.approx(np.sum(np.abs(ramp) > 0.6e6), abs=2)


def test_soc_window_is_judged_on_both_sides():
    bess = {"rating": "40 MVA", "energy": "20 kWh", "soc": 0.5, "soc_min": 0.0, "soc_max": 1.0}
    limit = {"name": "SoC", "kind": "soc_window", "node": "bess.x", "window": [0.4, 0.6]}
    absorber = {"kind": "ramp_limit", "device": "bess.x", "ramp": "0.2 MW/s"}
    rig = rig_of([limit], bess={"x": bess}, absorber={"a": absorber})
    soc = rig["bess.x.soc"]
    assert (state(rig)["lowest"], state(rig)["highest"]) == (soc.min(), soc.max())
    check(state(rig), (soc < 0.4) | (soc > 0.6), 0)
    assert state(rig)["beyond_ticks"] > 0


def test_at_the_limit_is_inside():
    """Strictly beyond: a constant value equal to the limit is no violation, the next float beyond is."""
    flat = np.full(1_000, 20e6)
    value = Rig({"measurement": {"window": "1 ms"}}, flat).run()["pcc.voltage_lowest_measured_pu"][-1]
    for pickup, expected in ((value, 0), (np.nextafter(value, 1.0), 1_000)):
        limits = [{"name": "27", "kind": "undervoltage", "min": float(pickup)}]
        rig = Rig({"measurement": {"window": "1 ms"}, "limits": limits}, flat).run()
        assert state(rig)["beyond_ticks"] == expected


def test_a_dip_blanks_voltage_limits_and_restarts_their_timers():
    dip = {"kind": "grid_dip", "at": "2 s", "duration": "100 ms", "residual": 0.5, "settle": "50 ms"}
    limits = [
        {"name": "27", "kind": "undervoltage", "min": 0.9999, "delay": "500 ms"},
        {"name": "81U", "kind": "underfrequency", "min": "59 Hz"},
    ]
    rig = rig_of(limits, events=[dip])
    voltage = rig["pcc.voltage_lowest_measured_pu"]
    blank = 100 + 50 + 5  # the dip, its settle time, the measuring window
    parts = [voltage[:2_000], voltage[2_000 + blank :]]
    held = np.concatenate([sustained(part, 500, np.max) for part in parts])
    assert state(rig, 0)["blank_ticks"] == blank
    assert state(rig, 0)["valid_ticks"] == TICKS - blank
    assert state(rig, 0)["lowest"] == held.min()
    assert state(rig, 0)["beyond_ticks"] == np.sum(held < 0.9999)
    assert state(rig, 1)["blank_ticks"] == 0


def test_power_windows_hold_through_a_dip_and_judge_what_comes_after():
    """The load follows the voltage down, which is the stimulus; brute force over the samples with the dip held out."""
    dip = {"kind": "grid_dip", "at": "2 s", "duration": "100 ms", "residual": 0.5, "settle": "50 ms"}
    limits = [
        {"name": "p2p", "kind": "peak_to_peak", "max": "1 GW", "window": "1 s"},
        {"name": "ramp", "kind": "ramp", "max": "1 GW/s", "window": "0.5 s", "mean": "0.1 s"},
    ]
    rig = rig_of(limits, events=[dip])
    power = rig["pcc.power_measured_w"].copy()
    blank = slice(2_000, 2_000 + 100 + 50 + 5)
    assert np.ptp(power[1_990:2_100]) > 5e6  # seen by no limit
    power[blank] = power[1_999]
    judged = np.ones(TICKS, dtype=bool)
    judged[blank] = False
    span = np.array([np.ptp(power[max(0, k - 1_000) : k + 1]) for k in range(TICKS)])
    assert state(rig, 0)["highest"] == pytest.approx(span[judged].max(), rel=1e-12)
    means = np.convolve(np.concatenate([np.full(600, walk(1)[0]), power]), np.full(100, 0.01), "valid")[1:]
    ramp = ((means[500:] - means[:-500])[:TICKS] / 0.5)[judged]
    assert state(rig, 1)["highest"] == pytest.approx(ramp.max(), rel=1e-9)
    assert state(rig, 1)["lowest"] == pytest.approx(ramp.min(), rel=1e-9)
    assert [int(state(rig, index)["blank_ticks"]) for index in (0, 1)] == [155, 155]


def test_a_site_that_does_not_come_back_from_a_dip_is_judged():
    dip = {"kind": "grid_dip", "at": "2 s", "duration": "100 ms", "residual": 0.5}
    limits = [{"name": "p2p", "kind": "peak_to_peak", "max": "3 MW", "window": "1 s"}]
    load = np.repeat([20e6, 12e6], [2_000, 2_000])  # drops while the dip acts
    rig = Rig({"limits": limits, "grid": {"short_circuit": "1 GVA"}, "events": [dip]}, load).run()
    assert state(rig)["first_tick"] == 2_000 + 100 + 200 + 17
    assert state(rig)["highest"] == pytest.approx(8e6, rel=1e-6)
    stays = Rig({"limits": limits, "grid": {"short_circuit": "1 GVA"}, "events": [dip]}, np.full(4_000, 20e6)).run()
    assert state(stays)["beyond_ticks"] == 0


def test_ticks_after_the_end_are_not_judged():
    rig = Rig(
        {"duration": "2 s", "limits": [{"name": "p", "kind": "peak_to_peak", "max": "1 W", "window": "1 s"}]}, walk(1)
    ).run()
    assert rig.engine.tick == TICKS
    assert state(rig)["valid_ticks"] == 2_000
    assert not rig.rows[2_000:].any()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_waveform_hash_is_xxh64_of_the_rows(count):
    bess = {f"b{i}": {"rating": "10 MVA", "energy": "10 MWh"} for i in range(count)}
    rig = rig_of([], bess=bess)
    columns = -(-rig.rows.shape[1] // 4) * 4
    padded = np.zeros((TICKS, columns))
    padded[:, : rig.rows.shape[1]] = rig.rows
    assert rig.engine.waveform_hash == xxhash.xxh64(padded.tobytes()).hexdigest()


def test_a_full_record_ring_drops_the_newest_and_counts():
    rig = Rig({"duration": "100 s", "record": {"rate": "1 kHz"}}, np.full(70_000, 1e7)).run()
    assert rig.engine.dropped_rows == 70_000 - 65_536
    ticks, _, _ = rig.engine.take_rows()
    assert ticks[0] == 1
    assert ticks[-1] == 65_536


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("kind", "key", "channel", "upper"),
    [
        ("overvoltage", "max", "pcc.voltage_highest_measured_pu", True),
        ("underfrequency", "min", "pcc.frequency_measured_hz", False),
        ("overfrequency", "max", "pcc.frequency_measured_hz", True),
    ],
)
def test_59_81u_81o_with_delay(kind, key, channel, upper, seed, delay_s):
    """The worst sustained value, counts and first tick of the other relays, on a signal that crosses the pick-up often."""
    # A light area behind a source above nominal: both signals follow the walk.
    grid = {"short_circuit": "100 MVA", "source": 1.15, "area": "100 MVA", "inertia": "0.2 s"}
    signal = rig_of([], seed, grid=grid)[channel]
    pickup = float(np.sort(signal)[(6 if upper else 2) * TICKS // 10])  # a sample: at the limit is inside
    limit = {"name": "x", "kind": kind, key: f"{pickup!r} Hz" if channel.endswith("_hz") else pickup, "delay": f"{delay_s} s"}
    rig = rig_of([limit], seed, grid=grid)
    delay = round(delay_s / H)
    held = sustained(signal, delay, np.min if upper else np.max)
    worst, at = (held.max(), np.argmax(held)) if upper else (held.min(), np.argmin(held))
    side = "highest" if upper else "lowest"
    assert (state(rig)[side], state(rig)[f"{side}_tick"]) == (worst, at + delay)
    check(state(rig), held > pickup if upper else held < pickup, delay)
    assert state(rig)["beyond_ticks"] > 0


@pytest.mark.parametrize(("window_s", "mean_s"), [(1.0, 0.1), (0.05, 0.5), (3.0, 1.0), (0.001, 0.001)])
@pytest.mark.parametrize("seed", [1, 2])
def test_ramp_is_exact(window_s, mean_s, seed):
    """Values to 1e-9, every excursion and the first tick, in both directions."""
    window, mean = round(window_s / H), round(mean_s / H)
    power = rig_of([], seed)["pcc.power_measured_w"]
    before = np.full(window + mean - 1, walk(seed)[0])
    means = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, power]), mean).mean(axis=1)
    ramp = (means[window:] - means[:-window]) / (window * H)
    # Sums in another order round differently: the pick-up stands midway between two samples, on neither.
    pickup = float(np.sort(np.abs(ramp))[7 * TICKS // 10 :][:2].mean())
    rig = rig_of(
        [{"name": "r", "kind": "ramp", "max": f"{pickup!r} W/s", "window": f"{window_s} s", "mean": f"{mean_s} s"}], seed
    )
    assert state(rig)["highest"] == pytest.approx(ramp.max(), rel=1e-9)
    assert state(rig)["lowest"] == pytest.approx(ramp.min(), rel=1e-9)
    check(state(rig), np.abs(ramp) > pickup, 0)


def test_a_frequency_event_blanks_frequency_limits_and_restarts_their_timers():
    """While it acts, for its settle time and the measuring window after it (docs/model.md, "Limits")."""
    loss = {"kind": "generation_loss", "at": "2 s", "duration": "200 ms", "power": "50 MW", "settle": "100 ms"}
    limits = [
        {"name": "81U", "kind": "underfrequency", "min": "59.99 Hz", "delay": "50 ms"},
        {"name": "81O", "kind": "overfrequency", "max": "60.01 Hz"},
        {"name": "27", "kind": "undervoltage", "min": 0.9},
    ]
    setting = {"window": "5 ms", "frequency_window": "40 ms"}
    rig = rig_of(limits, grid={"short_circuit": "100 MVA", "area": "1 GVA"}, events=[loss], measurement=setting)
    blank = 200 + 100 + 40
    hz = rig["pcc.frequency_measured_hz"]
    parts = [hz[:2_000], hz[2_000 + blank :]]
    under = np.concatenate([sustained(part, 50, np.max) for part in parts])
    assert [int(state(rig, index)["blank_ticks"]) for index in range(3)] == [blank, blank, 0]
    assert state(rig, 0)["lowest"] == under.min()
    assert state(rig, 0)["beyond_ticks"] == np.sum(under < 59.99)
    assert state(rig, 1)["highest"] == max(part.max() for part in parts)


def test_no_state_decays_into_subnormal_numbers():
    """They would slow a tick tenfold; seen once after a load crash, when the converter's lag had run out."""
    bess = {"rating": "10 MVA", "energy": "10 MWh", "converter_lag": "5 ms", "rc1_time": "10 ms", "standby_loss": 0.0}
    commands = [(0, 0, 5e6), (0, 1, 1.0), (100, 1, 0.0)]
    sections = {"bess": {"x": {**bess, "setpoint_ramp": "1 GW/s"}}, "grid": {"short_circuit": "1 GVA", "area": "1 GVA"}}
    rig = Rig(sections, np.repeat([20e6, 21e6, 20e6], 3_000)).run(commands)
    smallest = np.finfo(float).tiny
    for channel in ("bess.x.power_w", "bess.x.dc_power_w", "bess.x.rc1_v", "bess.x.rc2_v", "bess.x.dc_current_a"):
        values = np.abs(rig[channel])
        assert not np.any((values > 0) & (values < smallest)), channel
    assert rig["bess.x.power_w"][-1] == 0.0
