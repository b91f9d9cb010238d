"""The commands that show runs: `hil show`, `hil plot`, `hil diff`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.trouble import can_draw, fail

if TYPE_CHECKING:
    from hil.report.recording import Recording
    from hil.report.result import Result

RUNS = Path("runs")
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

    Of a run that is under way or was killed it draws what has been recorded.

    Exit code: 0 once it is drawn; 2 wrong usage, no run there, or no matplotlib.
    """
    from_s, to_s = time_of("--from", from_), time_of("--to", to)
    recording = _recording(folder_of(run))
    path = part_file(recording.folder, "picture.png", from_, to) if out is None else out
    can_draw("--out", path, "picture")
    from hil.errors import RunUnreadable

    try:
        recording.plot(path, from_s=from_s, to_s=to_s)
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
        fail(f"{before}: against which run? Name two, or none for the two newest in ./{RUNS}")
    try:
        runs = newest(RUNS, 2) if before is None or after is None else [before, after]
        found = _opened(runs[0]).diff(_opened(runs[1]))
    except RunUnreadable as error:
        fail(str(error))
    if as_json:
        print(json.dumps(found.document(), indent=2))  # noqa: T201
    else:
        from hil.cli.changes import print_difference

        print_difference(found)
    raise typer.Exit(0 if found.same else 1)


def part_file(folder: Path | None, name: str, from_: str | None, to: str | None) -> Path:
    """Where what is made of a run goes by default: that of a part of it does not replace that of the whole."""
    assert folder is not None
    if from_ is None and to is None:
        return folder / name
    stem, dot, ending = name.rpartition(".")
    part = f"{from_ or 'start'}-{to or 'end'}"
    return folder / f"{stem}-{''.join(sign for sign in part if sign.isalnum() or sign in '-.')}{dot}{ending}"


def time_of(option: str, text: str | None) -> float | None:
    """The time that an option gives, s."""
    if text is None:
        return None
    from hil.scenario.quantity import TIME

    try:
        return TIME.read(text, plain=False)
    except ValueError as problem:
        fail(f"{option} {text!r}: {problem}")


def folder_of(run: Path | None) -> Path:
    """The folder of a run; None: of the newest."""
    from hil.errors import RunUnreadable
    from hil.report.saved import newest, run_folder

    try:
        return run_folder(newest(RUNS)[0] if run is None else run)
    except RunUnreadable as error:
        fail(str(error))


def _opened(run: Path | None) -> Result:
    from hil.errors import RunUnreadable
    from hil.report.saved import open_run

    try:
        return open_run(folder_of(run))
    except RunUnreadable as error:
        fail(str(error))


def _recording(folder: Path) -> Recording:
    """The result where there is one, else what has been recorded."""
    from hil.errors import RunUnreadable
    from hil.report.saved import open_recording, open_run

    try:
        return open_run(folder) if (folder / "summary.json").is_file() else open_recording(folder)
    except RunUnreadable as error:
        fail(str(error))
