"""How served devices are shown: as lines, as lines of JSON, or as a table that lives on a terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hil.cli.beside import Beside
from hil.serve.endpoints import Endpoint
from hil.serve.session import Served
from hil.serve.status import Row

_EACH_SHOWN = 4  # devices that a line tells of one by one
_LOG_LINES = 8
_AROUND = 6  # lines of the screen that are neither of the table's devices nor of the log
_COLUMNS = ("device", "endpoint", "state", "power", "SoC", "clients", "requests", "last write")
_NUMBERS = ("power", "SoC", "clients", "requests")


class Lines:
    """Plain lines: where devices are reached, what happens, and how they are, each `every_s`."""

    every_s = 5.0

    def __init__(self, out: Beside) -> None:
        self._out = out

    def began(self, served: Served) -> None:
        """Devices are served."""
        width = max(len(endpoint.device) for endpoint in served.endpoints)
        for endpoint in served.endpoints:
            self._out.line(f"{endpoint.device:{width}}  {endpoint}")
        self._out.line("serving, nothing is judged; help lists what can be done, Ctrl-C ends it")

    def happened(self, event: dict[str, Any]) -> None:
        """Something stands in the log."""
        self.said(told(event))

    def said(self, text: str) -> None:
        """The answer to a command."""
        self._out.line(text)

    def refused(self, text: str) -> None:
        """A command cannot be."""
        self.said(f"! {text}")

    def status(self, rows: Sequence[Row]) -> None:
        """How the devices are."""
        if len(rows) <= _EACH_SHOWN:
            self._out.line("; ".join(f"{row.device} {', '.join(filter(None, _cells(row)))}" for row in rows))
            return
        rate = sum(row.requests_per_s for row in rows)
        clients = sum(row.clients or 0 for row in rows if row.device.startswith(("bess.", "meter.")))
        self._out.line(f"{len(rows)} devices, {clients} clients on Modbus, {rate:,.1f} requests/s")

    def typing(self, text: str) -> None:
        """A command is being typed."""

    def ended(self, why: str, time_s: float) -> None:
        """They are served no more."""
        self._out.line(f"stopped after {time_s:,.1f} s: {why}")


class JsonLines(Lines):
    """Lines of JSON; the first has the endpoints."""

    def began(self, served: Served) -> None:
        """Devices are served."""
        devices: dict[str, dict[str, Any]] = {}
        for endpoint in served.endpoints:
            if endpoint.device not in devices:
                devices[endpoint.device] = endpoint.document()
            else:
                other = endpoint.family if endpoint.link is None else "through"
                devices[endpoint.device][other] = endpoint.document()
        self._put("serving", scenario=served.scenario.name, devices=devices)

    def happened(self, event: dict[str, Any]) -> None:
        """Something stands in the log."""
        self._put(**event)

    def said(self, text: str) -> None:
        """The answer to a command."""
        self._put("answer", text=text)

    def refused(self, text: str) -> None:
        """A command cannot be."""
        self._put("refused", problem=text)

    def status(self, rows: Sequence[Row]) -> None:
        """How the devices are."""
        self._put("status", devices={row.device: row.document() for row in rows})

    def ended(self, why: str, time_s: float) -> None:
        """They are served no more."""
        self._put("stopped", time_s=round(time_s, 3), why=why)

    def _put(self, event: str, **values: Any) -> None:
        self._out.line(json.dumps({"event": event, **_finite(values)}))


class Screen(Lines):
    """A table on a terminal, above what has happened and what is being typed."""

    every_s = 0.25

    def __init__(self, out: Beside) -> None:
        super().__init__(out)
        self._log: list[str] = []
        self._rows: Sequence[Row] = ()
        self._endpoints: dict[str, list[Endpoint]] = {}
        self._text = self._title = ""
        self._console = Console(file=out.stdout, highlight=False)
        self._live = Live(
            console=self._console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )

    def began(self, served: Served) -> None:
        """Devices are served."""
        for endpoint in served.endpoints:
            self._endpoints.setdefault(endpoint.device, []).append(endpoint)
        self._title = f"[bold]{escape(served.scenario.name)}[/] · served, not judged · help, devices, quit or Ctrl-C"
        self._out.do(self._live.start)

    def said(self, text: str) -> None:
        """What happens, and the answer to a command."""
        lines = text.splitlines()
        self._log = [*self._log, *lines][-max(_LOG_LINES, len(lines)) :]
        self._draw()

    def status(self, rows: Sequence[Row]) -> None:
        """How the devices are."""
        self._rows = rows
        self._draw()

    def typing(self, text: str) -> None:
        """A command is being typed."""
        self._text = text
        self._draw()

    def ended(self, why: str, time_s: float) -> None:
        """They are served no more."""
        self._out.do(self._live.stop)
        super().ended(why, time_s)

    def _draw(self) -> None:
        high = max(map(len, self._endpoints.values()), default=1)  # lines of a device: one for each endpoint
        most = max(1, (self._console.height - _AROUND - len(self._log)) // high)
        table = Table(box=None, pad_edge=True, header_style="dim")
        for name in _COLUMNS:
            table.add_column(name, justify="right" if name in _NUMBERS else "left", no_wrap=True)
        for row in self._rows[:most]:
            where = "\n".join(map(str, self._endpoints[row.device]))
            table.add_row(row.device, escape(where), *_cells(row))
        left = len(self._rows) - most
        parts: list[RenderableType] = [self._title, table, *([f"[dim]and {left} more[/]"] if left > 0 else []), ""]
        parts += [Text(line, style="dim", overflow="ellipsis", no_wrap=True) for line in self._log]
        drawn = Group(*parts, Text(f"> {self._text}▏"))
        self._out.do(lambda: self._live.update(drawn, refresh=True))


def told(event: dict[str, Any]) -> str:
    """An event of the log in a line."""
    details = {key: value for key, value in event.items() if key not in ("time_s", "event")}
    words = " ".join(f"{key}={value}" for key, value in details.items())
    return f"{event['time_s']:.3f} s {event['event']} {words}".rstrip()


def _cells(row: Row) -> list[str]:
    clients = "" if row.clients is None else f"{row.clients} clients"
    last = ""
    if row.written is not None:
        point, value, age_s = row.written
        last = f"{point} = {value:g}, {age_s:.1f} s ago"
    return [
        row.state,
        f"{row.power_w / 1e6:.3f} MW" if abs(row.power_w) >= 1e6 else f"{row.power_w / 1e3:.1f} kW",
        "" if row.soc is None else f"{100 * row.soc:.1f} %",
        clients,
        f"{row.requests_per_s:.1f}/s",
        last,
    ]


def _finite(values: Any) -> Any:
    """Numbers that JSON has."""
    if isinstance(values, dict):
        return {key: _finite(value) for key, value in values.items()}
    return None if isinstance(values, float) and not math.isfinite(values) else values
