"""Topics and payloads of a site's devices, described in docs/mqtt.md.

::

    hil/v1/<site>/<device>/status         online | offline, retained, also the will
                          /meta           JSON, retained: what it is, units, signs, limits of its commands
                          /state          JSON, retained, at most once a second
                          /tele/<signal>  JSON {ts, value}, not retained, at the device's rate
                          /cmd/<name>     JSON {id, value, ts, ttl_ms}, QoS 1, never retained
                          /ack/<id>       JSON {id, ok, ts, …}, QoS 1

Times are milliseconds of the site's clock: Unix time in a plant, scenario time in a run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

ROOT = "hil/v1"
ONLINE, OFFLINE = "online", "offline"
_LONGEST_ID = 64


@dataclass(frozen=True)
class DeviceTopics:
    """Topics of one device."""

    site: str
    device: str

    def __post_init__(self) -> None:
        for level in (self.site, self.device):
            if not level or any(sign in level for sign in "/+#\0"):
                raise ValueError(f"{level!r} cannot be a level of a topic")

    @property
    def root(self) -> str:
        """What all of them begin with."""
        return f"{ROOT}/{self.site}/{self.device}"

    def of(self, *levels: str) -> str:
        """`of("tele", "soc")`."""
        return "/".join((self.root, *levels))


@dataclass(frozen=True)
class Command:
    """An order to a device. ttl_ms: how long after ts_ms it may still be carried out."""

    id: str
    value: float
    ts_ms: int
    ttl_ms: int

    def payload(self) -> str:
        """As JSON."""
        return json.dumps({"id": self.id, "value": self.value, "ts": self.ts_ms, "ttl_ms": self.ttl_ms})

    def stale(self, now_ms: int) -> bool:
        """Whether its time has passed."""
        return self.ts_ms + self.ttl_ms < now_ms


def command_of(payload: bytes) -> Command:
    """The command in a payload. Raises ValueError with what is wrong, in one line."""
    values = mapping_of(payload)
    identifier = values.get("id")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= _LONGEST_ID or not _is_level(identifier):
        raise ValueError(f"id: must be a level of a topic, 1 to {_LONGEST_ID} signs")
    number = number_of(values.get("value"))
    if not math.isfinite(number):
        raise ValueError("value: must be a finite number, or true or false")
    times = []
    for key in ("ts", "ttl_ms"):
        given = values.get(key)
        if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < 2**53:
            raise ValueError(f"{key}: must be whole milliseconds")
        times.append(given)
    return Command(identifier, number, *times)


def mapping_of(payload: bytes) -> Mapping[str, Any]:
    """The JSON object in a payload. Raises ValueError."""
    try:
        values = json.loads(payload)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  # the sender's type, not the caller's
    return values


def number_of(value: Any) -> float:
    """A number, true or false as a float; NaN for what is none, or too large for one."""
    try:
        return float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        return math.nan


def milliseconds(time_s: float) -> int:
    """A time as the layout states it."""
    return round(time_s * 1e3)


def _is_level(text: str) -> bool:
    return text.isprintable() and not any(sign in text for sign in "/+#")
