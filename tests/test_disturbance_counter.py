"""The limit `disturbance_counter`: no UPS counts disturbances to decide that it stays off the grid."""

from __future__ import annotations

import pytest
from law_support import ALONE
from rig import document
from ups_support import UPS, dip

from hil.check.api import check
from hil.errors import ScenarioError
from hil.scenario.files import from_document, load
from hil.scenario.profiles import expand_profiles
from hil.session.run import Options, run_scenario
from hil.site.build import build_engine
from hil.verdict.judge import judge

LIMIT = {"name": "x", "kind": "disturbance_counter", "required": True}
SETTING = "ups.a: its counter is on, 3 disturbances within 60 s take it off the grid"


def ended(ups: dict[str, dict[str, object]], *dips_s: float, limit: dict[str, object] = LIMIT):
    events = [dip(at_s, 0.05, 0.3) for at_s in dips_s]
    sections = {"duration": "8 s", "ups": {name: UPS | keys for name, keys in ups.items()}, "events": events}
    return run_scenario(from_document(document(**sections, limits=[limit])), ALONE)


def test_a_counter_that_is_on_violates_it_without_a_disturbance():
    found = ended({"a": {"counter": True}}).limits["x"]
    assert (found.outcome, found.worst, found.reasons) == ("FAIL", 0.0, [SETTING])


def test_what_it_counts_is_told():
    found = ended({"a": {"counter": True}}, 2.0, 4.0).limits["x"]
    assert (found.outcome, found.worst, found.limit) == ("FAIL", 2.0, 0.0)
    assert 2.0 < found.first_violation_s < 2.05


def test_without_a_counter_any_number_of_dips_holds_it():
    result = ended({"a": {}, "b": {}}, 2.0, 3.0, 4.0, 5.0)
    found = result.limits["x"]
    assert (result.verdict, found.outcome, found.worst, found.reasons) == ("PASS", "PASS", 0.0, [])


def test_one_of_several_is_enough_and_one_may_be_named():
    two = {"a": {"counter": True}, "b": {}}
    assert ended(two).limits["x"].reasons == [SETTING]
    assert ended(two, limit=LIMIT | {"node": "ups.a"}).limits["x"].outcome == "FAIL"
    assert ended(two, limit=LIMIT | {"node": "ups.b"}).limits["x"].outcome == "PASS"


def test_a_counter_that_was_turned_on_in_the_run():
    scenario = from_document(document(duration="2 s", ups={"a": UPS}, limits=[LIMIT]))
    engine = build_engine(scenario, 5e6)
    assert judge(scenario, engine, {}, []).limits["x"].outcome != "FAIL"
    engine.states["ups"]["counter"] = 1
    found = judge(scenario, engine, {}, []).limits["x"]
    assert (found.outcome, found.reasons[-1]) == ("FAIL", "ups.a: its counter was turned on")


def test_a_site_without_ups_has_nothing_that_counts():
    result = ended({})
    assert (result.verdict, result.limits["x"].outcome) == ("PASS", "PASS")


def test_the_ups_fleet_of_10_july_2024_breaks_the_rule_of_ercot():
    sections = document(duration="2 s", ups={"a": UPS | {"counter": True}}, limits=[{"profile": "ercot-nogrr282"}])
    expand_profiles(sections, None, "x")
    found = run_scenario(from_document(sections), ALONE).limits["ercot-nogrr282: no disturbance counter"]
    assert found.outcome == "FAIL"
    assert found.basis == "ERCOT NOGRR282; counting sags to decide a transfer is prohibited; secondary"


def test_a_run_checked_again_and_a_recording_of_which_nothing_is_known(tmp_path):
    limits = tmp_path / "limits.toml"
    limits.write_text("[[limits]]\nname = 'x'\nkind = 'disturbance_counter'\nrequired = true\n")
    sites = {"none": "ups={}", "off": "ups={a={rating='6 MW'}}", "on": "ups={a={rating='6 MW',counter=true}}"}
    for (name, ups), outcome in zip(sites.items(), ("PASS", "PASS", "FAIL"), strict=True):
        folder = tmp_path / name
        scenario = load("training_job", ["duration='2 s'", "events=[]", "limits=[]", "transport='direct'", ups])
        run_scenario(scenario, Options(folder=folder, picture=False))
        assert check(folder, limits).limits["x"].outcome == outcome
    (tmp_path / "r.csv").write_text("time_s,ups.a.disturbances\n0,0\n1,0\n2,0\n")
    found = check(tmp_path / "r.csv", limits).limits["x"]
    assert (found.outcome, found.reasons) == ("INCONCLUSIVE", ["nothing is known of UPSs"])
    limits.write_text(limits.read_text() + "node = 'ups.a'\n")
    found = check(tmp_path / "r.csv", limits).limits["x"]
    assert (found.outcome, found.reasons) == ("INCONCLUSIVE", ["nothing is known of the setting of its counter"])


@pytest.mark.parametrize(("node", "line"), [("bess.main", "must"), ("ups.z", "no such device")])
def test_a_node_that_is_no_ups_is_refused_in_a_line(node, line):
    with pytest.raises(ScenarioError) as refused:
        from_document(document(ups={"a": UPS}, limits=[LIMIT | {"node": node}]))
    assert str(refused.value).startswith(f"scenario: limits.x.node = '{node}': {line}")
