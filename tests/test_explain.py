"""`hil explain` and docs/keys.md, which speak from the models."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from command import hil_command
from guide_support import training_job

import hil.scenario
from hil.errors import ScenarioError
from hil.guide.explain import explain
from hil.guide.keys import kind_of, meaning_of, tables
from hil.guide.page import page
from hil.guide.values import toml
from hil.scenario.files import from_document

ROOT = Path(__file__).parents[1]


def test_every_key_has_its_words():
    for table in tables():
        for key in table.keys:
            assert key.value.words
            assert not (key.required and key.default)


def test_a_default_is_what_the_model_takes():
    """Each default, as it is written, put into a document that leaves it out, changes nothing."""
    document = training_job()
    document["cooling"] = {}
    document["transformer"] = {"rating": "40 MVA"}
    document["psu"], document["gensets"] = {}, {"rating": "2 MW"}
    document["incident"] = {"narrative": "n", "source": "s", "evidence": "memory"}
    smoothing, capping = {"profile": "balanced"}, {"provisioned": "30 MW"}
    document["load"] |= {"gpus": 1, "filler": {}, "smoothing": smoothing, "capping": capping, "rack": {}, "supply": {}}
    resolved = from_document(document).document()
    places = {"bess.NAME": ["bess", "main"], "bess.NAME.driver": ["bess", "main", "driver"]}
    tried = 0
    for table in tables():
        path = places.get(table.path, table.path.split(".") if table.path else [])
        if "NAME" in path or "N" in path or table.kind not in ("", "training"):
            continue
        written = {key.name: key.default for key in table.keys if key.default and not key.derived}
        changed = json.loads(json.dumps(document))
        node = changed
        for part in path:
            node = node.setdefault(part, {})
        absent = [name for name in written if name not in node]
        for name in absent:
            node |= tomllib.loads(f"{name} = {written[name]}")
        tried += len(absent)
        assert from_document(changed).document() == resolved, table.path
    assert tried > 50


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ("limits.profile", ["[[limits]], profile = …: In place of a limit", "ercot-nogrr282", "unverified  false"]),
        ("limits.x.statistics.0.period", ["limits.NAME.statistics.N.period: in which", "[[limits.statistics]]"]),
        ("voltage_distortion", ["statistics            tables of its own: A percentile"]),
        ("bess.main.soc", ["bess.NAME.soc: state of charge at the start", "default    0.5"]),
        ("bess.NAME.soc", ["bess.NAME.soc: state of charge at the start", "value      a share between 0 and 1"]),
        ("bess.soc", ["bess.NAME.soc: state of charge at the start"]),
        ("bess.main.rating", ["range      above 0, at most 2 GVA", "required   yes", 'such as "25 MVA"; units: VA, kVA']),
        ("bess.main.charge", ["default    the rating"]),
        ("limits.ramp.max", ["limits.NAME.max (ramp)", 'a power ramp such as "18 MW/min"', '[[limits]], kind = "ramp"']),
        ("limits.grid ramp.max", ["limits.NAME.max (ramp)", "limits.NAME.max (peak_to_peak, variation)"]),
        ("limits.peak, 0.5 s.max", ["limits.NAME.max (peak_to_peak, variation)"]),
        ("load.edge", ["load.edge (training)", "load.edge (inference)", "NERC's 1.9 pu/s"]),
        ("load.training.edge", ["load.edge (training)"]),
        ("events.0.at", ["events.N.at: when it happens"]),
        ("events.grid_dip.residual", ["events.N.residual (grid_dip)"]),
        ("ups.a.mqtt.rate", ["ups.NAME.mqtt.rate", "range      10 mHz to 1 kHz"]),
        ("soc", ["bess.NAME.soc", "ups.NAME.soc"]),
        ("tick", ["range      10 us to 10 ms"]),
        ("load.kind", ['kind = "training"', 'kind = "trace"']),
        ("load", ["[load]: what the site draws", "(training) power in the compute phase"]),
        ("[bess.main]", ["[bess.NAME]: A battery-storage system", "driver"]),
        ("bess.main.driver", ["[bess.NAME.driver]", "timeout"]),
        ("limits", ["[[limits]]", "peak_to_peak"]),
        ("limits.peak_to_peak", ['[[limits]], kind = "peak_to_peak"', "window"]),
        ("ramp_limit", ['[absorber.NAME], kind = "ramp_limit"']),
        ("limits.soc_window", ['[[limits]], kind = "soc_window"', "In Python: hil.scenario.SocRange"]),
        ("bess.main.driver", ["In Python: hil.scenario.Driver"]),
        (None, ["duration   required", "[bess.NAME]", "[[events]]"]),
    ],
)  # fmt: skip
def test_explain(asked, lines):
    text = explain(asked)
    for line in lines:
        assert line in text
    assert max(map(len, text.splitlines())) <= 100
    assert text == "\n".join(line.rstrip() for line in text.splitlines())


def test_explain_tells_only_what_was_asked():
    assert "(inference)" not in explain("load.training.edge")
    assert "(peak_to_peak)" not in explain("limits.ramp.max")
    assert "[[limits]]: " not in explain("limits.grid ramp.max").replace('kind = "', "")
    assert "ups.NAME" not in explain("bess.main.soc")
    assert "(none)" not in explain("absorber")
    assert "ramp_down" not in explain("absorber.none")
    assert explain("absorber.main.ramp").startswith("absorber.NAME.ramp (ramp_limit): ")


def test_explain_merges_what_several_kinds_have_alike():
    assert explain("load.power_factor").count("power_factor") == 1
    assert explain("events.at").count("events.N.at") == 1
    assert "events.N.duration (server_stop, link_cut, device_silent" in explain("events.duration")


@pytest.mark.slow
def test_every_key_is_explained_by_its_own_path():
    for table in tables():
        for key in table.keys:
            middle = key.path.replace("NAME", table.kind or "x").replace(".N.", f".{table.kind or 0}.")
            assert key.path in explain(middle), middle
            assert key.path in explain(key.name)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("ratng", "hil explain: ratng: unknown key; did you mean 'rating'?"),
        ("bess.main.ratng", "hil explain: bess.main.ratng: unknown key; did you mean 'bess.main.rating'?"),
        ("limits.ramp.mx", "hil explain: limits.ramp.mx: unknown key; did you mean 'limits.ramp.max'?"),
        ("loda.edge", "hil explain: loda.edge: unknown key; did you mean 'load.edge'?"),
        ("load.trainig", "hil explain: load.trainig: unknown key; did you mean 'load.training'?"),
        ("xyzzy", "hil explain: xyzzy: unknown key"),
        ("", "hil explain: '': unknown key"),
        (".", "hil explain: .: unknown key"),
        ("bess.main.soc.deeper", "hil explain: bess.main.soc.deeper: unknown key"),
        ("load.inference.iteration", "hil explain: load.inference.iteration: unknown key; did you mean 'iteration'?"),
    ],
)
def test_what_cannot_be_explained(asked, line):
    with pytest.raises(ScenarioError) as told:
        explain(asked)
    assert str(told.value) == line


def test_the_command_explains_without_the_heavy_libraries():
    script = (
        "import sys; from hil.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'numpy', 'pyarrow', 'matplotlib'} & set(sys.modules)), file=sys.stderr)"
    )
    for arguments in (["explain", "soc"], ["schema"]):
        run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60)
        assert (run.returncode, run.stderr) == (0, "[]\n")
    run = hil_command("explain", "ratng")
    assert run == (2, "", "hil explain: ratng: unknown key; did you mean 'rating'?\n")


def test_the_page_of_keys_is_what_the_models_say():
    assert (ROOT / "docs" / "keys.md").read_text(encoding="utf-8") == page(), "write it anew: make docs"


def test_the_page_names_every_key():
    text = page()
    for table in tables():
        assert f"`{table.heading}`" in text or table.path == ""
        for key in table.keys:
            assert key.name == "kind" or f"| `{key.name}` |" in text


@pytest.mark.slow
def test_every_table_has_its_class():
    for table in tables():
        model = getattr(hil.scenario, table.model)
        assert table.model in hil.scenario.__all__
        assert f"`{table.python}`" in page()
        assert (kind_of(model), meaning_of(model)) == (table.kind, table.meaning)
    assert "In Python: hil.scenario.Driver" not in explain("bess")


def test_values_as_a_file_writes_them():
    for value in (True, False, 0.5, 3, "abc", 'a "b" \\ °', [0.3, 0.8], ["a", "b"]):
        assert tomllib.loads(f"value = {toml(value)}")["value"] == value


def test_what_is_said_of_a_profile_is_what_loading_takes():
    from hil.guide.profile_entry import ProfileEntry
    from hil.scenario import profiles

    assert list(ProfileEntry.model_fields) == list(profiles._KEYS)
