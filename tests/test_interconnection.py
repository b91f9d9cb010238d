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


def settled_hz(
    base_w: float, lost_w: float, damping: float = 1.0, droop: float = 0.05, dead_hz: float = 0.036, nominal_hz: float = 60.0
) -> float:
    """Where ΔP = S·(D·Δf + max(Δf − db, 0)/R)/f_n, for losses that take it beyond the dead band."""
    return (lost_w * nominal_hz / base_w + dead_hz / droop) / (damping + 1.0 / droop)


def keys_of(name: str) -> dict:
    """Keys of `[grid]` that an interconnection needs."""
    known = INTERCONNECTIONS[name]
    return {"interconnection": name, "unverified": known.unverified, "frequency": f"{known.nominal_hz} Hz"}


FIGURES = [  # of docs/model.md: what is lost, where the frequency then stands, the table's base
    ("ercot", 60.0, 2600.0, 0.4, 20.3),
    ("eastern", 60.0, 1500.0, 0.047, 337.0),
    ("western", 60.0, 1500.0, 0.1, 65.2),
    ("quebec", 60.0, 1000.0, 1000.0 / 1790.0, 5.45),
    ("continental_europe", 50.0, 3000.0, 0.2, 43.1),
    ("great_britain", 50.0, 1000.0, 50.0 - 49.594, 6.41),
    ("ireland", 50.0, 500.0, 0.5, 2.56),
]


def test_each_has_its_figure() -> None:
    assert [name for name, *_ in FIGURES] == list(INTERCONNECTIONS)


@pytest.mark.parametrize(("name", "nominal_hz", "lost_mw", "deviation_hz", "base_gva"), FIGURES)
def test_it_stands_where_the_figure_says(
    name: str, nominal_hz: float, lost_mw: float, deviation_hz: float, base_gva: float
) -> None:
    hz = frequency(keys_of(name), lost_mw)
    assert hz[-1] == pytest.approx(nominal_hz + deviation_hz, abs=1e-6)
    assert hz[999] == nominal_hz
    assert hz.max() > nominal_hz + deviation_hz + 0.001  # before the governors are there
    base_w = from_document(
        {"duration": "10 s", "grid": {"short_circuit": "5 GVA", **keys_of(name)}, "load": LOAD}
    ).grid.area_base_va
    assert base_w / 1e9 == pytest.approx(base_gva, rel=2.5e-3)
    assert settled_hz(base_w, lost_mw * 1e6, nominal_hz=nominal_hz) == pytest.approx(deviation_hz)


@pytest.mark.parametrize(("name", "nominal_hz", "lost_mw", "deviation_hz", "base_gva"), FIGURES)
def test_a_loss_of_generation_mirrors_it(
    name: str, nominal_hz: float, lost_mw: float, deviation_hz: float, base_gva: float
) -> None:
    assert frequency(keys_of(name), -lost_mw)[-1] == pytest.approx(nominal_hz - deviation_hz, abs=1e-6)


def test_which_were_not_read_in_a_source() -> None:
    assert [name for name, known in INTERCONNECTIONS.items() if known.unverified] == ["eastern", "western"]
    for known in INTERCONNECTIONS.values():
        assert known.source.startswith("from memory") == known.unverified


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


@pytest.mark.parametrize(
    ("name", "nominal_hz", "lost_mw", "deviation_hz", "limit"),
    [("ercot", 60.0, 2600.0, 0.4, 0.2), ("ireland", 50.0, 500.0, 0.5, 0.3)],
)
def test_the_peak_against_solve_ivp(name: str, nominal_hz: float, lost_mw: float, deviation_hz: float, limit: float) -> None:
    hz = frequency({**keys_of(name), "inertia": "3 s", "governor_time": "2 s"}, lost_mw)
    lost_w = 1e6 * lost_mw
    base_w = lost_w / (deviation_hz / nominal_hz + (deviation_hz - 0.036) / nominal_hz / 0.05)

    def rates(_t: float, y: np.ndarray) -> list[float]:
        asked = -np.sign(y[0]) * min(max(abs(y[0]) - 0.036 / nominal_hz, 0.0) / 0.05, limit)
        return [(y[1] + lost_w / base_w - y[0]) / 6.0, (asked - y[1]) / 2.0]

    solved = solve_ivp(rates, (0.0, 59.0), [0.0, 0.0], "DOP853", rtol=1e-10, atol=1e-12, max_step=0.01)
    assert hz.max() - nominal_hz == pytest.approx(nominal_hz * solved.y[0].max(), rel=1e-4)
    assert hz.max() > nominal_hz + 1.5 * deviation_hz  # above what stands


@pytest.mark.parametrize("name", list(INTERCONNECTIONS))
def test_no_limit_is_near_what_the_figure_asks_of_governors(name: str) -> None:
    known = INTERCONNECTIONS[name]
    asked = (known.deviation_hz - 0.036) / known.nominal_hz / 0.05
    assert asked < 0.7 * known.governor_limit


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
        ({"interconnection": "western"}, "grid.interconnection = 'western': must come with unverified = true"),
        ({"interconnection": "ireland"}, "grid.frequency = '60 Hz': must be 50 Hz in ireland"),
        ({"interconnection": "quebec", "frequency": "50 Hz"}, "grid.frequency = '50 Hz': must be 60 Hz in quebec"),
        ({"interconnection": "nordic"}, "grid.interconnection = 'nordic': must be 'ercot', 'eastern', 'western', 'quebec', "),
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
