"""Profiles: limits of a grid code as a file, packaged or one's own."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from law_support import ALONE
from rig import BESS, document
from ups_support import UPS, dip

from hil.check.api import check
from hil.errors import ScenarioError
from hil.scenario.files import from_document, load
from hil.scenario.profiles import PACKAGED, expand_profiles, profile_names
from hil.session.run import run_scenario
from hil.site.build import build_engine

ONLY_RECORDED = {name for name in profile_names() if "point-on-wave" in (PACKAGED / f"{name}.toml").read_text()}
SITE_PROFILES = [name for name in profile_names() if name not in ONLY_RECORDED]
AT_DEVICES = {  # which an entry must name
    "itic": "ups.a",
    "semi-f47": "ups.a",
    "bess-lfp": "bess.x",
    **{name: "ups.a" for name in profile_names() if name.startswith(("ups-overload-", "iec-62040-3-"))},
}
SOURCES = ("secondary", "memory", "Read in", "read in")


def expanded(*entries: dict, folder: Path | None = None, **sections: object):
    found = document(limits=list(entries), **sections)
    expand_profiles(found, folder, "mine.toml")
    return from_document(found, source="mine.toml", folder=folder)


def refused(*entries: dict, folder: Path | None = None) -> str:
    with pytest.raises(ScenarioError) as error:
        expanded(*entries, folder=folder)
    return str(error.value)


@pytest.mark.parametrize("name", SITE_PROFILES)
def test_each_profile_can_be_judged_and_says_where_it_comes_from(name):
    profile = tomllib.loads((PACKAGED / f"{name}.toml").read_text())
    assert set(profile) == {"title", "basis", "status", "limits"}
    said = profile["status"] + "".join(limit.get("basis", "") for limit in profile["limits"])
    assert any(word in said for word in SOURCES)
    entry = {"profile": name, "required": True, "unverified": True}
    if name in AT_DEVICES:
        entry["node"] = AT_DEVICES[name]
    scenario = expanded(entry, ups={"a": UPS}, bess={"x": BESS}, duration="2 s")
    assert len(scenario.limits) == len(profile["limits"])
    for limit in scenario.limits:
        assert limit.name.startswith(f"{name}: ")
        assert limit.required
        assert profile["basis"] in limit.basis
    build_engine(scenario, 5e6)


@pytest.mark.parametrize("name", SITE_PROFILES)
def test_what_is_from_memory_is_off_unless_it_is_asked_for(name):
    profile = tomllib.loads((PACKAGED / f"{name}.toml").read_text())
    verified = [limit for limit in profile["limits"] if not limit.get("unverified")]
    assert all("memory" in profile["status"] + limit.get("basis", "") for limit in profile["limits"] if limit not in verified)
    entry = {"profile": name} | ({"node": AT_DEVICES[name]} if name in AT_DEVICES else {})
    if not verified:
        line = refused(entry)
        assert line == (
            f"mine.toml: limits.0.profile = '{name}': has only limits that no source confirms; "
            "unverified = true takes them all the same"
        )
    else:
        limits = expanded(entry, ups={"a": UPS}, bess={"x": BESS}).limits
        assert [limit.unverified for limit in limits] == [False] * len(verified)


@pytest.mark.parametrize("name", sorted(ONLY_RECORDED))
def test_what_needs_waveforms_says_where_it_comes_from_and_is_for_recordings_alone(name):
    from hil.check.orders import CheckFile

    profile = tomllib.loads((PACKAGED / f"{name}.toml").read_text())
    assert set(profile) == {"title", "basis", "status", "limits"}
    assert any(word in profile["status"] for word in SOURCES)
    assert all(
        "memory" in profile["status"] + limit.get("basis", "") for limit in profile["limits"] if limit.get("unverified")
    )
    found = {"limits": [{"profile": name, "unverified": True}]}
    expand_profiles(found, None, "mine.toml")
    assert len(CheckFile.model_validate(found, context={"file": True}).limits) == len(profile["limits"])
    assert "is judged on point-on-wave recordings only (hil check)" in refused({"profile": name, "unverified": True})


def test_an_override_may_bring_a_profile():
    scenario = load("training_job", ["limits=[{profile='aeso', required=true}]"])
    assert [(limit.name, limit.required) for limit in scenario.limits] == [("aeso: ramp", True)]


def test_a_report_says_that_a_limit_is_unverified():
    scenario = expanded({"profile": "prc-029", "unverified": True}, duration="1 s")
    result = run_scenario(scenario, ALONE)
    assert [limit.unverified for limit in result.limits.values()] == [False, False, False, True]
    assert result.limits["prc-029: ROCOF"].basis == "NERC PRC-029-1, Attachments 1 and 2; 5 Hz/s; from memory"
    assert result.summary()["limits"][3]["unverified"] is True


def test_the_rule_of_ercot_of_2026_against_its_vectors():
    """1 Hz at 4.9 MW of amplitude passes, at 5.1 MW it does not; a ramp of 12 MW over 10 min passes."""
    from rig import Rig

    def worst(load_w: np.ndarray) -> list[float]:
        found = document(limits=[{"profile": "ercot-2026-variation"}], grid={"short_circuit": "100 GVA"})
        expand_profiles(found, None, "x")
        site = Rig({key: found[key] for key in ("limits", "grid")}, load_w).run()
        return [float(limit["highest"]) for limit in site.engine.states["limits"]]

    time_s = np.arange(40_000) * 1e-3
    swing = np.minimum(time_s / 20.0, 1.0) * np.sin(2 * np.pi * time_s)  # grows slowly, so that the start is no step
    assert max(worst(50e6 + 4.9e6 * swing)) < 10e6
    assert min(worst(50e6 + 5.1e6 * swing)) > 10e6
    assert max(worst(50e6 + 0.02e6 * time_s)) < 0.3e6


def test_the_users_own_file_and_what_it_may_hold(tmp_path):
    (tmp_path / "contract.toml").write_text(
        'title = "ours"\nbasis = "our contract, 2026"\n[[limits]]\nname = "ramp"\nkind = "ramp"\nmax = "5 MW/min"\n'
        'window = "60 s"\n'
        '[[limits]]\nname = "27"\nkind = "undervoltage"\nmin = 0.9\nbasis = "clause 4"\nrequired = true\n'
    )
    (tmp_path / "site.toml").write_text(
        'duration = "2 s"\ngrid = {short_circuit = "500 MVA"}\nload = {kind = "training", power = "5 MW"}\n'
        '[[limits]]\nprofile = "contract.toml"\n[[limits]]\nname = "mine"\nkind = "overvoltage"\nmax = 1.1\n'
    )
    scenario = load(tmp_path / "site.toml", ["limits.contract: ramp.max='6 MW/min'"])
    assert [limit.name for limit in scenario.limits] == ["contract: ramp", "mine", "contract: 27"]
    assert [limit.required for limit in scenario.limits] == [False, False, True]
    assert [limit.basis for limit in scenario.limits] == ["our contract, 2026", "", "our contract, 2026; clause 4"]
    assert scenario.limits[0].max_w_per_s == pytest.approx(1e5)
    assert from_document(scenario.document()) == scenario


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"profile": "ercot"}, "limits.0.profile = 'ercot': no such profile; one's own is a path that ends in .toml"),
        ({"profile": "not/there.toml"}, "limits.0.profile = 'not/there.toml': no such profile"),
        ({"profile": 5}, "limits.0.profile = 5: must be a string"),
        ({"profile": "aeso", "required": "yes"}, "limits.0.required = 'yes': must be true or false"),
        ({"profile": "aeso", "max": "5 MW"}, "limits.0.max: unknown key; an entry with a profile has: profile, required"),
    ],
)
def test_what_is_wrong_with_an_entry_is_told_in_a_line(entry, line):
    assert refused(entry).startswith(f"mine.toml: {line}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("title = 5\nlimit = 3\n[[limits]]\nname = 'x'\n", "limit: unknown key; a profile has: title, basis, status, limits"),
        ("title = 'x'\n", "limits: missing; a profile has entries [[limits]]"),
        ("limits = [5]\n", "limits: missing; a profile has entries [[limits]]"),
    ],
)
def test_what_is_wrong_with_a_file_of_ones_own_is_told_in_a_line(text, line, tmp_path):
    (tmp_path / "own.toml").write_text(text)
    assert refused({"profile": "own.toml"}, folder=tmp_path) == f"{tmp_path / 'own.toml'}: {line}"


def test_a_limit_of_ones_own_profile_that_cannot_be_is_told_by_its_name(tmp_path):
    (tmp_path / "own.toml").write_text("[[limits]]\nname = '27'\nkind = 'undervoltage'\nmin = 1.2\n")
    assert refused({"profile": "own.toml"}, folder=tmp_path) == "mine.toml: limits.own: 27.min = 1.2: must be below 1"


def test_nogrr_282_asks_for_the_return_from_a_dip_that_itic_lets_drop():
    """0.4 pu for 66 ms: beyond ITIC's 20 ms, inside NOGRR282's 250 ms (the dips of 10 July 2024)."""
    load = {"kind": "training", "power": "5 MW", "communication_power": 1.0, "idle_power": 1.0, "power_factor": 1.0}

    def outcome(profile: str, **ups: str):
        entry = {"profile": profile, "required": True}
        sections = {"ups": {"a": UPS | ups}, "events": [dip(1.0, 0.066, 0.4)], "load": load, "duration": "6 s"}
        return run_scenario(expanded(entry, **sections), ALONE).limits[f"{profile}: voltage ride-through"].outcome

    assert outcome("ercot-nogrr282", qualify="500 ms", walk_in="1 s") == "PASS"
    assert outcome("ercot-nogrr282", qualify="2 s", walk_in="2 s") == "FAIL"


def ride(profile: str, voltage_pu: np.ndarray, power_w: np.ndarray, step_s: float, tmp_path: Path):
    """A recording judged by a profile."""
    rows = "\n".join(
        f"{n * step_s!r},{v!r},{w!r}" for n, (v, w) in enumerate(zip(voltage_pu.tolist(), power_w.tolist(), strict=True))
    )
    (tmp_path / "r.csv").write_text(f"time_s,pcc.voltage_pu,pcc.power_w\n{rows}\n")
    (tmp_path / "limits.toml").write_text(f"[[limits]]\nprofile = '{profile}'\nrequired = true\n")
    return check(tmp_path / "r.csv", tmp_path / "limits.toml").limits


@pytest.mark.parametrize(
    ("profile", "level", "asked_s"),
    [
        ("ieee-1547-ride-cat-1", 0.80, 1.1),
        ("ieee-1547-ride-cat-1", 0.75, 0.9),
        ("ieee-1547-ride-cat-1", 0.60, 0.16),
        ("ieee-1547-ride-cat-2", 0.80, 4.305),
        ("ieee-1547-ride-cat-2", 0.70, 3.435),
        ("ieee-1547-ride-cat-2", 0.50, 0.32),
        ("ieee-1547-ride-cat-3", 0.80, 20.0),
        ("ieee-1547-ride-cat-3", 0.40, 1.0),
        ("ieee-1547-ride-cat-3", 1.15, 12.0),
    ],
)
def test_ieee_1547_asks_to_stay_for_its_time_and_not_longer(profile, level, asked_s, tmp_path):
    """A tick of 5 ms beyond what the category asks for it may be gone for good."""
    for ticks, outcome in ((round(asked_s / 0.005), "FAIL"), (round(asked_s / 0.005) + 1, "NOT EXERCISED")):
        voltage_pu = np.ones(1400 + ticks)
        voltage_pu[1000 : 1000 + ticks] = level
        power_w = np.where(np.arange(voltage_pu.size) < 1000, 20e6, 0.0)
        found = ride(profile, voltage_pu, power_w, 0.005, tmp_path)[f"{profile}: voltage ride-through"]
        assert found.outcome == outcome


@pytest.mark.parametrize(("seconds", "outcome"), [(1800, "FAIL"), (1801, "NOT EXERCISED")])
@pytest.mark.parametrize("profile", ["prc-029", "prc-029-wind"])
def test_prc_029_asks_to_stay_for_1800_s_above_105_percent(profile, seconds, outcome, tmp_path):
    voltage_pu = np.ones(100 + seconds + 20)
    voltage_pu[100 : 100 + seconds] = 1.07
    power_w = np.where(np.arange(voltage_pu.size) < 100, 20e6, 0.0)
    found = ride(profile, voltage_pu, power_w, 1.0, tmp_path)[f"{profile}: voltage ride-through, 1800 s"]
    assert found.outcome == outcome
    voltage_pu[105:108] = 1.15  # for 3 s: it may trip
    found = ride(profile, voltage_pu, power_w, 1.0, tmp_path)[f"{profile}: voltage ride-through, 1800 s"]
    assert found.outcome == "NOT EXERCISED"
