"""All keys that a scenario file may have, with what the models say of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hil.guide.profile_entry import ProfileEntry
from hil.guide.values import Form, Value, bare, toml, value_of
from hil.scenario.base import is_borne
from hil.scenario.model import Scenario

NAME, NUMBER = "NAME", "N"
"""What stands in a path for the name of a table, and for the place of an event."""

_DEFAULT = r"(?:^|; )default: "


@dataclass(frozen=True)
class Key:
    """One key of a table.

    kinds: of the table, for which all this is so; empty where the table has no kinds. default: as a file writes it; where it
    is derived, follows from other keys, in words. source: where default or bounds come from, where they claim something.
    """

    table: str
    name: str
    kinds: tuple[str, ...]
    meaning: str
    value: Value
    default: str
    derived: bool
    required: bool
    source: str

    @property
    def path(self) -> str:
        """The dotted path, such as `bess.NAME.soc`."""
        return f"{self.table}.{self.name}" if self.table else self.name


@dataclass(frozen=True)
class Table:
    """One table of a file, of one kind where there are several.

    path: dotted, such as `bess.NAME.driver`; empty for the top of the file. model: the name of its class in `hil.scenario`.
    choice: whether `kind` chooses among several. within: kinds of the table around it that have it; empty where all do.
    """

    path: str
    kind: str
    meaning: str
    keys: tuple[Key, ...]
    model: str
    choice: bool = False
    within: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        """Where Python finds its class."""
        return f"hil.scenario.{self.model}"

    @property
    def section(self) -> str:
        """The first part of its path."""
        return self.path.partition(".")[0]

    @property
    def heading(self) -> str:
        """As a file writes it: `[bess.NAME]`, `[[limits]]`, `[[limits.statistics]]`."""
        if self.listed:
            parts = self.path.split(".")
            whole = parts[-1] in (NAME, NUMBER)
            return f"[[{'.'.join(part for part in parts if part not in (NAME, NUMBER)) if whole else self.section}]]"
        return f"[{self.path}]" if self.path else "top of the file"

    @property
    def listed(self) -> bool:
        """Whether a file has a list of such tables."""
        return get_origin(bare(Scenario.model_fields[self.section].annotation)[0]) is list if self.path else False


@cache
def tables() -> tuple[Table, ...]:
    """All tables, in the order of the models, the top of the file first, sub-tables behind their table."""
    found: list[Table] = []
    for table in _tables(Scenario, ""):
        place = next((place for place, known in enumerate(found) if replace(known, within=table.within) == table), None)
        if place is None:
            found.append(table)
        else:  # what several kinds have below them
            found[place] = replace(table, within=(*found[place].within, *table.within))
    return tuple(found)


@cache
def profile_entry() -> Table:
    """The table that a file may have in place of limits, and that loading turns into them."""
    (table,) = _tables(ProfileEntry, "limits.profile")
    return table


def sections() -> dict[str, FieldInfo]:
    """The sections of a file: fields of the scenario that are tables."""
    return {alias(name, info): info for name, info in Scenario.model_fields.items() if models(info.annotation)}


def alias(name: str, info: FieldInfo) -> str:
    """The key of a field."""
    return info.alias or name


def must_be_given(name: str, info: FieldInfo) -> bool:
    """Whether a file must have the key: `kind` has a default in Python alone, where the class says it."""
    return info.is_required() or name == "kind"


def models(annotation: Any) -> list[type[BaseModel]]:
    """The models of the tables that a field holds: several where `kind` chooses; none where it holds values."""
    base, _ = bare(annotation)
    if isinstance(base, type) and issubclass(base, BaseModel):
        return [base]
    if get_origin(base) in (dict, list):
        return models(get_args(base)[-1])
    return [model for option in get_args(base) for model in models(option)]


def kind_of(model: type[BaseModel]) -> str:
    """The kind that a table of this model has; empty where it has none."""
    info = model.model_fields.get("kind")
    return str(get_args(info.annotation)[0]) if info is not None else ""


def merged(keys: list[Key]) -> list[Key]:
    """The keys, those that are alike but for the kind of their table as one, in the order of the first of each."""
    found: list[Key] = []
    for key in keys:
        place = next((place for place, known in enumerate(found) if replace(key, kinds=()) == replace(known, kinds=())), None)
        if place is None:
            found.append(key)
        else:
            found[place] = replace(found[place], kinds=(*found[place].kinds, *key.kinds))
    return found


def meaning_of(model: type[BaseModel]) -> str:
    """What a table is: the docstring of its model, as one paragraph."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").split())


def _tables(model: type[BaseModel], path: str, *, choice: bool = False, within: str = "") -> Iterator[Table]:
    kind = kind_of(model)
    plain = {name: info for name, info in model.model_fields.items() if not models(info.annotation) and not is_borne(info)}
    keys = tuple(_key(path, kind, name, info) for name, info in plain.items())
    yield Table(path, kind, meaning_of(model), keys, model.__name__, choice, (within,) if within else ())
    for name, info in model.model_fields.items():
        inner = models(info.annotation)
        below = _below(path, alias(name, info), info, inner)
        for one in inner:
            yield from _tables(one, below, choice=len(inner) > 1, within=kind)


def _below(path: str, name: str, info: FieldInfo, inner: list[type[BaseModel]]) -> str:
    """The path of the tables that a field holds."""
    path = f"{path}.{name}" if path else name
    origin = get_origin(bare(info.annotation)[0])
    if origin is dict:
        return f"{path}.{NAME}"
    if origin is list:
        return f"{path}.{NAME if all('name' in model.model_fields for model in inner) else NUMBER}"
    return path


def _key(path: str, kind: str, name: str, info: FieldInfo) -> Key:
    value = value_of(info)
    meaning, *derived = re.split(_DEFAULT, info.description or "", maxsplit=1)
    default = "".join(derived)
    required = must_be_given(name, info)
    if not required and not derived:
        fallback = info.get_default(call_default_factory=True)
        default = "" if fallback in (None, {}, []) else toml(value.written(fallback))
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    source = str(extra.get("source", ""))
    kinds = (kind,) if kind else ()
    return Key(path, alias(name, info), kinds, meaning, value, default, bool(derived), required, source)


def is_kind(key: Key) -> bool:
    """Whether a key chooses the kind of its table."""
    return key.name == "kind" and key.value.form is Form.CHOICE
