"""The file of a bench: targets, on each of which the same tests are run, and how scenarios are changed for each."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from hil.errors import ScenarioError
from hil.scenario.base import Name, Number, Section
from hil.scenario.files import override_document
from hil.scenario.problems import scenario_error

ALL = "all"
ClockName = Literal["lockstep", "wall"]
# Words for a device that is there already: none of them is a key.
_REAL = ("address", "connect", "device", "devices", "endpoint", "endpoints", "host", "ip", "port", "real", "serial", "url")


@dataclass(frozen=True)
class Target:
    """On what a suite is run. overrides: `key=value` as with `hil run --set`. source: the file, and the target in it."""

    name: str = "default"
    title: str = ""
    overrides: tuple[str, ...] = ()
    clock: ClockName = "lockstep"
    speed: float = 1.0
    source: str = ""

    def __str__(self) -> str:
        return self.name


class _TargetSection(Section):
    """Keys of `[target.NAME]`."""

    title: str = ""
    set: list[str] = Field(default_factory=list)
    transport: Literal["wire", "direct"] | None = None
    clock: ClockName = "lockstep"
    speed: Number | None = Field(default=None, gt=0)


class _BenchFile(Section):
    """Keys of the file."""

    target: dict[Name, _TargetSection] = Field(min_length=1)


def read_bench(path: Path) -> dict[str, Target]:
    """The targets of a file, by name. Raises ScenarioError, one line, for a file that cannot be read or is wrong."""
    source = str(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ScenarioError(source, "", f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(source, "", f"cannot be read: not UTF-8 text, at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise ScenarioError(source, "", f"not TOML: {error}") from None
    _refuse_real(source, document)
    try:
        bench = _BenchFile.model_validate(document, context={"file": True}, by_alias=True, by_name=False)
    except ValidationError as error:
        raise scenario_error(source, document, error, _BenchFile) from None
    return {name: _target(source, name, section) for name, section in bench.target.items()}


def chosen(bench: dict[str, Target], names: Sequence[str], source: str) -> list[Target]:
    """The targets that are named, each once and in that order; all without a name, or with `all`. Raises ScenarioError."""
    for name in names:
        if name != ALL and name not in bench:
            close = difflib.get_close_matches(name, bench, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(bench)}"
            raise ScenarioError(source, f"target {name!r}", f": there is none; {hint}")
    if not names or ALL in names:
        return list(bench.values())
    return [bench[name] for name in dict.fromkeys(names)]


def _target(source: str, name: str, section: _TargetSection) -> Target:
    place = f"target.{name}"
    if name == ALL:
        raise ScenarioError(source, place, ": 'all' stands for all targets; call it something else")
    if section.speed is not None and section.clock != "wall":
        raise ScenarioError(source, f"{place}.speed", f" = {section.speed:g}: needs clock = 'wall'")
    for number, text in enumerate(section.set):
        try:
            override_document(source, {}, text)
        except ScenarioError as error:
            raise ScenarioError(source, f"{place}.set.{number}", f" = {text!r}{error.problem}") from None
    transport = [] if section.transport is None else [f"transport='{section.transport}'"]
    return Target(name, section.title, (*transport, *section.set), section.clock, section.speed or 1.0, f"{source}: {place}")


def _refuse_real(source: str, document: dict[str, Any]) -> None:
    """Say what is missing where a target names a device that is there already, rather than that its key is unknown."""
    targets = document.get("target")
    for name, target in targets.items() if isinstance(targets, dict) else ():
        for key in _given(target):
            if key in _REAL:
                keys = ", ".join(_TargetSection.model_fields)
                problem = f": real devices are not supported yet; a target runs emulated ones, and has the keys {keys}"
                raise ScenarioError(source, f"target.{name}.{key}", problem)


def _given(target: object) -> Iterable[str]:
    return target if isinstance(target, dict) else ()
