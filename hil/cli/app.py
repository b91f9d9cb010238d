"""The commands of `hil`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hil.session.result import Result

app = typer.Typer(
    help="Do the protection limits hold when batteries and UPSs absorb LLM load transients?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_USAGE = 2
_UNFINISHED = 4


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or the name of a packaged one (see `hil scenarios`).")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as bess.main.rating='5 MVA'.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where the run's folder is made.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead of the table.")] = False,
) -> None:
    """Run a scenario and say which limits held.

    Exit code: 0 PASS, 1 FAIL, 3 INCONCLUSIVE; 2 wrong usage or a bad scenario, 4 the run could not be finished; 128 + n where
    signal n ended it.
    """
    from hil.errors import HilError, ScenarioError

    overrides = set_ or []
    try:
        result = _run(scenario, overrides, runs, quiet=as_json)
    except ScenarioError as error:
        _fail(str(error), _USAGE)
    except (HilError, OSError) as error:
        _fail(f"{scenario}: {error}", _UNFINISHED)
    if as_json:
        print(json.dumps(result.summary(), indent=2))  # noqa: T201
    else:
        from hil.cli.table import print_result

        print_result(result)
    raise typer.Exit(result.exit_code)


@app.command()
def scenarios() -> None:
    """List the packaged scenarios."""
    from hil.scenario.files import packaged

    found = packaged()
    width = max(map(len, found))
    for name, title in found.items():
        print(f"{name:{width}}  {title}")  # noqa: T201


def _run(source: str, overrides: list[str], runs: Path, *, quiet: bool) -> Result:
    from hil.cli.progress import progress_bar
    from hil.errors import ScenarioError
    from hil.scenario.files import load
    from hil.session.folder import new_folder
    from hil.session.run import Options, run_scenario

    scenario = load(source, overrides)
    try:
        folder = new_folder(runs, scenario.name)
    except OSError as error:
        raise ScenarioError("--runs " + str(runs), "", f"cannot make a folder there ({error.strerror or error})") from None
    try:
        with progress_bar(scenario, quiet=quiet) as progress:
            return run_scenario(scenario, Options(folder=folder, progress=progress, overrides=overrides))
    except ScenarioError:  # it never ran: there is nothing to keep
        shutil.rmtree(folder)
        raise


def _fail(message: str, code: int) -> None:
    print(message, file=sys.stderr)  # noqa: T201
    raise typer.Exit(code)
