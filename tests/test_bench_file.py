"""The file of a bench: its targets, and one line for whatever is wrong with it."""

from __future__ import annotations

import pytest
from ci_support import EXAMPLES, short

import hil
from hil.testing.bench import Target, chosen, read_bench
from hil.testing.scenarios import listed, scenario_for

GOOD = """
[target.big]
title = "a larger battery"
set = ["bess.main.rating='20 MVA'"]
transport = "wire"

[target.slow]
clock = "wall"
speed = 4
"""
REAL = "real devices are not supported yet; a target runs emulated ones, and has the keys title, set, transport, clock, speed"
BAD = {
    "": ": target: missing; it has no default",
    "[target": ": not TOML: Expected ']' at the end of a table declaration (at end of document)",
    "[target]": ": target: must not be empty",
    "target = 3": ": target = 3: must be a table",
    "[targets.a]": ": targets: unknown key; did you mean 'target'?",
    "[target.'1']": ": target.1: must start with a letter and go on with letters, digits, - or _",
    "[target.all]": ": target.all: 'all' stands for all targets; call it something else",
    "[target.a]\nsets = []": ": target.a.sets: unknown key; did you mean 'set'?",
    "[target.a]\nset = 'seed=1'": ": target.a.set = 'seed=1': must be a list",
    "[target.a]\nset = ['seed=1', 'seed']": ": target.a.set.1 = 'seed': must be key=value, such as bess.main.rating='5 MVA'",
    "[target.a]\nset = [3]": ": target.a.set.0 = 3: must be a string",
    "[target.a]\ntransport = 'can'": ": target.a.transport = 'can': must be 'wire' or 'direct'",
    "[target.a]\nclock = 'sun'": ": target.a.clock = 'sun': must be 'lockstep' or 'wall'",
    "[target.a]\nspeed = 2": ": target.a.speed = 2: needs clock = 'wall'",
    "[target.a]\nclock = 'wall'\nspeed = 0": ": target.a.speed = 0: must be above 0",
    "[target.a]\nclock = 'wall'\nspeed = 'fast'": ": target.a.speed = 'fast': must be a number",
    "[target.a]\nclock = 'wall'\nspeed = inf": ": target.a.speed = inf: must be a finite number",
    "[target.a]\nhost = '192.0.2.7'": f": target.a.host: {REAL}",
    "[target.a.device.'bess.main']\nport = 502": f": target.a.device: {REAL}",
}


def bench(folder, text):
    file = folder / "bench.toml"
    file.write_text(text)
    return file


def test_targets_are_read(tmp_path):
    file = bench(tmp_path, GOOD)
    targets = read_bench(file)
    assert targets == {
        "big": Target(
            "big",
            "a larger battery",
            ("transport='wire'", "bess.main.rating='20 MVA'"),
            "lockstep",
            1.0,
            f"{file}: target.big",
        ),
        "slow": Target("slow", "", (), "wall", 4.0, f"{file}: target.slow"),
    }
    assert [*map(str, targets.values())] == ["big", "slow"]


@pytest.mark.parametrize("text", BAD)
def test_whatever_is_wrong_is_one_line(tmp_path, text):
    file = bench(tmp_path, text)
    with pytest.raises(hil.ScenarioError) as told:
        read_bench(file)
    assert str(told.value) == f"{file}{BAD[text]}"


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(hil.ScenarioError, match=r"gone\.toml: cannot be read: No such file or directory$"):
        read_bench(tmp_path / "gone.toml")
    (tmp_path / "latin.toml").write_bytes(b"[target.a]\ntitle = '\xe9'")
    with pytest.raises(hil.ScenarioError, match=r"latin\.toml: cannot be read: not UTF-8 text, at byte 20$"):
        read_bench(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], "abc"), (["all"], "abc"), (["c", "all"], "abc"), (["c", "a", "c"], "ca")],
)
def test_targets_are_chosen_by_name(names, expected):
    assert "".join(map(str, chosen({name: Target(name) for name in "abc"}, names, "bench.toml"))) == expected


@pytest.mark.parametrize(("name", "hint"), [("wirer", "did you mean 'wire'?"), ("x", "there are: wire, direct")])
def test_a_target_that_there_is_not_is_told(name, hint):
    with pytest.raises(hil.ScenarioError) as told:
        chosen({"wire": Target(), "direct": Target()}, ["wire", name], "bench.toml")
    assert str(told.value) == f"bench.toml: target {name!r}: there is none; {hint}"


def test_a_target_changes_a_scenario_and_the_test_has_the_last_word(tmp_path):
    target = read_bench(bench(tmp_path, GOOD))["big"]
    file = short(tmp_path)
    for what, beside in (("short.toml", tmp_path), (file, None), (hil.load(file), None)):
        scenario = scenario_for(what, [], target, beside)
        assert (scenario.bess["main"].rating_va, scenario.transport, scenario.name) == (20e6, "wire", "short")
        scenario = scenario_for(what, ["transport=direct", "seed=9"], target, beside)
        assert (scenario.transport, scenario.seed) == ("direct", 9)
    assert scenario_for("training_job", [], Target(), tmp_path) == hil.load("training_job")
    same = hil.load(file)
    assert scenario_for(same, [], Target(), None) is same


def test_what_a_target_cannot_change_names_it(tmp_path):
    target = Target("odd", "", ("bess.main.ratings='1 MVA'",), source="bench.toml: target.odd")
    with pytest.raises(hil.ScenarioError, match=r"ratings: unknown key") as told:
        scenario_for(short(tmp_path), [], target, None)
    assert told.value.__notes__ == ["bench.toml: target.odd sets bess.main.ratings='1 MVA'"]


def test_overrides_are_a_list():
    assert listed(("a=1",)) == ["a=1"]
    with pytest.raises(TypeError, match=r"set = 'a=1': must be a list, such as \['a=1'\]"):
        listed("a=1")


@pytest.mark.parametrize("name", ["bench", "hasty"])
def test_the_examples_are_benches(name):
    for target in read_bench(EXAMPLES / "controller" / f"{name}.toml").values():
        scenario_for("campus.toml", [], target, EXAMPLES / "controller")
