"""What entries of `[[limits]]` share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hil.scenario.base import CHOICE, Flag, Section
from hil.scenario.quantity import Time

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
