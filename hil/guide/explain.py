"""What a key of a scenario means, as text for `hil explain`."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Sequence

from hil.errors import ScenarioError
from hil.guide.keys import NAME, NUMBER, Key, Table, is_kind, merged, profile_entry, sections, tables
from hil.scenario.profiles import profile_names

_LEAST_WIDTH = 60
_INDENT = "    "


def explain(asked: str | None = None, *, width: int = 100) -> str:
    """What a key, a section or a kind is: everything that goes by this name; without one, what a file holds.

    asked: as a file or `--set` spells it, with a name, its placeholder, a kind or nothing in the middle; or its last part
    alone. width: of the text, columns. Raises ScenarioError where nothing goes by that name.
    """
    width = max(width, _LEAST_WIDTH)
    every = tables()
    if asked is None:
        return _overview(every, width)
    wanted = asked.strip().strip("[]")
    if wanted == "limits.profile":
        return _profile(width)
    keys = [key for table in every for key in table.keys if _asks_for(wanted, table, key)]
    chosen = [table for table in every if _asks_for(wanted, table)]
    if (
        keys and "." in wanted
    ):  # `bess.soc` is a key of every BESS, not a BESS of that name; a kind may go by the name of a key
        chosen = [table for table in chosen if wanted.rpartition(".")[2] == table.kind]
    paths = list(dict.fromkeys(table.path for table in chosen))
    shown = [_profile(width)] if wanted == "profile" else []
    shown += [_section([table for table in chosen if table.path == path], every, width) for path in paths]
    shown += [_key(key, every, width) for key in merged([key for key in keys if not is_kind(key)])]
    choices = dict.fromkeys(key.table for key in keys if is_kind(key))
    shown += [_choice([table for table in every if table.path == path], width) for path in choices]
    if not shown:
        close = _close(wanted, every)
        raise ScenarioError("hil explain", asked or "''", ": unknown key" + (f"; did you mean {close!r}?" if close else ""))
    return "\n\n".join(shown)


def _asks_for(wanted: str, table: Table, key: Key | None = None) -> bool:
    """Whether a text names a table, or a key of it."""
    if "." not in wanted:
        if key is not None:
            return key.name == wanted
        own = table.path.removesuffix(f".{NAME}").removesuffix(f".{NUMBER}")
        return bool(wanted and own) and wanted in (own, own.rpartition(".")[2], table.kind)
    if key is None and wanted == table.path.removesuffix(f".{NAME}"):
        return True
    match = re.fullmatch(_pattern(table, key), wanted)
    kinds = {other.kind for other in tables() if other.path == table.path} if match and table.kind else set()
    return match is not None and (match["middle"] not in kinds or match["middle"] == table.kind)


def _pattern(table: Table, key: Key | None) -> str:
    """Texts that name a table or a key of it; the group `middle` is a name, its placeholder or a kind."""
    parts = table.path.split(".")
    place = next((place for place, part in enumerate(parts) if part in (NAME, NUMBER)), len(parts))
    head, named, rest = ".".join(parts[:place]), parts[place : place + 1], parts[place + 1 :]
    middle = r"\.(?P<middle>.+)" if table.listed and key is not None else r"\.(?P<middle>[^.]+)"
    if named and key is not None:
        middle = f"(?:{middle})?"
    elif not named:
        middle = rf"(?:\.(?P<middle>{table.kind or '(?!)'}))?"
    below = "".join(rf"\.(?:{part}|\d+)" if part == NUMBER else rf"\.{part}" for part in rest)
    return re.escape(head) + middle + below + (rf"\.{key.name}" if key is not None else "")


def _overview(every: Sequence[Table], width: int) -> str:
    top, *rest = every
    rows = []
    for name, info in sections().items():
        kinds = list(dict.fromkeys(table.kind for table in rest if table.section == name and table.choice))
        heading = next(table.heading for table in rest if table.section == name)
        about = (info.description or "") + (f"; kinds: {', '.join(kinds)}" if kinds else "")
        rows.append((heading, "required" if info.is_required() else "", about))
    lines = [
        *textwrap.wrap(f"{top.meaning} At the top of its file stand:", width),
        "",
        *_columns([_row(key, ()) for key in top.keys], width),
        "",
        "Sections:",
        "",
        *_columns(rows, width),
        "",
        *textwrap.wrap(
            "`hil explain SECTION` lists the keys of a section, `hil explain SECTION.KEY` tells all of a key.", width
        ),
    ]
    return "\n".join(lines)


def _is_below(path: str, above: str) -> bool:
    """Whether a table belongs to another, and not to one between them."""
    own = [part for part in path.removeprefix(f"{above}.").split(".") if part not in (NAME, NUMBER)]
    return path.startswith(f"{above}.") and len(own) == 1


def _own_name(table: Table) -> str:
    """The last part of its path that is no placeholder."""
    return next(part for part in reversed(table.path.split(".")) if part not in (NAME, NUMBER))


def _section(chosen: list[Table], every: Sequence[Table], width: int) -> str:
    """A table: what it is, its kinds where several are meant, a line for each key and each table below."""
    first = chosen[0]
    kinds = tuple(table.kind for table in chosen)
    if len(chosen) == 1:
        of_kind = f', kind = "{first.kind}"' if first.kind else ""
        lines = textwrap.wrap(f"{first.heading}{of_kind}: {first.meaning}", width, subsequent_indent=_INDENT)
        lines += [f"{_INDENT}In Python: {first.python}"]
    else:
        whole = first.path in (first.section, f"{first.section}.{NAME}", f"{first.section}.{NUMBER}")
        about = (sections()[first.section].description or "") if whole else "one of several kinds"
        lines = [f"{first.heading}: {about}", "", *_kinds(chosen, width)]
    keys = merged([key for table in chosen for key in table.keys if not is_kind(key)])
    rows = [_row(key, kinds) for key in keys]
    rows += [
        (_own_name(table), "", f"{'tables' if table.path.endswith(f'.{NUMBER}') else 'a table'} of its own: {table.meaning}")
        for table in every
        if _is_below(table.path, first.path) and (not table.within or set(table.within) & set(kinds))
    ]
    return "\n".join([*lines, "", *_columns(rows, width)])


def _profile(width: int) -> str:
    """An entry with a profile, which is no limit itself, and the packaged ones."""
    table = profile_entry()
    lines = textwrap.wrap(f"{table.heading}, profile = …: {table.meaning}", width, subsequent_indent=_INDENT)
    names = textwrap.wrap(f"Packaged: {', '.join(profile_names())}", width, subsequent_indent=_INDENT, break_on_hyphens=False)
    return "\n".join([*lines, "", *_columns([_row(key, ()) for key in table.keys], width), "", *names])


def _choice(chosen: list[Table], width: int) -> str:
    """The key `kind`."""
    return "\n".join([f"{chosen[0].path}.kind: which of these it is; required", "", *_kinds(chosen, width)])


def _kinds(chosen: list[Table], width: int) -> list[str]:
    return _columns([(f'kind = "{table.kind}"', "", table.meaning) for table in chosen], width)


def _key(key: Key, every: Sequence[Table], width: int) -> str:
    """All of a key."""
    around = [table for table in every if table.path == key.table]
    kinds = _of_kinds(key, tuple(table.kind for table in around))
    head = textwrap.wrap(f"{key.path}{f' ({kinds})' if kinds else ''}: {key.meaning}", width, subsequent_indent=_INDENT)
    where = next(table for table in around if not key.kinds or table.kind in key.kinds)
    kind = f', kind = "{where.kind}"' if where.kind else ""
    about = f"{kind}: {where.meaning}" if len(key.kinds) <= 1 else ""  # one kind can be told, several cannot
    rows = [("value", key.value.words), ("range", "" if key.value.told else key.value.range)]
    rows += [("required", "yes") if key.required else ("default", key.default or "none")]
    rows += [("source", key.source), ("stands in", f"{where.heading}{about}")]
    label = max(len(name) for name, _ in rows)
    for name, text in rows:
        if text:
            start = f"{_INDENT}{name:{label}}  "
            head += textwrap.wrap(f"{start}{text}", width, subsequent_indent=" " * len(start))
    return "\n".join(head)


def _row(key: Key, kinds: tuple[str, ...]) -> tuple[str, str, str]:
    """A key in a list: its name, its default, what it is."""
    of_kinds = _of_kinds(key, kinds)
    return key.name, "required" if key.required else key.default, f"({of_kinds}) {key.meaning}" if of_kinds else key.meaning


def _of_kinds(key: Key, kinds: tuple[str, ...]) -> str:
    """The kinds that have a key, where others have not."""
    return "" if set(kinds) <= set(key.kinds) or not key.kinds else ", ".join(key.kinds)


def _columns(rows: list[tuple[str, str, str]], width: int) -> list[str]:
    """Rows as aligned text; what is long in the middle goes on in a line of its own."""
    first = max((len(row[0]) for row in rows), default=0)
    second = max((len(row[1]) for row in rows if len(row[1]) <= width // 4), default=0)
    gap = 2 if second else 0
    lines = []
    for name, middle, text in rows:
        start = f"{_INDENT}{name:{first}}  {middle:{second}}{' ' * gap}"
        indent = " " * (len(_INDENT) + first + 2 + second + gap)
        if len(middle) > second:
            lines += textwrap.wrap(
                f"{_INDENT}{name:{first}}  {middle}", width, subsequent_indent=" " * (len(_INDENT) + first + 2)
            )
            start = indent
        lines += [line.rstrip() for line in textwrap.wrap(text, width, initial_indent=start, subsequent_indent=indent)] or [
            start.rstrip()
        ]
    return lines


def _close(wanted: str, every: Sequence[Table]) -> str:
    """What was probably meant; empty where nothing is near."""
    before, _, last = wanted.rpartition(".")
    around = [table for table in every if before and _asks_for(before, table)]
    near = [key.name for table in around for key in table.keys] + [table.kind for table in around if table.kind]
    if close := difflib.get_close_matches(last, near, n=1):
        return f"{before}.{close[0]}"
    names = [*sections(), *(key.name for table in every for key in table.keys), *(table.kind for table in every)]
    names += [table.path.rpartition(".")[2] for table in every]
    first, dot, rest = wanted.partition(".")
    if dot and (close := difflib.get_close_matches(first, list(sections()), n=1)) and close[0] != first:
        return f"{close[0]}.{rest}"
    close = difflib.get_close_matches(last, [name for name in names if name], n=1, cutoff=0.8 if dot else 0.6)
    return close[0] if close else ""
