"""Relays 27, 59, 47, 81 and 81R: drop-out, timers and what was never picked up, against brute force (docs/protection.md)."""

from __future__ import annotations

import numpy as np
import pytest
from law_support import ALONE
from rig import H, Rig, document
from test_limits_kernel import check, rig_of, state, walk
from ups_support import dip

from hil.errors import ScenarioError
from hil.report.junit import document as junit
from hil.scenario.files import from_document
from hil.session.run import run_scenario

GRID = {"short_circuit": "100 MVA", "area": "100 MVA", "inertia": "0.2 s"}
SWELL = {**GRID, "source": 1.25}
LIGHT = {"kind": "training", "power": "5 MW", "communication_power": 1.0, "idle_power": 1.0, "power_factor": 1.0}
KINDS = [
    ("undervoltage", "min", "pcc.voltage_lowest_measured_pu", "", -1.0, 1.0),
    ("overvoltage", "max", "pcc.voltage_highest_measured_pu", "", 1.0, 1.0),
    ("underfrequency", "min", "pcc.frequency_measured_hz", " Hz", -1.0, 60.0),
    ("overfrequency", "max", "pcc.frequency_measured_hz", " Hz", 1.0, 60.0),
]


def timed(out: np.ndarray, back: np.ndarray, delay: int, timer: str, keep: int = 0, window: int = 0) -> np.ndarray:
    """Where a relay has operated, sample by sample, from where it is beyond pick-up and where it is inside drop-out."""
    found = np.zeros(out.size, dtype=bool)
    picked, since, counted, inside = False, 0, [], 0
    for n in range(out.size):
        if timer == "cumulative":
            if back[n] and not out[n] and not window:
                counted = []
            if out[n]:
                counted.append(n)
            if window:
                counted = [one for one in counted if one > n - window]
            found[n] = len(counted) > delay
            continue
        since += picked
        if out[n]:
            picked, inside = True, 0
        elif back[n]:
            inside += 1
            operated = n > 0 and found[n - 1]
            picked = False
            if timer == "consecutive" or operated or inside > keep:
                since = 0
        elif not picked:
            inside += 1
            if timer == "consecutive" or inside > keep:
                since = 0
        found[n] = since >= delay if delay else picked
    return found


@pytest.mark.parametrize(("kind", "key", "channel", "unit", "way", "nominal"), KINDS)
@pytest.mark.parametrize(
    ("timer", "delay_s", "more"),
    [
        ("consecutive", 0.0, {}),
        ("consecutive", 0.05, {}),
        ("resetting", 0.05, {"reset_time": "30 ms"}),
        ("cumulative", 0.2, {}),
        ("cumulative", 0.05, {"timer_window": "300 ms"}),
    ],
)
def test_drop_out_and_timers(kind, key, channel, unit, way, nominal, timer, delay_s, more):
    grid = SWELL if kind == "overvoltage" else GRID
    signal = rig_of([], grid=grid)[channel]
    away = np.sort(way * (signal - nominal))
    away = away[away > 0.0]  # half of which is beyond pick-up, and a fifth inside drop-out
    pickup, dropout = (nominal + way * float(away[away.size * part // 10]) for part in (5, 2))
    limit = {"name": "x", "kind": kind, key: f"{pickup!r}{unit}", "delay": f"{delay_s} s", "timer": timer, **more}
    if "timer_window" in more:
        limit["acts_as"] = "relay"
    else:
        limit["dropout"] = f"{dropout!r}{unit}"
    site = rig_of([limit], grid=grid)
    out, back = way * (signal - pickup) > 0.0, way * (signal - dropout) <= 0.0
    ticks = {name: round(float(text.split()[0]) * (1e-3 if "ms" in text else 1.0) / H) for name, text in more.items()}
    wanted = timed(out, back, round(delay_s / H), timer, ticks.get("reset_time", 0), ticks.get("timer_window", 0))
    assert (site["limits.x.operating_share"] >= 1.0).tolist() == wanted.tolist()
    assert 0 < wanted.sum() < wanted.size
    check(state(site), wanted, 0)
    assert site.engine.states["relays"][0]["picked_ticks"] >= out.sum()


@pytest.mark.parametrize("kind", ["undervoltage", "underfrequency"])
def test_a_relay_without_more_keys_decides_as_the_limit_does(kind):
    channel, unit = next((channel, unit) for name, _, channel, unit, *_ in KINDS if name == kind)
    signal = rig_of([], grid=GRID)[channel]
    limit = {"name": "x", "kind": kind, "min": f"{float(np.quantile(signal, 0.15))!r}{unit}", "delay": "20 ms"}
    one = {"grid": GRID, "events": [dip(2.0, 0.3, 0.4)]}
    plain, relay = rig_of([limit], **one), rig_of([{**limit, "acts_as": "relay"}], **one)
    for name in ("beyond_ticks", "excursions", "first_tick", "blank_ticks", "valid_ticks"):
        assert state(plain)[name] == state(relay)[name], name
    assert state(plain)["beyond_ticks"] > 0


def test_81r_picks_up_on_a_rate_either_way():
    measured = {"window": "5 ms", "frequency_window": "40 ms"}
    loss = {"kind": "generation_loss", "at": "2 s", "duration": "200 ms", "power": "5 MW", "settle": "100 ms"}
    hz = rig_of([], grid=GRID, measurement=measured, events=[loss])["pcc.frequency_measured_hz"]
    rate = np.abs(hz - np.concatenate([np.full(100, 60.0), hz])[: hz.size]) / 0.1
    void = np.zeros(hz.size, dtype=bool)
    void[2000 : 2000 + 200 + 100 + 40 + 100] = True
    pickup = float(np.quantile(rate, 0.7))
    limit = {"name": "x", "kind": "rocof", "max": f"{pickup!r} Hz/s", "window": "100 ms", "delay": "20 ms"}
    limit |= {"dropout": f"{0.9 * pickup!r} Hz/s"}
    site = rig_of([limit], grid=GRID, measurement=measured, events=[loss])
    assert np.isnan(site["pcc.rocof_0.1_s_hz_per_s"]).tolist() == void.tolist()
    wanted = timed((rate > pickup) & ~void, (rate <= 0.9 * pickup) | void, 20, "consecutive")
    assert (site["limits.x.operating_share"] >= 1.0).tolist() == wanted.tolist()
    assert wanted.any()


def test_a_late_tick_is_within_what_a_relay_counts():
    limits = [
        {"name": "a", "kind": "undervoltage", "min": 0.9, "dropout": 0.91, "delay": "50 ms"},
        {"name": "b", "kind": "rocof", "max": "1 Hz/s", "window": "40 ms", "delay": "50 ms", "acts_as": "relay"},
        {"name": "c", "kind": "overvoltage", "max": 1.1, "delay": "50 ms", "timer": "cumulative", "timer_window": "300 ms"},
    ]
    assert rig_of(limits).engine.parameters["limits"]["look_back_ticks"].tolist() == [50, 90, 300]


# --- stages ---


@pytest.mark.parametrize(
    ("residual", "duration_s", "operated"),
    [
        (0.8, 1.9, {}),
        (0.8, 2.1, {"27-1": 3.0}),
        (0.4, 0.1, {}),
        (0.4, 0.3, {"27-2": 1.16}),
        (0.4, 2.1, {"27-1": 3.0, "27-2": 1.16}),
    ],
)
def test_27_of_two_stages(residual, duration_s, operated):
    """Below 0.88 pu for 2 s, below 0.5 pu for 160 ms: two limits, and each says for itself whether it operated."""
    limits = [
        {"name": name, "kind": "undervoltage", "min": level, "delay": delay, "acts_as": "relay"}
        for name, level, delay in (("27-1", 0.88, "2 s"), ("27-2", 0.5, "160 ms"))
    ]
    events = [dip(1.0, duration_s, residual, judged=True)]
    result = run_scenario(from_document(document(duration="5 s", load=LIGHT, limits=limits, events=events)), ALONE)
    failed = {name: limit.first_violation_s for name, limit in result.limits.items() if limit.outcome == "FAIL"}
    assert failed == pytest.approx(operated, abs=0.05)
    untouched = ["27-2"] if residual > 0.5 else []
    assert [name for name, limit in result.limits.items() if limit.outcome == "NOT EXERCISED"] == untouched


# --- never picked up ---

DIP = dip(2.0, 0.1, 0.7, judged=True)
RELAYS = [
    ({"kind": "overcurrent", "base": "20 MVA", "pickup": 1.2}, "the current never exceeded 1.2 pu"),
    ({"kind": "undervoltage", "min": 0.3, "acts_as": "relay"}, "the voltage never fell below 0.3 pu"),
    ({"kind": "overvoltage", "max": 1.2, "acts_as": "relay"}, "the voltage never exceeded 1.2 pu"),
    ({"kind": "underfrequency", "min": "57 Hz", "acts_as": "relay"}, "the frequency never fell below 57 Hz"),
    ({"kind": "overfrequency", "max": "62 Hz", "acts_as": "relay"}, "the frequency never exceeded 62 Hz"),
    ({"kind": "rocof", "max": "9 Hz/s", "acts_as": "relay"}, "the rate of change never exceeded 9 Hz/s"),
    (
        {"kind": "negative_sequence_voltage", "max": 0.3, "acts_as": "relay"},
        "the negative-sequence voltage never exceeded 0.3 pu",
    ),
]


def ended(limit: dict, **sections):
    limit = {"name": "x", "required": True, **limit}
    sections = {"duration": "4 s", "load": LIGHT, "events": [DIP], **sections}
    result = run_scenario(from_document(document(limits=[limit], **sections)), ALONE)
    return result, result.limits["x"]


@pytest.mark.parametrize(("limit", "why"), RELAYS)
def test_a_relay_that_never_picked_up_was_not_exercised(limit, why):
    result, found = ended(limit)
    assert (result.verdict, found.outcome, found.worst) == ("INCONCLUSIVE", "NOT EXERCISED", None)
    assert found.reasons == [f"never picked up: {why}"]
    assert result.reasons == [f"x: never picked up: {why}"]
    result, found = ended({**limit, "acts_as": "limit"})
    assert (result.verdict, found.outcome) == ("PASS", "PASS")


def test_junit_tells_a_relay_that_was_not_exercised():
    result, _ = ended(RELAYS[0][0])
    assert "never picked up: the current never exceeded 1.2 pu" in junit(result).decode()
    assert 'type="NOT EXERCISED"' in junit(result).decode()


@pytest.mark.parametrize(("residual", "outcome"), [(0.9, "NOT EXERCISED"), (0.8, "PASS")])
def test_a_relay_that_picked_up_for_a_moment_has_held(residual, outcome):
    """A pick-up of a single tick, whose share of the operating time is 0."""
    limit = {"kind": "undervoltage", "min": 0.85, "delay": "1 s", "acts_as": "relay"}
    result, found = ended(limit, events=[dip(2.0, 0.02, residual, judged=True)], measurement={"window": "1 ms"})
    assert found.outcome == outcome
    assert (result.verdict == "PASS") == (outcome == "PASS")


def test_what_a_relay_sees_in_the_warm_up_is_no_evidence():
    """The load begins high and falls: the relay was picked up, and nothing of it is judged."""
    limit = {"name": "x", "kind": "overcurrent", "base": "10 MVA", "pickup": 1.0, "delay": "1 s"}
    load = np.concatenate([np.full(500, 20e6), np.full(5500, 5e6)])
    seen = {}
    for warm_up in ("0.4 s", "0.6 s"):
        site = Rig({"limits": [limit], "warm_up": warm_up, "duration": "6 s"}, load).run()
        seen[warm_up] = site.engine.states["relays"][0]
    assert [one["pickups"] for one in seen.values()] == [1, 1]
    assert [one["picked_ticks"] for one in seen.values()] == [100, 0]
    assert [one["seen_ticks"] for one in seen.values()] == [5600, 5400]


def test_a_stimulus_that_is_not_judged_exercises_no_relay():
    limit = {"kind": "undervoltage", "min": 0.85, "delay": "1 s", "acts_as": "relay"}
    assert ended(limit, events=[dip(2.0, 0.1, 0.5)])[1].outcome == "NOT EXERCISED"
    assert ended(limit, events=[dip(2.0, 0.1, 0.5, judged=True)])[1].outcome == "PASS"


def test_a_relay_that_is_blocked_all_the_time_judges_nothing():
    limit = {"kind": "underfrequency", "min": "59 Hz", "dropout": "59.1 Hz", "block_below": 0.999}
    result, found = ended(limit, grid={"short_circuit": "100 MVA", "source": 0.97})
    assert (result.verdict, found.outcome, found.reasons) == ("INCONCLUSIVE", "INCONCLUSIVE", ["no sample was judged"])


def test_a_window_longer_than_the_run_is_not_seen():
    limit = {"kind": "undervoltage", "min": 0.85, "delay": "1 s", "timer": "cumulative", "timer_window": "5 s"}
    _, found = ended(limit)
    assert found.reasons == ["its window, 5 s, is longer than the run, 4 s"]


# --- 47 ---

FAULTS = {"ag": 0.5 / 3.0, "bc": 0.25, "abc": 0.0}


@pytest.mark.parametrize("ratio", [1.0, 0.95])
@pytest.mark.parametrize("fault", FAULTS)
def test_47_sees_the_negative_sequence_of_a_fault(fault, ratio):
    """One phase to ground at half: a sixth of the source; two phases, their voltage halved: a quarter; three: none."""
    limits = [
        {"name": node, "kind": "negative_sequence_voltage", "node": node, "max": 0.02, "delay": "50 ms"}
        for node in ("pcc", "bus")
    ]
    measured = {"window": "20 ms", "delay": "10 ms"}
    grid = {"short_circuit": "500 MVA", "source": 1.02}
    site = rig_of(
        limits,
        grid=grid,
        transformer={"rating": "40 MVA", "ratio": ratio},
        measurement=measured,
        events=[dip(2.0, 0.5, 0.5, fault=fault, judged=True)],
    )
    for node, scale in (("pcc", 1.0), ("bus", 1.0 / ratio)):
        level = site[f"{node}.voltage_negative_sequence_measured_pu"]
        size = 1.02 * scale * FAULTS[fault]
        assert level[2030:2510] == pytest.approx(np.full(480, size), abs=1e-12)
        rise = size * np.sqrt(np.arange(1, 21) / 20.0)
        assert level[2010:2030] == pytest.approx(rise, abs=1e-9)
        assert not level[:2010].any()
        assert level[2530:] == pytest.approx(0.0, abs=1e-7)
        held = level > 0.02
        assert state(site, ("pcc", "bus").index(node))["first_tick"] == (np.argmax(held) + 50 if held.any() else -1)


def test_a_row_has_a_negative_sequence_only_where_something_wants_it():
    wanted = "bus.voltage_negative_sequence_measured_pu"
    plain = rig_of([])
    assert not any("sequence" in name for name in plain.engine.channels)
    assert rig_of([], record={"channels": [wanted]}).engine.channels == (*plain.engine.channels, wanted)
    plain_hash = run_scenario(from_document(document(duration="2 s")), ALONE).waveform_hash
    limit = {"name": "27", "kind": "undervoltage", "min": 0.5}
    assert run_scenario(from_document(document(duration="2 s", limits=[limit])), ALONE).waveform_hash == plain_hash


# --- what does not fit ---

V27, V81 = {"kind": "undervoltage", "min": 0.88}, {"kind": "overfrequency", "max": "61 Hz"}


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        (V27 | {"dropout": 0.87}, "dropout = 0.87: must be at least min = 0.88 pu and below 1 pu"),
        (V27 | {"dropout": 1.0}, "dropout = 1.0: must be at least min = 0.88 pu and below 1 pu"),
        (V81 | {"dropout": "61.1 Hz"}, "dropout = '61.1 Hz': must be at most max = 61 Hz and above 60 Hz"),
        (V81 | {"dropout": "60 Hz"}, "dropout = '60 Hz': must be at most max = 61 Hz and above 60 Hz"),
        (
            {"kind": "rocof", "max": "1 Hz/s", "dropout": "2 Hz/s"},
            "dropout = '2 Hz/s': must be at most max = 1 Hz/s and above 0 Hz/s",
        ),
        (
            {"kind": "negative_sequence_voltage", "max": 0.05, "dropout": 0.0},
            "dropout = 0.0: must be at most max = 0.05 pu and above 0 pu",
        ),
        (V27 | {"timer": "resetting", "reset_time": "1 s"}, "delay = '0 s': must be above 0: a resetting timer keeps a time"),
        (V27 | {"timer": "cumulative"}, "delay = '0 s': must be above 0: a cumulative timer adds times up"),
        (
            V27 | {"timer": "resetting", "delay": "1 s"},
            "reset_time = '0 s': must be above 0: for so long a resetting timer keeps its time",
        ),
        (
            V27 | {"delay": "1 s", "reset_time": "1 s"},
            "reset_time = '1 s': is a key of timer = \"resetting\", and the timer is consecutive",
        ),
        (
            V27 | {"timer": "resetting", "delay": "1 s", "reset_time": "1 s", "timer_window": "9 s"},
            "timer_window = '9 s': is a key of timer = \"cumulative\", and the timer is resetting",
        ),
        (
            V27 | {"timer": "cumulative", "delay": "2 s", "timer_window": "2 s"},
            "timer_window = '2 s': must be longer than delay = 2 s",
        ),
        (
            V27 | {"timer": "cumulative", "delay": "2 s", "timer_window": "9 s", "dropout": 0.9},
            "dropout = 0.9: is for a time that drop-out ends; that of timer_window has none",
        ),
        (V27 | {"timer": "later"}, "timer = 'later': must be 'consecutive', 'resetting' or 'cumulative'"),
        (V27 | {"acts_as": "envelope"}, "acts_as = 'envelope': must be 'limit' or 'relay'"),
    ],
)
def test_keys_of_relays_that_do_not_fit_are_refused_in_a_line(limit, line):
    with pytest.raises(ScenarioError) as refused:
        from_document(document(duration="5 s", limits=[{"name": "x", **limit}]))
    assert str(refused.value) == f"scenario: limits.x.{line}"


def test_a_window_that_holds_no_sample_more_than_the_delay_is_refused():
    limit = {"name": "x", **V27, "timer": "cumulative", "delay": "100 ms", "timer_window": "100.1 ms"}
    with pytest.raises(ScenarioError, match=r"timer_window: must be longer than the delay by a sample at least, 0\.001 s"):
        run_scenario(from_document(document(duration="5 s", limits=[limit])), ALONE)


def test_two_relays_whose_channels_would_share_a_name_are_refused():
    limits = [{**V27, "name": name, "acts_as": "relay"} for name in ("27 a", "27-a")]
    with pytest.raises(ScenarioError, match="'27 a'"):
        from_document(document(limits=limits))


def test_a_plain_limit_makes_no_channel():
    plain = rig_of([{"name": "x", **V27}], 2).engine
    assert len(plain.states["relays"]) == 0
    assert not any(name.startswith("limits.") for name in plain.channels)
    assert walk(2).size == plain.tick
