"""The JSON Schema of `hil schema`, against another implementation of JSON Schema and against loading."""

from __future__ import annotations

import json
import re
import tomllib

import jsonschema
import pytest
import tomli_w
from command import hil_command
from guide_support import SCHEMA, problems, training_job
from hypothesis import given, settings
from hypothesis import strategies as st

import hil
from hil.errors import ScenarioError
from hil.guide.keys import tables
from hil.scenario import quantity
from hil.scenario.files import PACKAGED, from_document, packaged

DIMENSIONS = [item for item in vars(quantity).values() if isinstance(item, quantity.Dimension)]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$schema"]


def test_the_command_writes_the_schema(tmp_path):
    assert json.loads(hil_command("schema").out) == SCHEMA
    run = hil_command("schema", "--out", "hil.schema.json", cwd=tmp_path)
    assert (run.code, run.out, run.err) == (0, "", "")
    assert json.loads((tmp_path / "hil.schema.json").read_text(encoding="utf-8")) == SCHEMA
    run = hil_command("schema", "--out", "nowhere/hil.schema.json", cwd=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert run.err == "hil schema: nowhere/hil.schema.json: cannot be written: No such file or directory\n"


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


def test_the_schema_takes_what_a_class_of_ones_own_takes(tmp_path):
    (tmp_path / "mine.py").write_text("")
    document = training_job()
    mine = {"kind": "own", "class": "mine.py:Mine", "device": "bess.main", "parameters": {"deep": [{"a": True}]}}
    document["supervisor"] = {"energy": mine}
    from_document(document, folder=tmp_path)
    assert problems(document) == []


def test_the_schema_takes_the_steps_of_a_ride_through():
    document = training_job()
    limit = {"name": "x", "kind": "ride_through", "below": [["0.9 pu", "2 s"], [0.5, "250 ms"]], "recovery": "1 s"}
    document["limits"].append(limit)
    assert problems(document) == []
    from_document(document)
    for steps in ([["0.9 pu"]], [["0.9 pu", "2 s", "1 s"]], [["2 s", "0.9 pu"]], ["0.9 pu", "2 s"]):
        limit["below"] = steps
        assert problems(document)
        with pytest.raises(ScenarioError):
            from_document(document)


def test_the_schema_takes_a_profile_in_place_of_a_limit(tmp_path):
    document = training_job()
    document["limits"].append({"profile": "ercot-nogrr282", "required": True})
    assert problems(document) == []
    for entry in ({"profile": "aeso", "max": "5 MW"}, {"profile": 5}, {"profile": "aeso", "kind": "ramp"}):
        document["limits"][-1] = entry
        assert problems(document)
        (tmp_path / "mine.toml").write_text(tomli_w.dumps(document), encoding="utf-8")
        with pytest.raises(ScenarioError, match=r"limits\.\d+\."):
            hil.load(tmp_path / "mine.toml")


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
