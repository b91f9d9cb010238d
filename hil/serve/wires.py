"""The wire of a device that is served alone, from the options of its command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from firmware_sim.modbus.line import Line, Parity
from firmware_sim.modbus.security import Rights, Security
from hil.errors import ScenarioError
from hil.wiring.wires import Wire, WireKind

__all__ = ["Wire", "WireOptions", "option", "wire_of"]

_OF_A_LINE = ("serial", "pty", "baud", "parity", "stop_bits")
_OF_TLS = ("cert", "key", "clients", "role")
_RIGHTS: Mapping[str, Rights] = {
    "read": Rights(),
    "write": Rights(read=False, write=True),
    "all": Rights(write=True),
}


@dataclass(frozen=True)
class WireOptions:
    """What of a wire can be chosen; None: as by default.

    serial: a serial device; pty: the name of a pseudo-terminal that is made. cert, key, clients: files in PEM, `clients` with
    the authorities that vouch for clients. role: `ROLE=read`, `write` or `all`, of a certificate without one `=read`.
    """

    wire: str | None = None
    serial: str | None = None
    pty: Path | None = None
    baud: int | None = None
    parity: str | None = None
    stop_bits: int | None = None
    cert: Path | None = None
    key: Path | None = None
    clients: Path | None = None
    role: Sequence[str] | None = None


def wire_of(source: str, options: WireOptions) -> Wire:
    """The wire that the options choose. Raises ScenarioError, in the name of `source`."""
    kind = options.wire or "tcp"
    if kind not in get_args(WireKind):
        raise ScenarioError(source, "--wire", f" = {kind!r}: must be one of: {', '.join(get_args(WireKind))}")
    for names, only in ((_OF_A_LINE, "rtu"), (_OF_TLS, "tls")):
        for name in names:
            if kind != only and getattr(options, name) is not None:
                raise ScenarioError(source, option(name), f": of --wire {only} alone")
    if kind == "rtu":
        if (options.serial is None) == (options.pty is None):
            raise ScenarioError(source, "--wire", " = 'rtu': needs either --serial DEVICE or --pty NAME")
        return Wire("rtu", serial=options.serial, pty=options.pty, line=_line(source, options))
    return Wire(cast("WireKind", kind), tls=_security(source, options) if kind == "tls" else None)


def option(name: str) -> str:
    """How an option is typed."""
    return f"--{name.replace('_', '-')}"


def _line(source: str, options: WireOptions) -> Line:
    given: dict[str, Any] = {"baud": options.baud, "parity": options.parity, "stop_bits": options.stop_bits}
    allowed = {"parity": get_args(Parity), "stop_bits": (1, 2)}
    for name, values in allowed.items():
        if given[name] is not None and given[name] not in values:
            problem = f" = {given[name]!r}: must be one of: {', '.join(map(str, values))}"
            raise ScenarioError(source, option(name), problem)
    return Line(**{name: value for name, value in given.items() if value is not None})


def _security(source: str, options: WireOptions) -> Security:
    files = {name: getattr(options, name) for name in ("cert", "key", "clients")}
    for name, path in files.items():
        if path is None:
            raise ScenarioError(source, option(name), ": missing; --wire tls needs --cert, --key and --clients")
        if not path.is_file():
            raise ScenarioError(source, option(name), f" = '{path}': no such file")
    roles = dict(_role(source, text) for text in options.role or ["=all"])
    made = Security(files["cert"], files["key"], files["clients"], roles)
    try:
        made.context()
    except OSError as error:
        raise ScenarioError(source, "--cert", f", --key, --clients: cannot be used together ({error})") from None
    return made


def _role(source: str, text: str) -> tuple[str | None, Rights]:
    role, sign, rights = text.rpartition("=")
    if not sign or rights not in _RIGHTS:
        raise ScenarioError(source, "--role", f" = {text!r}: must be ROLE=RIGHTS, with one of: {', '.join(_RIGHTS)}")
    return role or None, _RIGHTS[rights]
