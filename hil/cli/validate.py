"""The command `hil validate`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.trouble import USAGE

if TYPE_CHECKING:
    from hil.scenario.model import Scenario


def validate(
    scenarios: Annotated[list[str], typer.Argument(help="Scenario files, or names of packaged scenarios.")],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key.")] = None,
) -> None:
    """Say whether scenarios can be run as written, in the very line that a run would print.

    Everything is read, imported and built as for a run; no port is opened, and nothing runs. Notes tell what would keep a run
    from PASS whatever it shows. Exit code: 0 all can be run, 2 otherwise.
    """
    from hil.errors import ScenarioError, printable
    from hil.scenario.files import load
    from hil.session.prepare import prepare
    from hil.verdict.foreseen import foreseen

    bad = False
    for source in scenarios:
        try:
            prepared = prepare(load(source, set_ or []))
        except ScenarioError as error:
            print(error, file=sys.stderr)  # noqa: T201
            bad = True
        else:
            found = prepared.scenario
            print(f"{found.source}: {_said(found)}")  # noqa: T201
            for note in foreseen(found, prepared.source.sampled_s):
                print(printable(f"{found.source}: note: {note}"))  # noqa: T201
    raise typer.Exit(USAGE if bad else 0)


def _said(scenario: Scenario) -> str:
    upss = sum(int(ups.count or 1) for ups in scenario.ups.values())
    devices = [
        f"{there} {what}"
        for what, there in (("BESS", len(scenario.bess)), ("UPS", upss), ("meter", len(scenario.meter)))
        if there
    ]
    required = sum(limit.required for limit in scenario.limits)
    limits = f"{len(scenario.limits)} limits, {required} required"
    tripping = sum(getattr(limit, "breaker", None) is not None for limit in scenario.limits)
    if tripping:
        limits += f", {tripping} {'trips' if tripping == 1 else 'trip'} {' and '.join(scenario.breakers)}"
    return f"valid · {' · '.join([f'{scenario.duration_s:g} s at {scenario.tick_s * 1e3:g} ms', *devices, limits])}"
