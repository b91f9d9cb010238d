"""Overlays: what they merge into, and in whose name what is wrong is told."""

from __future__ import annotations

import pytest

from hil.errors import ScenarioError
from hil.scenario import overlay
from hil.scenario.files import PACKAGED, Written, written
from hil.scenario.overlay import lay, name_of, read_overlay, title_of, variants

BASE = """
duration = "10 s"
title = "a site"

[grid]
voltage = "34.5 kV"
short_circuit = "220 MVA"

[load]
kind = "training"
power = "25 MW"
checkpoint_every = "3 s"
checkpoint_duration = "1 s"

[bess.main]
rating = "25 MVA"
energy = "6.25 MWh"

[absorber.main]
kind = "ramp_limit"
device = "bess.main"
ramp = "17 MW/min"

[[limits]]
name = "27 undervoltage"
kind = "undervoltage"
min = 0.95
required = true

[[limits]]
name = "peak-to-peak, 5 s"
kind = "peak_to_peak"
max = "10 MW"
window = "5 s"

[[events]]
at = "5 s"
kind = "grid_dip"
duration = "100 ms"
residual = 0.8
"""


@pytest.fixture
def base(tmp_path):
    (tmp_path / "site.toml").write_text(BASE)
    return written(tmp_path / "site.toml")


@pytest.fixture
def laid(base, tmp_path):
    """Make a scenario of the base and overlays, given as text."""

    def make(*texts):
        for number, text in enumerate(texts, start=1):
            (tmp_path / f"o{number}.toml").write_text(text)
        return lay(base, tuple(read_overlay(tmp_path / f"o{number}.toml") for number in range(1, len(texts) + 1))).scenario()

    return make


def test_nothing_laid_over_it_is_the_base(base):
    assert lay(base, ()).scenario() == base.scenario()


def test_tables_merge_and_keys_replace(laid):
    scenario = laid('[bess.main]\nenergy = "1 MWh"\n[bess.other]\nrating = "1 MVA"\nenergy = "1 MWh"\n')
    assert scenario.bess["main"].energy_wh == 1e6
    assert scenario.bess["main"].rating_va == 25e6
    assert list(scenario.bess) == ["main", "other"]


def test_the_base_stays_as_it_was(base, laid):
    before = base.scenario()
    laid('[bess.main]\nenergy = "1 MWh"\n[[events]]\nat = "6 s"\nkind = "load_crash"\n[limits]\n"27 undervoltage" = false\n')
    assert base.scenario() == before


def test_limits_merge_by_name_and_new_ones_come_last(laid):
    scenario = laid(
        '[[limits]]\nname = "27 undervoltage"\nmin = 0.9\n'
        '[[limits]]\nname = "59 overvoltage"\nkind = "overvoltage"\nmax = 1.1\n'
    )
    assert [limit.name for limit in scenario.limits] == ["27 undervoltage", "peak-to-peak, 5 s", "59 overvoltage"]
    assert scenario.limits[0].min == 0.9
    assert scenario.limits[0].required


def test_limits_may_stand_as_tables_by_name(laid):
    scenario = laid('[limits."peak-to-peak, 5 s"]\nmax = "5 MW"\n')
    assert scenario.limits[1].max_w == 5e6


def test_a_limit_of_another_kind_replaces_the_one_of_its_name(laid):
    scenario = laid('[[limits]]\nname = "27 undervoltage"\nkind = "overvoltage"\nmax = 1.1\n')
    assert scenario.limits[0].kind == "overvoltage"
    assert not scenario.limits[0].required


def test_false_takes_away_a_limit_a_table_and_a_key(laid):
    scenario = laid(
        'absorber = false\nbess = false\n[load]\ncheckpoint_every = false\n[limits]\n"peak-to-peak, 5 s" = false\n'
    )
    assert scenario.bess == {}
    assert scenario.absorber == {}
    assert scenario.load.checkpoint_every_s is None
    assert [limit.name for limit in scenario.limits] == ["27 undervoltage"]


def test_false_is_a_value_where_a_key_takes_true_or_false(laid):
    assert not laid("[limits.'27 undervoltage']\nrequired = false\n").limits[0].required
    assert laid('[ups.a]\nrating = "1 MW"\neco = false\n').ups["a"].eco is False


def test_events_are_appended(laid):
    scenario = laid('[[events]]\nat = "6 s"\nkind = "load_crash"\n')
    assert [event.at_s for event in scenario.events] == [5.0, 6.0]


def test_a_table_of_another_kind_replaces_the_whole(laid):
    scenario = laid('[absorber.main]\nkind = "high_pass"\ndevice = "bess.main"\ntime = "10 s"\n')
    assert scenario.absorber["main"].time_s == 10.0


def test_the_last_overlay_wins(laid):
    scenario = laid('[bess.main]\nenergy = "1 MWh"\n', '[bess.main]\nenergy = "2 MWh"\n')
    assert scenario.bess["main"].energy_wh == 2e6


def test_titles_say_what_was_laid_over_it(laid):
    scenario = laid('title = "one"\n', 'title = "two"\n[bess.main]\nsoc = 0.6\n')
    assert scenario.title == "a site, with one + two"
    assert scenario.name == "site-o1+o2"


def test_files_are_found_beside_the_overlay(tmp_path, base):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "power.csv").write_text("time_s,power_w\n0,1e6\n20,1e6\n")
    (tmp_path / "elsewhere" / "a.toml").write_text('[load]\nkind = "trace"\ntrace = "power.csv"\n')
    scenario = lay(base, (read_overlay(tmp_path / "elsewhere" / "a.toml"),)).scenario()
    assert scenario.load.trace == (tmp_path / "elsewhere" / "power.csv").resolve()


def test_profiles_are_found_beside_the_overlay_and_merge_by_name(tmp_path, laid):
    (tmp_path / "mine.toml").write_text('[[limits]]\nname = "ramp"\nkind = "ramp"\nmax = "1 MW/min"\nwindow = "1 s"\n')
    scenario = laid('[[limits]]\nprofile = "mine.toml"\nrequired = true\n', '[limits."mine: ramp"]\nmax = "2 MW/min"\n')
    assert [(limit.name, limit.required) for limit in scenario.limits[2:]] == [("mine: ramp", True)]
    assert scenario.limits[2].max_w_per_s == pytest.approx(2e6 / 60)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[bess.main]\nenergy = "1 kW"\n', "o1.toml: bess.main.energy = '1 kW': must be an energy"),
        ("[bess.main]\nenrgy = 1\n", "o1.toml: bess.main.enrgy: unknown key; did you mean 'energy'?"),
        ('[bess.other]\nrating = "1 MVA"\n', "o1.toml: bess.other.energy: missing; it has no default"),
        ("[load]\npower = false\n", "o1.toml: load.power: missing; it has no default"),
        ("limits = 3\n", "o1.toml: limits = 3: must be a list"),
        ('[[limits]]\nname = "27 undervoltage"\nmin = "x"\n', "o1.toml: limits.27 undervoltage.min = 'x': must be"),
        ('[[limits]]\nname = "new"\nkind = "overvoltage"\n', "o1.toml: limits.new.max: missing; it has no default"),
        ('[[events]]\nat = "50 s"\nkind = "load_crash"\n', "o1.toml: events.0.at = '50 s': must be"),
        ('[limits]\n"no such" = false\n', "o1.toml: limits.no such = false: no such limit; there are: 27 undervoltage, "),
        ('[limits]\n"no such" = 3\n', "o1.toml: limits.no such = 3: must be a table, or false"),
        ("title = 3\n", "o1.toml: title = 3: must be a string that is not empty"),
        ("bess = false\n", "site.toml with o1.toml: absorber.main.device = 'bess.main': "),
        ("x = \n", "o1.toml: not TOML: "),
        ('[[limits]]\nprofile = "gone"\n', "o1.toml: limits.0.profile = 'gone': no such profile; "),
    ],
)
def test_what_is_wrong_is_told_in_one_line_of_whoever_brought_it(laid, tmp_path, text, line):
    with pytest.raises(ScenarioError) as told:
        laid(text)
    said = str(told.value).replace(f"{tmp_path}/", "")
    assert said.startswith(line)
    assert "\n" not in said


def test_of_two_overlays_the_one_that_brought_it_is_told(laid):
    with pytest.raises(ScenarioError, match=r"o2\.toml: bess\.main\.soc = 3"):
        laid("[bess.main]\nsoc = 0.6\n", "[bess.main]\nsoc = 3\n")


def test_packaged_remedies_go_by_name():
    assert list(overlay.remedies()) == ["bess", "filler", "hybrid", "none", "rack", "shelf", "smoothing", "ups"]
    assert overlay.remedies() == {name: read_overlay(name).title for name in overlay.remedies()}
    assert read_overlay("none").document == {}


@pytest.mark.parametrize("name", ["ups", "bess", "hybrid", "none"])
def test_packaged_remedies_fit_the_packaged_scenario(name):
    assert lay(written("mitigation"), (read_overlay(name),)).scenario().title.endswith(read_overlay(name).title)


def test_unknown_overlays_are_told():
    with pytest.raises(ScenarioError, match=r"bes: no such overlay; a file that ends in \.toml, or one of: bess, filler"):
        variants(["bes"])
    with pytest.raises(ScenarioError, match=r"gone\.toml: no such overlay"):
        variants(["gone.toml"])


def test_variants_are_asked_for_alone_joined_and_combined():
    assert [name_of(variant) for variant in variants([])] == ["none"]
    assert [name_of(variant) for variant in variants(["bess", "ups", "bess", "none"])] == ["none", "bess", "ups"]
    assert [name_of(variant) for variant in variants(["bess+ups", "bess+none"])] == ["none", "bess+ups", "bess"]
    combined = variants(["bess", "ups", "none", "rack"], combine=True)
    assert [name_of(one) for one in combined] == [
        "none", "bess", "ups", "rack", "bess+ups", "bess+rack", "ups+rack", "bess+ups+rack",
    ]  # fmt: skip
    assert title_of(combined[4]) == "BESS + UPS"


def test_too_many_to_combine_and_two_of_one_name_are_told(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "o.toml").write_text(f"[load]\nidle_power = 0.{'ab'.index(folder) + 1}\n")
    with pytest.raises(ScenarioError, match=r"b/o\.toml: goes by the name 'o', as .*a/o\.toml does"):
        variants([tmp_path / "a" / "o.toml", tmp_path / "b" / "o.toml"])
    files = [tmp_path / f"o{number}.toml" for number in range(9)]
    for file in files:
        file.write_text("seed = 3\n")
    with pytest.raises(ScenarioError, match="--combine: 9 overlays have 512 subsets; at most 8 can be combined"):
        variants(files, combine=True)


def test_a_file_whose_name_has_a_plus_is_itself(tmp_path):
    (tmp_path / "a+b.toml").write_text("seed = 3\n")
    assert [name_of(variant) for variant in variants([str(tmp_path / "a+b.toml")])] == ["none", "a+b"]


def test_the_folder_of_remedies_is_packaged():
    assert overlay.REMEDIES.parent == PACKAGED
    assert isinstance(written("mitigation"), Written)
