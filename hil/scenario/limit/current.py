"""Limits on currents: 50, 51, 49."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from hil.scenario.base import CHOICE, Number, Share, source
from hil.scenario.limit.base import BESS, ActsAs, Delay, PickUp, TripSection
from hil.scenario.quantity import Apparent, PerUnit, Time

_C37_112 = source("IEEE C37.112, IEC 60255-151; docs/protection.md")


class CurrentSection(TripSection):
    """What looks at a current."""

    node: str = Field(
        default="pcc",
        pattern=rf"^(pcc|{BESS})$",
        description="whose current: through the PCC, or of a BESS",
        json_schema_extra=CHOICE,
    )
    base_va: Apparent | None = Field(
        default=None,
        gt=0,
        description="apparent power at nominal voltage that is 1 pu of current; a BESS has its rating, the PCC has none",
    )


class ConverterCurrent(TripSection):
    """Converter current, per unit of rated current, above `max` for `delay`."""

    kind: Literal["converter_current"] = "converter_current"
    node: str = Field(pattern=rf"^{BESS}$", description="whose converter: of a BESS")
    max: PerUnit = Field(gt=0, description="largest current that is inside the limit, pu of the rated one")
    delay_s: Delay = 0.0


class Overcurrent(CurrentSection):
    """50 and 51: current above `pickup`, with a definite time or a curve of IEC 60255-151 or IEEE C37.112.

    What is judged is the share of the operating time that is used up; at 1 the relay operates, which violates the limit.
    """

    picks_up: ClassVar = PickUp("pickup", "dropout", under=False, subject="the current", unit="pu")

    kind: Literal["overcurrent"] = "overcurrent"
    acts_as: ActsAs = "relay"
    pickup: PerUnit = Field(gt=0, description="current at which it picks up, pu")
    curve: Literal[
        "definite",
        "iec_standard_inverse",
        "iec_very_inverse",
        "iec_extremely_inverse",
        "iec_long_time_inverse",
        "ieee_moderately_inverse",
        "ieee_very_inverse",
        "ieee_extremely_inverse",
        "ge_iec_a",
        "ge_iec_b",
        "ge_iec_c",
        "user",
    ] = Field(
        default="definite",
        description="how its operating time depends on the current; of `ge_iec_a` and so on the disc has a time of its own, "
        "and `user` has the constants `a`, `b` and `exponent`",
        json_schema_extra=CHOICE,
    )
    a_s: Time | None = Field(
        default=None,
        gt=0,
        description="of a user curve: t = multiplier · (a / (M^exponent − 1) + b), M the multiple of `pickup`",
    )
    b_s: Time | None = Field(default=None, ge=0, description="of a user curve; none is 0")
    exponent: Number | None = Field(default=None, gt=0, description="of a user curve")
    multiplier: Number = Field(
        default=1.0, gt=0, description="time multiplier (TMS, time dial) of a curve", json_schema_extra=_C37_112
    )
    multiplier_divisor: Number = Field(
        default=1.0,
        gt=0,
        description="what the vendor divides the multiplier by: 7 where dials of electromechanical relays were taken over",
        json_schema_extra=CHOICE,
    )
    flat_above: Number | None = Field(
        default=None, gt=1, description="multiple of `pickup` above which a curve is flat; none: nowhere"
    )
    delay_s: Time = Field(
        default=0.0, ge=0, description="the definite time; of a curve its least operating time", json_schema_extra=CHOICE
    )
    dropout: Share = Field(
        default=0.95, gt=0, description="part of the pick-up at which it drops out", json_schema_extra=CHOICE
    )
    reset: Literal["instantaneous", "definite", "disc"] = Field(
        default="instantaneous",
        description="what becomes of the time after drop-out: forgotten, kept for `reset_time`, or run back as a disc does",
        json_schema_extra=CHOICE,
    )
    reset_time_s: Time = Field(default=0.0, ge=0, description="how long a definite reset takes", json_schema_extra=CHOICE)
    disc_time_s: Time | None = Field(
        default=None,
        gt=0,
        description="how long the disc takes to turn back without current at a multiplier of 1; none: that of the curve, "
        "which the IEEE's and GE's have",
        json_schema_extra=_C37_112,
    )


class ThermalOverload(CurrentSection):
    """49: thermal image of IEC 60255-149. What is judged is the thermal level; at 1 it operates, which violates the limit."""

    kind: Literal["thermal_overload"] = "thermal_overload"
    factor: Number = Field(
        default=1.05,
        gt=0,
        description="k: multiple of the base current that it bears for ever",
        json_schema_extra=source("IEC 60255-149; docs/protection.md"),
    )
    time_constant_s: Time = Field(gt=0, description="thermal time constant")
