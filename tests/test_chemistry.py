"""What a storage is made of: curves and energies in closed form, losses at rest, C-rates (docs/model.md, "Battery")."""

from __future__ import annotations

import importlib
import itertools
import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from rig import BESS, ENABLE, LOSSLESS, SET_W, H, Rig
from scipy.integrate import solve_ivp

from hil.errors import ScenarioError
from hil.kernel.layout import CODES
from hil.limits.facts import facts_of
from hil.scenario.chemistry import chemistry
from hil.scenario.files import from_document
from hil.scenario.storage import Bess
from hil.scenario.ups import Ups

CHEMISTRIES = ("lfp", "nmc", "lto", "supercapacitor", "flywheel")
SOC = np.linspace(0.0, 1.0, 21)
PLAIN = {key: value for key, value in BESS.items() if not key.startswith(("resistance", "rc", "soc"))} | {
    "soc": 0.5, "soc_min": 0.0, "soc_max": 1.0, "setpoint_ramp": "1000 GW/s", "slew": "1000 GW/s", "converter_lag": "0 s",
}  # fmt: skip
VALIDATION = Path(__file__).parents[1] / "validation"


def document(bess: dict, **sections: object) -> dict:
    """A site with one storage."""
    load = {"kind": "training", "power": "10 MW"}
    return {"duration": "1000 s", "grid": {"short_circuit": "500 MVA"}, "load": load, "bess": {"x": bess}, **sections}


def rested(name: str, seconds: float, **keys: object) -> Rig:
    """A storage that nothing asks for, without the converter's losses."""
    none = {"standby_loss": 0.0, "linear_loss": 0.0, "quadratic_loss": 0.0, "charge_c_rate": 1e6, "discharge_c_rate": 1e6}
    bess = {**PLAIN, **none, "chemistry": name, "resistance": 0.0, "rc1_resistance": 0.0, "rc2_resistance": 0.0, **keys}
    return Rig({"bess": {"x": bess}}, np.full(round(seconds / H), 10e6)).run()


def test_the_default_is_todays_cell_to_the_bit() -> None:
    """As these stood when a BESS had no chemistry, and a UPS two."""
    lfp = (2.5, 3.0, 3.18, 3.21, 3.235, 3.252, 3.265, 3.276, 3.285, 3.288, 3.29, 3.294, 3.3, 3.31, 3.32, 3.326, 3.33, 3.335,
           3.34, 3.36, 3.5)  # fmt: skip
    bess = Bess(rating_va=1e7, energy_wh=2e6)
    assert (bess.chemistry, chemistry("lfp").ocv_v, chemistry("lfp").nominal_v) == ("lfp", lfp, 3.2)
    assert vars(bess.cell) == {
        "resistance": 0.01, "rc1_resistance": 0.005, "rc1_time_s": 30.0, "rc2_resistance": 0.005, "rc2_time_s": 600.0,
        "self_discharge_w": 0.0,
    }  # fmt: skip
    for name in ("vrla", "lfp"):
        assert vars(Ups(rating_w=1e6, chemistry=name).cell) == {
            "resistance": 0.03, "rc1_resistance": 0.01, "rc1_time_s": 20.0, "rc2_resistance": 0.01, "rc2_time_s": 300.0,
            "self_discharge_w": 0.0,
        }  # fmt: skip
    assert Ups(rating_w=1e6).chemistry == "vrla"
    assert chemistry("vrla").ocv_v == tuple(np.linspace(1.96, 2.14, 21))


@pytest.mark.parametrize("name", [*CHEMISTRIES, "vrla"])
def test_a_curve_never_falls_and_is_around_its_nominal(name: str) -> None:
    made = chemistry(name)
    assert len(made.ocv_v) == 21
    assert all(low <= high for low, high in itertools.pairwise(made.ocv_v))
    mean_v = np.trapezoid(made.ocv_v, SOC)
    assert made.ocv_v[0] <= made.nominal_v <= made.ocv_v[-1]
    assert abs(mean_v / made.nominal_v - 1.0) < (0.05 if name != "supercapacitor" else 0.26)


def test_nmc_stands_on_the_published_potentials() -> None:
    """Chen et al. 2020, their fits of both electrodes, over the stoichiometries between 2.5 V and 4.2 V."""

    def negative(x: float) -> float:
        return (
            1.9793 * math.exp(-39.3631 * x) + 0.2482 - 0.0909 * math.tanh(29.8538 * (x - 0.1234))
            - 0.04478 * math.tanh(14.9159 * (x - 0.2769)) - 0.0205 * math.tanh(30.4444 * (x - 0.6103))
        )  # fmt: skip

    def positive(y: float) -> float:
        return (
            -0.8090 * y + 4.4875 - 0.0428 * math.tanh(18.5138 * (y - 0.5542)) - 17.7326 * math.tanh(15.7890 * (y - 0.3117))
            + 17.5842 * math.tanh(15.9308 * (y - 0.3120))
        )  # fmt: skip

    x = 0.0263458 + (0.9106180 - 0.0263458) * SOC
    y = 0.8539747 + (0.2638452 - 0.8539747) * SOC
    cathode = np.array([positive(each) for each in y])
    np.testing.assert_allclose(chemistry("nmc").ocv_v, cathode - [negative(each) for each in x], atol=1e-3)
    np.testing.assert_allclose(chemistry("lto").ocv_v, cathode - 1.55, atol=1e-3)


def test_a_supercapacitor_holds_what_a_capacitor_does() -> None:
    """½C(U1² − U2²), all the way: U is linear in the charge, exactly."""
    energy_wh, volts, power_w = 10e3, 1000.0, 2e6
    bess = {**PLAIN, **LOSSLESS, "chemistry": "supercapacitor", "energy": "10 kWh", "rating": "3 MVA", "soc": 1.0,
            "dc_voltage": f"{volts} V", "self_discharge": "0 W"}  # fmt: skip
    rig = Rig({"bess": {"x": bess}}, np.full(15_000, 10e6)).run([(0, ENABLE, 1.0), (0, SET_W, power_w)])
    farad = 2.0 * 3600.0 * energy_wh / (volts**2 - (volts / 2) ** 2)
    given_j = np.cumsum(rig["bess.x.dc_power_w"]) * H
    expected_v = np.sqrt(volts**2 - 2.0 * given_j / farad)
    assert expected_v[-1] < 0.75 * volts
    np.testing.assert_allclose(rig["bess.x.dc_voltage_v"], expected_v, rtol=1e-4)
    np.testing.assert_allclose(rig["bess.x.soc"], 2.0 * expected_v / volts - 1.0, atol=1e-4)


def test_a_flywheel_stands_at_its_bus_voltage_and_holds_half_j_omega_squared() -> None:
    """What is left of ½Jω² is the share of its energy: 0.4 kg·m² a rotor, full at 16,000 turns a minute, 200 of them."""
    omega = 2.0 * math.pi * 16_000 / 60.0
    full_j = 200 * 0.5 * 0.4 * omega**2
    bess = {**PLAIN, **LOSSLESS, "chemistry": "flywheel", "energy": f"{full_j / 3600.0} Wh", "rating": "20 MVA", "soc": 0.9,
            "self_discharge": "0 W"}  # fmt: skip
    rig = Rig({"bess": {"x": bess}}, np.full(5_000, 10e6)).run([(0, ENABLE, 1.0), (0, SET_W, 4e6)])
    left_j = 0.9 * full_j - np.cumsum(rig["bess.x.dc_power_w"]) * H
    np.testing.assert_allclose(rig["bess.x.dc_voltage_v"], 1000.0)
    turns = np.sqrt(left_j / full_j) * omega
    np.testing.assert_allclose(np.sqrt(rig["bess.x.soc"]) * omega, turns, rtol=1e-9)
    assert turns[-1] < 0.98 * turns[0]


@pytest.mark.parametrize(("name", "per_hour"), [("flywheel", 0.01), ("supercapacitor", 4.2e-3 / 0.75), ("lfp", 0.0)])
def test_what_is_lost_at_rest(name: str, per_hour: float) -> None:
    """Charge falls along a straight line by the chemistry's share an hour."""
    rig = rested(name, 10.0, energy="1 MWh")
    np.testing.assert_allclose(rig["bess.x.soc"][-1], 0.5 - per_hour * 10.0 / 3600.0, rtol=1e-10)


def test_self_discharge_ends_where_the_battery_is_empty() -> None:
    rig = rested("flywheel", 5.0, energy="1 kWh", soc=0.001, self_discharge="3.6 kW", rating="1 kVA")
    soc = rig["bess.x.soc"]
    np.testing.assert_allclose(soc[500], 0.001 - 501 * H * 3.6e3 / 3.6e6, rtol=1e-9)
    assert -1.1e-6 < soc[-1] <= 0.0
    assert soc[-1] == soc[2000]


def test_self_discharge_under_load_against_solve_ivp() -> None:
    """Current, RC pairs and leakage together; what is lost inside is heat."""
    bess = {**BESS, "chemistry": "nmc", "self_discharge": "200 kW", "charge_c_rate": 100.0, "discharge_c_rate": 100.0,
            "setpoint_ramp": "1000 GW/s", "slew": "1000 GW/s", "converter_lag": "0 s", "standby_loss": 0.0,
            "linear_loss": 0.0, "quadratic_loss": 0.0}  # fmt: skip
    rig = Rig({"bess": {"x": bess}}, np.full(30_000, 10e6)).run([(0, ENABLE, 1.0), (0, SET_W, 5e6)])
    ocv = np.array(chemistry("nmc").ocv_v) * 1000.0 / 3.7
    mean_v = np.trapezoid(ocv, SOC)
    charge_as, leak_a = 0.6e6 * 3600.0 / mean_v, 200e3 / mean_v
    r0, r1, r2 = (share * 1000.0 / 10e3 for share in (0.02, 0.015, 0.02))

    def rates(_t: float, state: np.ndarray) -> list[float]:
        soc, v1, v2, temperature = state
        open_v = np.interp(soc, SOC, ocv)
        inner = open_v - v1 - v2
        current = 2.0 * 5e6 / (inner + math.sqrt(inner**2 - 4.0 * r0 * 5e6))
        heat = r0 * current**2 + v1**2 / r1 + v2**2 / r2 + leak_a * open_v
        rise = 20.0 / ((0.02 + 0.015 + 0.02) * 10e6)
        return [
            -(current + leak_a) / charge_as, (r1 * current - v1) / 2.0, (r2 * current - v2) / 20.0,
            (rise * heat - (temperature - 25.0)) / 60.0,
        ]  # fmt: skip

    solved = solve_ivp(rates, (0.0, 30.0), [0.62, 0.0, 0.0, 25.0], "DOP853", rtol=1e-10, atol=1e-12, max_step=0.25).y[:, -1]
    ours = [rig[f"bess.x.{name}"][-1] for name in ("soc", "rc1_v", "rc2_v", "temperature_degc")]
    np.testing.assert_allclose(ours, solved, rtol=1e-5)


@pytest.mark.parametrize("name", CHEMISTRIES)
def test_each_runs_in_a_bess_and_what_it_gives_is_what_it_loses(name: str) -> None:
    """A discharge and a charge: terminals, heat and stored energy balance."""
    energy_wh = {"nmc": 40e6, "lto": 2e6}.get(name, 1e6)
    bess = {**PLAIN, "chemistry": name, "energy": f"{energy_wh} Wh", "rating": "10 MVA", "rc1_resistance": 0.0,
            "rc2_resistance": 0.0}  # fmt: skip
    rig = Rig({"bess": {"x": bess}}, np.full(20_000, 10e6)).run([(0, ENABLE, 1.0), (0, SET_W, 8e6), (10_000, SET_W, -6e6)])
    params = rig.engine.parameters["battery"][0]
    ocv = np.asarray(params["ocv_v"])
    soc = np.concatenate([[0.5], rig["bess.x.soc"]])
    fine = np.linspace(0.0, 1.0, 20_001)
    held = np.concatenate([[0.0], np.cumsum(np.interp((fine[1:] + fine[:-1]) / 2, SOC, ocv) * np.diff(fine))])
    stored_j = float(params["capacity_as"]) * np.interp(soc, fine, held)
    current = rig["bess.x.dc_current_a"]
    heat_w = float(params["r0_ohm"]) * current**2
    heat_w += float(params["leak_a"]) * np.interp((soc[1:] + soc[:-1]) / 2, SOC, ocv)
    out_j = np.cumsum(rig["bess.x.dc_power_w"] + heat_w) * H
    through_j = np.sum(np.abs(rig["bess.x.dc_power_w"])) * H
    assert np.max(np.abs(stored_j[0] - stored_j[1:] - out_j)) < 1e-5 * through_j
    assert soc.min() < 0.4995


@pytest.mark.parametrize("name", ["vrla", *CHEMISTRIES])
def test_each_feeds_a_ups_through_an_outage(name: str) -> None:
    """The load of a UPS is fed by what stores; a hole of five seconds takes so much charge."""
    autonomy = {"nmc": "3 h", "lto": "15 min"}.get(name, "5 min")
    ups = {"rating": "12 MW", "chemistry": name, "autonomy": autonomy, "share": 1.0}
    dip = {"kind": "grid_dip", "at": "2 s", "duration": "5 s", "residual": 0.2}
    rig = Rig({"ups": {"a": ups}, "events": [dip]}, np.full(8_000, 10e6)).run()
    inside = slice(3_000, 6_500)
    np.testing.assert_allclose(rig["ups.a.output_w"][inside], 10e6, rtol=1e-9)
    energy_j = 3600.0 * rig.scenario.ups["a"].rated_energy_wh
    soc = rig["ups.a.soc"]
    made = chemistry(name)
    mean_v = np.trapezoid(made.ocv_v, SOC)
    at_v = np.interp(soc[4_500], SOC, made.ocv_v)
    drained = (soc[3_000] - soc[6_000]) * energy_j * at_v / mean_v / 3.0
    assert drained == pytest.approx(rig["ups.a.battery_w"][4_500], rel=0.12)
    assert drained > rig["ups.a.battery_w"][4_500] * 0.999  # the battery's resistance takes its part
    assert CODES["ups_mode.battery"] == rig["ups.a.mode"][4_500]


def test_keys_that_are_given_go_before_the_chemistry() -> None:
    keys = {"resistance": 0.02, "rc1_time_s": 7.0, "self_discharge_w": 3.0}
    bess = Bess(rating_va=1e6, energy_wh=2e6, chemistry="nmc", **keys)
    preset = Bess(rating_va=1e6, energy_wh=2e6, chemistry="nmc")
    assert (bess.cell.resistance, bess.cell.rc1_time_s, bess.cell.self_discharge_w) == (0.02, 7.0, 3.0)
    assert bess.cell.rc2_resistance == preset.cell.rc2_resistance
    # Half a C has half the drops of one C.
    double = Bess(rating_va=1e6, energy_wh=4e6, chemistry="nmc")
    assert double.cell.resistance == pytest.approx(preset.cell.resistance / 2.0)
    assert preset.cell.resistance == pytest.approx(0.5 * chemistry("nmc").drops.resistance)


@pytest.mark.parametrize(
    ("bess", "message"),
    [
        (
            {"chemistry": "nmc"},
            (
                "bess.x.rating = '1 MVA': lets the battery charge with 1000 kW: must be at most 700 kW, 1000 kWh at 0.7 C, "
                "the charge_c_rate of nmc"
            ),
        ),
        (
            {"chemistry": "nmc", "charge": "600 kW", "discharge": "1 MW", "discharge_c_rate": 0.9},
            (
                "bess.x.discharge = '1 MW': lets the battery discharge with 1000 kW: must be at most 900 kW, "
                "1000 kWh at 0.9 C, discharge_c_rate"
            ),
        ),
        (
            {"chemistry": "nmc", "energy": "200 kWh", "charge_c_rate": 9.0, "discharge_c_rate": 9.0},
            (
                "bess.x.chemistry = 'nmc': drops 0.34 of its voltage at the rating: must be below 0.25; "
                "give it more energy, or resistances"
            ),
        ),
        ({"chemistry": "vrla"}, "bess.x.chemistry = 'vrla': must be 'lfp', 'nmc', 'lto', 'supercapacitor' or 'flywheel'"),
        ({"self_discharge": "-1 W"}, "bess.x.self_discharge = '-1 W': must be at least 0 W"),
        ({"discharge_c_rate": 0.0}, "bess.x.discharge_c_rate = 0.0: must be above 0"),
    ],
)
def test_bad_input_is_one_line(bess: dict, message: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        from_document(document({"rating": "1 MVA", "energy": "1 MWh", **bess}))
    assert str(refused.value).split(": ", 1)[1] == message


def test_a_flywheel_has_no_cells_to_judge() -> None:
    limit = {"name": "cells", "kind": "cell_voltage", "node": "bess.x", "max": "3.65 V"}
    wheel = {"rating": "1 MVA", "energy": "1 MWh", "chemistry": "flywheel"}
    with pytest.raises(ScenarioError, match=r"limits.cells.node = 'bess.x': bess.x has no cells: its kind must be dc_voltage"):
        from_document(document(wheel, limits=[limit]))
    from_document(document(wheel, limits=[{"name": "dc", "kind": "dc_voltage", "node": "bess.x", "max": "1300 V"}]))


def test_cells_in_series_go_by_the_chemistry() -> None:
    facts = facts_of(from_document(document({"rating": "1 MVA", "energy": "2 MWh", "chemistry": "nmc"})))
    assert facts.devices["bess.x"].cells == pytest.approx(1200.0 / 3.7)


@pytest.mark.slow
def test_a_battery_without_its_pairs_misses_the_pulses() -> None:
    """What holds the fitted battery to 1 % does not hold one without resistances."""
    sys.path.append(str(VALIDATION))
    pulse = importlib.import_module("pulse")
    for cell in ("lfp", "nmc"):
        of, found = pulse.series(cell, "held_out"), pulse.fitted(cell)
        assert of.rmse(np.interp(of.soc, SOC, found.ocv_v)) > pulse.BOUND


@pytest.mark.slow
def test_the_drops_of_nmc_are_those_fitted_to_its_pulses() -> None:
    """What scripts/fit_cells.py has written, by the fit as it is now."""
    sys.path.append(str(VALIDATION))
    found, made = importlib.import_module("pulse").fitted("nmc"), chemistry("nmc")
    per_c = 5.0 * np.trapezoid(made.ocv_v, SOC) / 3.7**2
    ours = [found.r0_ohm * per_c, found.r1_ohm * per_c, found.tau1_s, found.r2_ohm * per_c, found.tau2_s]
    np.testing.assert_allclose(list(vars(made.drops).values()), ours, rtol=0.01)


@pytest.mark.slow
@pytest.mark.peer_package("pybamm")
def test_the_pulse_series_are_what_pybamm_makes() -> None:
    sys.path.append(str(VALIDATION))
    os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"
    pulse, makes = importlib.import_module("pulse"), importlib.import_module("pulse_series")
    for cell, series in itertools.product(("lfp", "nmc"), ("fit", "held_out", "fast")):
        kept, made = pulse.series(cell, series), makes.made(cell, series)
        voltage_v = np.interp(kept.time_s[1:], made[:, 0], made[:, 2])
        assert np.sqrt(np.mean((voltage_v - kept.voltage_v[1:]) ** 2)) < 1e-3
