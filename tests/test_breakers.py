"""Relays that trip, breakers and lock-outs in the kernel, to the tick (docs/model.md, "Breakers")."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from rig import BESS, Rig
from ups_support import UPS, dip, first

import hil
from hil.kernel.layout import CODES
from hil.limits.channels import breaker_channels

sys.path.append(str(Path(__file__).parents[1] / "validation"))
from protection.masks import sustained

TICKS = 8_000
LOAD = np.full(TICKS, 8e6)
AREA = {"short_circuit": "500 MVA", "area": "10 GVA"}
RELAY = {"name": "27", "kind": "undervoltage", "min": 0.8, "delay": "100 ms", "action": "trip", "breaker_time": "60 ms"}
RIDE = {"name": "ride", "kind": "ride_through", "below": [["0.9 pu", "300 ms"]], "recovery": "1 s"}
CODE = {name.removeprefix("breaker_logged."): code for name, code in CODES.items() if name.startswith("breaker_logged.")}


def site(limits: list[dict], events: list[dict] = (), load_w: np.ndarray = LOAD, **sections: object) -> Rig:
    base = {"bess": {"x": {**BESS, "resync_time": "200 ms"}}, "ups": {"a": {**UPS, "share": 0.5}}, "grid": AREA}
    return Rig({**base, "limits": limits, "events": list(events), **sections}, load_w).run()


def reset(at_s: float, breaker: str = "pcc") -> dict:
    return {"kind": "reset_lockout", "at": f"{at_s} s", "breaker": breaker}


def log(rig: Rig, breaker: int = 0) -> list[tuple[int, str]]:
    """Ticks and what happened, of a breaker."""
    state = rig.engine.states["breakers"][breaker]
    names = {code: name for name, code in CODE.items()}
    return [(int(state["log_at"][k]), names[int(state["log_code"][k])]) for k in range(int(state["log_count"]))]


def limit(rig: Rig, index: int):
    return rig.engine.states["limits"][index]


def trip(rig: Rig, index: int):
    return rig.engine.states["trips"][index]


def span(mask: np.ndarray) -> tuple[int, int]:
    """First and last row of the only stretch in which something holds."""
    rows = np.flatnonzero(mask)
    assert rows.size == rows[-1] - rows[0] + 1
    return int(rows[0]), int(rows[-1])


@pytest.mark.parametrize("breaker_ms", [0, 1, 60])
@pytest.mark.parametrize("delay_ms", [0, 1, 100])
def test_a_breaker_opens_its_time_after_its_relay_operates(delay_ms, breaker_ms):
    """And stays open until the lock-out is reset, in whose tick it closes."""
    relay = {**RELAY, "delay": f"{delay_ms} ms", "breaker_time": f"{breaker_ms} ms"}
    rig = site([relay], [dip(1.0, 0.3, 0.5), reset(4.0)])
    held = sustained(rig["pcc.voltage_lowest_measured_pu"][:2_000], delay_ms, np.max)
    operates = first(held < 0.8) + delay_ms
    opens = operates + 1 + breaker_ms
    closed, tripping, lockout = (rig[name] for name in breaker_channels("pcc"))
    assert span(closed == 0.0) == (opens, 3_999)
    assert span(lockout == 1.0) == (operates + 1, 3_999)
    assert np.flatnonzero(tripping).tolist() == list(range(operates + 1, opens))
    assert log(rig) == [
        (operates + 1, "tripped"), (operates + 1, "locked_out"), (opens, "opened"), (4_000, "reset"), (4_000, "closed"),
    ]  # fmt: skip
    assert (trip(rig, 0)["operations"], trip(rig, 0)["first_tick"]) == (1, operates)
    assert limit(rig, 0)["first_tick"] == operates
    assert limit(rig, 0)["beyond_ticks"] == breaker_ms + 1  # from its operation to the opening, and no more


def test_a_relay_that_logs_changes_nothing_and_one_that_trips_nothing_until_it_does():
    """Channels, waveforms and hash of a site without breakers; and of one with, before it opens, the same waveforms."""
    events = [dip(1.0, 0.3, 0.5, judged=True)]
    bare, logs, trips = (site(limits, events) for limits in ([], [{**RELAY, "action": "log"}], [RELAY]))
    assert bare.engine.channels == logs.engine.channels
    assert bare.engine.waveform_hash == logs.engine.waveform_hash
    assert trips.engine.channels == (*bare.engine.channels, *breaker_channels("pcc"))
    assert trips.engine.waveform_hash != bare.engine.waveform_hash
    opens = first(trips["breakers.pcc.closed"] == 0.0)
    own = len(bare.engine.channels)
    assert np.array_equal(trips.rows[:opens, :own], bare.rows[:opens, :own])
    assert not np.array_equal(trips.rows[opens, :own], bare.rows[opens, :own])


def test_two_runs_are_the_same_to_the_bit_in_stretches_of_any_length():
    """Openings, resets and reclosings fall on the ticks of the script, wherever a stretch of ticks begins."""
    limits, events = [RELAY, RIDE], [dip(1.0, 0.3, 0.5), reset(4.0)]
    one = site(limits, events)
    other = Rig(
        {
            "bess": {"x": {**BESS, "resync_time": "200 ms"}}, "ups": {"a": {**UPS, "share": 0.5}}, "grid": AREA,
            "limits": limits, "events": events,
        },
        LOAD,
    ).run(sample_grid_every=7)  # fmt: skip
    assert one.engine.waveform_hash == other.engine.waveform_hash


def test_what_an_open_breaker_at_the_pcc_does():
    rig = site(
        [RELAY, {"name": "27 bus", "kind": "undervoltage", "node": "bus", "min": 0.9}], [dip(1.0, 0.3, 0.5), reset(4.0)]
    )
    opens, last = span(rig["breakers.pcc.closed"] == 0.0)
    away = slice(opens, last + 1)
    for channel in ("pcc.power_w", "pcc.reactive_var", "bus.voltage_pu", "bus.voltage_a_pu", "load.power_w", "ups.a.input_w",
                    "bess.x.power_w", "bess.x.current_pu"):  # fmt: skip
        assert np.all(rig[channel][away] == 0.0), channel
    assert np.all(rig["pcc.voltage_pu"][opens:1_300] == 0.5)  # of the source, without load
    assert np.all(rig["pcc.voltage_pu"][1_300:4_000] == 1.0)
    assert np.all(rig["ups.a.output_w"] == 4e6)  # what is behind a UPS is held by its battery
    assert np.all(rig["ups.a.output_voltage_pu"] == 1.0)
    assert np.all(rig["ups.a.on_battery"][opens + 20 : 4_000] == 1.0)
    assert rig["pcc.frequency_hz"][3_900] > 60.0  # the area has lost a load
    # Closed again: the load at once, the UPS after it has qualified the line, its walk-in from nothing.
    assert rig["pcc.power_w"][4_000] == pytest.approx(4e6, rel=1e-9)
    walks_in = first(rig["ups.a.input_w"] > 0.0, 4_000)
    assert walks_in - 4_000 == pytest.approx(1_000, abs=20)  # qualify, and the window of what it measures
    assert rig["ups.a.on_battery"][-1] == 0.0


@pytest.mark.parametrize("fault", ["ag", "bc"])
def test_the_phases_of_a_dip_stand_at_the_pcc_although_its_breaker_is_open(fault):
    relay = {**RELAY, "min": 0.95, "delay": "0 s", "breaker_time": "20 ms"}
    transformer = {"rating": "40 MVA"}
    rig = site([relay], [dip(1.0, 0.5, 0.3, fault=fault)], transformer=transformer)
    idle = site([], [dip(1.0, 0.5, 0.3, fault=fault)], np.full(2_000, 1.0), transformer=transformer, ups={}, bess={})
    row = 1_200
    assert rig["breakers.pcc.closed"][row] == 0.0
    for phase in "abc":
        assert rig[f"pcc.voltage_{phase}_pu"][row] == pytest.approx(idle[f"pcc.voltage_{phase}_pu"][row], abs=1e-7)
        assert rig[f"bus.voltage_{phase}_pu"][row] == 0.0


def test_a_converter_finds_the_grid_again_before_it_gives_current():
    """PLL lost while the bus is dead; `resync_time` from the closing on it is blocked, then it follows its law."""
    law = {"a": {"kind": "ramp_limit", "device": "bess.x", "ramp": "1 MW/s"}}
    rig = site([RELAY], [dip(1.0, 0.3, 0.5), reset(4.0)], absorber=law)
    power = rig["bess.x.power_w"]
    assert np.all(power[4_000:4_200] == 0.0)
    assert np.all(np.abs(power[4_250:4_500]) > 1e5)  # the load came back in a step, which the law takes down


BESS_RELAY = {
    "name": "50",
    "kind": "converter_current",
    "node": "bess.x",
    "max": 0.2,
    "action": "trip",
    "breaker_time": "30 ms",
}
LAW = {"a": {"kind": "ramp_limit", "device": "bess.x", "ramp": "1 MW/s"}}
STEP = np.repeat([4e6, 8e6, 4e6, 4e6], TICKS // 4)


def test_what_an_open_breaker_of_a_bess_does_and_when_it_recloses():
    """Without a lock-out: `reclose_after` the first sample, open, at which the limit is not beyond; then it synchronises."""
    relay = {**BESS_RELAY, "lockout": False, "reclose_after": "500 ms"}
    rig = site([relay], load_w=STEP, absorber=LAW, ups={})
    operates = first(rig["bess.x.current_pu"] > 0.2)
    opens = operates + 1 + 30
    away = rig["breakers.bess.x.closed"] == 0.0
    assert opens == first(away)
    closes = first(~away, opens)
    assert closes == opens + 1 + 500
    assert np.all(rig["bess.x.power_w"][opens : closes + 200] == 0.0)
    assert np.all(rig["bess.x.current_pu"][opens : closes + 200] == 0.0)
    assert np.any(rig["bess.x.power_w"][closes + 200 : closes + 400] != 0.0)
    assert np.all(rig["bus.voltage_pu"][opens:closes] > 0.99)
    assert np.all(rig["breakers.bess.x.lockout"] == 0.0)
    assert log(rig)[:3] == [(operates + 1, "tripped"), (opens, "opened"), (closes, "closed")]


@pytest.mark.parametrize("at_s", [2.5, 3.0])
def test_the_firmware_of_a_bess_sees_its_breaker(at_s):
    run = hil.KernelRun(
        hil.load("training_job", ["events=[]", "duration='10 s'", "limits.converter current.action=trip", "supervisor={}"])
    )
    run.advance(1.0)
    run.states["limits"]["beyond"] = 0
    run.parameters["limits"]["high"][7] = -1.0  # a relay that has lost its setting
    run.advance(2.0)
    assert run["breakers.bess.main.closed"] == 0.0
    assert (run.states["pcs"]["connected"][0], run.states["pcs"]["synchronised"][0]) == (0, 0)
    run.advance(at_s)
    assert run["bess.main.power_w"] == 0.0


def test_what_an_open_breaker_at_the_input_of_a_ups_does():
    """59 at the bus trips the input of the UPS: its battery carries the load, and the bus does not see it any more."""
    relay = {"name": "59", "kind": "overvoltage", "node": "bus", "max": 1.06, "action": "trip", "trips": "ups.a"}
    load_w = np.repeat([8e6, 2e6, 8e6], [1_000, 1_000, TICKS - 2_000])
    grid = {**AREA, "source": 1.08, "short_circuit": "100 MVA", "x_over_r": 1.0}
    rig = site([relay], [reset(4.0, "ups.a")], load_w, grid=grid)
    operates = first(rig["bus.voltage_highest_measured_pu"] > 1.06)
    opens, last = span(rig["breakers.ups.a.closed"] == 0.0)
    assert (opens, last) == (operates + 1 + 50, 3_999)  # the default breaker time
    away = slice(opens, last + 1)
    assert np.all(rig["ups.a.input_w"][away] == 0.0)
    assert np.allclose(rig["load.demand_w"][away], 0.5 * load_w[away], rtol=1e-12)
    assert np.all(rig["ups.a.output_voltage_pu"] == 1.0)
    assert np.all(rig["ups.a.mode"][opens + 10 : 4_000] == CODES["ups_mode.battery"])
    assert np.all(rig["bus.voltage_pu"][away] > 0.9)
    assert rig["ups.a.disturbances"][-1] == 0.0  # its counter is off
    assert rig["ups.a.mode"][-1] == CODES["ups_mode.normal"]


def test_several_relays_trip_one_breaker_and_the_first_to_open_it_does():
    """A later relay with a faster breaker may be the one; each stands in the log once."""
    slow = {**RELAY, "name": "slow", "delay": "20 ms", "breaker_time": "200 ms"}
    fast = {**RELAY, "name": "fast", "delay": "50 ms", "breaker_time": "40 ms", "lockout": False, "reclose_after": "100 ms"}
    rig = site([slow, fast], [dip(1.0, 0.5, 0.5)])
    below = first(rig["pcc.voltage_lowest_measured_pu"] < 0.8)
    opens = below + 50 + 1 + 40
    assert span(rig["breakers.pcc.closed"] == 0.0) == (opens, TICKS - 1)  # the lock-out of either holds
    assert log(rig) == [
        (below + 21, "tripped"), (below + 21, "locked_out"), (below + 51, "tripped"), (opens, "opened"),
    ]  # fmt: skip


def test_nothing_calls_a_trip_back():
    """The dip is over within the breaker's time."""
    rig = site([{**RELAY, "delay": "0 s", "breaker_time": "500 ms"}], [dip(1.0, 0.05, 0.5)])
    operates = first(rig["pcc.voltage_lowest_measured_pu"] < 0.8)
    assert first(rig["breakers.pcc.closed"] == 0.0) == operates + 501
    assert rig["pcc.voltage_pu"][operates + 500] > 0.99


def test_a_thermal_image_holds_its_breaker_open_until_it_has_cooled():
    relay = {"name": "49", "kind": "thermal_overload", "node": "bess.x", "base": "2 MVA", "factor": 1.0,
             "time_constant": "1 s", "action": "trip", "lockout": False, "reclose_after": "300 ms"}  # fmt: skip
    rig = site([relay], load_w=np.repeat([4e6, 8e6], [1_000, TICKS - 1_000]), absorber={"a": {**LAW["a"], "ramp": "0.1 MW/s"}})
    level = rig["limits.49.thermal_level"]
    opens = first(rig["breakers.bess.x.closed"] == 0.0)
    assert opens == first(level >= 1.0) + 51
    assert level[opens + 1] > 1.0
    assert first(rig["breakers.bess.x.closed"] == 1.0, opens) == first(level < 1.0, opens) + 301


@pytest.mark.parametrize("lasts_s", [0.5, 9.0])
def test_a_relay_on_a_dead_bus_is_blocked_by_the_contact_of_its_breaker(lasts_s):
    """It does not hold its breaker open, nor trips it again while its window still shows the dead bus; then it does."""
    relay = {**RELAY, "node": "bus", "delay": "0 s", "lockout": False, "reclose_after": "700 ms"}
    rig = site([relay], [dip(1.0, lasts_s, 0.5)])
    opens = first(rig["breakers.pcc.closed"] == 0.0)
    closes = opens + 1 + 700
    assert first(rig["breakers.pcc.closed"] == 1.0, opens) == closes
    settled = closes + 17  # one cycle of 60 Hz, in ticks
    if lasts_s < 1.0:
        assert np.all(rig["breakers.pcc.closed"][closes:] == 1.0)
        assert rig["bus.voltage_lowest_measured_pu"][closes] < 0.8
    else:
        assert first(rig["breakers.pcc.closed"] == 0.0, closes) == settled + 1 + 60


def test_a_relay_of_underpower_does_not_hold_the_breaker_open_that_takes_its_power():
    """Without a time it would trip again on the window that still holds samples of none."""
    relay = {"name": "37", "kind": "underpower", "min": "5 MW", "action": "trip", "lockout": False, "reclose_after": "1 s"}
    rig = site([relay], load_w=np.repeat([8e6, 2e6, 8e6], [1_000, 500, TICKS - 1_500]), ups={})
    opens, last = span(rig["breakers.pcc.closed"] == 0.0)
    assert last == opens + 1_000
    assert np.any(rig["pcc.power_measured_w"][last + 1 : last + 18] < 5e6)
    assert trip(rig, 0)["operations"] == 1


def test_a_blocked_relay_forgets():
    """A disc that would keep what it has reached: a site whose breaker's contact resets it as well."""
    relay = {"name": "51", "kind": "overcurrent", "base": "8 MVA", "pickup": 1.1, "curve": "ieee_very_inverse",
             "reset": "disc", "multiplier": 0.05, "action": "trip", "lockout": False, "reclose_after": "100 ms"}  # fmt: skip
    load_w = np.repeat([8e6, 16e6], [500, TICKS - 500])
    shares = {}
    for blocked in (0, 1):
        rig = Rig({"limits": [relay], "grid": AREA}, load_w)
        rig.engine.parameters["trips"]["blocked"] = blocked
        rig.run()
        opens = first(rig["breakers.pcc.closed"] == 0.0)
        shares[blocked] = rig["limits.51.operating_share"][opens + 50]
    assert shares[0] > 0.5
    assert shares[1] == 0.0


def test_a_reset_while_the_relay_still_operates_trips_again_at_once():
    rig = site([{**RELAY, "delay": "0 s"}], [dip(1.0, 3.0, 0.5), reset(2.0), reset(5.0)])
    assert [entry for entry in log(rig) if entry[0] >= 2_000] == [
        (2_000, "reset"), (2_000, "closed"), (2_001, "tripped"), (2_001, "locked_out"), (2_061, "opened"),
        (5_000, "reset"), (5_000, "closed"),
    ]  # fmt: skip


def test_a_reset_of_a_closed_breaker_does_nothing_and_says_so():
    events = [dip(1.0, 0.3, 0.5), reset(0.5), reset(1.15)]
    rig = site([RELAY], events)
    opens = first(rig["breakers.pcc.closed"] == 0.0)
    assert opens > 1_150  # the second comes in the breaker's time
    assert [entry for entry in log(rig) if entry[1] == "not_open"] == [(500, "not_open"), (1_150, "not_open")]
    assert span(rig["breakers.pcc.closed"] == 0.0) == (opens, TICKS - 1)


def test_what_stands_behind_an_open_breaker_is_judged_no_more():
    """Until no sample of that time is in its window; UPSs, batteries and who must ride through are."""
    limits = [
        RELAY,
        {"name": "27 bus", "kind": "undervoltage", "node": "bus", "min": 0.9, "delay": "50 ms"},
        {"name": "37", "kind": "underpower", "min": "1 MW"},
        {"name": "swing", "kind": "peak_to_peak", "max": "100 MW", "window": "200 ms"},
        {"name": "81O", "kind": "overfrequency", "max": "61 Hz"},
        {"name": "out", "kind": "undervoltage", "node": "ups.a", "min": 0.9},
        {"name": "long", "kind": "on_battery", "node": "ups.a", "max": "1 s"},
    ]
    rig = site(limits, [dip(1.0, 0.3, 0.5), reset(4.0)])
    opens = first(rig["breakers.pcc.closed"] == 0.0)
    for index, look_back in ((0, 100), (1, 50), (2, 0), (3, 200)):
        until = 4_000 + 17 + look_back
        assert trip(rig, index)["away_from"] == opens
        assert trip(rig, index)["away_until"] == until
    assert trip(rig, 4)["away_ticks"] == 4_000 + 100 - opens  # frequency is blanked by no dip
    assert limit(rig, 4)["valid_ticks"] + trip(rig, 4)["away_ticks"] == TICKS
    assert [int(limit(rig, index)["excursions"]) for index in range(7)] == [1, 0, 0, 0, 0, 0, 1]
    assert [int(limit(rig, index)["suspect_ticks"]) for index in range(7)] == [0] * 7
    assert limit(rig, 5)["valid_ticks"] == limit(rig, 6)["valid_ticks"] == TICKS


def test_a_relay_trips_on_samples_that_are_no_evidence():
    """In the warm-up and on late ticks: the device acts, the verdict does not count what it acted on."""
    rig = Rig({"limits": [RELAY], "events": [dip(1.0, 0.3, 0.5)], "grid": AREA}, LOAD)
    for array in ("run", "limits"):
        rig.engine.states[array]["suspect_until"] = TICKS
    rig.run()
    assert rig["breakers.pcc.closed"][2_000] == 0.0
    assert trip(rig, 0)["operations"] == 1
    assert (limit(rig, 0)["excursions"], limit(rig, 0)["beyond_ticks"], limit(rig, 0)["valid_ticks"]) == (0, 0, 0)


DELAYS = {"inside": ("100 ms", 0.5), "outside": ("290 ms", 0.8)}


@pytest.mark.parametrize("where", DELAYS)
def test_a_relay_that_trips_inside_the_must_ride_region_fails_it(where):
    """Set within the envelope (300 ms at 0.9 pu) it lets go when it must not; set beyond it nothing is asked any more."""
    delay, lasts_s = DELAYS[where]
    rig = site([{**RELAY, "delay": delay, "breaker_time": "60 ms"}, RIDE], [dip(1.0, lasts_s, 0.5)])
    opens = first(rig["breakers.pcc.closed"] == 0.0)
    let_go = rig["limits.ride.below_let_go"]
    if where == "inside":
        assert limit(rig, 1)["first_tick"] == opens
        assert np.all(let_go[opens:] == 1.0)
    else:
        assert rig["limits.ride.below_time_share"][opens] > 1.0
        assert np.all(np.isnan(let_go))
        assert limit(rig, 1)["excursions"] == 0


def test_who_lets_go_in_the_recovery_fails_although_the_power_was_back():
    """The relay operates in the dip, the dip ends, the site stays through and recovers; only then does the breaker open."""
    ride = {**RIDE, "recovery": "100 ms"}
    rig = site([{**RELAY, "delay": "0 s", "breaker_time": "1 s"}, ride], [dip(1.0, 0.1, 0.5)], ups={})
    opens = first(rig["breakers.pcc.closed"] == 0.0)
    assert rig["pcc.power_w"][opens - 1] == pytest.approx(8e6, rel=1e-3)
    assert limit(rig, 1)["first_tick"] == opens


def test_who_is_away_already_is_asked_for_nothing():
    """A trip that no disturbance caused, and a dip while the breaker is open."""
    relay = {"name": "50", "kind": "overcurrent", "base": "8 MVA", "pickup": 1.2, "action": "trip"}
    load_w = np.repeat([8e6, 12e6], [500, TICKS - 500])
    rig = site([relay, RIDE], [dip(2.0, 0.1, 0.5)], load_w, ups={})
    assert first(rig["breakers.pcc.closed"] == 0.0) == first(rig["limits.50.operating_share"] >= 1.0) + 51
    assert np.all(np.isnan(rig["limits.ride.below_let_go"]))


def test_a_snapshot_in_the_breakers_time_goes_on_to_the_bit():
    overrides = [
        "duration='20 s'", "warm_up='0 s'", "supervisor={}", "limits.27 undervoltage.action=trip",
        "events=[{kind='grid_dip',at='5 s',duration='500 ms',residual=0.5},{kind='reset_lockout',at='9 s',breaker='pcc'}]",
    ]  # fmt: skip
    run = hil.KernelRun(hil.load("training_job", overrides))
    run.advance(5.13)
    assert run["breakers.pcc.tripping"] == 1.0
    before = run.snapshot()
    one = run.rows(12.0)
    assert np.flatnonzero(one[:, run.channels.index("breakers.pcc.closed")] == 0.0).size > 3_000
    run.restore(before)
    assert np.array_equal(one, run.rows(12.0), equal_nan=True)
