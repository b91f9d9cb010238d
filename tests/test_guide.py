"""`hil explain`, `hil schema`, `hil init` and docs/keys.md, which all speak from the models."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hil
from hil.errors import ScenarioError
from hil.guide import starter
from hil.guide.explain import explain
from hil.guide.keys import tables
from hil.guide.page import page
from hil.guide.schema import schema
from hil.guide.values import toml
from hil.scenario import quantity
from hil.scenario.files import PACKAGED, from_document, packaged

ROOT = Path(__file__).parents[1]
SCHEMA = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
DIMENSIONS = [item for item in vars(quantity).values() if isinstance(item, quantity.Dimension)]
BLOCK = re.compile(r"(?:^#\S.*\n)+", re.MULTILINE)


def hil_command(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from hil.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


def problems(document: object) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(document)]


def training_job() -> dict:
    return tomllib.loads((PACKAGED / "training_job.toml").read_text())


# Keys.


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


# `hil explain`.


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ("bess.main.soc", ["bess.NAME.soc: state of charge at the start", "default    0.5"]),
        ("bess.NAME.soc", ["bess.NAME.soc: state of charge at the start", "value      a share between 0 and 1"]),
        ("bess.soc", ["bess.NAME.soc: state of charge at the start"]),
        ("bess.main.rating", ["range      above 0, at most 2 GVA", "required   yes", 'such as "25 MVA"; units: VA, kVA']),
        ("bess.main.charge", ["default    the rating"]),
        ("limits.ramp.max", ["limits.NAME.max (ramp)", 'a power ramp such as "18 MW/min"', '[[limits]], kind = "ramp"']),
        ("limits.grid ramp.max", ["limits.NAME.max (ramp)", "limits.NAME.max (peak_to_peak)"]),
        ("limits.peak, 0.5 s.max", ["limits.NAME.max (peak_to_peak)"]),
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


def test_explain_merges_what_several_kinds_have_alike():
    assert explain("load.power_factor").count("power_factor") == 1
    assert explain("events.at").count("events.N.at") == 1
    assert "events.N.duration (server_stop, link_cut, device_silent" in explain("events.duration")


def test_every_key_is_explained_by_its_own_path():
    for table in tables():
        for key in table.keys:
            middle = key.path.replace("NAME", table.kind or "x").replace(".N.", f".{table.kind}.")
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
    assert (run.returncode, run.stdout, run.stderr) == (2, "", "hil explain: ratng: unknown key; did you mean 'rating'?\n")


# `hil schema`.


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$schema"]


def test_the_command_writes_the_schema(tmp_path):
    assert json.loads(hil_command("schema").stdout) == SCHEMA
    run = hil_command("schema", "--out", "hil.schema.json", cwd=tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert json.loads((tmp_path / "hil.schema.json").read_text(encoding="utf-8")) == SCHEMA
    run = hil_command("schema", "--out", "nowhere/hil.schema.json", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "hil schema: nowhere/hil.schema.json: cannot be written: No such file or directory\n"


def _found(node: dict, path: list[str]) -> list[dict]:
    """The schemas that an editor finds at a path: by name, by pattern, in lists, in each alternative."""
    here = node.get("oneOf", [node])
    if not path:
        return here
    head, *rest = path
    found = []
    for one in here:
        inner = [one["properties"][head]] if head in one.get("properties", {}) else []
        inner += [below for pattern, below in one.get("patternProperties", {}).items() if re.search(pattern, head)]
        inner += [one["items"]] if "items" in one else []
        found += [result for below in inner for result in _found(below, rest)]
    return found


def test_an_editor_finds_every_key_and_its_choices():
    for table in tables():
        for key in table.keys:
            found = _found(SCHEMA, key.path.split("."))
            assert found, key.path
            choices = {choice for one in found for choice in one.get("enum", [one.get("const")])}
            assert set(key.value.choices) <= choices, key.path
            for one in found:
                assert one["description"]
                if "default" in one:
                    assert jsonschema.Draft202012Validator(one).is_valid(one["default"]), key.path


@pytest.mark.parametrize("name", packaged())
def test_packaged_scenarios_follow_the_schema(name):
    assert problems(tomllib.loads((PACKAGED / f"{name}.toml").read_text())) == []
    assert problems(hil.load(name).document()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(durration="3 s"),
        lambda document: document["bess"]["main"].update(ratng="25 MVA"),
        lambda document: document["bess"]["main"].update(rating="25 MW"),
        lambda document: document["bess"]["main"].update(rating=25e6),
        lambda document: document["bess"]["main"].update(rating_va=25e6),
        lambda document: document["bess"]["main"].update(soc=1.2),
        lambda document: document["bess"]["main"].update(soc="0.5"),
        lambda document: document["bess"]["main"].update(unit_id=1.5),
        lambda document: document["bess"]["main"].update(priority="both"),
        lambda document: document["bess"]["main"]["driver"].update(rate="20"),
        lambda document: document["bess"]["main"].pop("energy"),
        lambda document: document["bess"].update({"2nd": document["bess"]["main"]}),
        lambda document: document.pop("grid"),
        lambda document: document["load"].update(kind="trainig"),
        lambda document: document["load"].pop("kind"),
        lambda document: document["load"].update(replicas=16),  # of another kind
        lambda document: document["absorber"]["main"].update(kind="law"),  # and no law
        lambda document: document["supervisor"]["energy"].update(window=[0.3]),
        lambda document: document["limits"][0].update(required="true"),
        lambda document: document["limits"][0].update(node="bess.main"),
        lambda document: document["limits"][0].pop("max"),
        lambda document: document["limits"][0].update(name=""),
        lambda document: document["events"][0].update(duration="1 s"),  # a crash has none
    ],
)
def test_the_schema_refuses_what_loading_refuses(change):
    document = training_job()
    document["bess"]["main"]["driver"] = {}
    assert problems(document) == []
    change(document)
    assert problems(document)
    with pytest.raises(ScenarioError):
        from_document(document)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(DIMENSIONS), st.data())
def test_what_the_pattern_of_a_quantity_accepts_is_read(dimension, data):
    text = data.draw(st.from_regex(dimension.pattern))
    try:
        dimension.read(text, plain=False)
    except ValueError as refused:
        assert str(refused).startswith("must be at most")  # a text has no bounds for a schema


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(DIMENSIONS), st.text(alphabet="0159.eE+-_ \tkMGmunµsinhdWVAvarzHC°p/degC", max_size=12))
def test_a_pattern_accepts_what_is_read(dimension, text):
    try:
        dimension.read(text, plain=False)
        read = True
    except ValueError as refused:
        read = str(refused).startswith("must be at most")
    assert (re.search(dimension.pattern, text) is not None) == read


@pytest.mark.parametrize(
    ("dimension", "text", "fits"),
    [
        (quantity.POWER, "25 MW", True),
        (quantity.POWER, "25MW", True),
        (quantity.POWER, " +2.5e1\tMW ", True),
        (quantity.POWER, "1_000 kW", True),
        (quantity.POWER, ".5 GW", True),
        (quantity.POWER, "25", False),
        (quantity.POWER, "25 mW", False),
        (quantity.POWER, "25 MVA", False),
        (quantity.POWER, "1__0 W", False),
        (quantity.POWER, "MW", False),
        (quantity.POWER, "", False),
        (quantity.TIME, "40 µs", True),
        (quantity.TIME, "40 ms", True),
        (quantity.TIME, "40 M s", False),
        (quantity.RAMP, "18 MW/min", True),
        (quantity.RAMP, "18 MW/m", False),
        (quantity.TEMPERATURE, "25 °C", True),
        (quantity.PER_UNIT, "0.95", True),
        (quantity.PER_UNIT, "0.95 pu", True),
        (quantity.PER_UNIT, "0.95 %", False),
    ],
)
def test_spellings(dimension, text, fits):
    instance = {"type": "string", "pattern": dimension.pattern}
    assert jsonschema.Draft202012Validator(instance).is_valid(text) == fits
    if fits:
        dimension.read(text, plain=False)
    else:
        with pytest.raises(ValueError, match="must be"):
            dimension.read(text, plain=False)


# `hil init`.


@pytest.mark.parametrize("kind", starter.kinds())
def test_the_scenario_to_start_with_holds(kind, tmp_path):
    files = starter.write(tmp_path / "mine.toml", kind)
    document = tomllib.loads(files[0].read_text(encoding="utf-8"))
    assert problems(document) == []
    result = hil.run(hil.load(files[0]))
    assert result.verdict == hil.Outcome.PASS


@pytest.mark.parametrize("kind", starter.kinds())
def test_each_block_of_it_can_be_taken_in(kind, tmp_path):
    (tmp_path / "my_law.py").write_text("")
    path = starter.write(tmp_path / "mine.toml", kind)[0]
    text = path.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) > 10
    plain = hil.load(path).document()
    for block in blocks:
        path.write_text(text[: block.start()] + _taken_in(block) + text[block.end() :], encoding="utf-8")
        changed = hil.load(path).document()
        assert changed != plain or "[record]" in block[0]
        assert problems(tomllib.loads(path.read_text(encoding="utf-8"))) == []
    path.write_text(BLOCK.sub(_taken_in, text.replace('#transport = "direct"', '# transport = "direct"')), encoding="utf-8")
    everything = hil.load(path)
    assert everything.ups
    assert everything.link


def _taken_in(block: re.Match[str]) -> str:
    return re.sub("^#", "", block[0], flags=re.MULTILINE)


def test_every_line_of_it_says_what_it_is():
    """Each setting has a comment beside it, where its key comes for the first time."""
    for kind in starter.kinds():
        text = starter.text(kind, file="mine.toml", trace="power.csv")
        assert len(text.splitlines()) < 200
        assert max(map(len, text.splitlines())) <= 127
        assert "@" not in text
        explained = set()
        for key, comment in re.findall(r"^#?([a-z_]+) = [^#\n]*(#.*)?$", text, re.MULTILINE):
            explained |= {key} if comment else set()
            assert key in explained, key


def test_the_command_never_writes_over_a_file(tmp_path):
    run = hil_command("init", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "scenario.toml written; next: hil run scenario.toml\n"
    before = (tmp_path / "scenario.toml").read_bytes()
    run = hil_command("init", "--kind", "inference", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "hil init: scenario.toml: is there already; name another file\n"
    assert (tmp_path / "scenario.toml").read_bytes() == before
    (tmp_path / "other_power.csv").write_text("mine")
    run = hil_command("init", "other.toml", "--kind", "trace", cwd=tmp_path)
    assert run.stderr == "hil init: other_power.csv: is there already; name another file\n"
    assert not (tmp_path / "other.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere/mine.toml"], "hil init: nowhere/mine.toml: cannot be written: No such file or directory"),
        (["--kind", "traning"], "hil init: --kind traning: must be one of training, inference, trace"),
    ],
)
def test_what_cannot_be_written(arguments, line, tmp_path):
    run = hil_command("init", *arguments, cwd=tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"{line}\n")
    assert list(tmp_path.iterdir()) == []


# The page.


def test_the_page_of_keys_is_what_the_models_say():
    assert (ROOT / "docs" / "keys.md").read_text(encoding="utf-8") == page(), "write it anew: make docs"


def test_the_page_names_every_key():
    text = page()
    for table in tables():
        assert f"`{table.heading}`" in text or table.path == ""
        for key in table.keys:
            assert key.name == "kind" or f"| `{key.name}` |" in text


def test_values_as_a_file_writes_them():
    for value in (True, False, 0.5, 3, "abc", 'a "b" \\ °', [0.3, 0.8], ["a", "b"]):
        assert tomllib.loads(f"value = {toml(value)}")["value"] == value
