"""Where a place of a document stands in the models: its path, its value, and what may stand there."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, PlainSerializer
from pydantic.fields import FieldInfo

from hil.scenario.base import is_borne
from hil.scenario.quantity import Dimension

ABSENT = object()
"""The value of a key that a document does not have."""


@dataclass(frozen=True)
class Place:
    """A place of a document.

    path: as the file spells it, an entry of a list by its name. tables: models that the table around it may follow; one, where
    its `kind` tells which. beside: models that it would follow with another `kind`. field: its key in the model, where there
    is one.
    """

    path: str
    value: Any
    tables: list[type[BaseModel]]
    beside: list[type[BaseModel]]
    field: FieldInfo | None

    @property
    def keys(self) -> list[str]:
        """Keys that the table around it may have, in the order of the model."""
        return _keys(self.tables[0]) if self.tables else []

    @property
    def kind(self) -> str | None:
        """The kind of the table around it; None where there are no kinds to choose from."""
        return _kinds(self.tables[0])[0] if self.tables and self.beside else None

    @property
    def listed(self) -> bool:
        """Whether a list of tables stands here."""
        return self.field is not None and bool(_entries(self.field.annotation, list))

    @property
    def named(self) -> list[str]:
        """Keys of the tables that stand here by name; none where something else does."""
        models = _entries(self.field.annotation, dict) if self.field else []
        return [key for model in models for key in _keys(model)]

    def kinds_with(self, key: str) -> list[str]:
        """The other kinds that the table around it would need to have for a key."""
        return [kind for model in self.beside if key in _keys(model, own=True) for kind in _kinds(model)]

    @property
    def dimension(self) -> Dimension | None:
        """The dimension of the quantity here; None where it is no quantity."""
        if self.field is None:
            return None
        options = [get_args(option) for option in get_args(self.field.annotation)]  # of a key that may be left out
        for item in (*self.field.metadata, *(part for option in options for part in option[1:])):
            owner = getattr(item.func, "__self__", None) if isinstance(item, PlainSerializer) else None
            if isinstance(owner, Dimension):
                return owner
        return None

    @property
    def default(self) -> Any:
        """What a file would write for the default; ABSENT where there is none."""
        if self.field is None or self.field.is_required() or self.field.default_factory or self.field.default is None:
            return ABSENT
        return self.dimension.text(self.field.default) if self.dimension else self.field.default


def find(location: tuple[int | str, ...], document: Any, root: type[BaseModel]) -> Place:
    """The place at a location, as pydantic gives it: it may hold tags of unions and `[key]`, which are no keys.

    What a kind and a key of it are both called is the key where nothing follows.
    """
    path = ""
    node, options = document, [root]
    tables: list[type[BaseModel]] = []
    beside: list[type[BaseModel]] = []
    field: FieldInfo | None = None
    tagged = False
    for place, part in enumerate(location):
        models = _tables(options, node)
        is_key = place == len(location) - 1 and any(part in _keys(model) for model in models)
        if part == "[key]" or (
            isinstance(node, dict) and part == node.get("kind") and not (tagged or is_key) and len(_tables(options)) > 1
        ):
            tagged = True
            continue
        if isinstance(node, list) and isinstance(part, int) and part >= len(node):  # an entry that a pair lacks
            break
        path = _joined(path, node, part)
        tables, field, tagged = models, _field(models, part), False
        beside = [model for model in _tables(options) if model not in models]
        options = _inside(options, models, part)
        if isinstance(node, dict):
            node = node.get(part, ABSENT)
        else:
            node = node[part] if isinstance(node, list) and isinstance(part, int) else ABSENT
    return Place(path, node, tables, beside, field)


def lists(root: type[BaseModel]) -> list[str]:
    """The keys of a model that hold a list of tables."""
    found = {key: _field([root], key) for key in _keys(root)}
    return [key for key, field in found.items() if field and _entries(field.annotation, list)]


def _joined(path: str, node: Any, part: int | str) -> str:
    """The path to an entry of `node`: one of a list goes by its name, where that is its own."""
    if isinstance(node, list) and isinstance(part, int):
        names = [entry.get("name") if isinstance(entry, dict) else None for entry in node]
        name = names[part]
        if isinstance(name, str) and name and names.count(name) == 1:
            part = name
    return f"{path}.{part}" if path else str(part)


def _tables(options: list[Any], node: Any = None) -> list[type[BaseModel]]:
    models = [option for option in options if isinstance(option, type) and issubclass(option, BaseModel)]
    kind = node.get("kind") if isinstance(node, dict) else None
    for model in models:
        if isinstance(kind, str) and kind in _kinds(model):
            return [model]
    return models


def _kinds(model: type[BaseModel]) -> tuple[str, ...]:
    """The values of `kind` that a model stands for."""
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()


def _keys(model: type[BaseModel], *, own: bool = False) -> list[str]:
    """The keys of a model, in its order; of its own, or also those that it only bears."""
    return [field.alias or name for name, field in model.model_fields.items() if not (own and is_borne(field))]


def _field(models: list[type[BaseModel]], part: int | str) -> FieldInfo | None:
    for model in models:
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                return field
    return None


def _inside(options: list[Any], models: list[type[BaseModel]], part: int | str) -> list[Any]:
    field = _field(models, part)
    if field is not None:
        return _options(field.annotation)
    for option in options:
        if get_origin(option) in (dict, list):
            return _options(get_args(option)[-1])
    return []


def _entries(annotation: Any, container: type) -> list[type[BaseModel]]:
    """The models of what a list, or a table by name, holds; none where it is not that container, or holds no tables."""
    return _tables(_options(get_args(annotation)[-1])) if get_origin(annotation) is container else []


def _options(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _options(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [option for part in get_args(annotation) for option in _options(part)]
    return [annotation]
