"""Overlays: partial documents laid over a scenario before it is checked, for `hil compare --with` (docs/compare.md)."""

from __future__ import annotations

import copy
import itertools
import os
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.errors import ScenarioError
from hil.scenario.files import PACKAGED, Written, read_document
from hil.scenario.model import Scenario
from hil.scenario.profiles import expand_profiles

REMEDIES = PACKAGED / "remedies"
NONE = "none"
"""What the base goes by, over which nothing is laid."""

MOST_COMBINED = 8
_PATH_KEYS = ("trace", "law", "class")  # their files are looked for beside the overlay first


@dataclass(frozen=True)
class Overlay:
    """A partial document. name: that of its file. title: what people call it. source: how errors name it."""

    name: str
    title: str
    source: str
    document: dict[str, Any]


Variant = tuple[Overlay, ...]
"""What is laid over a scenario together, in this order; nothing of the base."""


def remedies() -> dict[str, str]:
    """Names and titles of the packaged overlays."""
    paths = sorted(REMEDIES.glob("*.toml"))
    return {path.stem: str(tomllib.loads(path.read_text(encoding="utf-8")).get("title", "")) for path in paths}


def read_overlay(source: str | Path) -> Overlay:
    """An overlay from a TOML file, or by the name of a packaged one. Raises ScenarioError."""
    path = Path(source)
    if not os.path.isfile(path):  # noqa: PTH113  # says no, where Path.is_file raises
        path = REMEDIES / f"{source}.toml"
        if str(source) not in remedies():
            known = f"a file that ends in .toml, or one of: {', '.join(remedies())}"
            raise ScenarioError(str(source) or "''", "", f"no such overlay; {known}")
    name = path.stem if path.parent == REMEDIES else str(source)
    document = read_document(path, name)
    title = document.pop("title", path.stem)
    if not isinstance(title, str) or not title:
        raise ScenarioError(name, "title", f" = {title!r}: must be a string that is not empty")
    expand_profiles(document, path.parent, name)
    _resolve(document, path.parent)
    return Overlay(path.stem, title, name, document)


def variants(sources: Sequence[str | Path], *, combine: bool = False) -> list[Variant]:
    """What `--with` asks for, each once: overlays as they are given, several together where a plus joins them.

    The base comes first. combine: all subsets of the overlays given instead, the small ones first. Raises ScenarioError.
    """
    read: dict[str, Overlay] = {}

    def one(source: str | Path) -> Overlay:
        overlay = read_overlay(source)
        before = read.setdefault(overlay.name, overlay)
        if before.document != overlay.document:
            raise ScenarioError(overlay.source, "", f"goes by the name {overlay.name!r}, as {before.source} does")
        return before

    asked: list[Variant] = [tuple(one(part) for part in _parts(source)) for source in sources]
    if combine:
        single = list(dict.fromkeys(overlay.name for variant in asked for overlay in variant if overlay.document))
        if len(single) > MOST_COMBINED:
            what = f"{len(single)} overlays have {2 ** len(single):,} subsets; at most {MOST_COMBINED} can be combined"
            raise ScenarioError("--combine", "", what)
        sizes = range(1, len(single) + 1)
        asked = [tuple(read[name] for name in names) for size in sizes for names in itertools.combinations(single, size)]
    found: dict[tuple[str, ...], Variant] = {(): ()}
    for variant in asked:
        laid = tuple(dict.fromkeys(overlay.name for overlay in variant if overlay.document))
        found.setdefault(laid, tuple(read[name] for name in laid))
    return list(found.values())


def name_of(variant: Variant) -> str:
    """What a variant goes by, in a table and as a folder."""
    return "+".join(overlay.name for overlay in variant) or NONE


def title_of(variant: Variant) -> str:
    """What people call it."""
    return " + ".join(overlay.title for overlay in variant) or NONE


def lay(base: Written, variant: Variant) -> Laid:
    """The base with overlays over it, not checked yet. Raises ScenarioError for a limit taken away that is not there."""
    laid = Laid(base, variant)
    for overlay in variant:
        laid.put(overlay)
    return laid


class Laid:
    """A document and who brought what into it.

    Tables merge and keys replace; a table of another `kind` replaces the whole. Limits merge by name, and may stand as tables
    `[limits."NAME"]` too; events are appended, other lists replaced. `false` takes away what is not itself true or false.
    """

    def __init__(self, base: Written, variant: Variant) -> None:
        self._variant = variant
        self._base = base
        self._document = copy.deepcopy(base.document)
        self._brought: dict[str, tuple[Overlay, str]] = {}  # path here: whose, and its path there
        titles = [str(base.document.get("title", "")), *(overlay.title for overlay in variant)]
        if variant:
            self._document["title"] = ", with ".join(filter(None, [titles[0] or base.name, " + ".join(titles[1:])]))

    @property
    def source(self) -> str:
        """How errors name it, where no overlay alone is to blame."""
        return " with ".join(filter(None, [self._base.source, " + ".join(overlay.source for overlay in self._variant)]))

    def scenario(self) -> Scenario:
        """The scenario that it makes. Raises ScenarioError, of the overlay that brought the key where one did."""
        name = self._base.name if not self._variant else f"{self._base.name}-{name_of(self._variant)}"
        try:
            return Written(self._document, name, self.source, self._base.folder).scenario()
        except ScenarioError as error:
            raise self.told(error) from None

    def told(self, error: ScenarioError) -> ScenarioError:
        """An error of the scenario as one of the overlay that brought the key, where one did."""
        path = error.key
        while path and error.source == self.source:
            if path in self._brought:
                overlay, own = self._brought[path]
                return ScenarioError(overlay.source, own + error.key[len(path) :], error.problem)
            path = path.rpartition(".")[0]
        return error

    def put(self, overlay: Overlay) -> None:
        """Lay an overlay over it. Raises ScenarioError."""
        for key, value in overlay.document.items():
            self._put(self._document, "", key, value, overlay)

    def _put(self, node: dict[str, Any], above: str, key: str, value: Any, overlay: Overlay) -> None:
        path = f"{above}.{key}" if above else key
        there = node.get(key)
        if value is False and key in node and not isinstance(there, bool):
            del node[key]
            self._forget(path)
            self._brought[path] = (overlay, path)
        elif path == "limits" and isinstance(value, (list, dict)):
            self._limits(node.setdefault("limits", []), value, overlay)
        elif path == "events" and isinstance(value, list) and isinstance(there, list):
            for own, event in enumerate(value):
                self._bring(f"events.{len(there)}", event, overlay, f"events.{own}")
                there.append(copy.deepcopy(event))
        elif isinstance(there, dict) and isinstance(value, dict) and value.get("kind", there.get("kind")) == there.get("kind"):
            for inner, entry in value.items():
                self._put(there, path, inner, entry, overlay)
        else:
            self._forget(path)
            self._bring(path, value, overlay, path)
            node[key] = copy.deepcopy(value)

    def _limits(self, entries: Any, value: list[Any] | dict[str, Any], overlay: Overlay) -> None:
        if not isinstance(entries, list):  # what the base says is no list: told when it is checked
            return
        by_name = {entry.get("name"): entry for entry in entries if isinstance(entry, dict)}
        given = value if isinstance(value, list) else [
            {"name": name, **entry} if isinstance(entry, dict) else (name, entry) for name, entry in value.items()
        ]  # fmt: skip
        for number, entry in enumerate(given):
            if isinstance(entry, tuple):
                self._take_away(entries, by_name, entry, overlay)
                continue
            name = entry.get("name") if isinstance(entry, dict) else None
            path = f"limits.{name if isinstance(name, str) and name else len(entries)}"
            there = by_name.get(name) if isinstance(name, str) else None
            if there is None:
                self._bring(path, entry, overlay, path if isinstance(name, str) else f"limits.{number}")
                entries.append(copy.deepcopy(entry))
                by_name[name] = entries[-1]
            elif entry.get("kind", there.get("kind")) != there.get("kind"):
                self._forget(path)
                self._bring(path, entry, overlay, path)
                there.clear()
                there.update(copy.deepcopy(entry))
            else:
                for inner, what in entry.items():
                    if inner != "name":
                        self._put(there, path, inner, what, overlay)

    def _take_away(self, entries: list[Any], by_name: dict[Any, Any], limit: tuple[str, Any], overlay: Overlay) -> None:
        name, value = limit
        if value is not False:
            raise ScenarioError(overlay.source, f"limits.{name}", f" = {value!r}: must be a table, or false")
        if name not in by_name:
            there = ", ".join(str(known) for known in by_name) or "none"
            raise ScenarioError(overlay.source, f"limits.{name}", f" = false: no such limit; there are: {there}")
        entries[:] = [entry for entry in entries if entry is not by_name[name]]
        del by_name[name]
        self._forget(f"limits.{name}")

    def _bring(self, path: str, value: Any, overlay: Overlay, own: str) -> None:
        self._brought[path] = (overlay, own)
        for inner, what in _inside(value):
            self._bring(f"{path}.{inner}", what, overlay, f"{own}.{inner}")

    def _forget(self, path: str) -> None:
        self._brought = {key: who for key, who in self._brought.items() if key != path and not key.startswith(f"{path}.")}


def _inside(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()


def _parts(source: str | Path) -> list[str | Path]:
    """The overlays that a plus joins; a file whose name has one is itself."""
    if isinstance(source, Path) or "+" not in source or os.path.isfile(source):  # noqa: PTH113
        return [source]
    return list(source.split("+"))


def _resolve(node: Any, folder: Path) -> None:
    """Make paths absolute whose files lie beside the overlay; others are looked for as those of the base."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key in _PATH_KEYS and isinstance(value, str):
            file, colon, name = value.rpartition(":") if key != "trace" else (value, "", "")
            if os.path.isfile(folder / file):  # noqa: PTH113
                node[key] = f"{(folder / file).resolve()}{colon}{name}"
        else:
            _resolve(value, folder)
