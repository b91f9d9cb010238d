"""Supervisors of one's own that a scenario names: their class loaded, their arguments read, one of them made."""

from __future__ import annotations

import inspect
from typing import Any

from controllers.supervisor import Supervisor
from controllers.ups_supervisor import UpsSupervisor
from hil.errors import ScenarioError
from hil.own.loading import load_named, told
from hil.own.parameters import Given, read_quantity
from hil.scenario.model import Scenario
from hil.scenario.quantity import of_name
from hil.scenario.supervisor import OwnSupervisor

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def own_supervisor(scenario: Scenario, name: str, section: OwnSupervisor) -> Supervisor | UpsSupervisor:
    """The supervisor of a section. Raises ScenarioError for a class that cannot be loaded, called, or is of another kind."""
    base = UpsSupervisor if section.devices else Supervisor

    def problem(what: str) -> ScenarioError:
        return ScenarioError(scenario.source, f"supervisor.{name}.class", f" = {section.path!r}: {what}")

    def fits(found: Any) -> bool:
        whole = isinstance(found, type) and issubclass(found, base) and not inspect.isabstract(found)
        return whole and inspect.iscoroutinefunction(found.run)

    def lacks(found: type) -> str:
        if issubclass(found, base) and not found.__abstractmethods__:
            return "has a run that is no coroutine: it must be `async def run`"
        if issubclass(found, base):
            return f"has no {', '.join(sorted(found.__abstractmethods__))}"
        return f"is no controllers.{base.__name__}"

    try:
        kind = load_named(section.path, fits, f"a class that is a controllers.{base.__name__} and has a run", lacks)
    except ValueError as error:
        raise problem(str(error)) from None
    arguments = _arguments(scenario, name, section, kind)
    try:
        supervisor = kind(**arguments)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a user's class raises is told in one line
        raise problem(f"cannot be made: {told(error, section.path.rpartition(':')[0])}") from None
    assert isinstance(supervisor, base)
    return supervisor


def _arguments(scenario: Scenario, name: str, section: OwnSupervisor, kind: type) -> dict[str, Any]:
    """What the class is called with, by the names of its arguments, quantities in SI."""
    arguments = [argument for argument in inspect.signature(kind).parameters.values() if argument.kind in _NAMED]
    names = [argument.name for argument in arguments]
    given = Given(scenario.source, f"supervisor.{name}.parameters", "the class", section.parameters)
    values = given.values(names, _value)
    for argument in arguments:
        if argument.default is argument.empty and argument.name not in values:
            raise given.missing(argument.name, names)
    return values


def _value(name: str, key: str, value: Any) -> Any:
    """A quantity by the unit that the argument's name ends in, or a list of such; anything else as it stands."""
    dimension = of_name(name)[1]
    if dimension is None:
        return value
    if isinstance(value, list):
        return [read_quantity(dimension, name, key, entry) for entry in value]
    return read_quantity(dimension, name, key, value)
