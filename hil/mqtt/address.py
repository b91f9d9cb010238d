"""Addresses of brokers."""

from __future__ import annotations

import os
import urllib.parse
from dataclasses import dataclass, field

PASSWORD_VARIABLE = "RIDETHROUGH_MQTT_PASSWORD"  # noqa: S105  # where it is, not what it is
_PORT = 1883


@dataclass(frozen=True)
class BrokerAddress:
    """Where a broker listens, and as whom one speaks to it. The password is not part of what is shown."""

    host: str
    port: int = _PORT
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def broker_address(url: str) -> BrokerAddress:
    """The address in `mqtt://[user@]host[:port]`; a user's password is taken from the environment.

    Raises ValueError with what is allowed.
    """
    wanted = "must be mqtt://[user@]host[:port], such as 'mqtt://127.0.0.1:1883'"
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or _PORT
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme != "mqtt" or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(wanted)
    if parts.password is not None:
        raise ValueError(f"must not hold a password; put it into the environment variable {PASSWORD_VARIABLE}")
    password = os.environ.get(PASSWORD_VARIABLE) if parts.username else None
    return BrokerAddress(parts.hostname, port, parts.username or None, password)
