"""What may stand at a key: the kind of value and its bounds, in words."""

from __future__ import annotations

import json
import re
import types
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import PlainSerializer
from pydantic.fields import FieldInfo

from hil.scenario.base import Share
from hil.scenario.quantity import Dimension, WholeSeconds

_BOUNDS = ("gt", "ge", "lt", "le")
_NAME = re.compile(r"\[A-Za-z\]\[[^\]]*\]\*")


class Form(StrEnum):
    """Forms that a value can have in a file."""

    QUANTITY = "quantity"
    AMOUNT = "amount"
    NUMBER = "number"
    WHOLE = "whole number"
    FLAG = "flag"
    TEXT = "text"
    FILE = "file"
    CHOICE = "choice"
    LIST = "list"
    PAIR = "pair"
    TABLE = "table"


@dataclass(frozen=True)
class Value:
    """What may stand at a key.

    bounds: by "gt", "ge", "lt", "le", in SI. least: entries of a list, or letters of a text. item: of a list or a pair;
    of a table, where it holds numbers and quantities only. second: of a pair, where it is something else than the first.
    """

    form: Form
    dimension: Dimension | None = None
    bounds: dict[str, float] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    pattern: str = ""
    least: int = 0
    item: Value | None = None
    second: Value | None = None
    whole: bool = False
    share: bool = False

    @property
    def short(self) -> str:
        """The kind of value in a few words, for a column of a table."""
        if self.form is Form.QUANTITY and self.dimension is not None:
            name = self.dimension.name if self.dimension.unit else "per unit"
            return f"{name}, whole seconds" if self.whole else name
        if self.form is Form.CHOICE:
            return ", ".join(f'"{choice}"' for choice in self.choices)
        if self.form in (Form.LIST, Form.PAIR) and self.item is not None:
            return f"{self.form} of {self.items}"
        return "share" if self.share else {Form.FLAG: "true, false"}.get(self.form, self.form.value)

    @property
    def words(self) -> str:
        """The kind of value as a phrase, with what a file writes for it."""
        if self.form is Form.QUANTITY and self.dimension is not None:
            return _quantity(self.dimension, whole=self.whole)
        if self.form is Form.CHOICE:
            return self.short if len(self.choices) == 1 else f"one of {self.short}"
        if self.form is Form.PAIR and self.item is not None:
            return "[low, high], two shares between 0 and 1" if self.item.share else f"a {self.form} of {self.items}"
        if self.form is Form.LIST and self.item is not None:
            return f"a list of {self.items}"
        if self.form is Form.TABLE:
            return "a table" if self.item is None else "a table of numbers and quantities"
        if self.share:
            return "a share between 0 and 1"
        return {
            Form.AMOUNT: "a number, or a quantity with its unit",
            Form.NUMBER: "a plain number",
            Form.WHOLE: "a whole number",
            Form.FLAG: "true or false",
            Form.TEXT: "a text",
            Form.FILE: "the path of a file, from the scenario's folder",
        }[self.form]

    @property
    def items(self) -> str:
        """What a list or a pair holds, in the plural."""
        if self.item is None or self.item.form is Form.CHOICE:
            return "" if self.item is None else self.item.short
        if self.second is not None:
            return f"{self.item.short} and {self.second.short}"
        if self.item.form in (Form.LIST, Form.PAIR):
            return f"{self.item.form}s of {self.item.items}"
        return f"{self.item.short.removesuffix('y')}ies" if self.item.short.endswith("y") else f"{self.item.short}s"

    @property
    def range(self) -> str:
        """The bounds in words and handy units; empty where there are none."""
        if self.pattern:
            return _alternatives(self.pattern)
        if self.form in (Form.LIST, Form.TEXT):
            return "not empty" if self.least else ""
        if self.form is Form.PAIR and self.item is not None and self.item.share:
            return "0 to 1, rising"
        if self.share and not self.bounds:
            return "0 to 1"
        bounds = self.bounds if not self.share else {"ge": 0.0, "le": 1.0} | self.bounds
        if "gt" in bounds:
            bounds = {key: value for key, value in bounds.items() if key != "ge"}
        if "ge" in bounds and "le" in bounds:
            return f"{self._bound(bounds['ge'])} to {self._bound(bounds['le'])}"
        named = (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most"))
        return ", ".join(f"{word} {self._bound(bounds[key])}" for key, word in named if key in bounds)

    @property
    def told(self) -> bool:
        """Whether the words say the range already."""
        return (self.share and not self.bounds) or (self.form is Form.PAIR and self.item is not None and self.item.share)

    def written(self, value: Any) -> Any:
        """A default as a document holds it: quantities with units."""
        if self.dimension is not None:
            return _plain(self.dimension.text(value))
        if self.second is not None and self.item is not None:
            return [self.item.written(value[0]), self.second.written(value[1])]
        if self.form in (Form.LIST, Form.PAIR) and self.item is not None:
            return [self.item.written(entry) for entry in value]
        return _plain(value)

    def _bound(self, value: float) -> str:
        if self.dimension is None or not self.dimension.unit or value == 0.0:
            return f"{value:,.15g}"
        return str(self.dimension.text(float(value)))


def value_of(field_info: FieldInfo) -> Value:
    """What may stand at a field of a model."""
    return _value(field_info.annotation, list(field_info.metadata))


def toml(value: Any) -> str:
    """A default as a file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def bare(annotation: Any) -> tuple[Any, list[Any]]:
    """An annotation without `None` and `Annotated`, and what these hold beside it."""
    if get_origin(annotation) is Annotated:
        inner, *beside = get_args(annotation)
        base, deeper = bare(inner)
        return base, [*deeper, *beside]
    if get_origin(annotation) in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not types.NoneType]
        if len(options) == 1:
            return bare(options[0])
    return annotation, []


def _value(annotation: Any, metadata: list[Any]) -> Value:
    base, beside = bare(annotation)
    notes = [*beside, *metadata]
    bounds = {key: getattr(note, key) for note in notes for key in _BOUNDS if getattr(note, key, None) is not None}
    dimension = next((owner for note in notes if (owner := _dimension(note)) is not None), None)
    if dimension is not None:
        return Value(Form.QUANTITY, dimension, bounds, whole=_like(notes, WholeSeconds))
    origin, arguments = get_origin(base), get_args(base)
    least = max((getattr(note, "min_length", None) or 0 for note in notes), default=0)
    if origin is Literal:
        return Value(Form.CHOICE, choices=tuple(map(str, arguments)))
    if origin is tuple:
        first, second = (_value(argument, []) for argument in arguments)
        return Value(Form.PAIR, item=first, second=None if second == first else second)
    if origin is list:
        return Value(Form.LIST, item=_value(arguments[0], []), least=least)
    if origin is dict:
        return Value(Form.TABLE, item=None if arguments[-1] is Any else Value(Form.NUMBER))
    if base == (float | str):
        return Value(Form.AMOUNT)
    if base is bool:
        return Value(Form.FLAG)
    if base is int:
        return Value(Form.WHOLE, bounds=bounds)
    if base is float:
        return Value(Form.NUMBER, bounds=bounds, share=_like(notes, Share))
    if base is Path:
        return Value(Form.FILE)
    if base is str:
        pattern = next((str(note.pattern) for note in notes if getattr(note, "pattern", None)), "")
        return Value(Form.TEXT, pattern=pattern, least=least)
    raise TypeError(f"no words for {annotation!r}")


def _like(notes: list[Any], wanted: Any) -> bool:
    """Whether the last check of a type of the models is among the notes of another."""
    checks = [note for note in get_args(wanted)[1:] if not isinstance(note, PlainSerializer)]
    return checks[-1] in notes


def _dimension(note: Any) -> Dimension | None:
    owner = getattr(note.func, "__self__", None) if isinstance(note, PlainSerializer) else None
    return owner if isinstance(owner, Dimension) else None


def _quantity(dimension: Dimension, *, whole: bool) -> str:
    if not dimension.unit:
        return f'a number per unit, such as {dimension.example} or "{dimension.example} pu"'
    units = ", ".join(unit for unit in dimension.units if unit)
    kind = "a whole number of seconds" if whole else f"{dimension.article} {dimension.name}"
    example = "5 s" if whole else dimension.example
    return f'{kind} such as "{example}"; units: {units}'


def _alternatives(pattern: str) -> str:
    """The alternatives of a pattern, as people write them: "pcc", "bus" or "ups.NAME"."""
    options = _NAME.sub("NAME", pattern).strip("^$()").replace("\\", "").split("|")
    *others, last = (f'"{option}"' for option in options)
    return f"{', '.join(others)} or {last}" if others else last


def _plain(value: Any) -> Any:
    """Whole floats as whole numbers, paths as texts."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return str(value) if isinstance(value, Path) else value
