"""Entries of `[[events]]` that break a device: its answers on the wire, the values that it shows, its equipment."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Flag, Number, Refused, Share, Whole
from hil.scenario.event_kind import AGAIN, EventSection, WireEvent
from hil.scenario.quantity import Time

STORAGE = ("bess.",)
EVERY_DEVICE = ("bess.", "ups.")


class Fault(EventSection):
    """What disturbs one device, whatever else does: of each kind one at a time."""

    if TYPE_CHECKING:
        device: str

    @property
    def disturbs(self) -> str:
        """This kind of fault of this device."""
        return f"{self.kind} of {self.device}"


class WireFault(Fault, WireEvent):
    """Keys of what a device's communication does wrong, for a while."""

    of: ClassVar[tuple[str, ...]] = ("bess.", "ups.", "meter.")
    device: str = Field(description="the device, 'bess.NAME', 'ups.NAME' or 'meter.NAME'; it speaks Modbus")


class AnswerFault(WireFault):
    """Keys of what becomes of single answers."""

    share: Share = Field(
        default=1.0,
        description="share of the requests that it meets, drawn by seed, device and number of the request",
        json_schema_extra=CHOICE,
    )


class AnswersLate(AnswerFault):
    """A device answers late, each connection in its order: a slow device."""

    kind: Literal["answers_late"] = "answers_late"
    delay_s: Time = Field(gt=0, description="how much later an answer leaves")


class AnswersLost(AnswerFault):
    """Requests are carried out, but not answered."""

    kind: Literal["answers_lost"] = "answers_lost"


class RequestsRefused(AnswerFault):
    """Requests are answered with an exception, and not carried out."""

    kind: Literal["requests_refused"] = "requests_refused"
    code: Whole = Field(
        default=6,
        ge=1,
        le=11,
        description="exception code (Modbus specification, section 7): 6 is 'busy'",
        json_schema_extra=CHOICE,
    )


class AnswersGarbled(AnswerFault):
    """Bytes of an answer are wrong: its checksum (on TCP its header), or all of it."""

    kind: Literal["answers_garbled"] = "answers_garbled"
    whole: Flag = Field(
        default=False, description="true: noise in place of the answer; false: one wrong field", json_schema_extra=CHOICE
    )


class ConnectionsDropped(AnswerFault):
    """A connection is closed in place of an answer."""

    kind: Literal["connections_dropped"] = "connections_dropped"


class MessageFault(WireFault):
    """Keys of what becomes of a device's messages on the broker, both ways."""

    of: ClassVar[tuple[str, ...]] = ("ups.",)
    device: str = Field(description="the device, 'ups.NAME'")
    share: Share = Field(
        default=1.0,
        description="share of the messages that it meets, drawn by seed, device and number of the message",
        json_schema_extra=CHOICE,
    )


class MessagesLate(MessageFault):
    """Messages come late, overtaken by those behind them."""

    kind: Literal["messages_late"] = "messages_late"
    delay_s: Time = Field(gt=0, description="how much later one comes")


class MessagesTwice(MessageFault):
    """Messages come twice."""

    kind: Literal["messages_twice"] = "messages_twice"


class ValuesStale(WireFault):
    """A device shows what it showed when this began; writes still act."""

    kind: Literal["values_stale"] = "values_stale"


class ValuesMissing(WireFault):
    """A device shows that nothing that changes has a value: "not implemented"."""

    kind: Literal["values_missing"] = "values_missing"


class DeviceReboot(WireFault):
    """A device starts anew: no power and no answer for `duration`, volatile settings lost, then power-up."""

    of: ClassVar[tuple[str, ...]] = STORAGE
    kind: Literal["device_reboot"] = "device_reboot"
    device: str = Field(description="the device, 'bess.NAME'")

    @property
    def disturbs(self) -> str:
        """The device, whose server is away."""
        return self.device


class EquipmentFault(Fault):
    """Keys of what breaks in a device's equipment; it is whole again after `duration`, without one never."""

    of: ClassVar[tuple[str, ...]] = STORAGE
    device: str = Field(description="the device, 'bess.NAME'")
    duration_s: Time | None = Field(default=None, gt=0, description="how long it lasts; default: to the end")
    again_after_s: Time | None = AGAIN

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.again_after_s is not None and self.duration_s is None:
            raise Refused("needs a duration: what does not end does not happen again", "again_after")
        return self


class AnyDeviceFault(EquipmentFault):
    """Keys of what can break in a UPS too."""

    of: ClassVar[tuple[str, ...]] = EVERY_DEVICE
    device: str = Field(description="the device, 'bess.NAME' or 'ups.NAME'")


class ContactorOpen(EquipmentFault):
    """The contactor between converter and grid opens: no power, whatever is asked."""

    kind: Literal["contactor_open"] = "contactor_open"


class PllLoss(EquipmentFault):
    """The converter loses the angle of the grid: no current until it has found it again."""

    kind: Literal["pll_loss"] = "pll_loss"


class Derating(EquipmentFault):
    """The converter gives less than its rating."""

    kind: Literal["derating"] = "derating"
    left: Share = Field(description="share of its power that is left")


class DeviceTrip(EquipmentFault):
    """A protection of the device trips: fault, latched; it can be reset once `duration` is over."""

    kind: Literal["device_trip"] = "device_trip"


class PowerReading(EquipmentFault):
    """The device reports its power wrongly."""

    kind: Literal["power_reading"] = "power_reading"
    factor: Number = Field(ge=-10, le=10, description="what it reports, as a multiple of the truth")


class WeakCells(AnyDeviceFault):
    """The battery holds less, and gives way more, than its management system knows."""

    kind: Literal["weak_cells"] = "weak_cells"
    capacity: Share = Field(gt=0.01, description="share of the rated energy that is left")
    resistance: Number = Field(default=1.0, ge=1, le=10, description="its resistance, as a multiple", json_schema_extra=CHOICE)


class BatteryDead(AnyDeviceFault):
    """The battery gives and takes nothing, while charge, voltage and state are reported as healthy."""

    kind: Literal["battery_dead"] = "battery_dead"


class BatteryHot(AnyDeviceFault):
    """The battery is hotter than its load makes it: the firmware derates, then trips."""

    kind: Literal["battery_hot"] = "battery_hot"
    rise_k: Number = Field(gt=0, le=200, description="how much hotter, K")


class SocDrift(AnyDeviceFault):
    """The state of charge that firmware and clients see drifts away from the truth."""

    kind: Literal["soc_drift"] = "soc_drift"
    per_hour: Number = Field(ge=-100, le=100, description="drift in one hour; 0.1 is ten per cent of a full charge")


class RectifierFault(EquipmentFault):
    """The rectifier of a UPS fails: the battery carries the load."""

    of: ClassVar[tuple[str, ...]] = ("ups.",)
    kind: Literal["rectifier_fault"] = "rectifier_fault"
    device: str = Field(description="the device, 'ups.NAME'")


DeviceFault = (
    AnswersLate
    | AnswersLost
    | RequestsRefused
    | AnswersGarbled
    | ConnectionsDropped
    | MessagesLate
    | MessagesTwice
    | ValuesStale
    | ValuesMissing
    | DeviceReboot
    | ContactorOpen
    | PllLoss
    | Derating
    | DeviceTrip
    | PowerReading
    | WeakCells
    | BatteryDead
    | BatteryHot
    | SocDrift
    | RectifierFault
)
