"""Sums of loads: the sum of their parts to the bit, random numbers of their own, figures of each, and whole runs."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import hil
from hil.cli.load_lines import load_lines
from hil.loads.source import LoadSource, part_seed
from hil.scenario.files import from_document
from hil.session.run import Options, run_scenario

JOB = {"kind": "training", "power": "10 MW", "iteration": "2 s", "edge": "100 ms", "jitter": 0.05}
FLEET = {"kind": "inference", "replicas": 2, "scale": 20.0}


def scenario(load: dict[str, object], events: list[dict[str, object]] | None = None, **keys: object) -> hil.Scenario:
    document = {
        "duration": "60 s",
        "seed": 3,
        "grid": {"short_circuit": "5 GVA"},
        "load": load,
        "events": events or [],
        **keys,
    }
    return from_document(document)


def summed(parts: dict[str, dict[str, object]], **keys: object) -> dict[str, object]:
    return {"kind": "sum", "part": parts, **keys}


def wave(made: hil.Scenario, ticks: int = 40_000, size: int = 8192) -> np.ndarray:
    feed = LoadSource(made).feed
    return np.concatenate([feed.block(min(size, ticks - start)) for start in range(0, ticks, size)])


def test_a_sum_is_the_sum_of_its_parts_to_the_bit():
    parts = {"a": JOB, "b": {**JOB, "power": "3 MW", "iteration": "1.3 s"}, "f": FLEET}
    both = wave(scenario(summed(parts)))
    alone = [wave(scenario(summed({name: part}))) for name, part in parts.items()]
    assert np.array_equal(both, (alone[0] + alone[1]) + alone[2])
    assert np.array_equal(both, wave(scenario(summed(parts)), size=777))


def test_a_part_knows_nothing_of_the_others():
    """Its seed is that of its name: what is added or left out changes no bit of it."""
    one = wave(scenario(summed({"a": JOB})))
    both, other = (
        wave(scenario(summed(parts))) for parts in ({"z": {**JOB, "jitter": 0.0}, "a": JOB}, {"z": {**JOB, "jitter": 0.0}})
    )
    assert np.array_equal(both, other + one)
    assert not np.array_equal(one, wave(scenario(summed({"b": JOB}))))
    assert len({part_seed(seed, name, copy) for seed in range(3) for name in "abc" for copy in range(3)}) == 27


def test_a_part_alone_is_that_load_with_its_seed():
    plain = scenario({**JOB, "jitter": 0.0})
    assert np.array_equal(wave(scenario(summed({"a": {**JOB, "jitter": 0.0}}))), wave(plain))
    assert LoadSource(scenario(summed({"a": {**JOB, "start": "5 s"}}))).first_w == pytest.approx(1e6)


def test_a_shift_is_the_time_that_it_is_ahead():
    still = {**JOB, "jitter": 0.0}
    plain, ahead = wave(scenario(still), 60_000), wave(scenario(summed({"a": {**still, "shift": "11.5 s"}})), 40_000)
    assert ahead == pytest.approx(plain[11_500:51_500], abs=1.0)
    fine = wave(scenario(summed({"a": {**still, "shift": "1.60025 s"}})), 10_000)
    assert LoadSource(scenario(summed({"a": {**still, "shift": "2.05 s"}}))).first_w == pytest.approx(10e6 * (0.35 + 0.65 / 2))
    assert fine.sum() == pytest.approx(wave(scenario(summed({"a": {**still, "shift": "1.6 s"}})), 10_000).sum(), rel=1e-3)


def test_a_recording_is_ahead_by_its_shift(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("time_s,power_w\n" + "".join(f"{second},{1e6 * (second % 7)}\n" for second in range(100)))
    trace = {"kind": "trace", "trace": str(path)}
    plain, ahead = wave(scenario(trace), 60_000), wave(scenario(summed({"a": {**trace, "shift": "12.5 s"}})), 40_000)
    assert ahead == pytest.approx(plain[12_500:52_500], abs=1.0)


def test_copies_are_apart_and_have_seeds_of_their_own():
    still = {**JOB, "jitter": 0.0}
    flat = wave(scenario(summed({"a": {**still, "copies": 20, "copies_apart": "100 ms"}})))
    alone = wave(scenario(still))
    one = wave(scenario(summed({"a": still})))
    assert flat.mean() == pytest.approx(20 * one[2000:].mean(), rel=0.02)
    assert np.ptp(flat[2000:]) < 0.05 * 20 * np.ptp(alone)
    assert np.array_equal(wave(scenario(summed({"a": {**still, "copies": 3}}))), one + one + one)
    jittered = wave(scenario(summed({"a": {**JOB, "copies": 2}})))
    source = LoadSource(scenario(summed({"a": {**JOB, "copies": 2}})))
    source.feed.block(40_000)
    part = source.summary(40.0)["part"]["a"]
    assert part["energy_j"] == sum(copy["energy_j"] for copy in part["copies"]) == pytest.approx(jittered.sum() * 1e-3)
    assert not np.allclose(jittered, 2 * wave(scenario(summed({"a": JOB}))))


def test_spread_checkpoints_do_not_come_together():
    keys = {**JOB, "jitter": 0.0, "compute_share": 1.0, "checkpoint_every": "20 s", "checkpoint_duration": "2 s"}
    parts = {"a": {**keys, "copies": 3}, "b": keys, "c": {**JOB, "jitter": 0.0, "compute_share": 1.0}}
    together = wave(scenario(summed(parts), duration="90 s"), 90_000)
    spread = wave(scenario(summed(parts, spread_checkpoints=True), duration="90 s"), 90_000)
    assert together.min() == pytest.approx(4 * 1e6 + 10e6)
    assert spread.min() == pytest.approx(4 * 10e6 + 1e6)
    falls = np.flatnonzero(np.diff((spread < 41.5e6).astype(int)) == 1)[:4] / 1000.0
    assert np.diff(falls) == pytest.approx([6.0, 4.0, 6.0], abs=0.3)  # 5 s apart, at the end of an iteration of 2 s


def test_scale_schedule_and_remedies_of_part_and_sum():
    job = {**JOB, "jitter": 0.0, "gpus": 10_000, "scale": 3.0, "schedule": [["0 s", 0.5], ["10 s", 1.0]]}
    part = {**job, "rack": {"flatten": "10 s", "energy": "2 kJ"}}
    plain, held = wave(scenario(summed({"a": job}))), wave(scenario(summed({"a": part})))
    source = LoadSource(scenario(summed({"a": part, "b": JOB}, supply={"efficiency": 0.95})))
    for _ in range(5):
        source.feed.block(8000)
    told = source.summary(40.0)
    rack = told["part"]["a"]["remedies"]["rack"]
    assert rack["capacity_j"] == pytest.approx(20e6)
    assert rack["missing_j"] == 0.0
    assert np.ptp(held[20_000:]) < 0.2 * np.ptp(plain[20_000:])
    assert plain[:1000].mean() == pytest.approx(3 * 0.525 * 10e6, rel=1e-3)
    parts_j = sum(told["part"][name]["energy_j"] for name in "ab")
    assert told["remedies"]["job_j"] == pytest.approx(parts_j, rel=1e-12)
    assert told["remedies"]["supply"]["loss_j"] == pytest.approx(parts_j * (1 / 0.95 - 1), rel=1e-12)
    assert told["part"]["a"]["energy_j"] == pytest.approx(held.sum() * 1e-3, rel=1e-12)


def test_a_crash_takes_the_named_part_alone():
    crash = {
        "at": "20 s",
        "kind": "load_crash",
        "load": "a",
        "fall": "2 s",
        "to": "500 kW",
        "restart_after": "10 s",
        "restart_ramp": "4 s",
    }
    parts = {
        name: {**JOB, "jitter": 0.0, "compute_share": 1.0, "shift": shift} for name, shift in (("a", "7 s"), ("b", "0 s"))
    }
    power = wave(scenario(summed(parts), [crash]))
    assert [power[at] for at in (19_999, 21_000, 25_000, 32_000, 34_001)] == pytest.approx(
        [20e6, 15.25e6, 10.5e6, 15.25e6, 20e6], abs=5e3
    )
    source = LoadSource(scenario(summed(parts), [crash]))
    source.feed.block(40_000)
    told = source.summary(40.0)["part"]
    assert told["a"]["crashes"] == 1
    assert told["a"]["down_s"] == pytest.approx(14.0)
    assert "crashes" not in told["b"]


def test_a_run_tells_what_its_remedies_came_to():
    load = {**JOB, "gpus": 14_285, "smoothing": {"profile": "aggressive"}, "supply": {"rise": "50 ms"}, "failure_every": "1 h"}
    result = run_scenario(scenario(load), Options(controllers=False))
    told = result.load
    assert told["failures"] == 0
    assert told["remedies"]["until_s"] == pytest.approx(60.0)
    assert told["remedies"]["energy_j"] == pytest.approx(told["energy_j"], rel=2e-3)  # the bus is a little off 1 pu
    assert told["remedies"]["smoothing"]["burnt_j"] > 0.0
    below_s = 0.3 + 0.1 * 0.15 / 0.65  # in each iteration the power is 15 % below the floor, on its edges half of it
    assert told["remedies"]["overhead"] == pytest.approx(0.15 * below_s / (2.0 * 0.87), rel=0.05)
    assert result.summary()["load"] == told


def test_the_race_of_polca_as_a_run():
    """The page's scenario: the brake is 3 s late and leaves 4.41 s above what is provisioned; the site shows it."""
    load = {
        "kind": "training",
        "power": "1 MW",
        "compute_share": 1.0,
        "schedule": [["0 s", 0.8899], ["9999 ms", 0.8899], ["10 s", 0.89], ["12 s", 1.265]],
        "capping": {"provisioned": "1 MW", "t1": 0.89, "brake_threshold": 0.89},
    }
    result = run_scenario(scenario(load, duration="16 s", record={"rate": "1 kHz"}), Options(controllers=False))
    told = result.load["remedies"]["capping"]
    assert told["first_brake_s"] - told["largest_at_s"] == pytest.approx(3.0, rel=0.01)
    assert told["above_s"] == pytest.approx(5.0 - 2.0 * 11.0 / 37.5, rel=0.01)
    time_s, power_w = result.signal("load.demand_w")
    assert np.count_nonzero(power_w > 1e6) * 1e-3 == pytest.approx(told["above_s"], abs=2e-3)
    assert time_s[np.flatnonzero(power_w < 0.5e6)[0]] == pytest.approx(told["first_brake_s"], abs=2e-3)


def test_a_snapshot_holds_all_of_a_sum():
    parts = {"a": {**JOB, "gpus": 1000, "rack": {}, "failure_every": "20 s", "restart_after": "2 s"}, "f": FLEET}
    run = hil.KernelRun(scenario(summed(parts)))
    run.advance(until_s=5.0)
    taken = run.snapshot()
    run.advance(until_s=50.0)
    first = run.waveform_hash
    run.restore(taken)
    run.advance(until_s=50.0)
    assert run.waveform_hash == first
    source = LoadSource(scenario(summed(parts)))
    source.feed.block(5000)
    other = copy.deepcopy(source)
    assert np.array_equal(source.feed.block(30_000), other.feed.block(30_000))
    assert source.summary(30.0) == other.summary(30.0)


def test_loads_without_the_new_keys_are_as_they_were():
    """Their feed is the sampler itself, and blocks of it have the bits that they had."""
    from hil.loads.base import LoadFeed

    for load in (JOB, FLEET):
        assert isinstance(LoadSource(scenario(load)).feed, LoadFeed)


def test_what_a_load_did_is_told_in_lines():
    job = {**JOB, "gpus": 14_285, "smoothing": {"profile": "aggressive"}, "rack": {}}
    crash = {"at": "40 s", "kind": "load_crash", "load": "a", "restart_after": "5 s"}
    result = run_scenario(scenario(summed({"a": job, "f": FLEET}), [crash]), Options(controllers=False))
    told = result.load["part"]["a"]
    rack, down_s = told["remedies"]["rack"], told["down_s"]
    lines = load_lines(result.load)
    assert lines[0] == f"a: failures: 0, crashes: 1, down for {down_s:g} s"
    assert lines[1] == f"a: GPUs took {100 * told['remedies']['overhead']:+.2f} % against what the job asked for"
    low, high = (round(100 * rack[key]) for key in ("soc_low", "soc_high"))
    lacked = f"lacked {rack['missing_j'] / 1e6:.3g} MJ in {rack['missing_s']:g} s"
    assert lines[2] == f"a: racks at {low} to {high} % of their charge, {lacked}"
    assert lines[3].startswith(f"f: served {result.load['part']['f']['requests_served']:,} requests: ")
    assert len(lines) == 4
    many = load_lines({"part": {"a": {"energy_j": 1.0, "copies": [told] * 10}}})
    assert many[0].startswith("a, copy 0: ")
    assert many[-1] == "and 18 lines more, of other parts: --json"
    capping = {"brakes": 2, "first_brake_s": 5.0, "above_s": 4.5, "longest_above_s": 4.4}
    assert load_lines({"remedies": {"overhead": -0.1, "capping": capping}}) == [
        "GPUs took -10.00 % against what the job asked for",
        "above what is provisioned for 4.5 s, 4.4 s at a time, brake 2 times, first at 5 s",
    ]
