"""What the engine refuses, and the corners of the physics that no ordinary site reaches."""

from __future__ import annotations

import numpy as np
import pytest
import xxhash
from rig import LOSSLESS, H, Rig

from hil.kernel.engine import Engine
from hil.kernel.layout import CODES
from hil.loads.sampler import fill

BESS = {"rating": "10 MVA", "energy": "1 MWh", "setpoint_ramp": "100 GW/s", "slew": "100 GW/s", "converter_lag": "0 s"}
LAW = {"a": {"kind": "ramp_limit", "device": "bess.x", "ramp": "1 MW/s"}}
SET_W, ENABLE, SET_VAR, VAR_ENABLE, OPERATION = 0, 1, 5, 6, 7


def rig(ticks: int = 100, **sections: object) -> Rig:
    return Rig({"bess": {"x": BESS}, **sections}, np.full(ticks, 10e6))


def rebuilt(parameters: dict | None = None, states: dict | None = None, **options: object) -> Engine:
    """The engine of a rig once more, with something replaced."""
    made = rig(absorber=LAW).engine
    given = {"period_ns": 1_000_000, "load_tan_phi": 0.0, **options}
    return Engine({**made.parameters, **(parameters or {})}, {**made.states, **(states or {})}, ["bess.x"], **given)


def test_arrays_that_do_not_fit_are_refused():
    made = rig().engine
    with pytest.raises(ValueError, match="battery: must have 1 rows, has 2"):
        rebuilt(states={"battery": np.zeros(2, made.states["battery"].dtype)})
    with pytest.raises(ValueError, match="arena: must be a writeable one-dimensional array of float64"):
        rebuilt(states={"arena": np.zeros(3, np.float32)})
    frozen = made.states["arena"].copy()
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="arena: must be a writeable"):
        rebuilt(states={"arena": frozen})
    with pytest.raises(ValueError, match="load_ring: must have a row"):
        rebuilt(states={"load_ring": np.zeros(0)})
    with pytest.raises(ValueError, match="a tick at least"):
        rebuilt(states={"run": np.zeros(1, made.states["run"].dtype)})
    with pytest.raises(ValueError, match="must be positive"):
        rebuilt(period_ns=0)
    with pytest.raises(IndexError, match="no device 1"):
        rebuilt(laws=[(1, 0, 0, 0, None)])
    law = made.parameters["law"].copy()
    law["kind"] = CODES["law.law"]
    with pytest.raises(ValueError, match="device 0 has no law of its own"):
        rebuilt(parameters={"law": law})


def test_calls_that_make_no_sense_are_refused():
    engine = rig().engine
    with pytest.raises(ValueError, match="load block of 40000 ticks, room for 32768"):
        engine.feed(np.zeros(40_000))
    with pytest.raises(IndexError, match="no device 3"):
        engine.command(3, 0, 1.0)
    with pytest.raises(IndexError, match="no channel 99"):
        engine.value(99)
    with pytest.raises(ValueError, match="tap needs 35 columns"):
        engine.attach_tap(np.zeros((2, 3)))
    for _ in range(4096):
        engine.command(0, SET_W, 1.0)
    with pytest.raises(OverflowError, match="more than 4096 commands within one tick"):
        engine.command(0, SET_W, 1.0)
    engine.feed(np.full(2, 1e6))
    engine.advance(2)
    with pytest.raises(ValueError, match="tick 1 is in the past of tick 2"):
        engine.advance(1)
    engine.states["run"]["load_filled"] = 2**62
    with pytest.raises(ValueError, match="run: tick or load_filled"):
        engine.feed(np.full(2, 1e6))


def test_an_under_run_holds_the_load_and_is_counted():
    engine = rig().engine
    engine.feed(np.full(10, 7e6))
    engine.advance(25)
    assert engine.underruns == 15
    assert engine.value(0) == 7e6
    engine.feed(np.full(5, 9e6))  # goes on from now, not from where the load ended
    engine.advance(26)
    assert engine.value(0) == 9e6
    assert engine.load_filled == 30


def test_a_closed_run_moves_on_unjudged():
    engine = rig().engine
    engine.feed(np.full(20, 7e6))
    engine.advance(10)
    engine.close()
    before = engine.waveform_hash
    engine.advance(20)
    assert (engine.end_tick, engine.tick, engine.waveform_hash) == (10, 20, before)


def test_the_hash_before_the_first_tick():
    assert rig().engine.waveform_hash == xxhash.xxh64_hexdigest(b"")


# --- Corners ---


def test_a_starved_battery_gives_its_greatest_power():
    """Beyond u²/4R0 the current of maximum power flows, u/2R0, at half the inner voltage."""
    bess = {**BESS, **LOSSLESS, "resistance": 0.24, "energy": "100 MWh", "current_limit": 3.0, "discharge": "30 MW"}
    site = Rig({"bess": {"x": bess}, "grid": {"short_circuit": "50 GVA"}}, np.full(50, 40e6))
    site.run([(0, SET_W, 25e6), (0, ENABLE, 1.0)])
    battery = site.engine.parameters["battery"][0]
    u = np.interp(site["bess.x.soc"][10:], np.linspace(0, 1, 21), battery["ocv_v"])
    assert site.engine.states["battery"]["starved_ticks"][0] == 50
    assert np.allclose(site["bess.x.dc_current_a"][10:], u / (2 * battery["r0_ohm"]), rtol=1e-6)
    assert np.allclose(site["bess.x.dc_power_w"][10:], u**2 / (4 * battery["r0_ohm"]), rtol=1e-6)


@pytest.mark.parametrize(("soc", "power_w", "ends"), [(0.0004, 9e6, (0, 1)), (0.9996, -9e6, (19, 20))])
def test_the_curve_goes_on_straight_beyond_its_ends(soc, power_w, ends):
    """Between a tick's start and its middle a full or empty battery may pass the end; the curve must not jump there."""
    bess = {**BESS, **LOSSLESS, "energy": "20 kWh", "soc": soc, "soc_min": 0.0, "soc_max": 1.0}
    site = Rig({"bess": {"x": bess}}, np.full(60, 10e6)).run([(0, SET_W, power_w), (0, ENABLE, 1.0)])
    z, volts = site["bess.x.soc"], site["bess.x.dc_voltage_v"]
    assert z.min() < 0.0 if power_w > 0 else z.max() > 1.0
    ocv = site.engine.parameters["battery"][0]["ocv_v"]
    slope = 20.0 * (ocv[ends[1]] - ocv[ends[0]])
    middle = z - 0.5 * np.diff(z, prepend=soc)
    beyond = (middle < 0.05) | (middle > 0.95)
    assert np.allclose(volts[beyond], ocv[ends[0]] + slope * (middle[beyond] - ends[0] / 20.0), rtol=1e-6)


def test_stop_and_momentary_cessation():
    bess = {**BESS, "cease_below": 0.7}
    dip = {"kind": "grid_dip", "at": "0.2 s", "duration": "0.1 s", "residual": 0.5}
    site = Rig({"bess": {"x": bess}, "events": [dip]}, np.full(600, 10e6))
    site.run([(0, SET_W, 4e6), (0, ENABLE, 1.0), (0, SET_VAR, 2e6), (0, VAR_ENABLE, 1.0), (450, OPERATION, 0.0)])
    power, var, seen = site["bess.x.power_w"], site["bess.x.reactive_var"], site["bus.voltage_measured_pu"]
    ceased = np.flatnonzero(seen < 0.7) + 1  # it acts on what was measured at the end of the last tick
    assert ceased.size > 80
    assert np.all(power[ceased] == 0.0)
    assert np.all(var[ceased] == 0.0)
    assert (power[199], var[199]) == pytest.approx((4e6, 2e6))
    assert power[440] == pytest.approx(4e6)
    assert np.all(power[450:] == 0.0)


def test_the_sampler_needs_break_points_from_the_start():
    with pytest.raises(ValueError, match=r"break-points begin at 0\.0015 s, after 0 s"):
        fill(np.array([0.0015, 0.0035]), np.array([2.0, 6.0]), 0.0, H, np.zeros(4))
