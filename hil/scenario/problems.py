"""Turns what validation finds into one line: key, value, what is allowed."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import ValidationError

from hil.errors import ScenarioError
from hil.scenario.reference import keys_at, unit_at

_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
_NAME = "must start with a letter and go on with letters, digits, - or _"
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
    "finite_number": "must be a finite number",
    "tuple_type": "must be a list of two numbers",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
}


def scenario_error(source: str, document: Any, error: ValidationError) -> ScenarioError:
    """The first problem of a validation as one line."""
    problem = error.errors(include_url=False)[0]
    kind = problem["type"]
    context = problem.get("ctx", {})
    message = problem["msg"].removeprefix("Value error, ")
    if message.startswith("@") and not problem["loc"]:  # a rule of the whole scenario says key and value itself
        return ScenarioError(source, "", message[1:])
    path, value, found = _locate(document, problem["loc"], missing=kind == "missing")
    if message.startswith("@"):  # a rule of one section names its key
        key, _, message = message[1:].partition(": ")
        path, value = f"{path}.{key}", value.get(key)
        found = value is not None
    elif kind == "missing" and isinstance(value, list):
        message = "must be a list of two numbers"
    elif kind in ("missing", "union_tag_not_found"):
        path = path if kind == "missing" else f"{path}.kind"
        return ScenarioError(source, path, ": missing; it has no default")
    elif kind == "extra_forbidden":
        return ScenarioError(source, path, ": unknown key" + _neighbours(problem["loc"], document))
    elif kind == "union_tag_invalid":
        path, value = f"{path}.kind", context["tag"]
    if kind == "string_pattern_mismatch":
        message = "must name a BESS, such as 'bess.main'" if "bess" in context["pattern"] else _NAME
    if kind in _WORDS:
        message = _WORDS[kind].format(**{key: _number(item) for key, item in context.items()})
    if kind in _BOUNDS:
        message += unit_at(problem["loc"], document)
    shown = f" = {value!r}" if found and not isinstance(value, (dict, list)) else ""
    if isinstance(value, list) and len(repr(value)) < 60:
        shown = f" = {value!r}"
    return ScenarioError(source, path, f"{shown}: {message}")


def _number(value: Any) -> Any:
    return f"{value:g}" if isinstance(value, float) else value


def _locate(document: Any, location: tuple[int | str, ...], *, missing: bool) -> tuple[str, Any, bool]:
    """Key path as the file spells it, the value there, and whether there is one.

    A location may hold the tag of a union, which is not a key: it is left out. An entry of a list goes by its name.
    """
    node = document
    path = ""
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if isinstance(node, dict):
            if part in node:
                node = node[part]
            elif not (last and missing):
                continue
            else:
                return f"{path}.{part}" if path else str(part), None, False
            path = f"{path}.{part}" if path else str(part)
        elif isinstance(node, list) and isinstance(part, int) and part >= len(node):
            return path, node, True
        elif isinstance(node, list) and isinstance(part, int):
            node = node[part]
            name = node.get("name") if isinstance(node, dict) else None
            path = f"{path}.{name if isinstance(name, str) else part}"
    return path, node, True


def _neighbours(location: tuple[int | str, ...], document: Any) -> str:
    """A hint at the key that was probably meant."""
    known = keys_at(location[:-1], document)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known keys: {', '.join(known)}" if known else ""
