"""Areas by name: the loss of load that each is known for, in closed form and in a run (docs/model.md, "Frequency")."""

from __future__ import annotations

import numpy as np
import pytest
from rig import H, Rig
from scipy.integrate import solve_ivp

from hil.errors import ScenarioError
from hil.scenario.files import from_document
from hil.scenario.grid import Grid
from hil.scenario.interconnection import INTERCONNECTIONS

LOAD = {"kind": "training", "power": "10 MW"}


def frequency(grid: dict, lost_mw: float, seconds: float = 60.0) -> np.ndarray:
    """After a loss of load in the area, 1 s from the start."""
    loss = {"kind": "generation_loss", "at": "1 s", "duration": f"{seconds - 1.0} s", "power": f"{-lost_mw} MW"}
    site = {"grid": {"short_circuit": "5 GVA", **grid}, "events": [loss], "load": LOAD}
    return Rig(site, np.full(round(seconds / H), 10e6)).run()["pcc.frequency_hz"]


def settled_hz(base_w: float, lost_w: float, damping: float = 1.0, droop: float = 0.05, dead_hz: float = 0.036) -> float:
    """Where ΔP = S·(D·Δf + max(Δf − db, 0)/R)/f_n, for losses that take it beyond the dead band."""
    return (lost_w * 60.0 / base_w + dead_hz / droop) / (damping + 1.0 / droop)


@pytest.mark.parametrize(("name", "lost_mw", "stands_at"), [("ercot", 2600.0, 60.4), ("eastern", 1500.0, 60.047)])
def test_it_stands_where_the_figure_says(name: str, lost_mw: float, stands_at: float) -> None:
    grid = {"interconnection": name, "unverified": INTERCONNECTIONS[name].unverified}
    hz = frequency(grid, lost_mw)
    assert hz[-1] == pytest.approx(stands_at, abs=1e-6)
    assert hz[999] == 60.0
    assert hz.max() > stands_at + 0.001  # before the governors are there


def test_the_ratio_of_megawatts_to_hertz_is_the_chord_at_the_figure() -> None:
    """650 MW per 0.1 Hz at 0.4 Hz; less where the dead band is more of it, in closed form and in a run."""
    base_w = Grid(short_circuit_va=5e9, interconnection="ercot").area_base_va
    assert base_w == pytest.approx(2600e6 / (0.4 / 60.0 + 0.364 / 60.0 / 0.05))
    for lost_mw, ratio in ((2600.0, 650.0), (650.0, 517.0)):
        deviation_hz = settled_hz(base_w, lost_mw * 1e6)
        assert lost_mw / (10.0 * deviation_hz) == pytest.approx(ratio, abs=0.5)
        assert frequency({"interconnection": "ercot"}, lost_mw)[-1] - 60.0 == pytest.approx(deviation_hz, abs=1e-6)


def test_without_a_dead_band_the_ratio_is_one_number() -> None:
    grid = {"interconnection": "ercot", "deadband": "0 Hz"}
    for lost_mw in (650.0, 1300.0, 2600.0):
        assert frequency(grid, lost_mw)[-1] - 60.0 == pytest.approx(lost_mw / 6500.0, abs=1e-6)


def test_the_peak_against_solve_ivp() -> None:
    hz = frequency({"interconnection": "ercot", "inertia": "3 s", "governor_time": "2 s"}, 2600.0)
    base_w = 2600e6 / (0.4 / 60.0 + 0.364 / 60.0 / 0.05)

    def rates(_t: float, y: np.ndarray) -> list[float]:
        asked = -np.sign(y[0]) * min(max(abs(y[0]) - 0.036 / 60.0, 0.0) / 0.05, 0.2)
        return [(y[1] + 2600e6 / base_w - y[0]) / 6.0, (asked - y[1]) / 2.0]

    solved = solve_ivp(rates, (0.0, 59.0), [0.0, 0.0], "DOP853", rtol=1e-10, atol=1e-12, max_step=0.01)
    assert hz.max() - 60.0 == pytest.approx(60.0 * solved.y[0].max(), rel=1e-4)
    assert hz.max() > 60.6  # above what stands


def test_its_governors_do_not_stand_at_their_limit() -> None:
    """With the default limit of a tenth of the base the figure would not be met: it would be a line of damping alone."""
    assert frequency({"interconnection": "ercot", "governor_limit": 0.1}, 2600.0, 300.0)[-1] > 60.5


def test_keys_that_are_given_go_before_it() -> None:
    grid = Grid(short_circuit_va=5e9, interconnection="ercot", area_va=30e9, governor_limit=0.15)
    assert (grid.area_base_va, grid.governor_most) == (30e9, 0.15)
    other = Grid(short_circuit_va=5e9, interconnection="ercot", droop=0.04, damping=2.0)
    assert settled_hz(other.area_base_va, 2600e6, damping=2.0, droop=0.04) == pytest.approx(0.4)


def test_without_one_the_area_is_what_it_was() -> None:
    grid = Grid(short_circuit_va=5e9)
    assert (grid.area_base_va, grid.governor_most, grid.interconnection) == (60e9, 0.1, None)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"interconnection": "eastern"}, "grid.interconnection = 'eastern': must come with unverified = true"),
        ({"interconnection": "ercot", "frequency": "50 Hz"}, "grid.frequency = '50 Hz': must be 60 Hz in ercot"),
        ({"interconnection": "western"}, "grid.interconnection = 'western': must be 'ercot' or 'eastern'"),
        (
            {"interconnection": "ercot", "damping": 0.0, "droop": 0.0},
            "grid.interconnection = 'ercot': needs damping or droop above 0",
        ),
    ],
)
def test_bad_input_is_one_line(grid: dict, message: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        from_document({"duration": "10 s", "grid": {"short_circuit": "5 GVA", **grid}, "load": LOAD})
    assert str(refused.value).startswith(f"scenario: {message}")
    assert "\n" not in str(refused.value)
