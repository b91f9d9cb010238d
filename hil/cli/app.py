"""The commands of `hil`, in the order in which one meets them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from hil.cli.check import check
from hil.cli.compare import compare
from hil.cli.convert import convert
from hil.cli.doctor import doctor
from hil.cli.guide import explain, init, schema
from hil.cli.load import load_commands
from hil.cli.running import run, scenarios, wire
from hil.cli.runs import diff, plot, show
from hil.cli.serve import serve
from hil.cli.tail import tail
from hil.cli.validate import validate
from hil.cli.verify import verify

app = typer.Typer(
    help="Do the protection limits hold when batteries and UPSs absorb LLM load transients?",
    invoke_without_command=True,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False
) -> None:
    """Options of `hil` itself."""
    if version:
        from importlib.metadata import version as version_of

        print(f"ridethrough {version_of('ridethrough')}")  # noqa: T201
        raise typer.Exit


_PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Write a scenario": (init, explain, schema, validate),
    "Run it": (run, compare, wire, serve, scenarios),
    "Read a run": (show, plot, tail, convert, diff),
    "Judge a recording": (check,),
    "Before you trust it": (doctor, verify),
}
for panel, commands in _PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(load_commands, name="load", rich_help_panel="Write a scenario")
