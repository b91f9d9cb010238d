"""The flickermeter: a second one on point-on-wave voltage, its blocks, its refusals; test_verify plays the tables."""

from __future__ import annotations

import math
import tomllib
from importlib import resources

import numpy as np
import point_on_wave
import pytest

from hil.kernel.layout import CODES
from hil.kernel.protection.replay import Replay
from hil.limits.filters import response
from hil.limits.flicker import LAMPS, MOST_CARRIER_TICK_S, band
from hil.verify.flickermeter import flickermeter, measure, modulated

VECTORS = tomllib.loads((resources.files("hil.verify") / "vectors" / "flicker.toml").read_text(encoding="utf-8"))["vector"]
WHOLE = (0, -1, 1, 11, 12, 2**31, 2**62, 2**63 - 1, -(2**63))
REAL = (0.0, -1.0, 1e300, -1e-310, math.nan, math.inf)


def test_the_tables_are_whole():
    """Every column of Table 5 in its seven rows, each name once."""
    names = [(vector["edition"], vector["clause"], vector["name"]) for vector in VECTORS]
    assert len(set(names)) == len(names)
    columns = [(edition, name.split(",")[0]) for edition, clause, name in names if clause == "Table 5"]
    assert {columns.count(column) for column in columns} == {7}
    assert len(set(columns)) == 6


@pytest.mark.parametrize(("lamp", "mains_hz"), [("230 V", 50), ("120 V", 60)])
@pytest.mark.parametrize("course", [(1620.0, 0.5), *range(3)])
def test_agrees_with_a_flickermeter_on_the_voltage(course, lamp, mains_hz):
    """Steps of the tables, and random courses, over a minute behind half of one; validation/flicker.py has whole ones."""
    envelope = (
        point_on_wave.random_envelope(course, 90_000, 0.001)
        if isinstance(course, int)
        else modulated("rectangular", *course, duration_s=90.0, tick_s=0.001)
    )
    meter = flickermeter(tick_s=0.001, lamp=lamp, frequency_hz=mains_hz, settle_s=30.0, observe_s=60.0)
    times = {50: 4, 60: 6}[mains_hz]
    levels = point_on_wave.level(np.repeat(envelope, times), 1000 * times, lamp, mains_hz)[30_000 * times :]
    found = measure(meter, envelope)
    assert found.pst[-1] == pytest.approx(point_on_wave.pst(levels), rel=0.01)
    assert found.level[30_000:].max() == pytest.approx(levels.max(), rel=0.02)


@pytest.mark.parametrize(("lamp", "mains_hz"), [("230 V", 50.0), ("120 V", 60.0), ("120 V", 50.0), ("230 V", 60.0)])
@pytest.mark.parametrize(
    ("tick_s", "most_hz", "share"), [(0.0001, 25.0, 0.002), (0.001, 25.0, 0.002), (0.002, 25.0, 0.01), (0.010, 15.0, 0.08)]
)
def test_response_of_block_3_at_every_tick(lamp, mains_hz, tick_s, most_hz, share):
    """Of the power, beside that of the transfer function, both 1 at 8.8 Hz."""
    hz = np.r_[8.8, np.linspace(0.05, most_hz, 500)]
    ours = np.abs(response(band(LAMPS[lamp], mains_hz, 1.0 / tick_s), hz, 1.0 / tick_s)) ** 2
    theirs = np.abs(point_on_wave.response(lamp, mains_hz, hz)) ** 2
    assert ours / ours[0] == pytest.approx(theirs / theirs[0], rel=share)


@pytest.mark.parametrize("tick_s", [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.010])
@pytest.mark.parametrize(("lamp", "mains_hz", "percent"), [("230 V", 50.0, 0.25), ("120 V", 60.0, 0.321)])
def test_the_sine_of_reference_at_every_tick(tick_s, lamp, mains_hz, percent):
    meter = flickermeter(tick_s=tick_s, lamp=lamp, frequency_hz=mains_hz, settle_s=20.0, observe_s=10.0)
    found = measure(meter, modulated("sine", 8.8 * 120.0, percent, duration_s=30.0, tick_s=tick_s))
    assert np.nanmax(found.level) == pytest.approx(1.0, rel=0.005)


def test_percentiles_of_classes_are_those_of_the_levels():
    """Pst of each block, from what was put out in it; its moment; Plt over the latest twelve."""
    block, settle = 5000, 3000
    meter = flickermeter(tick_s=0.001, settle_s=3.0, observe_s=5.0)
    found = measure(meter, point_on_wave.random_envelope(7, settle + 20 * block, 0.001))
    first = settle + block - 1
    assert np.isnan(found.level[:settle]).all()
    assert np.isfinite(found.level[settle:]).all()
    assert np.isnan(found.pst[:first]).all()
    exact = [point_on_wave.pst(found.level[settle + i * block :][:block]) for i in range(20)]
    assert max(exact) > 1.5 * min(exact)
    assert found.pst[first::block] == pytest.approx(exact, rel=0.002)
    assert np.array_equal(found.pst[first:-1], np.repeat(found.pst[first::block], block)[: len(found.pst) - first - 1])
    last = first + 11 * block
    assert np.isnan(found.plt[:last]).all()
    for i in range(12, 21):
        cubes = found.pst[first::block][i - 12 : i] ** 3
        assert found.plt[first + (i - 1) * block] == pytest.approx(np.mean(cubes) ** (1 / 3), rel=1e-12)


def test_a_level_that_stands_still_is_not_spread_over_its_class():
    """All percentiles are that level: Pst is the root of it times the sum of the weights."""
    meter = flickermeter(tick_s=0.001, settle_s=0.0, observe_s=1.0)
    meter.parameters["flickers"]["smooth_gain"] = 0.0
    for level in (0.0, 1e-9, 0.77, 1.0, 3e5, 4e6):  # below the first class, and above the last, too
        meter.states["flickers"]["level"] = level
        assert measure(meter, np.ones(1000)).pst[-1] == pytest.approx(math.sqrt(0.5096 * level), rel=1e-12)


def test_any_unit_and_any_voltage():
    course = point_on_wave.random_envelope(3, 60_000, 0.001)
    found = [
        measure(flickermeter(tick_s=0.001, settle_s=10.0, observe_s=25.0), scale * course).pst[-1]
        for scale in (1.0, 0.9, 11_000.0)
    ]
    assert found == pytest.approx([found[0]] * 3, rel=1e-9)


def test_a_voltage_that_stands_gives_none():
    found = measure(flickermeter(tick_s=0.001, settle_s=0.0, observe_s=10.0), np.full(30_000, 0.97))
    assert not found.level.any()
    assert found.pst[-1] == 0.0


def test_goes_on_where_it_was():
    """In parts, and from a copy of its arrays."""
    course = point_on_wave.random_envelope(5, 40_000, 0.001)
    make = {"tick_s": 0.001, "settle_s": 2.0, "observe_s": 2.0}
    whole = measure(flickermeter(**make), course)
    meter = flickermeter(**make)
    measure(meter, course[:17_777])
    states = {name: values.copy() for name, values in meter.states.items() if name in ("flickers", "arena", "blank_until")}
    measure(meter, np.linspace(0.0, 2.0, 5000))
    again = measure(Replay(meter.parameters, states), course[17_777:])
    for name in ("level", "pst", "plt"):
        # the rest of a carrier is tidied by the tick's number, which the second begins anew: to rounding, not to the bit
        assert np.allclose(getattr(again, name), getattr(whole, name)[17_777:], rtol=1e-9, atol=1e-15, equal_nan=True)


def test_while_a_stimulus_blanks_the_input_is_held():
    course = point_on_wave.random_envelope(5, 20_000, 0.001)
    meter = flickermeter(tick_s=0.001, settle_s=1.0, observe_s=19.0)
    meter.parameters["flickers"]["blank"] = CODES["blank.voltage"]
    measure(meter, course[:5000])
    meter.states["blank_until"][CODES["blank.voltage"]] = 9000
    dip = course[5000:].copy()
    dip[:4000] *= 0.3
    found = measure(meter, dip)
    held = course.copy()
    held[5000:9000] = course[4999]
    assert found.pst[-1] == measure(flickermeter(tick_s=0.001, settle_s=1.0, observe_s=19.0), held).pst[-1]


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf, -1.0, 1e300])
def test_what_is_no_voltage_leaves_no_trace(nonsense):
    course = point_on_wave.random_envelope(2, 20_000, 0.001)
    held, meter = course.copy(), flickermeter(tick_s=0.001, settle_s=1.0, observe_s=19.0)
    course[5000:5010], held[5000:5010] = nonsense, course[4999]
    assert measure(meter, course).pst[-1] == measure(flickermeter(tick_s=0.001, settle_s=1.0, observe_s=19.0), held).pst[-1]


def test_no_voltage_and_its_return():
    """Large, but a number; and a meter that has not seen a voltage yet begins with the first."""
    meter = flickermeter(tick_s=0.010, settle_s=0.0, observe_s=600.0)
    found = measure(meter, np.r_[np.ones(1000), np.zeros(30_000), np.ones(200_000)])
    assert np.isfinite(found.level).all()
    assert found.level[31_000:].max() > 1e6
    assert found.pst[60_000] > 1000.0
    assert found.pst[-1] < 0.01
    shorter = measure(flickermeter(tick_s=0.010, settle_s=0.0), np.r_[np.ones(1000), np.zeros(20_000), np.ones(20_000)])
    assert shorter.level[21_000:].max() == pytest.approx(found.level[31_000:].max(), rel=0.02)  # the ratio has a ceiling
    unfed = measure(flickermeter(tick_s=0.001, settle_s=0.0, observe_s=1.0), np.r_[np.zeros(5000), np.full(5000, 0.9)])
    assert not unfed.level.any()


def test_what_decays_ends_at_zero():
    """And not among the numbers below 2e-308, with which a processor computes slowly."""
    meter = flickermeter(tick_s=0.001, settle_s=0.0)
    measure(meter, np.ones(10))
    words, sections = CODES["filter.section_words"], CODES["flicker.sections"]
    memories = meter.states["arena"][: words * sections].reshape(sections, words)[:, 5:]
    memories[:] = 1e-250
    meter.states["flickers"]["level"] = 1e-250
    measure(meter, np.ones(2 * 1024))
    assert not memories.any()
    assert meter.states["flickers"]["level"] == 0.0


def test_the_carrier_keeps_its_length():
    meter = flickermeter(tick_s=0.001, settle_s=0.0)
    meter.states["flickers"]["carrier_re"] = 1.01
    measure(meter, np.ones(20_000))
    assert np.hypot(meter.states["flickers"]["carrier_re"], meter.states["flickers"]["carrier_im"]) == pytest.approx(1.0)
    assert not flickermeter(tick_s=2 * MOST_CARRIER_TICK_S).states["flickers"]["carrier_re"]  # none where it has no place


def test_whatever_lies_in_the_arrays():
    """A run goes on or is refused; the process lives, and a checked build finds nothing."""
    rng = np.random.default_rng(11)
    refused = 0
    for _ in range(100):
        meter = flickermeter(tick_s=0.001, settle_s=0.01, observe_s=0.02)
        for array in (meter.parameters["flickers"], meter.states["flickers"]):
            for name in rng.choice(array.dtype.names, 2):
                size = array[name].size
                whole = array[name].dtype.kind == "i"
                chosen = WHOLE if whole else REAL
                array[name] = rng.choice(np.array(chosen, array[name].dtype.base), size).reshape(array[name].shape)
        arena = meter.states["arena"]
        arena[rng.integers(0, len(arena), 50)] = rng.choice([np.nan, np.inf, -np.inf, -1e300, 1e300, -5.0], 50)
        try:
            measure(meter, rng.uniform(0.9, 1.1, 100))
        except ValueError as error:
            assert str(error) == "flickers: channel, output, or windows outside the arena"
            refused += 1
    assert 10 < refused < 90


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"lamp": "100 V"}, "lamp '100 V': must be one of 230 V, 120 V"),
        ({"frequency_hz": 16.7}, "frequency 16.7 Hz: a flickermeter is for 50 or 60 Hz"),
        ({"tick_s": 0.011}, "tick 0.011 s: a flickermeter needs one of at most 0.01 s"),
        ({"tick_s": 0.0}, "tick 0 s: a flickermeter needs one of at most 0.01 s"),
        ({"settle_s": -1.0}, "settle time -1 s: must be a whole number of ticks of 0.001 s, at least 0"),
        ({"settle_s": math.inf}, "settle time inf s: must be a whole number of ticks of 0.001 s, at least 0"),
        ({"observe_s": 0.0}, "observation time 0 s: must be a whole number of ticks of 0.001 s, at least 1"),
        ({"observe_s": 0.0015}, "observation time 0.0015 s: must be a whole number of ticks of 0.001 s, at least 1"),
    ],
)
def test_what_no_flickermeter_can_be_made_for(wrong, said):
    with pytest.raises(ValueError) as refused:
        flickermeter(**{"tick_s": 0.001, **wrong})
    assert str(refused.value) == said


def test_a_shape_that_the_tables_have_not():
    with pytest.raises(ValueError, match="shape 'triangle': must be sine or rectangular"):
        modulated("triangle", 10.0, 1.0, duration_s=1.0, tick_s=0.001)
