"""The command `hil serve`: the devices of a scenario, or one device, for controllers that are not ours."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hil.cli.trouble import UNFINISHED, fail

if TYPE_CHECKING:
    from hil.cli.faces import Lines
    from hil.scenario.model import Scenario
    from hil.serve.session import Served
    from hil.serve.wires import Wire

_DEVICE = "One device"
_WIRE = "Its wire"
_QUIET = ("overrun", "loop_started")


def serve(
    scenario: Annotated[
        str,
        typer.Argument(metavar="SCENARIO", help="A scenario file, the name of a packaged one, or a device: bess, ups, meter."),
    ],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key.")] = None,
    for_: Annotated[str | None, typer.Option("--for", metavar="TIME", help="How long, such as '60 s'; until Ctrl-C.")] = None,
    command: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="As typed once they are served, such as 'silent bess.main 5s'; several in turn."),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Play load and events once and hold the last power, instead of again and again.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Where all listen, for everybody who gets there. Left out: this machine."),
    ] = None,
    broker: Annotated[
        str | None, typer.Option(metavar="URL", help="mqtt://[user@]host[:port] instead of our own; 'own': ours.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Lines of JSON, the endpoints first, instead of a table.")] = False,
    map_: Annotated[
        str | None, typer.Option("--map", metavar="NAME", help="Its register map.", rich_help_panel=_DEVICE)
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Its port; left out: any free one.", rich_help_panel=_DEVICE)
    ] = None,
    unit: Annotated[int | None, typer.Option(help="Its Modbus unit identifier.", rich_help_panel=_DEVICE)] = None,
    rating: Annotated[
        str | None, typer.Option(metavar="POWER", help="Such as '1 MVA' or '100 kW'.", rich_help_panel=_DEVICE)
    ] = None,
    energy: Annotated[
        str | None, typer.Option(metavar="ENERGY", help="Of its battery, such as '2 MWh'.", rich_help_panel=_DEVICE)
    ] = None,
    soc: Annotated[float | None, typer.Option(help="State of charge at the start, 0 to 1.", rich_help_panel=_DEVICE)] = None,
    load: Annotated[
        str | None, typer.Option(metavar="POWER", help="Of the load, or its share of the rating.", rich_help_panel=_DEVICE)
    ] = None,
    wire: Annotated[
        str | None, typer.Option(metavar="WIRE", help="tcp, rtu, rtu-over-tcp or tls.", rich_help_panel=_WIRE)
    ] = None,
    serial: Annotated[
        str | None, typer.Option(metavar="DEVICE", help="rtu: the serial device it is on.", rich_help_panel=_WIRE)
    ] = None,
    pty: Annotated[
        Path | None, typer.Option(metavar="NAME", help="rtu: or a pseudo-terminal of that name.", rich_help_panel=_WIRE)
    ] = None,
    baud: Annotated[int | None, typer.Option(min=1, help="rtu: left out: 9600.", rich_help_panel=_WIRE)] = None,
    parity: Annotated[
        str | None, typer.Option(metavar="PARITY", help="rtu: none, even or odd.", rich_help_panel=_WIRE)
    ] = None,
    stop_bits: Annotated[int | None, typer.Option(help="rtu: 1 or 2.", rich_help_panel=_WIRE)] = None,
    cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="tls: its certificate, PEM.", rich_help_panel=_WIRE)
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="tls: its private key.", rich_help_panel=_WIRE)] = None,
    clients: Annotated[
        Path | None, typer.Option(metavar="FILE", help="tls: who vouches for clients.", rich_help_panel=_WIRE)
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE=RIGHTS", help="tls: what a role may: read, write, all.", rich_help_panel=_WIRE),
    ] = None,
) -> None:
    """Serve emulated devices alone, in real time, for any controller; nothing is judged.

    While it runs it takes commands on standard input: help lists them. Exit code: 0 however it was ended; 2 wrong usage, a bad
    scenario, or a port that is taken; 4 it broke.
    """
    from hil.cli.runs import time_of
    from hil.errors import HilError, ScenarioError

    single = {"map": map_, "port": port, "unit": unit, "rating": rating, "energy": energy, "soc": soc, "load": load}
    on: dict[str, Any] = {"wire": wire, "serial": serial, "pty": pty, "baud": baud, "parity": parity, "stop_bits": stop_bits}
    on |= {"cert": cert, "key": key, "clients": clients, "role": role or None}
    for_s = time_of("--for", for_)
    try:
        chosen, stands_on = _chosen(scenario, set_ or [], single, on, broker)
        _run(chosen, stands_on, command or [], for_s=for_s, again=not once, host=host, as_json=as_json)
    except ScenarioError as error:
        fail(str(error))
    except (HilError, OSError) as error:
        fail(f"{scenario}: {error}", UNFINISHED)


def _chosen(
    what: str, overrides: list[str], single: dict[str, Any], on: dict[str, Any], broker: str | None
) -> tuple[Scenario, Wire]:
    """The scenario to be served, and on what wires. on: options of the wire. Raises ScenarioError."""
    from hil.errors import ScenarioError
    from hil.scenario.files import load
    from hil.serve.single import KINDS, SingleOptions, on_modbus, single_scenario
    from hil.serve.wires import Wire, WireOptions, option, wire_of

    if what in KINDS:
        if overrides:
            raise ScenarioError(f"hil serve {what}", "--set", ": there is no scenario; its options are listed by --help")
        options, wire = SingleOptions(**single, broker=broker), wire_of(f"hil serve {what}", WireOptions(**on))
        chosen = single_scenario(what, options)
        if wire.kind != "tcp" and not on_modbus(what, options):
            raise ScenarioError(f"hil serve {what}", "--wire", f" = {wire.kind!r}: needs a map of registers (--map)")
        if wire.kind == "rtu" and options.port is not None:
            raise ScenarioError(f"hil serve {what}", "--port", ": a serial line has none")
        return chosen, wire
    for name, value in (single | on).items():
        if value is not None:
            instead = "; a scenario has it in its file" if name in single else ""
            raise ScenarioError(what, option(name), f": of a device alone ({', '.join(KINDS)}){instead}")
    if broker is not None:
        overrides = [*overrides, f"mqtt.broker={broker!r}"]
    return load(what, overrides), Wire()


def _run(
    scenario: Scenario, wire: Wire, commands: list[str], *, for_s: float | None, again: bool, host: str | None, as_json: bool
) -> None:
    from hil.cli.beside import Beside
    from hil.cli.faces import JsonLines, Lines, Screen
    from hil.serve.session import ServeOptions
    from hil.serve.session import serve as served

    with Beside() as out:
        face = JsonLines(out) if as_json else Screen(out) if sys.stdout.isatty() else Lines(out)
        attendant = _Attendant(face, commands)
        options = ServeOptions(attendant.attend, attendant.heard, for_s=for_s, again=again, host=host, wire=wire)
        with redirect_stdout(sys.stderr):  # what laws of one's own print
            why = served(scenario, options)
        face.ended(why, time.monotonic() - attendant.began_s)


class _Attendant:
    """Between who serves, who shows, and who types."""

    def __init__(self, face: Lines, commands: list[str]) -> None:
        self.began_s = time.monotonic()
        self._face = face
        self._commands = commands
        self._served: Served | None = None

    def heard(self, event: dict[str, Any]) -> None:
        """Pass on what happens, once they are served."""
        if self._served is not None and event["event"] not in _QUIET:
            self._face.happened(event)

    @asynccontextmanager
    async def attend(self, served: Served) -> AsyncIterator[None]:
        """Show and take commands."""
        from hil.cli.typed import Line, typed

        self._served, self.began_s = served, time.monotonic()
        self._face.began(served)
        for text in self._commands:
            self._obey(text)
        showing = asyncio.create_task(self._show(served))
        line = Line()
        try:
            with typed(line, self._obey, lambda: self._face.typing(line.text), lambda: served.stop("end of input")):
                yield
        finally:
            showing.cancel()

    async def _show(self, served: Served) -> None:
        while True:
            self._face.status(served.rows())
            await asyncio.sleep(self._face.every_s)

    def _obey(self, text: str) -> None:
        from hil.errors import EventRefused
        from hil.serve.commands import help_lines

        assert self._served is not None
        word, *rest = text.split() or [""]
        try:
            if word == "help":
                self._face.said("\n".join(help_lines(*rest[:1])))
            elif word == "devices":
                self._face.said("\n".join(f"{endpoint.device} {endpoint}" for endpoint in self._served.endpoints))
            elif word == "mend":
                self._served.mend(*rest)
            elif word == "calm":
                self._served.calm()
            elif word == "quit":
                self._served.stop("quit")
            elif word:
                self._served.command(text)
        except EventRefused as problem:
            self._face.refused(str(problem))
