"""The commands that read finished runs: `hil show`, `hil plot`, `hil diff`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.trouble import fail

if TYPE_CHECKING:
    from hil.report.result import Result

_RUNS = Path("runs")
Run = Annotated[Path | None, typer.Argument(metavar="RUN", help="Folder of a run; left out: the newest in ./runs.")]


def show(
    run: Run = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead of the table.")] = False,
) -> None:
    """Say again which limits of a run held.

    Exit code: that of the run, 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 128 + n where signal n ended it; 2 wrong usage, or no finished
    run there.
    """
    result = _opened(run)
    if as_json:
        print(json.dumps(result.summary(), indent=2))  # noqa: T201
    else:
        from hil.cli.table import print_result

        print_result(result)
    raise typer.Exit(result.exit_code)


def _opened(run: Path | None) -> Result:
    from hil.errors import RunUnreadable
    from hil.report.saved import newest, open_run

    try:
        return open_run(newest(_RUNS)[0] if run is None else run)
    except RunUnreadable as error:
        fail(str(error))
