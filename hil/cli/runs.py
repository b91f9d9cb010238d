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


def plot(
    run: Run = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .png or .svg file; left out: picture.png in the run's folder.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Where it begins, such as '100 s'.")] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="Where it ends.")] = None,
) -> None:
    """Draw load, grid, storage, UPSs, voltage, state of charge and limits of a run, with what was violated first.

    Exit code: 0 once it is drawn; 2 wrong usage, no finished run there, or no matplotlib.
    """
    from_s, to_s = _time("--from", from_), _time("--to", to)
    result = _opened(run)
    try:
        from hil.report.picture import FORMATS
    except ImportError as error:
        fail(f"no {(error.name or 'matplotlib').partition('.')[0]}, which draws: pip install 'ridethrough[plot]'")
    path = _picture(result, from_, to) if out is None else out
    if path.suffix.lower() not in FORMATS:
        fail(f"--out {path}: must end in {' or '.join(FORMATS)}")
    from hil.errors import RunUnreadable

    try:
        result.plot(path, from_s=from_s, to_s=to_s)
    except RunUnreadable as error:
        fail(str(error))
    except OSError as error:
        fail(f"{path}: cannot be written ({error.strerror or error})")
    except ValueError as error:
        fail(str(error))
    print(path)  # noqa: T201


def diff(
    before: Annotated[Path | None, typer.Argument(metavar="RUN", help="Folder of a run.")] = None,
    after: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="Folder of another; both left out: the two newest in ./runs.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON instead of the tables.")] = False,
) -> None:
    """Say what changed between two runs: settings, limits, waveforms.

    Exit code: 0 nothing, 1 something; 2 wrong usage, or no finished run there. Other versions that gave the same are nothing.
    """
    from hil.errors import RunUnreadable
    from hil.report.saved import newest

    if before is not None and after is None:
        fail(f"{before}: against which run? Name two, or none for the two newest in ./{_RUNS}")
    try:
        runs = newest(_RUNS, 2) if before is None or after is None else [before, after]
        found = _opened(runs[0]).diff(_opened(runs[1]))
    except RunUnreadable as error:
        fail(str(error))
    if as_json:
        print(json.dumps(found.document(), indent=2))  # noqa: T201
    else:
        from hil.cli.changes import print_difference

        print_difference(found)
    raise typer.Exit(0 if found.same else 1)


def _picture(result: Result, from_: str | None, to: str | None) -> Path:
    """Where a picture goes by default: that of a part of a run does not replace that of the whole."""
    assert result.folder is not None
    if from_ is None and to is None:
        return result.folder / "picture.png"
    part = f"{from_ or 'start'}-{to or 'end'}"
    return result.folder / f"picture-{''.join(sign for sign in part if sign.isalnum() or sign in '-.')}.png"


def _time(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    from hil.scenario.quantity import TIME

    try:
        return TIME.read(text, plain=False)
    except ValueError as problem:
        fail(f"{option} {text!r}: {problem}")


def _opened(run: Path | None) -> Result:
    from hil.errors import RunUnreadable
    from hil.report.saved import newest, open_run

    try:
        return open_run(newest(_RUNS)[0] if run is None else run)
    except RunUnreadable as error:
        fail(str(error))
