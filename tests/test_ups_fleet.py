"""Groups of UPSs in a scenario: draws of their units, what is refused, the fleet of 10 July 2024, and what is around a run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from command import hil_command
from rig import document
from ups_support import dip

import hil
from hil.guide.schema import schema
from hil.kernel.layout import channel_names
from hil.report.panels import panels
from hil.report.saved import open_run
from hil.scenario.files import from_document
from hil.scenario.ups_spread import positions
from hil.serve.session import _alone

ROOT = Path(__file__).parents[1]
STEADY = {"kind": "training", "communication_power": 1.0, "idle_power": 1.0}
# Of NERC's review of 10 July 2024, from secondary reports: six faults in 82 s, 42 to 66 ms long, 0.25 to 0.40 pu left; the
# spacing is assumed equal. Start, residual voltage, duration.
DIPS = [
    (0.0, 0.25, 0.042),
    (16.4, 0.40, 0.066),
    (32.8, 0.30, 0.050),
    (49.2, 0.35, 0.058),
    (65.6, 0.28, 0.046),
    (82.0, 0.38, 0.062),
]
# When a count of N within W seconds is reached: number of the dip, and time from the first; None: never.
TABLE = {
    (2, 30): (2, 16.4), (2, 60): (2, 16.4), (2, 90): (2, 16.4),
    (3, 30): None, (3, 60): (3, 32.8), (3, 90): (3, 32.8),
    (4, 30): None, (4, 60): (4, 49.2), (4, 90): (4, 49.2),
    (5, 30): None, (5, 60): None, (5, 90): (5, 65.6),
    (6, 30): None, (6, 60): None, (6, 90): (6, 82.0),
}  # fmt: skip


def dips(*, start_s=1.0, spacing_s=16.4):
    return [dip(start_s + spacing_s * k, duration_s, left) for k, (_, left, duration_s) in enumerate(DIPS)]


def fleet(count, *, seed=0, duration="10 s", keys=None, **sections):
    """Sites of 25 MW each, every one loaded to 20 MW, on a grid that carries them and an area that bears their loss."""
    base = {
        "duration": duration,
        "seed": seed,
        "grid": {"short_circuit": f"{count} GVA", "area": f"{10 * count} GVA"},
        "load": {**STEADY, "power": f"{20 * count} MW"},
        "ups": {"sites": {"count": count, "rating": "25 MW", **(keys or {})}},
    }
    return from_document(base | sections)


# --- Draws ---


@pytest.mark.parametrize("count", [1, 2, 60, 1000])
def test_each_stratum_is_drawn_once_and_in_no_order(count):
    found = np.array(positions(count, 7, "sites", "soc"))
    strata = np.floor(found * count).astype(int)
    assert sorted(strata) == list(range(count))
    if count >= 60:
        assert abs(np.corrcoef(strata, np.arange(count))[0, 1]) < 0.3
        assert 0.2 < np.std(found * count - strata) < 0.4  # uniform within: 0.289


def test_draws_go_by_seed_group_and_key_alone():
    one = fleet(60, keys={"spread": {"soc": [0.5, 1.0], "input_low": ["0.7 pu", "0.9 pu"]}})
    more = {"sites": one.document()["ups"]["sites"], "others": {"count": 5, "rating": "1 MW", "spread": {"soc": [0, 1]}}}
    more["sites"] = {**more["sites"], "spread": {**more["sites"]["spread"], "walk_in": ["1 s", "9 s"]}}
    other = from_document(one.document() | {"ups": more})
    units, same = (scenario.ups["sites"].units(0, "sites") for scenario in (one, other))
    assert [unit.soc for unit in units] == [unit.soc for unit in same]
    assert len({unit.walk_in_s for unit in same}) == 60
    assert [unit.soc for unit in one.ups["sites"].units(1, "sites")] != [unit.soc for unit in units]
    assert abs(np.corrcoef([unit.soc for unit in units], [unit.input_low for unit in units])[0, 1]) < 0.4


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("count", [7, 60, 1000])
def test_shares_are_kept_to_one_unit(count, seed):
    spread = {"counter_disturbances": {"values": [3, 4, 0], "shares": [0.84, 0.1, 0.06]}}
    units = fleet(count, keys={"spread": spread, "counter": True}).ups["sites"].units(seed, "sites")
    for value, share in ((3, 0.84), (4, 0.1)):
        assert abs(sum(unit.counter and unit.counter_disturbances == value for unit in units) - share * count) <= 1.0
    assert abs(sum(not unit.counter for unit in units) - 0.06 * count) <= 1.0


def test_a_group_survives_its_own_document_and_gives_its_keys_to_every_unit():
    keys = {"spread": {"walk_in": {"values": ["5 s", "30 s"]}, "rating": ["20 MW", "30 MW"]}, "qualify": "3 s", "share": 0.5}
    one = fleet(9, keys=keys)
    assert from_document(one.document()).document() == one.document()
    units = one.ups["sites"].units(0, "sites")
    assert {unit.walk_in_s for unit in units} == {5.0, 30.0}
    assert {(unit.qualify_s, unit.count, unit.spread) for unit in units} == {(3.0, None, None)}
    assert one.devices == ["ups.sites"]
    run = hil.KernelRun(one)
    shares = run.parameters["ups_power"]["share"]
    assert shares.sum() == pytest.approx(0.5)
    assert shares == pytest.approx(0.5 * run.parameters["ups"]["rating_w"] / run.parameters["ups"]["rating_w"].sum())


@pytest.mark.parametrize(
    ("keys", "sections", "line"),
    [
        ({"count": 0}, {}, "ups.sites.count = 0: must be at least 1"),
        ({"count": None, "spread": {"soc": [0, 1]}}, {}, "ups.sites.spread: needs count"),
        ({"modbus": {}}, {}, "ups.sites.modbus: a group of UPSs has no wire"),
        ({"mqtt": {"rate": "7 Hz"}}, {}, "ups.sites.mqtt: a group of UPSs has no wire"),
        ({"spread": {"soc": [0.9, 0.1]}}, {}, "must be [low, high] with low at most high"),
        ({"spread": {"soc": [0.5]}}, {}, "spread.soc = [0.5]: must be [low, high], or a table of values"),
        ({"spread": {"soc": {}}}, {}, "spread.soc.values: missing; give range, or values"),
        ({"spread": {"soc": {"values": [0.5, 1], "shares": [1.0]}}}, {}, "shares = [1.0]: must be as many as values, 2"),
        ({"spread": {"soc": {"values": [0.5, 1], "shares": [0.5, 0.4]}}}, {}, "shares = [0.5, 0.4]: must add up to 1"),
        ({"spread": {"input_low": ["0.7 pu", "1.2 pu"]}}, {}, "'1.2 pu']: a unit with 1.2: must be below 1"),
        ({"spread": {"counter_disturbances": {"values": [3, 9]}}}, {}, "a unit with 9: must be at most 8"),
        ({"spread": {"walk_in": ["5", "9 s"]}}, {}, "must be a time"),
        ({"spread": {"eco": [0, 1]}}, {}, "ups.sites.spread.eco: unknown key"),
        ({"spread": {"autonomy": ["1 min", "2 min"]}, "energy": "1 MWh"}, {}, "only where no energy is given"),
        ({}, {"supervisor": {"x": {"kind": "ups_group", "devices": ["ups.sites"], "ramp": "1 MW/min"}}}, "is a group of UPSs"),
        ({}, {"events": [{"kind": "battery_dead", "device": "ups.sites", "at": "1 s"}]}, "'ups.sites': is a group of UPSs"),
        ({}, {"link": {"x": {"between": ["supervisor.y", "ups.sites"]}}}, "'ups.sites': is a group of UPSs"),
        ({}, {"limits": [{"kind": "on_battery", "node": "ups.sites", "max": "5 s"}]}, "on_battery is judged for each UPS"),
        ({}, {"limits": [{"kind": "soc_window", "node": "ups.sites", "window": [0.1, 0.9]}]}, "must end at 1: a group"),
        ({}, {"limits": [{"kind": "dc_link", "node": "ups.sites", "max": 1.2}]}, "not at a group of UPSs"),
        ({}, {"limits": [{"kind": "battery_temperature", "node": "ups.sites", "min": "5 degC"}]}, "not at a group of UPSs"),
    ],
)  # fmt: skip
def test_what_is_refused(keys, sections, line):
    sections = {**sections, "limits": [{"name": "x", **limit} for limit in sections.get("limits", [])]}
    keys = {key: value for key, value in ({"count": 3, "rating": "25 MW"} | keys).items() if value is not None}
    with pytest.raises(hil.ScenarioError) as caught:
        from_document(document(ups={"sites": keys}) | sections)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_line_that_the_most_sensitive_unit_would_not_take_is_refused():
    keys = {"count": 5, "rating": "25 MW", "spread": {"input_low": {"values": ["0.7 pu", "0.99 pu"]}}}
    scenario = from_document(document(ups={"sites": keys}, grid={"short_circuit": "100 MVA"}))
    with pytest.raises(hil.ScenarioError, match=r"ups\.sites\.input_low = 0\.99: the bus stands at 0\.9"):
        hil.KernelRun(scenario)


# --- The fleet of 10 July 2024 ---


def test_fifteen_counters_through_six_dips():
    """Each cell of the table from a run: the dip exact, the time within 1 %."""
    ups = {
        f"n{count}w{window_s}": {
            "count": 2, "rating": "1 MW", "counter": True, "counter_disturbances": count, "counter_window": f"{window_s} s",
            "qualify": "3 s", "walk_in": "5 s",
        }
        for count, window_s in TABLE
    }  # fmt: skip
    load = {**STEADY, "power": "20 MW"}
    measured = {"window": "17 ms"}
    result = hil.run(from_document(document(ups=ups, load=load, events=dips(), measurement=measured, duration="90 s")))
    latched = {event["device"]: event for event in result.events if event["event"] == "ups_latched"}
    for (count, window_s), expected in TABLE.items():
        event = latched.get(f"ups.n{count}w{window_s}")
        if expected is None:
            assert event is None
            continue
        number, after_s = expected
        at_s = event["tick"] * 1e-3 - 1.0
        assert sum(start_s <= at_s for start_s, _, _ in DIPS) == number
        assert at_s == pytest.approx(after_s, rel=0.01)
        assert event["count"] == 2


def lost_shares(scenario, spacing_s, *, start_s=1.0):
    """Share of the power before the first dip that has not come back, just before each next dip."""
    run = hil.KernelRun(scenario)
    run.advance(start_s - 0.01)
    before_w = run["ups.sites.input_w"]
    shares = []
    for number in range(1, len(DIPS) + 1):
        run.advance(start_s + spacing_s * number - 0.01)
        shares.append(1.0 - run["ups.sites.input_w"] / before_w)
    return shares


SPREAD = {"counter_disturbances": {"values": [3, 0], "shares": [0.84, 0.16]}, "input_low": ["0.70 pu", "0.90 pu"]}


def short_fleet(count, seed, spread):
    """The same in six seconds: what has to be good or back is so after a fraction of the spacing."""
    keys = {"spread": spread, "qualify": "0.2 s", "walk_in": "0.2 s", "recharge": "0 W"}
    return fleet(count, seed=seed, duration="8 s", keys=keys, events=dips(spacing_s=1.0))


@pytest.mark.parametrize("seed", range(20))
def test_sixty_sites_lose_84_percent_at_the_third_dip(seed):
    lost = lost_shares(short_fleet(60, seed, SPREAD), 1.0)
    assert lost[:2] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert lost[2] == pytest.approx(0.84, abs=0.02)
    assert lost[2:] == pytest.approx([lost[2]] * 4, abs=1e-3)  # for hours: until somebody resets them


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_sites_lose_84_percent_at_the_third_dip(seed):
    lost = lost_shares(short_fleet(1000, seed, SPREAD), 1.0)
    assert lost[:2] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert lost[2:] == pytest.approx([0.84] * 4, abs=0.0015)


def test_without_counters_the_load_returns_after_every_dip():
    lost = lost_shares(short_fleet(60, 0, {"input_low": SPREAD["input_low"]}), 1.0)
    assert lost == pytest.approx([0.0] * 6, abs=1e-6)


@pytest.mark.slow
def test_sixty_sites_at_the_spacing_of_that_day_and_after_their_reset():
    keys = {"spread": {**SPREAD, "qualify": ["3 s", "8 s"], "walk_in": ["2 s", "6 s"]}, "recharge": "0 W"}
    scenario = fleet(60, duration="130 s", keys=keys, events=dips())
    lost = lost_shares(scenario, 16.4)
    assert lost == pytest.approx([0.0, 0.0, 0.84, 0.84, 0.84, 0.84], abs=0.02)
    run = hil.KernelRun(scenario)
    run.advance(110.0)
    assert run["ups.sites.latched"] == 50
    run.command("ups.sites", "reset_disturbances", 1)
    run.advance(130.0)
    assert (run["ups.sites.latched"], run["ups.sites.on_line"]) == (0, 60)


# --- Around a run ---


def test_a_run_with_a_group_and_a_supervised_ups_beside_it(tmp_path):
    """Wire, record, limits, report and JUnit; the group has no station and does not change who stands where on the wire."""
    ups = {
        "sites": {"count": 40, "rating": "0.5 MW", "counter": True, "spread": {"input_low": ["0.7 pu", "0.9 pu"]}},
        "a": {"rating": "5 MW", "qualify": "1 s"},
    }
    limits = [
        {"name": "output", "kind": "undervoltage", "node": "ups.sites", "min": 0.9, "required": True},
        {"name": "itic", "kind": "output_voltage", "node": "ups.sites", "above": [[1.2, "1 ms"]], "required": True},
        {"name": "charge", "kind": "soc_window", "node": "ups.sites", "window": [0.2, 1.0], "required": True},
        {"name": "link", "kind": "dc_link", "node": "ups.sites", "min": 0.5},
        {"name": "back", "kind": "recovery", "node": "ups.sites", "max": "1 s"},
        {"name": "counter", "kind": "disturbance_counter"},
    ]
    scenario = from_document(
        document(
            duration="4 s", ups=ups, limits=limits, events=[dip(1.0, 0.06, 0.3)], load={**STEADY, "power": "15 MW"},
            supervisor={"x": {"kind": "ups_group", "devices": ["ups.a"], "ramp": "60 MW/min"}},
        )
    )  # fmt: skip
    result = hil.run(scenario, folder=tmp_path / "run")
    assert result.verdict == "PASS"
    assert result.limits["output"].worst == 1.0
    assert [result.limits[name].outcome for name in ("back", "counter")] == ["FAIL", "FAIL"]
    assert "ups.sites: its counter is on, 3 disturbances within 60 s" in " ".join(result.limits["counter"].reasons)
    assert result.traffic["messages"] > 0
    assert result.signal("ups.sites.on_battery")[1].max() == 40
    assert {event["device"] for event in result.events if event["event"] == "ups_transfer"} >= {"ups.sites", "ups.a"}
    result.junit(tmp_path / "junit.xml")
    shown = panels(open_run(tmp_path / "run"))
    assert [line.label for line in shown[1].lines if "sites" in line.label] == [
        "ups.sites input", "ups.sites battery (+ discharges)",
    ]  # fmt: skip
    for command in (["show"], ["diff", tmp_path / "run"]):
        assert hil_command(*command, tmp_path / "run")[::2] == (0, ""), command
    direct = hil.run(from_document(scenario.document() | {"transport": "direct"}))
    assert direct.waveform_hash == result.waveform_hash
    with pytest.raises(hil.ScenarioError, match="neither a bess nor a ups nor a meter is there to be served"):
        _alone(fleet(3), again=False)


@pytest.mark.slow
def test_the_events_of_a_thousand_units_stay_few():
    keys = {"spread": {"transfer": ["0 s", "0.9 s"], "walk_in": ["0 s", "0.5 s"]}, "qualify": "0.1 s"}
    outages = [dip(0.5 + 2.0 * k, 1.0, 0.0) for k in range(3)]
    result = hil.run(fleet(1000, duration="6.5 s", keys=keys, events=outages, record={"channels": ["ups.sites.*"]}))
    told = [event for event in result.events if event["event"] == "ups_transfer"]
    ends = [event for event in result.events if event["event"] == "ups_log_ended"]
    assert 500 < len(told) <= 3 * 500
    assert [(event["of"], event["from"]) for event in ends][:1] == [("ups_transfer", "normal")]
    named = [event for event in told if event["device"] == "ups.sites"]
    assert all(event["count"] > 1 and len(event["units"]) == min(event["count"], 20) for event in named)
    alone = [event["device"] for event in told if event["device"] != "ups.sites"]
    assert all(re.fullmatch(r"ups\.sites\[\d{1,3}\]", device) for device in alone)
    assert len(result.signal("ups.sites.latched")[1]) == 650


def test_validate_counts_units_and_a_file_may_hold_a_group(tmp_path):
    file = tmp_path / "fleet.toml"
    file.write_text(
        'duration = "2 s"\n[grid]\nshort_circuit = "10 GVA"\n[load]\nkind = "training"\npower = "100 MW"\n'
        '[ups.sites]\ncount = 60\nrating = "2 MW"\n[ups.sites.spread]\ninput_low = ["0.70 pu", "0.90 pu"]\n'
        "counter_disturbances = { values = [3, 0], shares = [0.84, 0.16] }\n"
    )
    code, out, _ = hil_command("validate", file)
    assert (code, "60 UPS" in out) == (0, True)
    spread = schema()["properties"]["ups"]["patternProperties"]
    (table,) = spread.values()
    forms = table["properties"]["spread"]["properties"]["input_low"]["oneOf"]
    assert {form["type"] for form in forms} == {"object", "array"}
    assert json.dumps(table["properties"]["spread"]["properties"]["counter_disturbances"])


def test_the_channels_of_a_group_are_listed():
    page = (ROOT / "docs" / "ups_groups.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`ups\.NAME[^|]*) \|", page, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([\w.]+)`", row)]
    assert sorted(named) == sorted(set(channel_names([], [], ["ups.NAME"])) - set(channel_names([])))


def test_somebody_resets_a_whole_group():
    """What has latched stays away until an event resets all of it at once."""
    reset = {"kind": "ups_command", "device": "ups.sites", "command": "reset_counter", "at": "5 s"}
    keys = {"spread": SPREAD, "qualify": "0.2 s", "walk_in": "0.2 s"}
    result = hil.run(fleet(60, duration="6.5 s", keys=keys, events=[*dips(spacing_s=1.0)[:3], reset]))
    time_s, latched = result.signal("ups.sites.latched")
    assert set(latched[(time_s > 3.2) & (time_s < 4.9)]) == {50.0}
    assert latched[-1] == 0
    assert result.signal("ups.sites.on_line")[1][-1] == 60
    assert [event["device"] for event in result.events if event["event"] == "ups_command"] == ["ups.sites"]


@pytest.mark.parametrize("transport", ["wire", "direct"])
def test_somebody_turns_a_switch_of_one_ups(transport):
    onto = {"kind": "ups_command", "device": "ups.a", "command": "bypass", "at": "0.5 s"}
    events = [onto, {**onto, "at": "1.5 s", "on": False}]
    load = {**STEADY, "power": "15 MW"}
    ups = {"a": {"rating": "20 MW", "bypass_return": "0.1 s"}}
    result = hil.run(from_document(document(duration="3 s", transport=transport, ups=ups, load=load, events=events)))
    time_s, mode = result.signal("ups.a.mode")
    assert set(mode[(time_s > 0.6) & (time_s < 1.4)]) == {1.0}
    assert mode[0] == mode[-1] == 2.0
    assert [event["on"] for event in result.events if event["event"] == "ups_command"] == [True, False]
