"""Section `[mqtt]`, and how devices stand on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from hil.mqtt.address import broker_address
from hil.mqtt.signals import LEAST, METER_UNITS, METER_USUAL, UPS_UNITS, USUAL
from hil.scenario.base import CHOICE, Flag, Section
from hil.scenario.listen import LoopbackAddress
from hil.scenario.quantity import Frequency, Time, WholeSeconds

OWN = "own"
_LONGEST_LEVEL = 256  # bytes: a topic and a client's name, which hold it, end at 65,535


def _broker(value: str) -> str:
    if value != OWN:
        broker_address(value)
    return value


def _level(value: str) -> str:
    if not value.strip() or not value.isprintable() or value.startswith("$") or any(sign in value for sign in "/+#"):
        raise ValueError("must be a level of a topic: without '/', '+' and '#', not beginning with '$'")
    if len(value.encode()) > _LONGEST_LEVEL:
        raise ValueError(f"must be at most {_LONGEST_LEVEL} bytes long")
    return value


class Mqtt(Section):
    """The broker of a site, and under which name the site stands there (docs/mqtt.md)."""

    broker: Annotated[str, AfterValidator(_broker)] = Field(
        default=OWN,
        description="'own', or 'mqtt://[user@]host[:port]'; the password is taken from RIDETHROUGH_MQTT_PASSWORD",
        json_schema_extra=CHOICE,
    )
    listen: LoopbackAddress = Field(
        default="127.0.0.1:0",
        description="loopback address and port of the testbed's own broker; port 0: any free one",
        json_schema_extra=CHOICE,
    )
    site: Annotated[str, AfterValidator(_level)] = Field(
        default="site",
        description="second level of every topic; runs that share a broker need different ones",
        json_schema_extra=CHOICE,
    )


class DeviceMqttSection(Section):
    """Keys of every emulated device on MQTT."""

    rate_hz: Frequency = Field(
        default=5.0,
        ge=0.01,
        le=1000.0,
        description="how many times a second telemetry is published; state goes out at most once a second",
        json_schema_extra=CHOICE,
    )
    keepalive_s: WholeSeconds = Field(
        default=30.0, ge=1, le=65_535, description="keep-alive of its connection, whole seconds", json_schema_extra=CHOICE
    )
    home_assistant: Flag = Field(
        default=False, description="true: Home Assistant discovers it, and reads its state", json_schema_extra=CHOICE
    )
    victron_portal: Annotated[str, AfterValidator(_level)] | None = Field(
        default=None,
        description="VRM portal id under which it also speaks as a device behind a Victron GX; default: it does not",
    )


def _different(value: list[str], known: Mapping[str, str]) -> list[str]:
    if len(set(value)) < len(value) or any(name not in known for name in value):
        raise ValueError(f"must be different ones of: {', '.join(known)}")
    return value


class UpsMqttSection(DeviceMqttSection):
    """How often an emulated UPS publishes what."""

    signals: list[str] = Field(
        default=list(USUAL),
        description=f"which signals are published, of {', '.join(UPS_UNITS)}; at least {', '.join(LEAST)}",
        json_schema_extra=CHOICE,
    )

    @field_validator("signals")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        missing = [name for name in LEAST if name not in _different(value, UPS_UNITS)]
        if missing:
            raise ValueError(f"must hold {', '.join(LEAST)}")
        return value


class MeterMqttSection(DeviceMqttSection):
    """How often an emulated meter publishes what."""

    signals: list[str] = Field(
        default=list(METER_USUAL),
        description=f"which signals are published, of {', '.join(METER_UNITS)}",
        json_schema_extra=CHOICE,
    )

    @field_validator("signals")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        return _different(value, METER_UNITS)


class UpsDriverSection(Section):
    """How a UPS's driver talks to it: it sends settings until they are answered."""

    rate_hz: Frequency = Field(
        default=2.0,
        ge=0.001,
        le=1000.0,
        description="cycles a second, in which settings are sent and support is renewed",
        json_schema_extra=CHOICE,
    )
    timeout_s: Time = Field(
        default=1.0, gt=0, description="how long it waits for one answer; a command is valid as long", json_schema_extra=CHOICE
    )
    stale_after_s: Time = Field(
        default=2.0, gt=0, description="age at which telemetry is no longer taken", json_schema_extra=CHOICE
    )
    support_timeout_s: Time = Field(
        default=5.0,
        gt=0,
        le=3600,
        description="time after which the device ends support that is not renewed",
        json_schema_extra=CHOICE,
    )
    keepalive_s: WholeSeconds = Field(
        default=30.0, ge=1, le=65_535, description="keep-alive of its connection, whole seconds", json_schema_extra=CHOICE
    )
