"""The keys that a scenario may have, read from the models."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel, PlainSerializer

from hil.scenario.model import Scenario
from hil.scenario.quantity import Dimension


def keys_at(location: tuple[int | str, ...], document: Any) -> list[str]:
    """Keys that the table at `location` of a document may have, in the order of the model."""
    models = _models_at(location, document)
    return [field.alias or name for name, field in models[0].model_fields.items()] if models else []


def unit_at(location: tuple[int | str, ...], document: Any) -> str:
    """Unit of the quantity at `location`, with a blank before it; empty where it is a plain number."""
    for model in _models_at(location[:-1], document):
        for name, field in model.model_fields.items():
            if location[-1] in (name, field.alias):
                for item in field.metadata:
                    owner = getattr(item.func, "__self__", None) if isinstance(item, PlainSerializer) else None
                    if isinstance(owner, Dimension) and owner.unit:
                        return f" {owner.unit}"
    return ""


def _models_at(location: tuple[int | str, ...], document: Any) -> list[type[BaseModel]]:
    """Models that the table at `location` may follow; one, where its `kind` tells which."""
    models: list[type[BaseModel]] = [Scenario]
    node = document
    for part in location:
        inside = node.get(part) if isinstance(node, dict) else None
        if isinstance(node, list) and isinstance(part, int):
            inside = node[part]
        if inside is None:  # the tag of a union
            continue
        node = inside
        nested: list[type[BaseModel]] = []
        for model in models:
            for name, field in model.model_fields.items():
                if part in (name, field.alias):
                    nested = _models(field.annotation)
        models = nested or models
    kind = node.get("kind") if isinstance(node, dict) else None
    for model in models:
        if kind is not None and "kind" in model.model_fields and kind in get_args(model.model_fields["kind"].annotation):
            return [model]
    return models


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is None:
        return []
    return [model for part in get_args(annotation) for model in _models(part)]
