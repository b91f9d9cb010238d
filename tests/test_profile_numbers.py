"""Numbers that stand twice, in the packaged profiles and in what `hil verify` plays: each against its counterpart."""

from __future__ import annotations

import math

import pytest
from rig import BESS, document
from test_profiles import SITE_PROFILES
from ups_support import UPS

from hil.limits.entries import judged
from hil.limits.envelopes import Envelope, Threshold
from hil.limits.facts import facts_of
from hil.scenario.files import from_document
from hil.scenario.profiles import expand_profiles, profile_names
from hil.verify.published import ENVELOPES, STAGES

LONG = "voltage ride-through, 1800 s"
RIDES = {  # profile and what is disturbed, and its counterpart
    ("caiso-straw", "voltage"): "caiso_straw",
    ("ercot-nogrr282", "voltage"): "ercot_nogrr282.voltage",
    ("ercot-nogrr282", "frequency"): "ercot_nogrr282.frequency",
    ("prc-024", "voltage"): "nerc_prc_024.voltage",
    ("prc-024", "frequency"): "nerc_prc_024.frequency_western",
    ("prc-029", "voltage"): "nerc_prc_029.other",
    ("prc-029", "frequency"): "nerc_prc_029.frequency",
    ("prc-029-wind", "voltage"): "nerc_prc_029.wind",
    ("prc-029-wind", "frequency"): "nerc_prc_029.frequency",
    ("ieee-1547-ride-cat-1", "voltage"): "ieee_1547.cat_i",
    ("ieee-1547-ride-cat-2", "voltage"): "ieee_1547.cat_ii",
    ("ieee-1547-ride-cat-3", "voltage"): "ieee_1547.cat_iii",
    **{(f"ieee-1547-ride-cat-{n}", "frequency"): "ieee_1547.frequency" for n in (1, 2, 3)},
}
SAGS = {"itic": "itic", "semi-f47": "semi_f47"}  # at the output of a UPS, a level and a delay each
AT_DEVICES = ("ups-overload-", "iec-62040-3-", "bess-lfp")
TRIPS = {f"ieee-1547-cat-{n}": f"ieee_1547.trip_cat_{'i' * n}" for n in (1, 2, 3)}
NAMES = {
    "27-1": "UV1",
    "27-2": "UV2",
    "59-1": "OV1",
    "59-2": "OV2",
    "81U-1": "UF1",
    "81U-2": "UF2",
    "81O-1": "OF1",
    "81O-2": "OF2",
}
# No ride-through in a profile: what its `status` leaves out, what it has as trips, what are no grid codes.
OVERLOADS = {f"ups-overload-{name}": f"overload.{name.replace('-', '_')}" for name in ("staco", "huawei-ups2000-g", "riello")}
PUBLISHED_ALONE = {
    "nerc_prc_024.frequency_ercot",
    "overload.static_switch",
}
PROFILES_ALONE = {
    "aeso", "eirgrid", "ercot-2026-variation", "iec-61000-3-3", "iec-planning-hv", "iec-planning-mv", "ieso-v3", "lipa",
    "southern", "spp-atc", "iec-62040-3-class-1", "iec-62040-3-class-2", "iec-62040-3-class-3",
    "ieee-519", "ieee-1547-transient", "ieee-2800-transient", "itic-transient",
}  # fmt: skip


def limits_of(name: str):
    at = {"node": "bess.x" if name == "bess-lfp" else "ups.a"} if name in SAGS or name.startswith(AT_DEVICES) else {}
    found = document(limits=[{"profile": name, "unverified": True, **at}], ups={"a": UPS}, bess={"x": BESS})
    expand_profiles(found, None, "x")
    scenario = from_document(found, source="x")
    return scenario, list(scenario.limits)


def rides(name: str, signal: str, *, long: bool = False) -> list[Envelope]:
    """The envelopes as they are put into the kernel; long: of the step of 1800 s alone."""
    scenario, limits = limits_of(name)
    chosen = [limit for limit in limits if limit.kind == "ride_through" and limit.signal == signal]
    chosen = [limit for limit in chosen if limit.name.endswith(LONG) == long]
    return [function.settings for limit in chosen for how in judged(limit, facts_of(scenario)) for function in how.functions]


def steps(thresholds: tuple[Threshold, ...] | list[Threshold]) -> list[tuple[bool, float, float, float, float]]:
    """Side, the last value that is not beyond it, its time, and its line; `inclusive` is one step of that value."""
    return sorted((one.under, one.last_inside, round(one.allowed_s, 12), one.slope_s, one.least_s) for one in thresholds)


@pytest.mark.parametrize(("profile", "counterpart"), RIDES.items(), ids=str)
def test_a_ride_through_has_the_levels_times_and_window_that_are_verified(profile, counterpart):
    ours, published = rides(*profile), ENVELOPES[counterpart].envelopes[0]
    assert steps([one for envelope in ours for one in envelope.thresholds]) == steps(published.thresholds)
    assert {envelope.window_s for envelope in ours} == {published.window_s}
    if published.relative:
        assert {(envelope.stays, envelope.relative, envelope.recovery_s, envelope.mean_s) for envelope in ours} == {
            (published.stays, True, published.recovery_s, published.mean_s)
        }


@pytest.mark.parametrize(("profile", "counterpart"), [("prc-029", "other"), ("prc-029-wind", "wind")])
def test_the_step_of_1800_s_stands_with_what_lies_above_it(profile, counterpart):
    """Who may trip above 1.10 pu need not stay for 1800 s; and no window that is shorter would ever let it trip."""
    first, long = ENVELOPES[f"nerc_prc_029.{counterpart}"].envelopes
    assert [(one.last_inside, one.allowed_s) for one in long.thresholds] == [(1.05, 1800.0)]
    (ours,) = rides(profile, "voltage", long=True)
    assert steps(ours.thresholds) == steps([*long.thresholds, *(one for one in first.thresholds if not one.under)])
    assert ours.window_s > 1800.0 > first.window_s


@pytest.mark.parametrize(("profile", "counterpart"), SAGS.items())
def test_sags_at_a_load_have_the_levels_and_times_that_are_verified(profile, counterpart):
    limits = limits_of(profile)[1]
    assert {limit.kind for limit in limits} == {"undervoltage"}
    below = [one for one in ENVELOPES[counterpart].envelopes[0].thresholds if one.under]
    assert sorted((True, limit.min, limit.delay_s, 0.0, 0.0) for limit in limits) == steps(below)


@pytest.mark.parametrize(("profile", "counterpart"), TRIPS.items())
def test_trips_have_the_settings_that_are_verified(profile, counterpart):
    stages = STAGES[counterpart].stages | STAGES["ieee_1547.trip_frequency"].stages
    found = {}
    for limit in limits_of(profile)[1]:
        pickup = getattr(limit, next(key for key in ("min", "max", "min_hz", "max_hz") if hasattr(limit, key)))
        found[NAMES[limit.name.partition(": ")[2]]] = (pickup, limit.kind.startswith("under"), limit.delay_s)
    assert found == {name: (relay.pickup, relay.under, relay.delay_s) for name, relay in stages.items()}
    assert not any(relay.inclusive for relay in stages.values())  # a limit is beyond strictly beyond


@pytest.mark.parametrize(("profile", "counterpart"), OVERLOADS.items())
def test_overload_classes_have_the_levels_and_times_that_are_verified(profile, counterpart):
    (limit,) = limits_of(profile)[1]
    assert limit.steps == [(relay.pickup, relay.delay_s) for relay in STAGES[counterpart].stages.values()]


def test_stages_of_cells_have_the_voltages_delays_and_releases_that_are_verified():
    found = {
        limit.name.partition(": ")[2]: (limit.min_v or limit.max_v, limit.min_v is not None, limit.delay_s, limit.release_v)
        for limit in limits_of("bess-lfp")[1]
    }
    stages = STAGES["lfp_cell"].stages
    assert found == {name: (relay.pickup, relay.under, relay.delay_s, relay.dropout) for name, relay in stages.items()}


def test_nothing_stands_twice_without_being_compared():
    compared = {*RIDES.values(), *SAGS.values(), *TRIPS.values(), "ieee_1547.trip_frequency", *OVERLOADS.values(), "lfp_cell"}
    assert compared | PUBLISHED_ALONE == {*ENVELOPES, *STAGES}
    assert {name for name, _ in RIDES} | {*SAGS, *TRIPS, *OVERLOADS, "bess-lfp"} | PROFILES_ALONE == set(profile_names())
    for name in SITE_PROFILES:
        assert {(name, limit.signal) for limit in limits_of(name)[1] if limit.kind == "ride_through"} <= RIDES.keys()


def test_a_level_of_a_frequency_is_the_number_that_its_source_has():
    western = [one for envelope in rides("prc-024", "frequency") for one in envelope.thresholds]
    assert sorted(one.level for one in western) == [57.3, 57.8, 58.4, 59.4, 60.6, 61.6]
    assert math.isclose(0.9733333333333334 * 60.0, 58.4)
    assert 0.9733333333333334 * 60.0 != 58.4  # what a bare product would be
