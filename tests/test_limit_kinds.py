"""Kinds of limits behind protection functions: what a site judges, against the same from its rows (docs/protection.md)."""

from __future__ import annotations

import numpy as np
import pytest
from law_support import ALONE
from rig import BESS, H, Rig, document
from scipy import signal
from test_limits_kernel import check, rig_of, state, sustained, walk
from ups_support import UPS, dip, rig

from hil.errors import ScenarioError
from hil.scenario.files import from_document
from hil.session.run import run_scenario

SECONDS = 30
TIME_S = np.arange(SECONDS * 1000) * H
DISCHARGE = [(100, 4, 1000.0), (101, 0, 4e6), (102, 1, 1.0)]


def one(kind: str, **keys: object) -> dict[str, object]:
    return {"name": "x", "kind": kind, **keys}


def rolling_range(values: np.ndarray, window: int) -> np.ndarray:
    padded = np.concatenate([np.full(window, values[0]), values])
    views = np.lib.stride_tricks.sliding_window_view(padded, window + 1)
    return views.max(axis=1) - views.min(axis=1)


# --- power ---


@pytest.mark.parametrize("order", [1, 2, 4])
def test_variation_is_the_range_behind_a_butterworth_band_pass(order):
    load = walk(3)
    site = Rig({"limits": [one("variation", band=["0.5 Hz", "55 Hz"], order=order, max="2 MW", window="1 s")]}, load).run()
    sections = signal.butter(order, (0.5, 55.0), "bandpass", fs=1000.0, output="sos")
    power = site["pcc.power_w"]
    settled = signal.sosfilt_zi(sections) * power[0]
    filtered, _ = signal.sosfilt(sections, power, zi=settled)
    assert site[f"pcc.power_0.5_55_hz_order_{order}_w"] == pytest.approx(filtered, abs=1e-7 * np.ptp(power))
    ranges = np.array([np.ptp(filtered[max(0, k - 1000) : k + 1]) for k in range(filtered.size)])
    assert state(site)["highest"] == pytest.approx(ranges.max(), rel=1e-6)


def test_variation_without_an_order_is_judged_with_several_that_must_agree():
    """A step of 12 MW: what is left of it behind the band-pass depends on the order, which the source does not give."""
    step = {"kind": "load_crash", "at": "5 s"}
    load = {"kind": "training", "power": "12 MW", "communication_power": 1.0, "idle_power": 0.0, "power_factor": 1.0}

    def judged(most: str, **keys: object):
        limit = one("variation", band=["0.1 Hz", "5 Hz"], max=most, window="5 s", required=True, **keys)
        sections = document(duration="12 s", load=load, events=[step], limits=[limit], grid={"short_circuit": "5 GVA"})
        return run_scenario(from_document(sections), ALONE)

    worst = [judged("1 MW", order=order).limits["x"].worst for order in (1, 2, 4)]
    assert worst[0] < worst[1] < worst[2]
    assert judged("1 MW").verdict == "FAIL"
    assert judged("100 MW").verdict == "PASS"
    between = judged(f"{0.5 * (worst[1] + worst[2]) / 1e6} MW")
    assert between.verdict == between.limits["x"].outcome == "INCONCLUSIVE"
    assert between.limits["x"].reasons == ["held with order 1, order 2, violated with order 4: its source does not say which"]
    assert between.limits["x"].worst == pytest.approx(worst[2])
    violated = [event for event in between.events if event["event"] == "limit_violated"]
    assert [(event["limit"], event["variant"]) for event in violated] == [("x", "order 4")]


def test_two_limits_share_a_detector_that_finds_a_sine():
    band = {"band": ["0.2 Hz", "5 Hz"], "window": "10 s"}
    limits = [one("oscillation", max="1 MW", **band), {**one("band_share", max=0.99, **band), "name": "y"}]
    load = 20e6 + 2e6 * np.sin(2.0 * np.pi * 1.03 * TIME_S)
    site = Rig({"limits": limits, "grid": {"short_circuit": "100 GVA"}}, load).run()
    assert len(site.engine.states["oscillations"]) == 1
    amplitude, hz, damping, share = (
        site[f"pcc.oscillation_0.2_5_hz_10_s.{name}"] for name in ("amplitude_w", "frequency_hz", "damping", "share")
    )
    assert np.isnan(amplitude[:9_990]).all()
    assert amplitude[10_010:] == pytest.approx(2e6, rel=0.01)
    assert hz[-1] == pytest.approx(1.03, abs=0.01)
    assert share[-1] > 0.999
    assert abs(damping[-1]) < 1e-3
    assert state(site, 0)["highest"] == np.nanmax(amplitude)
    assert state(site, 1)["highest"] == np.nanmax(share)
    assert state(site, 0)["beyond_ticks"] == np.isfinite(amplitude).sum()


@pytest.mark.parametrize("delay_s", [0.0, 0.05])
def test_reverse_power_and_underpower(delay_s):
    load = np.concatenate([np.full(500, 8e6), np.full(1000, 1e6), np.full(500, 8e6)])
    limits = [one("reverse_power", max="1 MW", delay=f"{delay_s} s"), {**one("underpower", min="3 MW"), "name": "y"}]
    bess = {"a": BESS | {"soc": 0.9}}
    site = Rig({"limits": limits, "bess": bess}, load)
    site.run(DISCHARGE)
    power = site["pcc.power_measured_w"]
    held = sustained(power, round(delay_s / H), np.max)
    assert (held < -1e6).any()
    check(state(site), held < -1e6, round(delay_s / H))
    assert state(site)["lowest"] == held.min()
    check(state(site, 1), power < 3e6, 0)


# --- current ---


def test_overcurrent_integrates_the_share_of_its_operating_time():
    """IEC very inverse against the integral of its curve over the current of the rows."""
    load = np.concatenate([np.full(500, 5e6), np.full(4000, 30e6), np.full(1500, 5e6)])
    limit = one("overcurrent", base="10 MVA", pickup=1.0, curve="iec_very_inverse", multiplier=0.1)
    site = Rig({"limits": [limit], "grid": {"short_circuit": "500 MVA"}}, load).run()
    current = np.hypot(site["pcc.power_w"], site["pcc.reactive_var"]) / site["pcc.voltage_pu"] / 10e6
    assert site["pcc.current_1e+07_va_pu"] == pytest.approx(current, rel=1e-12)
    rate = np.where(current > 1.0, (current - 1.0) / (0.1 * 13.5), 0.0) * H
    share = np.concatenate([[0.0], np.cumsum(rate)[:-1]])
    up = np.flatnonzero(current > 1.0)
    assert site["limits.x.operating_share"][up] == pytest.approx(share[up], rel=1e-9)
    assert state(site)["first_tick"] == up[np.argmax(share[up] >= 1.0)]
    assert site["limits.x.operating_share"][-1] == 0.0


def operated_s(**keys: object) -> float:
    """When a relay on a current of three times its pick-up operates, counted from the pick-up."""
    load = np.concatenate([np.full(100, 5e6), np.full(5900, 30e6)])
    site = Rig({"limits": [one("overcurrent", base="10 MVA", pickup=1.0, **keys)], "grid": {"short_circuit": "50 GVA"}}, load)
    site.run()
    return (int(state(site)["first_tick"]) - int(np.argmax(site["pcc.current_1e+07_va_pu"] > 1.0))) * H


def test_a_vendor_s_constants_are_options():
    ieee = {"curve": "ieee_very_inverse", "multiplier": 0.5}
    user = {"curve": "user", "a": "19.61 s", "exponent": 2.0, "b": "491 ms", "multiplier": 0.5}
    assert operated_s(**ieee) == operated_s(**user) == pytest.approx(0.5 * (19.61 / 8.0 + 0.491), rel=3e-3)
    assert operated_s(**{**ieee, "multiplier": 3.5}, multiplier_divisor=7) == operated_s(**ieee)
    assert operated_s(**ieee, flat_above=2.0) == pytest.approx(0.5 * (19.61 / 3.0 + 0.491), abs=2 * H)
    assert operated_s(curve="ge_iec_b", multiplier=0.2) == operated_s(curve="iec_very_inverse", multiplier=0.2)


def test_a_disc_has_the_time_that_it_is_given():
    """Without current it turns back in the time that is given, whatever has been reached of it first."""
    load = np.concatenate([np.full(100, 5e6), np.full(900, 30e6), np.full(4000, 0.0)])
    keys = {"curve": "iec_very_inverse", "multiplier": 0.5, "reset": "disc", "disc_time": "4 s"}
    site = Rig({"limits": [one("overcurrent", base="10 MVA", pickup=1.0, **keys)], "grid": {"short_circuit": "50 GVA"}}, load)
    share = site.run()["limits.x.operating_share"]
    assert share.max() == pytest.approx(900 * H / (0.5 * 13.5 / 2.0), rel=0.02)
    gone = np.flatnonzero(share > 0.0)[-1] - np.argmax(share)
    assert gone * H == pytest.approx(share.max() * 0.5 * 4.0, rel=0.01)


def test_thermal_overload_begins_settled_and_follows_its_time_constant():
    load = np.concatenate([np.full(100, 5e6), np.full(5900, 20e6)])
    limit = one("thermal_overload", base="10 MVA", factor=1.05, time_constant="10 s")
    site = Rig({"limits": [limit], "grid": {"short_circuit": "5 GVA"}}, load).run()
    current = site["pcc.current_1e+07_va_pu"]
    before, after = current[50], current[-1]
    since_s = (np.arange(6000) - 100) * H
    expected = (after**2 + (before**2 - after**2) * np.exp(-since_s / 10.0)) / 1.05**2
    level = site["limits.x.thermal_level"]
    assert level[:100] == pytest.approx((before / 1.05) ** 2, rel=1e-6)
    assert level[101:] == pytest.approx(expected[101:], rel=1e-3)
    assert state(site)["first_tick"] == np.argmax(level >= 1.0)
    tripped_s = 10.0 * np.log((after**2 - before**2) / (after**2 - 1.05**2))  # IEC 60255-149, from the current before
    assert (state(site)["first_tick"] - 100) * H == pytest.approx(tripped_s, rel=1e-3)


def test_currents_of_a_bess_have_its_rating_or_a_base_of_their_own():
    limits = [
        {**one("overcurrent", node="bess.a", pickup=0.3), "name": "own"},
        {**one("overcurrent", node="bess.a", pickup=0.6, base="5 MVA"), "name": "half"},
    ]
    site = Rig({"limits": limits, "bess": {"a": BESS}}, np.full(2000, 8e6)).run(
        [(100, 4, 1000.0), (101, 0, 4e6), (102, 1, 1.0)]
    )
    assert site["bess.a.current_5e+06_va_pu"] == pytest.approx(2.0 * site["bess.a.current_pu"])
    own, half = site["limits.own.operating_share"], site["limits.half.operating_share"]
    assert own.max() == 1.0
    assert (own == half).all()


# --- voltage ---


def test_volts_per_hertz():
    area = {"short_circuit": "100 MVA", "source": 1.15, "area": "100 MVA", "inertia": "0.2 s"}
    site = Rig({"limits": [one("volts_per_hertz", max=1.1)], "grid": area}, walk(1)).run()
    ratio = site["pcc.voltage_highest_measured_pu"] / (site["pcc.frequency_measured_hz"] / 60.0)
    assert state(site)["highest"] == pytest.approx(ratio.max(), rel=1e-12)
    check(state(site), ratio > 1.1, 0)


@pytest.mark.parametrize(
    "limit",
    [
        one("underfrequency", min="59.99 Hz", delay="20 ms", block_below=0.9),
        one("overfrequency", max="60.01 Hz", block_below=0.9),
        one("rocof", max="1 Hz/s", window="50 ms", block_below=0.9),
    ],
)
def test_a_frequency_is_not_judged_while_the_voltage_is_low(limit):
    """A dip that is judged: the load that follows it moves the frequency, and until the voltage is back nobody looks."""
    area = {"short_circuit": "100 MVA", "source": 1.0, "area": "100 MVA", "inertia": "0.2 s"}
    events = [dip(1.0, 0.4, 0.5, judged=True)]
    sections = {"grid": area, "events": events, "measurement": {"window": "5 ms", "frequency_window": "10 ms"}}
    load = np.full(2500, 10e6)
    open_ = Rig(sections | {"limits": [{key: value for key, value in limit.items() if key != "block_below"}]}, load).run()
    site = Rig(sections | {"limits": [limit]}, load).run()
    low = site["pcc.voltage_lowest_measured_pu"] < 0.9
    gated = site["pcc.frequency_blocked_below_0.9_pu_hz"]
    assert (np.isnan(gated) == low).all()
    assert 350 < low.sum() < 500
    assert state(site)["valid_ticks"] <= low.size - low.sum()
    assert state(open_)["valid_ticks"] == low.size
    if limit["kind"] == "rocof":
        assert state(site)["valid_ticks"] == low.size - low.sum() - 50  # its window lies wholly after it


def test_flicker_needs_longer_than_a_short_run():
    limit = one("flicker", lamp="120 V", max=1.0, required=True)
    result = run_scenario(from_document(document(duration="5 s", limits=[limit])), ALONE)
    assert result.limits["x"].outcome == result.verdict == "INCONCLUSIVE"
    assert result.limits["x"].reasons == ["the flickermeter had not observed for long enough"]


def test_flicker_of_a_site_is_that_of_its_voltage():
    """A load that swings 8.8 times a second moves the voltage as a table of the standard says: instantaneous flicker of 1."""
    site_of = {"limits": [one("flicker", lamp="120 V", max=1.0)], "grid": {"short_circuit": "300 MVA", "x_over_r": 0.0}}
    load = np.tile(10e6 + 0.48e6 * np.sin(2.0 * np.pi * 8.8 * np.arange(50_000) * H), 4)
    site = Rig(site_of, load).run()
    voltage = site["pcc.voltage_a_pu"][-1000:]
    relative = np.ptp(voltage) / voltage.mean()
    instantaneous = site["pcc.flicker_a_120v.instantaneous"]
    assert np.nanmax(instantaneous[-20_000:]) == pytest.approx((relative / 0.00321) ** 2, rel=0.02)


# --- batteries and UPSs ---


def test_rate_of_a_battery():
    site = Rig({"limits": [one("c_rate", node="bess.a", max=5.0)], "bess": {"a": BESS}}, np.full(2000, 8e6))
    site.run(DISCHARGE)
    rate = site["bess.a.dc_current_a"] / (0.6e6 / 1000.0)
    assert (state(site)["highest"], state(site)["lowest"]) == pytest.approx((rate.max(), rate.min()), rel=1e-12)
    assert rate.max() > 5.0
    check(state(site), rate > 5.0, 0)


def test_load_dc_link_and_transfers_of_a_ups():
    limits = [
        {**one("overload", node="ups.a", max=0.9, delay="50 ms"), "name": "overload"},
        {**one("dc_link", node="ups.a", min=0.99), "name": "link"},
        {**one("transfers", node="ups.a", max=1, window="3 s"), "name": "transfers"},
    ]
    load = np.concatenate([np.full(3000, 3e6), np.full(500, 5.7e6), np.full(8500, 3e6)])
    dips = [dip(1.0, 0.05, 0.3), dip(6.0, 0.05, 0.3), dip(8.5, 0.05, 0.3)]
    site = rig(load, {"walk_in": "100 ms", "qualify": "100 ms"}, dips, limits=limits).run()
    load_pu = site["ups.a.output_w"] / 6e6
    check(state(site, 0), sustained(load_pu, 50, np.min) > 0.9, 50)
    assert state(site, 0)["excursions"] == 1
    check(state(site, 1), site["ups.a.dc_link_pu"] < 0.99, 0)
    on_battery = site["ups.a.on_battery"]
    begins = np.flatnonzero((on_battery > 0.5) & (np.concatenate([[0.0], on_battery[:-1]]) < 0.5))
    assert begins.size == 3
    count = [np.sum((begins <= tick) & (begins >= tick - 3000)) for tick in range(on_battery.size)]
    assert site["ups.a.transfers_3_s"].tolist() == count
    check(state(site, 2), np.array(count) > 1, 0)
    assert state(site, 2)["first_tick"] == begins[2]


# --- ride-through ---


@pytest.mark.parametrize(
    ("ups", "events", "outcome"),
    [
        pytest.param({"qualify": "200 ms", "walk_in": "500 ms"}, [dip(1.0, 0.1, 0.4)], "PASS", id="comes back in time"),
        pytest.param({"qualify": "2 s", "walk_in": "1 s"}, [dip(1.0, 0.1, 0.4)], "FAIL", id="comes back too late"),
        pytest.param({"qualify": "2 s", "walk_in": "1 s"}, [dip(1.0, 0.4, 0.4)], "NOT EXERCISED", id="may trip"),
        pytest.param({"qualify": "2 s", "walk_in": "1 s"}, [], "NOT EXERCISED", id="no dip"),
    ],
)
def test_ride_through_asks_for_the_power_after_a_dip_inside_its_envelope(ups, events, outcome):
    limit = one("ride_through", below=[["0.9 pu", "2 s"], ["0.5 pu", "250 ms"]], recovery="1 s", required=True)
    load = {"kind": "training", "power": "5 MW", "communication_power": 1.0, "idle_power": 1.0, "power_factor": 1.0}
    sections = document(duration="6 s", ups={"a": UPS | ups}, events=events, limits=[limit], load=load)
    result = run_scenario(from_document(sections), ALONE)
    assert result.limits["x"].outcome == outcome
    assert result.verdict == {"NOT EXERCISED": "INCONCLUSIVE"}.get(outcome, outcome)


# --- what does not fit ---


@pytest.mark.parametrize(
    ("limit", "problem"),
    [
        (one("variation", band=["5 Hz", "600 Hz"], max="1 MW", window="1 s"), "limits.x"),
        (one("oscillation", band=["0.1 Hz", "5 Hz"], max="1 MW", window="5 s"), "limits.x"),
        (one("oscillation", band=["5 Hz", "450 Hz"], max="1 MW", window="5 s"), "limits.x"),
        (one("overcurrent", pickup=1.0), "limits.x.base"),
        (one("ride_through", recovery="1 s"), "limits.x.below"),
        (one("overcurrent", base="1 MVA", pickup=1.0, curve="user", exponent=1.0), "limits.x.a: missing"),
        (one("overcurrent", base="1 MVA", pickup=1.0, curve="user", a="1 s"), "limits.x.exponent: missing"),
        (one("overcurrent", base="1 MVA", pickup=1.0, b="1 s"), "limits.x.b"),
        (one("overcurrent", base="1 MVA", pickup=1.0, flat_above=20.0), "limits.x.flat_above"),
        (one("overcurrent", base="1 MVA", pickup=1.0, reset="disc"), "limits.x.reset"),
        (one("overcurrent", base="1 MVA", pickup=1.0, curve="iec_very_inverse", reset="disc"), "limits.x.disc_time: missing"),
        (one("overcurrent", base="1 MVA", pickup=1.0, curve="ieee_very_inverse", disc_time="9 s"), "limits.x.disc_time"),
    ],
)
def test_what_cannot_be_judged_so_is_refused_in_a_line(limit, problem):
    with pytest.raises(ScenarioError) as refused:
        run_scenario(from_document(document(duration="5 s", limits=[limit])), ALONE)
    line = str(refused.value)
    assert line.startswith(f"scenario: {problem}")
    assert "\n" not in line


def test_two_names_that_would_share_a_channel_are_refused():
    limits = [one("overcurrent", base="10 MVA", pickup=1.0), one("overcurrent", base="10 MVA", pickup=1.0)]
    limits[0]["name"], limits[1]["name"] = "feeder 51", "feeder-51"
    with pytest.raises(ScenarioError, match=r"limits.feeder-51.name = 'feeder-51': .*'feeder 51'"):
        from_document(document(limits=limits))


def test_without_such_limits_a_row_is_as_it_was():
    assert len(rig_of([]).engine.channels) == len(rig_of([one("undervoltage", min=0.9)]).engine.channels)


def test_limits_and_their_functions_leave_the_hash_of_the_waveform():
    """Of a row that is filled up with zeros or not."""
    load = np.linspace(4e6, 12e6, 3000)
    flicker = {**one("flicker", lamp="230 V", max=1.0), "name": "pst"}
    limits = [one("variation", band=["0.5 Hz", "5 Hz"], max="1 MW", window="1 s"), flicker]
    hashes = {Rig({"limits": limits[:count]}, load).run().engine.waveform_hash for count in range(3)}
    assert len(hashes) == 1
    assert Rig({"limits": limits}, load[::-1]).run().engine.waveform_hash not in hashes
