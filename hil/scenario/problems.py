"""Turns what validation finds into one line: key, value, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import date, time
from typing import Any

from pydantic import BaseModel, ValidationError

from hil.errors import ScenarioError
from hil.scenario.base import Refused
from hil.scenario.reference import ABSENT, Place, find
from hil.scenario.syntax import each_entry

_LONGEST_VALUE = 200
_MOST_KINDS = 5  # that a hint names
_LONGEST_LIST = 60
_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
_TABLES = ("dict_type", "model_type", "model_attributes_type")
_NAME = "must start with a letter and go on with letters, digits, - or _"
# By what a pattern holds, the first that fits.
_PATTERNS = {
    "pcc|bess": "must be 'pcc', or name a device, such as 'bess.main'",
    "pcc|bus": "must be 'pcc', 'bus', or name a UPS, such as 'ups.a'",
    "pcc|": "must be 'pcc', or name a UPS, such as 'ups.a'",
    "|ups": "must name a BESS or a UPS, such as 'bess.main'",
    "bess": "must name a BESS, such as 'bess.main'",
    "ups": "must name a UPS, such as 'ups.a'",
}
_WORDS = {
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "too_long": "must be a list of two numbers",
    "missing": "missing; it has no default",
    "finite_number": "must be a finite number",
    "tuple_type": "must be a list of two numbers",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "literal_error": "must be {expected}",
    "union_tag_not_found": "missing; it has no default",
    "union_tag_invalid": "must be one of {expected_tags}",
}


def scenario_error(source: str, document: Any, error: ValidationError, root: type[BaseModel]) -> ScenarioError:
    """What is wrong with a document as one line; of several problems the first."""
    problem = _first(error.errors(include_url=False))
    kind, location = problem["type"], problem["loc"]
    context = problem.get("ctx", {})
    message = problem["msg"].removeprefix("Value error, ")
    rule = context.get("error")
    if isinstance(rule, Refused):
        location = (*location, *rule.location)
    elif kind in ("union_tag_not_found", "union_tag_invalid"):
        location = (*location, "kind")
    place = find(location, document, root)
    value = place.value
    if kind in ("extra_forbidden", "no_such_attribute"):
        return ScenarioError(source, place.path, ": unknown key" + _meant(str(location[-1]), place))
    if kind == "missing" and isinstance(value, list):  # a pair with one entry
        kind = "too_long"
    if kind == "string_pattern_mismatch":
        message = next((text for sign, text in _PATTERNS.items() if sign in context["pattern"]), _NAME)
    if kind in _WORDS:
        message = _WORDS[kind].format(**{key: _number(item) for key, item in context.items()})
    if kind == "list_type" and isinstance(value, dict) and place.listed:
        message += f"; {each_entry(str(location[-1]))}"
    if kind in _TABLES:
        above = find(location[:-1], document, root)
        if difflib.get_close_matches(str(location[-1]), above.named, n=1, cutoff=0.8):  # a key in the place of a name
            message += f"; each has a name: [{above.path}.NAME]"
        if isinstance(value, list) and place.named:
            message += f"; each has a name: [{place.path}.NAME]"
    if kind in _BOUNDS and place.dimension and place.dimension.unit:
        message += f" {place.dimension.unit}"
    if isinstance(rule, Refused) and value is ABSENT:
        value = place.default
    return ScenarioError(source, place.path, f"{_shown(value)}: {message}")


def assignment_error(section: BaseModel, name: str, value: Any, error: ValidationError) -> ScenarioError:
    """What is wrong with an assignment in Python as one line, in the words of a file."""
    source = type(section).__name__
    problem = error.errors(include_url=False)[0]
    if problem["type"] == "no_such_attribute":
        close = difflib.get_close_matches(name, type(section).model_fields, n=1)
        return ScenarioError(source, name, ": no such attribute" + (f"; did you mean {close[0]!r}?" if close else ""))
    rule = problem.get("ctx", {}).get("error")
    if isinstance(rule, Refused) and not problem["loc"]:  # a rule of the section, perhaps about another key of it
        place = find(rule.location, {}, type(section))
        field = type(section).model_fields[name]
        about = "" if place.path in (name, field.alias) else f"{place.path} "
        return ScenarioError(source, name, f"{_shown(value)}: {about}{rule}")
    return scenario_error(source, {name: value}, error, type(section))


def construction_error(model: type[BaseModel], given: dict[str, Any], error: ValidationError) -> ScenarioError:
    """What is wrong with a section made in Python as one line; a name that is wrong or missing in the words of Python."""
    problem = _first(error.errors(include_url=False))
    name, *rest = problem["loc"] or ("",)
    if not rest and problem["type"] == "missing":
        field = next(field for field, info in model.model_fields.items() if name in (field, info.alias))
        return ScenarioError(model.__name__, field, ": missing; it has no default")
    if not rest and problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(name), model.model_fields, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(model.model_fields)}"
        return ScenarioError(model.__name__, str(name), f": no such attribute; {hint}")
    return scenario_error(model.__name__, given, error, model)


def _first(problems: Sequence[Any]) -> Any:
    """The first problem; but of a missing key and one much like it, the one that is there."""
    first = problems[0]
    if first["type"] == "missing":
        for problem in problems:
            beside = problem["type"] == "extra_forbidden" and problem["loc"][:-1] == first["loc"][:-1]
            if beside and difflib.get_close_matches(str(problem["loc"][-1]), [str(first["loc"][-1])]):
                return problem
    return first


def _number(value: Any) -> Any:
    return f"{value:.15g}" if isinstance(value, float) else value


def _shown(value: Any) -> str:
    """The value with an equals sign before it, much as TOML writes it; nothing for tables and what is long."""
    if value is ABSENT or isinstance(value, dict):
        return ""
    if isinstance(value, (list, tuple)):
        text = f"[{', '.join(map(_spelled, value))}]"
        plain = len(text) < _LONGEST_LIST and not any(isinstance(entry, dict) for entry in value)
        return f" = {text}" if plain else ""
    return f" = {_spelled(value)}"


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = value.isoformat() if isinstance(value, (date, time)) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _meant(key: str, place: Place) -> str:
    """A hint at the key, or else the kind, that was probably meant."""
    kinds = place.kinds_with(key)
    if kinds:
        more = f" and {len(kinds) - _MOST_KINDS} others" if len(kinds) > _MOST_KINDS else ""
        return f" for kind = {place.kind!r}; a key of {', '.join(map(repr, kinds[:_MOST_KINDS]))}{more}"
    close = difflib.get_close_matches(key, place.keys, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known keys: {', '.join(place.keys)}" if place.keys else ""
