"""Loading a scenario: a file or a packaged name, overrides, one clear line for whatever is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hil.errors import ScenarioError
from hil.scenario.model import Scenario
from hil.scenario.problems import scenario_error

PACKAGED = Path(__file__).parent.parent / "scenarios"


def packaged() -> dict[str, str]:
    """Names and titles of the packaged scenarios."""
    found = {}
    for path in sorted(PACKAGED.glob("*.toml")):
        found[path.stem] = str(tomllib.loads(path.read_text()).get("title", ""))
    return found


def load(source: str | Path, overrides: Iterable[str] = ()) -> Scenario:
    """Load a scenario from a TOML file or by the name of a packaged one.

    overrides: `key=value` with a dotted key; the value is TOML if it parses, else a string. Entries of lists go by index or
    by their `name`. Raises ScenarioError.
    """
    path = _find(source)
    name = path.stem if path.parent == PACKAGED else str(source)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(name, "", f"not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(name, "", f"cannot be read: {error}") from None
    for override in overrides:
        _override(name, document, override)
    scenario = from_document(document, source=name, folder=path.parent)
    return scenario.named(path.stem)


def from_document(document: dict[str, Any], *, source: str = "scenario", folder: Path | None = None) -> Scenario:
    """Validate a document as a file would be. Raises ScenarioError."""
    try:
        return Scenario.model_validate(document, context={"file": True, "folder": folder})
    except ValidationError as error:
        raise scenario_error(source, document, error) from None


def checked(scenario: Scenario) -> Scenario:
    """The scenario validated as a whole again: sections that were assigned to in Python may no longer agree.

    Raises ScenarioError.
    """
    return from_document(scenario.document(), source=scenario.name).named(scenario.name)


def _find(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix == ".toml" or path.is_file():
        if not path.is_file():
            raise ScenarioError(str(source), "", "no such file")
        return path
    candidate = PACKAGED / f"{source}.toml"
    if path.name != str(source) or not candidate.is_file():
        known = ", ".join(packaged())
        raise ScenarioError(str(source), "", f"no such scenario; name a .toml file or one of: {known}")
    return candidate


def _override(source: str, document: dict[str, Any], text: str) -> None:
    key, equals, value_text = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ScenarioError(source, f"--set {text}", ": must be key=value, such as bess.main.rating='5 MVA'")
    try:
        value = tomllib.loads(f"value = {value_text}")["value"]
    except tomllib.TOMLDecodeError:
        value = value_text.strip()
    node: Any = document
    parts = key.split(".")
    for index, part in enumerate(parts):
        place: Any = part
        if isinstance(node, list):
            place = _entry(source, key, node, part)
        elif not isinstance(node, dict):
            raise ScenarioError(source, f"--set {key}", f": {'.'.join(parts[:index])} is not a table")
        if index == len(parts) - 1:
            node[place] = value
        else:
            node = node[place] if isinstance(node, list) else node.setdefault(place, {})


def _entry(source: str, key: str, entries: list[Any], part: str) -> Any:
    for index, entry in enumerate(entries):
        if part == str(index) or (isinstance(entry, dict) and entry.get("name") == part):
            return index
    names = ", ".join(str(entry.get("name", i)) if isinstance(entry, dict) else str(i) for i, entry in enumerate(entries))
    raise ScenarioError(source, f"--set {key}", f": no entry {part!r}; there are: {names or 'none'}")
