"""The reference of all keys, docs/keys.md, from the models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hil.guide.keys import Key, Table, is_kind, merged, sections, tables
from hil.guide.values import Form
from hil.scenario.quantity import Dimension

_HEAD = """# Keys of a scenario

Written by `make docs` from the models in `hil/scenario`; a test holds it to them. How a file is written, and what rules reach
across keys, is said in [scenario.md](scenario.md). `hil explain KEY` tells the same of one key, `hil schema` to an editor.

A *source* says where a default, or a bound, comes from: a document that was read (or was not, where it says *secondary*), an
assumption, or "a choice": a setting of this testbed that claims nothing about the world. A default in words follows from other
keys, or is handier so. A *share* is a plain number between 0 and 1. *In Python* a table is the class that is named with it
([python.md](python.md)).
"""
_CHOICE = "a choice of this testbed"
_KINDS = "One of several kinds."


def page() -> str:
    """The whole page, Markdown."""
    every = tables()
    parts = [_HEAD, _units(every), _part("Top level", every[0].meaning, [every[0]])]
    parts += [_named(name, info.description or "", every) for name, info in sections().items()]
    return re.sub(r"docs/(\w+\.md)", r"[\1](\1)", "\n".join(parts))


def _units(every: Sequence[Table]) -> str:
    """The kinds of quantities, with an example and the units of each."""
    found: dict[tuple[str, str], Dimension] = {}
    for table in every:
        for key in table.keys:
            dimension = key.value.dimension
            if dimension is not None and dimension.unit:
                found.setdefault((dimension.name, dimension.unit), dimension)
    rows = (
        (name, f'`"{dimension.example}"`', ", ".join(unit for unit in dimension.units if unit))
        for (name, _), dimension in found.items()
    )
    per_unit = 'Values *per unit* are plain numbers, `0.95`, or `"0.95 pu"`.'
    return f"## Quantities\n\n{_rows(('quantity', 'such as', 'units'), rows)}\n{per_unit}\n"


def _named(section: str, about: str, every: Sequence[Table]) -> str:
    """A section of a file, with its kinds and the tables below it."""
    own = [table for table in every if table.section == section]
    tops = [table for table in own if table.path == own[0].path]
    text = _part(f"`{tops[0].heading}`", tops[0].meaning if len(tops) == 1 else f"{about[:1].upper()}{about[1:]}.", tops)
    below = {path: [table for table in own if table.path == path] for path in dict.fromkeys(table.path for table in own)}
    return text + "".join(
        f"\n{_part(f'`{several[0].heading}`', several[0].meaning if len(several) == 1 else _KINDS, several, level=3)}"
        for path, several in below.items()
        if path != own[0].path
    )


def _part(heading: str, about: str, chosen: list[Table], *, level: int = 2) -> str:
    """A heading, what it is, and a table of keys; where there are kinds, one of those that all have and one for each."""
    lines = [f"{'#' * level} {heading}", "", about, ""]
    if len(chosen) == 1:
        lines += [_class(chosen[0]), "", _keys(chosen[0].keys)]
        return "\n".join(lines)
    keys = merged([key for table in chosen for key in table.keys if not is_kind(key)])
    common = [key for key in keys if len(key.kinds) == len(chosen)]
    lines += ["For every `kind`:", "", _keys(common)] if common else []
    for table in chosen:
        own = [key for key in table.keys if not is_kind(key) and not any(_is(key, other) for other in common)]
        lines += [f'{"#" * (level + 1)} `kind = "{table.kind}"`', "", table.meaning, "", _class(table), ""]
        lines += [_keys(own)] if own else []
    return "\n".join(lines)


def _class(table: Table) -> str:
    return f"In Python: `{table.python}`"


def _is(key: Key, other: Key) -> bool:
    return key.name == other.name and set(key.kinds) <= set(other.kinds)


def _keys(keys: Iterable[Key]) -> str:
    rows = (
        (
            f"`{key.name}`",
            _coded(key.value.short) if key.value.form in (Form.CHOICE, Form.FLAG) else key.value.short,
            "required" if key.required else _default(key),
            key.value.range,
            key.meaning,
            key.source.replace(_CHOICE, "a choice"),
        )
        for key in keys
    )
    return _rows(("key", "value", "default", "range", "meaning", "source"), rows)


def _default(key: Key) -> str:
    """A default as code where a file would write it so, in words as they are."""
    return f"`{key.default}`" if key.default and not key.derived else key.default


def _coded(words: str) -> str:
    return ", ".join(f"`{word}`" for word in words.split(", "))


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"
