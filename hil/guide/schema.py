"""The JSON Schema of a scenario file, for editors: keys without units, quantities as texts that end in their unit.

It holds what one key allows by itself. Bounds of quantities are said in words, since a text has none, and so are rules that
reach across keys: what it accepts may still be refused when the file is loaded, hardly ever the other way round.
"""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hil.guide.keys import alias, kind_of, meaning_of, models, must_be_given
from hil.guide.profile_entry import ProfileEntry
from hil.guide.values import Form, Value, bare, value_of
from hil.scenario.base import Name
from hil.scenario.limit import Undervoltage
from hil.scenario.model import Scenario
from hil.scenario.ups_spread import Spread

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
_NAME = next(str(note.metadata[0].pattern) for note in get_args(Name) if isinstance(note, FieldInfo))


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario file. Without references, which not every editor follows."""
    head = {"$schema": DIALECT, "$id": "urn:ridethrough:scenario", "title": "Scenario of Ridethrough"}
    return head | _table(Scenario)


def _table(model: type[BaseModel]) -> dict[str, Any]:
    """A table: its keys, and no others."""
    fields = {alias(name, info): info for name, info in model.model_fields.items()}
    found: dict[str, Any] = {"type": "object", "description": meaning_of(model)}
    if kind_of(model):
        found["title"] = kind_of(model)
    found["properties"] = {name: _field(info) for name, info in fields.items()}
    if kind_of(model):  # an editor shows it beside the kind that it offers
        found["properties"]["kind"] = {"description": found["description"], "const": kind_of(model)}
    required = [name for name, info in fields.items() if must_be_given(name, info)]
    if required:
        found["required"] = required
    return found | {"additionalProperties": False}


def _field(info: FieldInfo) -> dict[str, Any]:
    inner = models(info.annotation)
    if not inner:
        return _value(info)
    tables = [_table(model) for model in (*inner, *_beside(inner))]
    tables += [_pair(range_of) for model in inner if (range_of := _short_for(model)) is not None]
    one = tables[0] if len(tables) == 1 else {"oneOf": tables}
    origin = get_origin(bare(info.annotation)[0])
    about = {"description": info.description}
    if origin is dict:
        return about | {"type": "object", "patternProperties": {_NAME: one}, "additionalProperties": False}
    if origin is list:
        return about | {"type": "array", "items": one}
    return one


def _short_for(model: type[BaseModel]) -> FieldInfo | None:
    """The key that a table can be short for: a spread its range."""
    if not issubclass(model, Spread):
        return None
    return next((info for name, info in model.model_fields.items() if alias(name, info) == "range"), None)


def _pair(info: FieldInfo) -> dict[str, Any]:
    found = _value(info)
    return found | {"prefixItems": 2 * [found.pop("items")]}


def _beside(inner: list[type[BaseModel]]) -> list[type[BaseModel]]:
    """What else a file may have there, which loading turns into these."""
    return [ProfileEntry] if Undervoltage in inner else []


def _value(info: FieldInfo) -> dict[str, Any]:
    value = value_of(info)
    meaning = info.description or ""
    said = [f"{meaning[:1].upper()}{meaning[1:]}." if meaning else "", f"Value: {value.words}."]
    if value.range:
        said.append(f"Range: {value.range}.")
    extra = info.json_schema_extra
    if isinstance(extra, dict) and "source" in extra:
        said.append(f"Source: {extra['source']}.")
    found = {"description": " ".join(filter(None, said))} | _form(value)
    if not info.is_required():
        fallback = info.get_default(call_default_factory=True)
        if fallback is not None:
            found["default"] = value.written(fallback) if value.form is not Form.TABLE else fallback
    return found


def _form(value: Value) -> dict[str, Any]:
    """What may stand there, as keywords of JSON Schema."""
    bounds = value.bounds if not value.share else {"ge": 0.0, "le": 1.0} | value.bounds
    numbers = {_BOUNDS[key]: bound for key, bound in bounds.items()}
    if value.form is Form.QUANTITY and value.dimension is not None:
        text = {"type": "string", "pattern": value.dimension.pattern}
        if value.dimension.unit:
            return text | {"examples": [value.dimension.example]}
        return {"anyOf": [{"type": "number"} | numbers, text], "examples": [float(value.dimension.example)]}
    if value.form is Form.AMOUNT:
        return {"type": ["number", "string"]}
    if value.form is Form.CHOICE:
        return {"const": value.choices[0]} if len(value.choices) == 1 else {"enum": list(value.choices)}
    if value.form is Form.PAIR and value.item is not None and value.second is not None:
        return {"type": "array", "prefixItems": [_form(value.item), _form(value.second)], "items": False, "minItems": 2}
    if value.form in (Form.LIST, Form.PAIR) and value.item is not None:
        sizes = {"minItems": 2, "maxItems": 2} if value.form is Form.PAIR else {"minItems": value.least}
        return {"type": "array", "items": _form(value.item)} | sizes
    if value.form is Form.TABLE:
        return {"type": "object"} | ({"additionalProperties": {"type": ["number", "string"]}} if value.item else {})
    if value.form in (Form.TEXT, Form.FILE):
        least = {"minLength": value.least} if value.least else {}
        return {"type": "string"} | ({"pattern": value.pattern} if value.pattern else {}) | least
    return {Form.NUMBER: {"type": "number"}, Form.WHOLE: {"type": "integer"}, Form.FLAG: {"type": "boolean"}}[
        value.form
    ] | numbers
