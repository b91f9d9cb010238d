"""The keys that a scenario may have, read from the models."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel

from hil.scenario.model import Scenario


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is None:
        return []
    return [model for part in get_args(annotation) for model in _models(part)]


def keys_at(location: tuple[int | str, ...], document: Any) -> list[str]:
    """Keys that the table at `location` of a document may have, in the order of the model."""
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
            models = [model]
    return [field.alias or name for field, name in ((f, n) for n, f in models[0].model_fields.items())] if models else []
