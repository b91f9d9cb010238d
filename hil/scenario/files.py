"""Loading a scenario: a file or a packaged name, overrides, one clear line for whatever is wrong."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hil.errors import ScenarioError
from hil.scenario.model import Scenario
from hil.scenario.problems import scenario_error
from hil.scenario.profiles import expand_profiles
from hil.scenario.reference import lists
from hil.scenario.syntax import hint

PACKAGED = Path(__file__).parent.parent / "scenarios"
INCIDENTS = PACKAGED / "incidents"


def packaged() -> dict[str, str]:
    """Names and titles of the packaged scenarios."""
    return _titles(PACKAGED)


def incidents() -> dict[str, str]:
    """Names and titles of the packaged incidents: scenarios of what happened, which expect its outcome."""
    return _titles(INCIDENTS)


def _titles(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.glob("*.toml")):
        found[path.stem] = str(tomllib.loads(path.read_text(encoding="utf-8")).get("title", ""))
    return found


@dataclass(frozen=True)
class Written:
    """A document as it was written, before it is checked as a scenario.

    name: of the run's folder. source: how errors name it. folder: from which the paths in it go on. Profiles are expanded.
    """

    document: dict[str, Any]
    name: str
    source: str
    folder: Path | None = None

    def scenario(self) -> Scenario:
        """The scenario that it is. Raises ScenarioError."""
        return from_document(self.document, source=self.source, folder=self.folder).named(self.name, self.source)


_NO_SITE = {"duration": "10 min", "grid": {"short_circuit": "1 GVA"}}


def load(source: str | Path, overrides: Iterable[str] = (), *, load_alone: bool = False) -> Scenario:
    """Load a scenario from a TOML file or by the name of a packaged one.

    overrides: `key=value` as with `hil run --set`, with a dotted key; the value is TOML if it parses, else a string. Entries
    of lists go by index or by their `name`. load_alone: a file may hold no more than a `[load]`. Raises ScenarioError.
    """
    return written(source, overrides, load_alone=load_alone).scenario()


def written(source: str | Path, overrides: Iterable[str] = (), *, load_alone: bool = False) -> Written:
    """What `load` checks. Raises ScenarioError."""
    path = _find(source)
    name = path.stem if path.parent in (PACKAGED, INCIDENTS) else str(source)
    document = read_document(path, name)
    if load_alone:
        document = {**_NO_SITE, **document}
    expand_profiles(document, path.parent, name)
    for override in overrides:
        override_document(name, document, override)
    expand_profiles(document, path.parent, name)  # those that an override has brought
    return Written(document, path.stem, name, path.parent)


def load_of(section: dict[str, Any], overrides: Iterable[str] = (), *, source: str) -> Any:
    """A load that is no scenario's. overrides: as `load` takes them, with keys such as `load.scale`. Raises ScenarioError."""
    document = {**_NO_SITE, "load": dict(section)}
    for override in overrides:
        override_document(source, document, override)
    return from_document(document, source=source, folder=Path()).load


def load_finished(path: Path) -> Scenario:
    """The scenario of a finished run: files that it names may have gone since. Raises ScenarioError."""
    return from_document(read_document(path, str(path)), source=str(path), folder=path.parent, finished=True)


def read_document(path: Path, name: str) -> dict[str, Any]:
    """What stands in a TOML file; errors call it by `name`. Raises ScenarioError."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(name, "", f"not TOML: {error}{hint(text, str(error), lists(Scenario))}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(name, "", f"cannot be read: not UTF-8 text, at byte {error.start}") from None
    except OSError as error:
        raise ScenarioError(name, "", f"cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise ScenarioError(name, "", "not TOML: nested too deeply") from None
    except ValueError:  # so it is for tomllib where Python refuses to read an integer
        raise ScenarioError(name, "", "not TOML: a number has too many digits") from None


def from_document(
    document: dict[str, Any], *, source: str = "scenario", folder: Path | None = None, finished: bool = False
) -> Scenario:
    """Validate a document as a file would be; of a finished run, whose files may have gone. Raises ScenarioError."""
    context = {"file": True, "folder": folder, "finished": finished}
    try:
        return Scenario.model_validate(document, context=context, by_alias=True, by_name=False)
    except ValidationError as error:
        raise scenario_error(source, document, error, Scenario) from None


def checked(scenario: Scenario) -> Scenario:
    """The scenario validated as a whole again: sections that were assigned to in Python may no longer agree.

    Raises ScenarioError.
    """
    return from_document(scenario.document(), source=scenario.source).named(scenario.name, scenario.source)


def file_of(scenario: Scenario) -> Path | None:
    """The file that a scenario was loaded from, going by its name in errors; None where that names none that is there."""
    for file in (Path(scenario.source), *(folder / f"{scenario.source}.toml" for folder in (PACKAGED, INCIDENTS))):
        if os.path.isfile(file) and file.stem == scenario.name:  # noqa: PTH113
            return file
    return None


def _find(source: str | Path) -> Path:
    path = Path(source)
    if os.path.isfile(path):  # noqa: PTH113  # says no, where Path.is_file raises
        return path
    if path.suffix == ".toml":
        raise ScenarioError(str(source), "", "no such file")
    for candidate in (folder / f"{source}.toml" for folder in (PACKAGED, INCIDENTS)):
        if path.name == str(source) and os.path.isfile(candidate):  # noqa: PTH113
            return candidate
    known = f"{', '.join(packaged())}; incidents: hil scenarios --incidents"
    raise ScenarioError(str(source) or "''", "", f"no such scenario; name a .toml file or one of: {known}")


def override_document(source: str, document: dict[str, Any], text: str) -> None:
    """Put a `key=value` into a document, in place. Raises ScenarioError."""
    key, equals, value_text = text.partition("=")
    key = key.strip()
    parts = key.split(".")
    if not equals or not all(parts):
        raise ScenarioError(source, f"--set {text}", ": must be key=value, such as bess.main.rating='5 MVA'")
    node: Any = document
    for index, part in enumerate(parts):
        place: Any = part
        if isinstance(node, list):
            place = _entry(source, key, node, part)
        elif not isinstance(node, dict):
            raise ScenarioError(source, f"--set {key}", f": {'.'.join(parts[:index])} is not a table")
        if index == len(parts) - 1:
            node[place] = toml_value(value_text)
        else:
            node = node[place] if isinstance(node, list) else node.setdefault(place, {})


def toml_value(text: str) -> Any:
    """The text as TOML, or else as a string."""
    try:
        document = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text.strip()
    return document["value"] if len(document) == 1 else text.strip()


def _entry(source: str, key: str, entries: list[Any], part: str) -> int:
    for index, entry in enumerate(entries):
        if part == str(index) or (isinstance(entry, dict) and entry.get("name") == part):
            return index
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
    known = ", ".join(name if isinstance(name, str) else str(index) for index, name in enumerate(names))
    raise ScenarioError(source, f"--set {key}", f": no entry {part!r}; there are: {known or 'none'}")
