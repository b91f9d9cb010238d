"""What every entry of `[[events]]` has, and every one that disturbs a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from hil.scenario.base import Section
from hil.scenario.quantity import Time


class EventSection(Section):
    """Keys of every event.

    of: how the names of devices begin that its `device` may name; none where it has no such key.
    """

    of: ClassVar[tuple[str, ...]] = ()
    if TYPE_CHECKING:
        kind: str  # each has its own
    at_s: Time = Field(ge=0, description="when it happens, from the start of the run")

    @property
    def disturbs(self) -> str:
        """What is disturbed by one thing at a time; nothing where that does not matter."""
        return ""


AGAIN = Field(
    default=None,
    gt=0,
    description="mean time from its end until it happens again, each drawn by the seed (exponential); default: once",
)


class WireEvent(EventSection):
    """Keys of what disturbs the wire, for a while."""

    duration_s: Time = Field(gt=0, description="how long it lasts")
    again_after_s: Time | None = AGAIN

    @property
    def disturbs(self) -> str:
        """The device or the broker."""
        return str(getattr(self, "device", "the broker"))
