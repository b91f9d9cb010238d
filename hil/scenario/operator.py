"""Entries of `[[events]]` in which somebody at the site acts."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Flag, Refused
from hil.scenario.event_kind import EventSection


class UpsCommand(EventSection):
    """Somebody turns a UPS's switches: to the bypass and back, off and on, its counter of disturbances, its eco mode."""

    of: ClassVar[tuple[str, ...]] = ("ups.",)
    kind: Literal["ups_command"] = "ups_command"
    device: str = Field(description="the device, 'ups.NAME'")
    command: Literal["bypass", "operation", "counter", "reset_counter", "eco"] = Field(
        description="bypass: onto it; operation: its inverter; counter: whether it counts disturbances; reset_counter: back "
        "to 0, which lets a UPS back that has latched; eco: whether it may feed from the bypass while the line is good"
    )
    on: Flag = Field(default=True, description="false: back, or off", json_schema_extra=CHOICE)

    @model_validator(mode="after")
    def _a_reset_has_no_back(self) -> Self:
        if self.command == "reset_counter" and not self.on:
            raise Refused("must be true: a counter that was reset is not put back", "on")
        return self
