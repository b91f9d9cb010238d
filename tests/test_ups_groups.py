"""Groups of UPSs in the kernel: the same, bit for bit, as their units one by one, whatever happens to them."""

from __future__ import annotations

import numpy as np
import pytest
from rig import Rig
from ups_support import STIFF, dip

import hil
from firmware_sim.image import FaultPoint, UpsPoint
from hil.kernel.layout import state_dtypes
from hil.scenario.files import from_document

SPREAD = {
    "rating": {"values": ["0.5 MW", "0.7 MW", "1.1 MW"]},
    "counter_disturbances": {"values": [0, 2, 3], "shares": [0.3, 0.3, 0.4]},
    "counter_window": ["2 s", "9 s"],
    "input_low": ["0.70 pu", "0.92 pu"],
    "input_high": ["1.05 pu", "1.12 pu"],
    "transfer": ["0 s", "20 ms"],
    "qualify": ["0.2 s", "2 s"],
    "walk_in": ["0 s", "3 s"],
    "walk_in_delay": ["0 s", "0.5 s"],
    "soc": [0.1, 1.0],
    "autonomy": ["3 s", "30 s"],
}  # fmt: skip
GROUP = {"rating": "1 MW", "count": 37, "interruption": "20 ms", "bypass_return": "0.5 s", "recharge": "50 kW"}
ALL = ("ups", "ups_power", "ups_battery", "faults")


def singly(sections):
    """The same site with a section for each unit."""
    scenario = from_document({"duration": "1000 s", "grid": {"short_circuit": "1 GVA"}, "load": LOAD} | sections)
    ups = {}
    for name, section in scenario.ups.items():
        for number, unit in enumerate(section.units(scenario.seed, name)):
            key = name if section.count is None else f"{name}{number}"
            ups[key] = unit.model_dump(mode="json", by_alias=True, exclude_none=True)
    return sections | {"ups": ups}


LOAD = {"kind": "training", "power": "20 MW"}


def commands_of(seed: int, ticks: int, units: int) -> list[tuple[int, int, int, float]]:
    """What operators and defects might do: tick, unit, point, value."""
    rng = np.random.default_rng(seed)
    choices = [
        (UpsPoint.OPERATION, (0.0, 1.0)),
        (UpsPoint.BYPASS, (0.0, 1.0)),
        (UpsPoint.ECO, (0.0, 1.0)),
        (UpsPoint.COUNTER, (0.0, 1.0)),
        (UpsPoint.TEST, (0.5, 3.0)),
        (UpsPoint.SUPPORT_W, (0.0, 2e5)),
        (UpsPoint.RECHARGE_W, (0.0, 3e4)),
        (UpsPoint.RESET_DISTURBANCES, (1.0,)),
        (UpsPoint.FAULT, (0.0, 1.0)),
        (UpsPoint.RESET, (1.0,)),
        (FaultPoint.DEAD, (0.0, 1.0)),
        (FaultPoint.CAPACITY, (0.3, 1.0)),
        (FaultPoint.RESISTANCE, (1.0, 20.0)),
        (FaultPoint.TEMPERATURE, (0.0, 40.0)),
        (FaultPoint.SOC_DRIFT, (0.0, 10.0)),
        (FaultPoint.RECTIFIER, (0.0, 1.0)),
    ]
    found = []
    for tick in np.sort(rng.integers(1, ticks, 120)):
        point, values = choices[rng.integers(len(choices))]
        found.append((int(tick), int(rng.integers(units)), int(point), float(rng.choice(values))))
    return found


class Both:
    """A site with groups and the same with a section for each unit, run over the same load."""

    def __init__(self, sections, load_w, commands=(), stretch=4096):
        self.grouped, self.single = Rig(sections, load_w), Rig(singly(sections), load_w)
        for run, longest in ((self.grouped, stretch), (self.single, 4096)):
            self._run(run, load_w, list(commands), longest)

    @staticmethod
    def _run(run, load_w, todo, longest):
        while run.engine.tick < load_w.size:
            block = load_w[run.engine.load_filled : run.engine.load_filled + min(4096, run.engine.load_room)]
            if block.size:
                run.engine.feed(block)
            stop = min(load_w.size, run.engine.tick + longest, run.engine.load_filled, *(entry[0] for entry in todo[:1]))
            run.engine.advance(stop)
            while todo and todo[0][0] == stop:
                _, unit, point, value = todo.pop(0)
                run.engine.command(unit, point, value)

    def same(self):
        for name in ALL:
            one, other = self.grouped.engine.states[name], self.single.engine.states[name]
            for field in one.dtype.names:
                assert np.array_equal(one[field], other[field], equal_nan=True), (name, field)
        for name in self.single.engine.channels[:21]:
            assert np.array_equal(self.grouped[name], self.single[name]), name
        for group, place in self.grouped.scenario.ups_places.items():
            if self.grouped.scenario.ups[group].count is not None:
                self.same_group(f"ups.{group}", len(place))
        return self

    def of_units(self, group, count, channel):
        return np.array([self.single[f"{group}{unit}.{channel}"] for unit in range(count)])

    def same_group(self, group, count):
        """Channels of the group against those of its units."""
        run = self.grouped
        for channel in ("input_w", "input_var", "demand_w", "output_w", "battery_w", "support_w"):
            summed = self.of_units(group, count, channel)
            assert run[f"{group}.{channel}"] == pytest.approx(summed.sum(axis=0), rel=1e-11, abs=1e-6), channel
        for channel, least in (("output_voltage_pu", True), ("soc", True), ("dc_link_pu", True), ("temperature_degc", False)):
            of = self.of_units(group, count, channel)
            assert np.array_equal(run[f"{group}.{channel}"], of.min(axis=0) if least else of.max(axis=0)), channel
        highest = self.of_units(group, count, "output_voltage_pu").max(axis=0)
        assert np.array_equal(run[f"{group}.output_voltage_highest_pu"], highest)
        for channel in ("line_ok", "on_battery", "latched", "low_battery", "disturbances"):
            assert np.array_equal(run[f"{group}.{channel}"], self.of_units(group, count, channel).sum(axis=0)), channel
        mode, rectifier = self.of_units(group, count, "mode"), self.of_units(group, count, "rectifier")
        assert np.array_equal(run[f"{group}.off"], (mode == 0).sum(axis=0))
        assert np.array_equal(run[f"{group}.on_bypass"], np.isin(mode, (1, 4)).sum(axis=0))
        assert np.array_equal(run[f"{group}.on_line"], (rectifier == 3).sum(axis=0))
        changes = (np.diff(mode, axis=1) != 0).sum(axis=0)
        assert np.array_equal(np.diff(run[f"{group}.transfers"]), changes)
        capacity = self.single.engine.parameters["ups_battery"]["capacity_as"][-count:]
        mean = capacity @ self.of_units(group, count, "soc") / capacity.sum()
        assert run[f"{group}.soc_mean"] == pytest.approx(mean, rel=1e-12)


def site(group, events=(), **sections):
    base = {"seed": 3, "ups": {"g": {**GROUP, **group}}, "events": list(events), "grid": {"short_circuit": "300 MVA"}}
    return base | sections


def swinging(ticks, low=12e6, high=20e6):
    return np.where(np.arange(ticks) % 900 < 600, high, low).astype(float)


DIPS = [dip(1.0 + 1.7 * k, 0.03 + 0.02 * k, 0.2 + 0.15 * (k % 4)) for k in range(6)]


def test_a_group_is_its_units_through_dips_latching_and_recharge():
    both = Both(site({"spread": SPREAD}, DIPS), swinging(14_000)).same()
    group = both.grouped
    assert group["ups.g.latched"][-1] > 5
    assert 0 < group["ups.g.on_line"][-1] < 37
    assert (group["ups.g.off"] > 0).any()
    assert (group["ups.g.soc_mean"][-2_000:] < group["ups.g.soc_mean"][0]).all()


def test_a_group_is_its_units_through_an_outage_until_they_are_empty():
    both = Both(site({"spread": SPREAD}, [dip(0.5, 7.0, 0.0)]), swinging(16_000)).same()
    assert both.grouped["ups.g.off"].max() > 10
    assert both.grouped["ups.g.on_line"][-1] > 10


def test_a_group_is_its_units_in_overload_and_in_eco_mode():
    load = swinging(9_000, 20e6, 55e6)
    load[5_000:] = 15e6
    keys = {"spread": SPREAD, "overload_time": "0.3 s", "overload_high_time": "20 ms", "eco": True}
    both = Both(site(keys, [dip(6.0, 0.1, 0.6)], grid=STIFF), load).same()
    assert both.grouped["ups.g.on_bypass"].max() > 5


def test_a_group_is_its_units_off_frequency_and_behind_a_breaker_of_the_site():
    area = {"short_circuit": "400 MVA", "area": "1 GVA", "inertia": "1 s", "governor_limit": 0.02}
    loss = {"kind": "generation_loss", "at": "1 s", "power": "300 MW", "duration": "2 s"}
    trip = {
        "name": "81U",
        "kind": "underfrequency",
        "min": "56.5 Hz",
        "action": "trip",
        "lockout": False,
        "reclose_after": "1 s",
    }
    keys = {"spread": SPREAD, "input_frequency": "2 Hz"}
    both = Both(site(keys, [loss], grid=area, limits=[trip]), swinging(9_000)).same()
    assert (both.grouped["ups.g.line_ok"] < 37).any()


@pytest.mark.parametrize(("seed", "stretch"), [(1, 4096), (2, 137), (3, 1)])
def test_a_group_is_its_units_under_commands_and_defects(seed, stretch):
    """Whatever operators and defects do to single units, and however long the stretches are."""
    ticks = 3_000 if stretch == 1 else 9_000
    sections = site({"spread": SPREAD}, DIPS[:4])
    Both(sections, swinging(ticks), commands_of(seed, ticks, 37), stretch).same()


def test_groups_stand_beside_other_upss_and_beside_each_other():
    ups = {
        "first": {**GROUP, "count": 5, "spread": SPREAD},
        "alone": {"rating": "2 MW"},
        "second": {**GROUP, "count": 17, "share": 0.25, "spread": SPREAD},
    }
    sections = site({}, DIPS[:3], ups=ups)
    grouped = Rig(sections, swinging(6_000)).run()
    single = singly(sections)
    shares = grouped.engine.parameters["ups_power"]["share"]
    assert shares.sum() == pytest.approx(1.0)
    assert shares[6:].sum() == pytest.approx(0.25)
    order = ["alone", *(f"first{unit}" for unit in range(5)), *(f"second{unit}" for unit in range(17))]
    single["ups"] = {name: {**single["ups"][name], "share": float(share)} for name, share in zip(order, shares, strict=True)}
    other = Rig(single, swinging(6_000)).run()
    for name in grouped.engine.channels[:42]:
        assert np.array_equal(grouped[name], other[name]), name
    assert list(grouped.scenario.ups_places.values()) == [range(1), range(1, 6), range(6, 23)]


def test_a_snapshot_goes_back_to_the_bit():
    run = hil.KernelRun(
        from_document(
            {"duration": "20 s", "load": LOAD, "grid": {"short_circuit": "300 MVA"}, "events": DIPS}
            | {"seed": 3, "ups": {"g": {**GROUP, "spread": SPREAD}}}
        )
    )
    run.advance(3.3)
    before = run.snapshot()
    rows = run.rows(9.0)
    states = {name: run.states[name].copy() for name in state_dtypes()}
    run.restore(before)
    assert np.array_equal(run.rows(9.0), rows)
    assert all(np.array_equal(run.states[name], states[name]) for name in states)
    assert run.waveform_hash


def test_a_script_may_change_a_unit_and_cannot_break_the_run():
    run = hil.KernelRun(
        from_document({"duration": "20 s", "load": LOAD, "grid": {"short_circuit": "1 GVA"}, "ups": {"g": GROUP}})
    )
    run.advance(1.0)
    assert run["ups.g.on_line"] == 37
    run.states["ups"]["latched"][5] = 1
    run.advance(1.001)
    assert (run["ups.g.latched"], run["ups.g.on_line"], run["ups.g.on_battery"]) == (1, 36, 1)
    run.command("ups.g[5]", "reset_disturbances", 1)
    run.command("ups.g", "counter", 1)
    run.advance(1.002)
    assert run["ups.g.latched"] == 0
    assert run.states["ups"]["counter"].all()
    with pytest.raises(KeyError, match=r"no device 'ups\.g\[37\]'"):
        run.command("ups.g[37]", "counter", 1)
    for field, value in (("first", -1), ("first", 30), ("count", 38), ("count", 0)):
        kept = run.parameters["ups_groups"][field][0]
        run.parameters["ups_groups"][field] = value
        with pytest.raises(ValueError, match="ups_groups: first or count"):
            run.advance(2.0)
        run.parameters["ups_groups"][field] = kept
    run.advance(2.0)
