"""Sections `[link.NAME]`: the network between a controller and a device (docs/links.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from hil.scenario.base import CHOICE, Number, Refused, Section, source
from hil.scenario.quantity import Time


def _two_names(value: Any) -> Any:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(isinstance(name, str) for name in value):
        raise ValueError("must be [controller, device], such as ['supervisor.energy', 'bess.main']")
    return value


class Link(Section):
    """A network between a controller and a device that it commands, alike in both directions; without one there is none."""

    between: Annotated[tuple[str, str], BeforeValidator(_two_names)] = Field(
        description="[controller, device]: 'supervisor.NAME', or 'absorber.NAME' with its law on the wire; one link a device"
    )
    latency_s: Time = Field(default=0.0, ge=0, description="how long a message takes, one way", json_schema_extra=CHOICE)
    jitter_s: Time = Field(
        default=0.0,
        ge=0,
        description="half-width of a uniform spread around the latency; at most latency",
        json_schema_extra=source("a choice of this testbed; that it is uniform is assumed, docs/links.md"),
    )
    loss: Number = Field(
        default=0.0, ge=0, lt=1, description="probability that a transmission is lost and sent again", json_schema_extra=CHOICE
    )
    retransmit_s: Time = Field(
        default=0.2,
        gt=0,
        le=120,
        description="first time-out after a loss; it doubles with each loss in a row",
        json_schema_extra=source("least and largest time-out of Linux (TCP_RTO_MIN, TCP_RTO_MAX)"),
    )

    @property
    def controller(self) -> str:
        """Its end that commands."""
        return self.between[0]

    @property
    def device(self) -> str:
        """Its end that is commanded."""
        return self.between[1]

    @model_validator(mode="after")
    def _never_early(self) -> Self:
        if self.jitter_s > self.latency_s:
            raise Refused(f"must be at most latency = {self.latency_s:g} s", "jitter")
        return self


def check_links(links: Mapping[str, Link], commands: Mapping[str, Iterable[str]]) -> None:
    """Each link joins a controller and a device that it commands, each device has at most one. Raises Refused.

    commands: by controller that acts over a wire, the devices that it commands.
    """
    linked: set[str] = set()
    for name, link in links.items():
        if link.controller not in commands:
            have = ", ".join(map(repr, commands)) or "none"
            raise Refused(f"no such controller on a wire; the scenario has: {have}", "link", name, "between", 0)
        devices = list(commands[link.controller])
        if link.device not in devices:
            only = ", ".join(map(repr, devices))
            raise Refused(f"{link.controller} does not command it; it commands: {only}", "link", name, "between", 1)
        if link.device in linked:
            raise Refused("another link has this device", "link", name, "between", 1)
        linked.add(link.device)
