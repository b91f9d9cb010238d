"""What entries of `[[limits]]` share."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from hil.scenario.base import CHOICE, Flag, Refused, Section, source
from hil.scenario.quantity import Time, of_name

BESS = r"bess\.[A-Za-z][A-Za-z0-9_-]*"
UPS = r"ups\.[A-Za-z][A-Za-z0-9_-]*"
AtPcc = Annotated[
    Literal["pcc"],
    Field(
        description="where it is judged: the point of common coupling, where the site meets the grid", json_schema_extra=CHOICE
    ),
]
Delay = Annotated[
    Time,
    Field(ge=0, description="how long a value must stay beyond, without a break, to be a violation", json_schema_extra=CHOICE),
]


ActsAs = Annotated[
    Literal["limit", "relay"],
    Field(
        description="limit: what stays inside passes; relay: one that never picks up is NOT EXERCISED, which keeps from PASS",
        json_schema_extra=CHOICE,
    ),
]


class PickUp(NamedTuple):
    """What picks up on what. pickup, dropout: the fields. subject, unit: as people say it. nominal: None: the frequency."""

    pickup: str
    dropout: str
    under: bool
    subject: str
    unit: str
    nominal: float | None = None


class LimitSection(Section):
    """Keys of every limit."""

    name: str = Field(min_length=1, description="what the verdict calls it; names differ")
    required: Flag = Field(
        default=False, description="true: the verdict is PASS only if this limit holds", json_schema_extra=CHOICE
    )
    basis: str = Field(
        default="",
        description="where the limit comes from: standard, edition, clause, and how that is known",
        json_schema_extra=CHOICE,
    )
    unverified: Flag = Field(
        default=False,
        description="true: its figures are not confirmed by any source; every report says so",
        json_schema_extra=CHOICE,
    )


def one_of(section: LimitSection, *fields: str) -> None:
    """Refuse a limit that has none of some bounds."""
    if all(getattr(section, field) is None for field in fields):
        keys = [of_name(field)[0] for field in fields]
        raise Refused(f"missing; a limit of this kind has {', '.join(keys[:-1])} or {keys[-1]}", keys[0])


class TripSection(LimitSection):
    """Keys of every limit that a relay can guard: it logs, or it trips a breaker."""

    action: Literal["log", "trip"] = Field(
        default="log",
        description="log: it is judged, no more; trip: as a relay in service it opens a breaker, whatever is scripted",
        json_schema_extra=CHOICE,
    )
    trips: str | None = Field(
        default=None,
        pattern=rf"^(pcc|{BESS}|{UPS})$",
        description="which breaker it trips: at the PCC, of a BESS, or at the input of a UPS; default: that of its node",
    )
    breaker_time_s: Time = Field(
        default=0.05,
        ge=0,
        description="from the operation of the relay until the current is interrupted",
        json_schema_extra=source("assumed: three cycles of 60 Hz; docs/protection.md"),
    )
    lockout: Flag = Field(
        default=True,
        description="86: the breaker stays open until the event `reset_lockout`; false: it closes again after `reclose_after`",
        json_schema_extra=CHOICE,
    )
    reclose_after_s: Time | None = Field(
        default=None,
        ge=0,
        description="without a lock-out: closes again once the limit has not been beyond for so long, the breaker being open",
    )

    @property
    def breaker(self) -> str | None:
        """The breaker that it trips; None: it only logs."""
        if self.action == "log":
            return None
        node = str(getattr(self, "node", "pcc"))
        return self.trips or ("pcc" if node == "bus" else node)


class RelaySection(TripSection):
    """Keys of what a relay may judge: any of them, but `acts_as = "limit"`, makes it one (docs/protection.md, "Relays")."""

    picks_up: ClassVar[PickUp]

    acts_as: ActsAs = "limit"
    timer: Literal["consecutive", "resetting", "cumulative"] = Field(
        default="consecutive",
        description=(
            "how the delay counts: without a break; kept for `reset_time` after drop-out (resetting); or added up until"
            " drop-out, or in a rolling `timer_window` (cumulative)"
        ),
        json_schema_extra=CHOICE,
    )
    reset_time_s: Time = Field(
        default=0.0, ge=0, description="how long a resetting timer keeps its time after drop-out", json_schema_extra=CHOICE
    )
    timer_window_s: Time = Field(
        default=0.0,
        ge=0,
        description="rolling window of a cumulative timer; 0: from pick-up to drop-out",
        json_schema_extra=CHOICE,
    )
