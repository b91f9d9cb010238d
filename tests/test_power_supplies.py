"""Power supplies of IT against docs/model.md, "Power supplies": hold-up, drop-out, restart, on the bus and behind a UPS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rig import H, Rig
from ups_support import AT_ONCE, STIFF, UPS, dip

LOAD_W = 4e6
DIP = 1_000  # first tick of every dip; supplies see each tick in the next


def run(psu: dict[str, Any], *events: dict[str, Any], ticks: int = 5_000, **sections: Any) -> Rig:
    site = {"duration": "60 s", "psu": psu, "grid": STIFF, "measurement": AT_ONCE, "events": list(events)}
    return Rig(site | sections, np.full(ticks, LOAD_W)).run()


@pytest.mark.parametrize(("ms", "lost"), [(19, False), (20, False), (21, True), (60, True)])
def test_the_hold_up_is_counted_to_the_tick(ms, lost):
    bench = run({}, dip(1.0, ms * 1e-3, 0.5))
    off, held = bench["psu.off_share"], bench["psu.held_share"]
    assert np.all(held[DIP + 1 : DIP + 1 + min(ms, 20)] == 1.0)
    assert np.count_nonzero(held) == min(ms, 20)
    assert np.all(bench["load.power_w"][DIP + 1 : DIP + 1 + ms] == 0.0)
    assert np.all(off[: DIP + 21] == 0.0)
    assert np.all(off[DIP + 21 :] == float(lost))
    assert bench["load.demand_w"][-1] == (0.0 if lost else LOAD_W)


@pytest.mark.parametrize(("residual", "lost"), [(0.71, False), (0.69, True)])
def test_a_supply_above_its_voltage_goes_on_for_ever(residual, lost):
    bench = run({}, dip(1.0, 0.5, residual))
    assert bench["psu.off_share"][-1] == float(lost)


def test_capacitors_take_back_what_they_gave():
    """Within a dip the load lives on them; then they take a tenth more than it until that is repaid."""
    bench = run({"refill": 0.1}, dip(1.0, 0.018, 0.5))
    given_j = LOAD_W * np.sum(bench["psu.held_share"]) * H
    beyond_w = bench["load.power_w"][DIP + 19 :] - LOAD_W
    assert given_j == pytest.approx(LOAD_W * 0.018, rel=1e-12)
    assert np.sum(beyond_w) * H == pytest.approx(given_j, rel=1e-9)
    assert beyond_w[:180] == pytest.approx(np.full(180, 0.1 * LOAD_W), rel=1e-9)
    assert np.all(np.abs(beyond_w[181:]) < 1e-6)


def test_a_second_dip_meets_capacitors_that_are_not_full():
    """15 ms, 50 ms in which 5 ms are refilled, then 15 ms again: more than there is. Later, or refilled faster, not."""
    first = dip(1.0, 0.015, 0.5)
    assert run({}, first, dip(1.065, 0.015, 0.5))["psu.off_share"][-1] == 1.0
    assert run({"refill": 0.3}, first, dip(1.065, 0.015, 0.5))["psu.off_share"][-1] == 0.0
    assert run({}, first, dip(1.165, 0.015, 0.5))["psu.off_share"][-1] == 0.0


def test_restart_after_a_delay_and_by_a_ramp():
    """The second dip starts the delay anew."""
    bench = run({"restart_after": "1 s", "restart_ramp": "0.5 s"}, dip(1.0, 0.1, 0.0), dip(1.6, 0.01, 0.0))
    back = 1_610 + 1 + 1_000  # first tick of the ramp, seen one tick later
    off = bench["psu.off_share"]
    assert np.all(off[DIP + 21 : back] == 1.0)
    assert off[back : back + 500] == pytest.approx(1.0 - np.arange(1, 501) / 500, abs=1e-9)
    assert np.all(off[back + 500 :] == 0.0)
    assert bench["load.power_w"][-1] == pytest.approx(LOAD_W, rel=1e-12)


def test_a_spread_of_voltages_loses_the_share_that_stands_above():
    """Thresholds evenly between 0.7 and 0.5: of 40 banks a dip to r takes those above r."""
    for residual in (0.69, 0.62, 0.555, 0.51, 0.45):
        bench = run({"drop_below_spread": 0.2, "banks": 40}, dip(1.0, 0.1, residual), ticks=1_400)
        thresholds = 0.7 - 0.2 * (np.arange(40) + 0.5) / 40
        seen = float(np.mean(bench["bus.voltage_pu"][DIP + 3 : DIP + 20]))
        assert bench["psu.off_share"][-1] == pytest.approx(np.mean(thresholds > seen), abs=1e-12)


def test_a_spread_of_hold_ups_loses_them_one_after_another():
    bench = run({"hold_up_spread": "40 ms", "banks": 40}, dip(1.0, 0.1, 0.3), ticks=1_400)
    longest = 20 + np.arange(40) + 0.5  # ms; rounded to even
    ticks = np.rint(longest)
    for k in (5, 20, 21, 30, 45, 59, 60, 61, 80):
        assert bench["psu.off_share"][DIP + k] == pytest.approx(np.mean(ticks < k), abs=1e-12), k


def test_the_seed_pairs_voltages_with_times():
    def lost(seed: int) -> float:
        keys = {"drop_below_spread": 0.3, "hold_up_spread": "50 ms", "banks": 20}
        return float(run(keys, dip(1.0, 0.04, 0.55), ticks=1_200, seed=seed)["psu.off_share"][-1])

    found = [lost(seed) for seed in range(8)]
    assert lost(3) == found[3]
    assert len(set(found)) > 1
    assert all(0.0 < share < 0.6 for share in found)


def test_an_unbalanced_dip_takes_the_phases_that_it_takes():
    """A fault of phase a to ground, no transformer: one phase of three is below."""
    bench = run({}, dip(1.0, 0.1, 0.2, fault="ag"))
    assert bench["psu.off_share"][-1] == pytest.approx(1.0 / 3.0, rel=1e-12)
    assert bench["load.demand_w"][-1] == pytest.approx(LOAD_W * 2.0 / 3.0, rel=1e-12)


def test_what_stands_behind_a_double_conversion_sees_nothing():
    bench = run({}, dip(1.0, 0.2, 0.1), ups={"a": {**UPS, "share": 0.75}})
    assert bench["psu.off_share"][-1] == pytest.approx(0.25, rel=1e-12)
    assert np.all(bench["ups.a.output_w"] == pytest.approx(0.75 * LOAD_W, rel=1e-12))


@pytest.mark.parametrize(("window_ticks", "lost"), [(1, False), (17, False), (100, True)])
def test_in_eco_mode_the_output_is_the_bus_until_the_transfer_and_the_hold_up_bridges_it(window_ticks, lost):
    """The transfer takes what the RMS of the window takes to fall out of the bypass window, 0.9 pu, and a tick."""
    residual = 0.6
    seen = next(k for k in range(1, 200) if 1.0 - min(k / window_ticks, 1.0) * (1.0 - residual**2) < 0.9**2)
    bench = run(
        {},
        dip(1.0, 0.2, residual),
        ups={"a": {**UPS, "eco": True, "bypass_return": "0.1 s"}},
        measurement={**AT_ONCE, "window": f"{window_ticks} ms"},
    )
    output, mode = bench["ups.a.output_voltage_pu"], bench["ups.a.mode"]
    assert mode[DIP - 1] == 4
    carried = int(np.flatnonzero(mode[DIP:] != 4)[0]) + DIP
    assert carried - DIP == seen
    assert output[DIP:carried] == pytest.approx(bench["bus.voltage_pu"][DIP:carried], rel=1e-12)
    assert output[DIP:carried] == pytest.approx(np.full(seen, residual), abs=1e-4)
    assert np.all(output[carried:] > 0.99)
    assert bench["psu.held_share"].sum() == pytest.approx(min(seen, 20), rel=1e-12)
    assert bench["psu.off_share"][-1] == float(lost)


def test_a_dead_output_loses_its_load_until_it_restarts():
    """A battery without energy, an outage: the output is gone, and with it the load, which returns after its own delay."""
    ups = {"a": {**UPS, "autonomy": "0.2 s", "qualify": "0.5 s", "walk_in": "0.1 s"}}
    outage = {"kind": "grid_outage", "at": "1 s", "duration": "2 s"}
    bench = run({"restart_after": "2 s", "restart_ramp": "1 s"}, outage, ticks=12_000, ups=ups)
    off = bench["psu.off_share"]
    assert off[2_900] == 1.0
    assert off[-1] == 0.0
    assert int(np.flatnonzero(off < 1.0)[np.flatnonzero(off < 1.0) > 2_900][0]) >= 3_000 + 2_000


def test_behind_a_group_of_upss_there_are_none():
    """Banks stand at the bus and behind each UPS with a section of its own."""
    ups = {"a": {**UPS, "share": 0.25}, "many": {"rating": "0.5 MW", "count": 10, "share": 0.5, "autonomy": "60 s"}}
    bench = run({"banks": 2, "hold_up_spread": "10 ms"}, dip(1.0, 0.2, 0.1), ups=ups)
    assert len(bench.engine.states["psu"]) == 2 * 3 * 2
    assert bench["psu.off_share"][-1] == pytest.approx(0.25, rel=1e-12)
    assert bench["ups.many.output_w"][-1] == pytest.approx(0.5 * LOAD_W, rel=1e-9)


def test_without_the_section_there_are_neither_channels_nor_banks():
    bench = Rig({"grid": STIFF, "events": [dip(1.0, 0.5, 0.1)]}, np.full(2_000, LOAD_W)).run()
    assert not [name for name in bench.engine.channels if name.startswith("psu.")]
    assert len(bench.engine.states["psu"]) == 0
    assert bench["load.power_w"][-1] == LOAD_W
