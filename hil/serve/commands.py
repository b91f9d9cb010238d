"""Commands given by hand while devices are served: one for each kind of event, made of its model."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import ValidationError

from hil.errors import EventRefused
from hil.scenario.base import Refused, Section
from hil.scenario.event import Event
from hil.scenario.event_kind import EventSection
from hil.scenario.files import toml_value
from hil.scenario.model import Scenario
from hil.scenario.problems import scenario_error
from hil.scenario.quantity import UNITS
from hil.scenario.rules import check_rules

_SHORT = {
    "device_silent": "silent",
    "server_stop": "stop",
    "device_lost": "lost",
    "broker_stop": "broker",
    "link_cut": "cut",
    "grid_dip": "dip",
    "grid_outage": "outage",
    "generation_loss": "loss",
}
"""Words for kinds that are typed often; any other kind is its own word."""

_NOT_GIVEN = ("kind", "at", "again_after")
_NOT_BY_HAND = ("load_crash",)  # the load is made ahead

_OTHERS = (
    "calm: end all dips, outages and losses",
    "mend KIND [DEVICE]: take back a fault that acts, before its time or without one",
    "devices: where each is reached",
    "help COMMAND: what it does",
    "quit: end it",
)


@dataclass(frozen=True)
class Command:
    """One kind of event as a command. places: keys that may be given by their place; keys: all, as `KEY=VALUE`."""

    word: str
    kind: str
    model: type[EventSection]
    places: tuple[str, ...]
    keys: tuple[str, ...]
    meaning: str

    @property
    def usage(self) -> str:
        """How it is typed."""
        fields = {info.alias or name: info for name, info in self.model.model_fields.items()}
        placed = [key.upper() if fields[key].is_required() else f"[{key.upper()}]" for key in self.places]
        return " ".join([self.word, *placed, *(f"[{key}=…]" for key in self.keys if key not in self.places)])

    @property
    def help(self) -> list[str]:
        """What it does, and what each key means, in lines."""
        fields = {info.alias or name: info for name, info in self.model.model_fields.items()}
        return [self.usage, f"  {self.meaning}", *(f"  {key}: {fields[key].description}" for key in self.keys)]


@cache
def commands() -> dict[str, Command]:
    """All of them, by each of their words."""
    found = [_command(model) for model in get_args(get_args(Event)[0])]
    kept = [command for command in found if command.kind not in _NOT_BY_HAND]
    return {word: command for command in kept for word in dict.fromkeys((command.word, command.kind))}


def event_of(text: str, scenario: Scenario) -> Event:
    """The event that a command means, at the time 0, checked as one in the scenario's file. Raises EventRefused."""
    word, *given = _words(text)
    command = _named(word)
    entry = {"kind": command.kind, "at": "0 s", **_keys(command, given, scenario)}
    document = {"events": [entry]}
    try:
        event = _ByHand.model_validate(document, context={"file": True}, by_alias=True, by_name=False).events[0]
        check_rules(scenario.model_copy(update={"events": [event]}))
    except ValidationError as error:
        told = scenario_error(word, document, error, _ByHand)
        problem = f"{told.key.removeprefix('events.0').lstrip('.')}{told.problem}"
    except Refused as error:
        key = ".".join(map(str, error.location[2:]))
        problem = f"{key} = {entry[key]!r}: {error}" if key in entry else str(error)
    else:
        return event
    raise EventRefused(f"{word}: {problem}; usage: {command.usage}")


class _ByHand(Section):
    """What of a scenario a command is checked as; the whole would take a client's patience."""

    events: list[Event]


def _named(word: str) -> Command:
    command = commands().get(word)
    if command is None:
        close = difflib.get_close_matches(word, commands(), n=1)
        raise EventRefused(f"{word}: no such command; " + (f"did you mean {close[0]!r}?" if close else "help lists them"))
    return command


def _command(model: type[EventSection]) -> Command:
    """A device comes first, and how long it lasts, last."""
    kind = str(get_args(model.model_fields["kind"].annotation)[0])
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    keys = sorted((key for key in fields if key not in _NOT_GIVEN), key=lambda key: key == "duration")
    places = tuple(key for key in keys if fields[key].is_required() or key == "duration")
    meaning = " ".join((model.__doc__ or "").split())
    return Command(_SHORT.get(kind, kind), kind, model, places, tuple(keys), meaning)


def _keys(command: Command, given: list[str], scenario: Scenario) -> dict[str, Any]:
    """Keys of the event: what is given by name, then the rest by place; the only device there is need not be named."""
    named = dict(word.split("=", 1) for word in given if "=" in word)
    placed = [word for word in given if "=" not in word]
    for key in named:
        if key not in command.keys:
            raise EventRefused(f"{command.word}: {key}: unknown key; usage: {command.usage}")
    free = [key for key in command.places if key not in named]
    only = scenario.served[0] if len(scenario.served) == 1 else None
    if "device" in free and only is not None and not (placed and "." in placed[0] and not placed[0][0].isdigit()):
        named["device"] = only
        free.remove("device")
    if len(placed) > len(free):
        raise EventRefused(f"{command.word}: {placed[len(free)]}: one word too many; usage: {command.usage}")
    return {key: toml_value(value) for key, value in (named | dict(zip(free, placed, strict=False))).items()}


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise EventRefused(f"{text.strip()}: {error}".lower()) from None
    if not words:
        raise EventRefused("nothing given; help lists what can be")
    return list(_with_units(words))


def _with_units(words: list[str]) -> Iterator[str]:
    """A unit that stands by itself belongs to the number before it."""
    before: str | None = None
    for word in words:
        if before is not None and word in UNITS and before[-1:].isdigit():
            yield f"{before} {word}"
            before = None
            continue
        if before is not None:
            yield before
        before = word
    if before is not None:
        yield before


def kind_of(word: str) -> str:
    """The kind of event that a word means. Raises EventRefused."""
    return _named(word).kind


def help_lines(word: str = "") -> list[str]:
    """What can be given, one line each; of one command what it does. Raises EventRefused."""
    if word:
        return _named(word).help
    usages = dict.fromkeys(command.usage for command in commands().values())
    return [*usages, *_OTHERS]
