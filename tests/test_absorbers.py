"""The absorbers `high_pass` and `droop`: closed forms and other solvers, written from docs/model.md, "Absorbers"."""

from __future__ import annotations

import math

import numpy as np
import pytest
from physics_support import windowed
from rig import BESS, LOSSLESS, H, Rig, document
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import hil
from hil.kernel.layout import CODES
from hil.scenario.absorber import AbsorberSection, Droop, HighPass, NoAbsorber, OwnLaw, RampLimit
from hil.scenario.chemistry import chemistry
from hil.scenario.files import from_document

AT_ONCE = {"setpoint_ramp": "1000000 GW/s", "slew": "1000000 GW/s", "converter_lag": "0 s"}
HIGH_PASS = {"kind": "high_pass", "device": "bess.x", "time": "0.8 s", "restore_most": 0.0}


def one(absorber: dict, load_w: np.ndarray, bess: dict | None = None, **sections: object) -> Rig:
    return Rig({"bess": {"x": {**BESS, **(bess or {})}}, "absorber": {"a": absorber}, **sections}, load_w)


# --- high_pass ---


def test_high_pass_decays_with_its_time_constant():
    """A step, seen one tick late: ΔP·e^(−n·h/τ) after n answers, to rounding."""
    rig = one(HIGH_PASS, np.repeat([10e6, 16e6], [100, 8_000])).run()
    answer = rig["bess.x.law_w"]
    assert np.all(answer[:101] == 0.0)
    after = np.arange(1, answer.size - 100)
    assert np.max(np.abs(answer[101:] - 6e6 * np.exp(-after * H / 0.8))) < 1e-12 * 16e6


def test_high_pass_on_its_own_measurement():
    """Filter, delay and a slower update, tick by tick; between two answers the last is held."""
    load = 20e6 + np.cumsum(np.random.default_rng(4).normal(0, 2e5, 4_000))
    rig = one({**HIGH_PASS, "update": "7 ms", "filter": "10 ms", "delay": "4 ms"}, load).run()
    measured = windowed(load, 10, 4, load[0])
    share, answer, expected = load[0], 0.0, np.empty(load.size)
    for k in range(load.size):
        if k % 7 == 0:
            seen = measured[k - 1] if k else load[0]
            share += (1.0 - math.exp(-0.007 / 0.8)) * (seen - share)
            answer = seen - share
        expected[k] = answer
    assert np.max(np.abs(rig["bess.x.law_w"] - expected)) <= 1e-9 * np.ptp(expected)


def test_what_the_grid_gets_is_the_low_passed_load():
    """Against scipy on dG/dt = (P − G)/τ, for a load that rises and falls; the device is as good as instant."""
    t = np.arange(1, 6_001) * H
    load = 20e6 + 4e6 * np.sin(2.0 * math.pi * 0.4 * t)
    load[0] = 20e6
    rig = one(HIGH_PASS, load, AT_ONCE | LOSSLESS, grid={"short_circuit": "500 GVA"}).run()
    power = 20e6, 4e6, 2.0 * math.pi * 0.4
    solution = solve_ivp(
        lambda at, g: (power[0] + power[1] * math.sin(power[2] * at) - g) / 0.8, (0, 6.0), [20e6], "DOP853", t, rtol=1e-10
    )
    # Two ticks late, one by the measurement and one by the hold; the load moves 10 kW in one.
    assert np.max(np.abs(rig["pcc.power_w"] - solution.y[0])) < 3.0 * np.max(np.abs(np.diff(load)))
    assert np.ptp(solution.y[0]) > 3e6


@pytest.mark.parametrize("target", [0.5, 0.6])
def test_the_soc_is_brought_back_with_its_time_constant(target):
    """dz/dt = −P/(C·U(z)) with P = (z − target)·E/T, within the clamp: against scipy on the curve of docs/model.md."""
    bess = {"energy": "0.2 MWh", "soc": 0.56, **LOSSLESS, **AT_ONCE}
    law = {**HIGH_PASS, "soc_target": target, "restore_time": "20 s", "restore_most": 1.0}
    rig = one(law, np.full(60_000, 10e6), bess).run()
    curve = np.array(chemistry("lfp").ocv_v) / chemistry("lfp").nominal_v
    mean = np.mean((curve[1:] + curve[:-1]) / 2)

    def rate(_t: float, z: np.ndarray) -> np.ndarray:
        return -(z - target) / 20.0 * mean / np.interp(z, np.linspace(0, 1, 21), curve)

    at = np.arange(1, 60_001) * H
    solution = solve_ivp(rate, (0.0, 60.0), [0.56], "DOP853", at, rtol=1e-10, atol=1e-12, max_step=0.5)
    assert np.max(np.abs(rig["bess.x.soc"] - solution.y[0])) < 2e-4 * abs(0.56 - target)
    assert abs(rig["bess.x.soc"][-1] - target) < 0.06 * abs(0.56 - target)


@pytest.mark.parametrize(("soc", "sign"), [(0.9, 1.0), (0.1, -1.0)])
def test_restoration_is_clamped(soc, sign):
    law = {**HIGH_PASS, "restore_time": "1 s", "restore_most": 0.03}
    rig = one(law, np.full(1_000, 10e6), {"soc": soc}).run()
    assert np.all(rig["bess.x.law_w"] == sign * 0.03 * 10e6)


def test_restoration_is_each_devices_own():
    """The answer to the load is shared by rating; what brings a SoC back is not, and goes by that SoC, energy and rating."""
    plain = {key: value for key, value in BESS.items() if key != "slew"}
    bess = {
        "a": {**plain, "rating": "30 MVA", "energy": "6 MWh", "soc": 0.5},
        "b": {**plain, "rating": "10 MVA", "energy": "2 MWh", "soc": 0.7},
    }
    law = {**HIGH_PASS, "restore_time": "1 h", "restore_most": 0.5}
    laws = {name: {**law, "device": f"bess.{name}"} for name in bess}
    rig = Rig({"bess": bess, "absorber": laws}, np.repeat([10e6, 20e6], [10, 2])).run()
    assert rig["bess.a.law_w"][5] == pytest.approx(0.0, abs=1.0)
    assert rig["bess.b.law_w"][5] == pytest.approx(0.2 * 2e6, rel=1e-4)  # 0.2 of 2 MWh within an hour
    step = [rig[f"bess.{name}.law_w"][11] - rig[f"bess.{name}.law_w"][5] for name in "ab"]
    assert step == pytest.approx([0.75 * 10e6 * math.exp(-H / 0.8), 0.25 * 10e6 * math.exp(-H / 0.8)], rel=1e-4)


def test_a_load_that_goes_away_for_good_leaves_no_subnormal_numbers():
    rig = one({**HIGH_PASS, "time": "5 ms"}, np.repeat([10e6, 0.0], [10, 1_000])).run()
    answer = np.abs(rig["bess.x.law_w"])
    assert not np.any((answer > 0.0) & (answer < np.finfo(float).tiny))
    assert rig.engine.states["law"]["grid_w"][0] == 0.0


# --- droop ---


@pytest.mark.parametrize(("droop", "deadband_hz"), [(0.05, 0.036), (0.02, 0.0)])
def test_droop_characteristic(droop, deadband_hz):
    """The answer to a frequency as measured at the end of the last tick, dead band edges among them."""
    law = {"kind": "droop", "device": "bess.x", "droop": droop, "deadband": f"{deadband_hz} Hz"}
    rig = one(law, np.full(40, 10e6))
    rig.engine.feed(rig.load_w)
    measured = rig.engine.states["measured"][CODES["measured.frequency"]]
    tiny = 1e-9
    edge = 60.0 + deadband_hz
    cases = [60.0, edge - tiny, 120.0 - edge + tiny, edge + tiny, 120.0 - edge - tiny, 59.5, 60.5, 57.0, 63.0, 61.8]
    for tick, hz in enumerate(cases, 1):
        measured["value"] = hz
        rig.engine.advance(tick)
        beyond = max(abs(hz - 60.0) - deadband_hz, 0.0)
        expected = -math.copysign(beyond / (60.0 * droop) * 10e6, hz - 60.0)
        assert rig["bess.x.law_w"][tick - 1] == pytest.approx(expected, rel=1e-12, abs=1e-6), hz
    assert np.all(np.abs(rig["bess.x.law_w"][1:5]) < 1.0)
    assert np.all(rig["bess.x.law_w"][1:3] == 0.0) == (deadband_hz > 0.0)  # inside the edges
    assert rig["bess.x.law_w"][3] < 0.0 < rig["bess.x.law_w"][4]  # above it charges, below it discharges


AREA = {"short_circuit": "20 GVA", "area": "1 GVA", "inertia": "3 s", "damping": 1.5, "governor_time": "0.4 s"}
STORAGE = {"rating": "300 MVA", "energy": "400 MWh", "slew": "1000000 GW/s"} | LOSSLESS
LOSS = {"kind": "generation_loss", "at": "1 s", "power": "60 MW"}


def response(**keys: object) -> Rig:
    law = {"kind": "droop", "device": "bess.x", **keys}
    setting = {"frequency_window": "1 ms"}
    return one(law, np.full(40_000, 10e6), STORAGE, grid=AREA, events=[LOSS], measurement=setting).run(sample_grid_every=20)


def governor(w: float) -> float:
    return -math.copysign(min(max(abs(w) - 0.036 / 60.0, 0.0) / 0.05, 0.1), w)


def storage_pu(w: float, droop: float) -> float:
    """Per unit of the area: beyond the dead band, of the rating of 0.3."""
    return -math.copysign(max(abs(w) - 0.036 / 60.0, 0.0) / droop * 0.3, w)


@pytest.mark.parametrize("droop", [0.05, 0.01])
def test_frequency_settles_where_governor_and_droop_meet_the_loss(droop):
    rig = response(droop=droop)
    steady = brentq(lambda w: governor(w) + storage_pu(w, droop) - 0.06 - 1.5 * w, -0.05, 0.0, xtol=1e-15)
    assert rig["pcc.frequency_hz"][-1] == pytest.approx(60.0 * (1.0 + steady), abs=1e-6)
    assert rig["bess.x.power_w"][-1] == pytest.approx(1e9 * storage_pu(steady, droop), rel=1e-4)
    without = brentq(lambda w: governor(w) - 0.06 - 1.5 * w, -0.05, 0.0, xtol=1e-15)
    assert steady > without + 5e-4


@pytest.mark.parametrize("droop", [0.05, 0.01])
def test_frequency_with_droop_against_solve_ivp(droop):
    """Swing equation, governor and the converter's lag behind the droop; the law is a tick late, which is all the error."""
    rig = response(droop=droop)

    def rates(_t: float, y: np.ndarray) -> list[float]:
        w, g, p = y
        return [(g - 0.06 + p - 1.5 * w) / 6.0, (governor(w) - g) / 0.4, (storage_pu(w, droop) - p) / 0.05]

    at = np.arange(1_020, 12_001, 20)
    solution = solve_ivp(rates, (1.0, 12.0), [0.0, 0.0, 0.0], "DOP853", at * H, rtol=1e-10, atol=1e-13, max_step=0.01)
    sampled = dict(rig.states)
    kernel = np.array([sampled[t]["deviation_pu"] for t in at])
    assert np.max(np.abs(solution.y[0] - kernel)) < 5e-3 * np.ptp(solution.y[0])
    power = rig["bess.x.power_w"][at - 1] / 1e9
    assert np.max(np.abs(solution.y[2] - power)) < 1e-2 * np.ptp(solution.y[2])


def test_droop_and_the_answer_to_the_load_live_side_by_side():
    """A droop device counts in nobody's share, and has none."""
    plain = {key: value for key, value in BESS.items() if key != "slew"}
    bess = {name: {**plain, "rating": rating} for name, rating in (("a", "30 MVA"), ("b", "10 MVA"), ("c", "60 MVA"))}
    laws = {name: {**HIGH_PASS, "device": f"bess.{name}"} for name in "ab"}
    laws["c"] = {"kind": "droop", "device": "bess.c"}
    scenario = from_document(document(bess=bess, absorber=laws))
    shares = [scenario.share_of(absorber) for absorber in scenario.absorber.values()]
    assert shares == [0.75, 0.25, 1.0]


# --- both ---


def test_a_snapshot_holds_both():
    bess = {name: {"rating": "10 MVA", "energy": "1 MWh", "soc": 0.6} for name in "ab"}
    laws = {
        "a": {"kind": "high_pass", "device": "bess.a", "time": "5 s"},
        "b": {"kind": "droop", "device": "bess.b", "droop": 0.01, "deadband": "0 Hz"},
    }
    grid = {"short_circuit": "500 MVA", "area": "1 GVA"}
    run = hil.KernelRun(from_document(document(bess=bess, absorber=laws, grid=grid)))
    run.advance(3.0)
    snapshot = run.snapshot()
    once = run.rows(6.0)
    run.restore(snapshot)
    assert np.array_equal(run.rows(6.0), once)
    for name in "ab":
        assert np.ptp(once[:, run.channels.index(f"bess.{name}.law_w")]) > 1e3


LAWS = {
    "high_pass": "{kind='high_pass',device='bess.main',placement='wire',time='5 s'}",
    "droop": "{kind='droop',device='bess.main',placement='wire',droop=0.005}",
}


@pytest.mark.parametrize("kind", LAWS)
def test_over_the_wire(kind):
    """The driver sends what the law answers, and without sockets it is the same run to the bit."""
    overrides = [
        f"absorber.main={LAWS[kind]}", "duration='8 s'", "supervisor={}", "bess.main.setpoint_ramp='10 GW/s'", "limits=[]",
        "bess.main.slew='10 GW/s'", "grid.area='1 GVA'", "record.rate='1 kHz'",
        "events=[{kind='generation_loss',at='2 s',power='30 MW'}]",
    ]  # fmt: skip
    wire, direct = (hil.run(hil.load("training_job", [*overrides, f"transport='{how}'"])) for how in ("wire", "direct"))
    assert wire.waveform_hash == direct.waveform_hash
    _, law = wire.signal("bess.main.law_w")
    _, sent = wire.signal("bess.main.setpoint_w")
    cycle = 50
    # A set-point is what the law has answered at some time within the last cycle, or a tick more, to the watt it is sent in.
    worst = 0.0
    for k in range(2 * cycle, law.size):
        near = law[k - cycle - 3 : k + 1]
        worst = max(worst, near.min() - sent[k], sent[k] - near.max())
    assert worst <= 2.0
    assert np.ptp(sent) > 1e6


OWN = {"device", "kind"}


@pytest.mark.parametrize("kind", [RampLimit, HighPass, Droop, OwnLaw])
def test_none_takes_the_keys_of_every_kind(kind):
    """So that an absorber can be turned off by its kind alone."""
    own = {name for name in kind.model_fields if name not in AbsorberSection.model_fields} - OWN
    assert own
    assert own <= set(NoAbsorber.model_fields)
    for name in own:
        assert NoAbsorber.model_fields[name].alias == kind.model_fields[name].alias
        bounds = [constraint for constraint in kind.model_fields[name].metadata if hasattr(constraint, "gt")]
        assert all(bound in NoAbsorber.model_fields[name].metadata for bound in bounds), name


def test_what_is_turned_off_keeps_its_keys():
    laws = {
        "high_pass": {"time": "5 s", "soc_target": 0.4, "restore_time": "10 min", "restore_most": 0.1},
        "droop": {"droop": 0.03, "deadband": "20 mHz"},
    }
    for keys in laws.values():
        absorber = {"kind": "none", "device": "bess.x", **keys}
        scenario = from_document(document(bess={"x": BESS}, absorber={"a": absorber}))
        again = from_document(scenario.document())
        assert again.document() == scenario.document()
        assert set(keys) < set(scenario.document()["absorber"]["a"])
