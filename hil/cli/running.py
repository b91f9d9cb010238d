"""The commands that run scenarios: `hil run`, `hil wire`, and `hil scenarios`, which lists what can be run."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.trouble import UNFINISHED, fail

if TYPE_CHECKING:
    from hil.cli.junit import JUnitFile
    from hil.report.result import Result


class ClockName(StrEnum):
    """Clocks that a run can have."""

    LOCKSTEP = "lockstep"
    WALL = "wall"


def run(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or the name of a packaged one (see `hil scenarios`).")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as bess.main.rating='5 MVA'.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where the run's folder is made.")] = Path("runs"),
    clock: Annotated[ClockName, typer.Option(help="lockstep: as fast as it goes; wall: paced.")] = ClockName.LOCKSTEP,
    speed: Annotated[
        float | None, typer.Option(metavar="FLOAT", help="Of the wall clock: 10 is ten times as fast as real time.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead of the table.")] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write verdict and limits as JUnit XML, for a CI server.")
    ] = None,
) -> None:
    """Run a scenario and say which limits held.

    Exit code: 0 PASS, 1 FAIL, 3 INCONCLUSIVE; 2 wrong usage or a bad scenario, 4 the run could not be finished; 128 + n where
    signal n ended it.
    """
    from hil.cli.junit import JUnitFile
    from hil.errors import HilError, ScenarioError

    if speed is not None and not 0.0 < speed < math.inf:
        fail(f"--speed {speed:g}: must be a positive number")
    if speed is not None and clock is ClockName.LOCKSTEP:
        fail(f"--speed {speed:g}: needs --clock wall; lock-step runs as fast as it can")
    overrides = set_ or []
    file = JUnitFile(junit, scenario)
    try:
        with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):  # what a supervisor prints is no JSON
            result = _run(scenario, overrides, runs, file, quiet=as_json, clock=clock, speed=speed)
    except ScenarioError as error:
        file.fail(str(error))
    except (HilError, OSError) as error:
        file.fail(f"{scenario}: {error}", UNFINISHED)
    code = file.tell(result)  # before it is printed: who reads that may have gone
    if as_json:
        print(json.dumps(result.summary(), indent=2))  # noqa: T201
    else:
        from hil.cli.table import print_result

        print_result(result)
    raise typer.Exit(code)


def wire(
    scenario: Annotated[str, typer.Argument(help="A scenario with a law on the wire (see `hil scenarios`).")],
    cycles: Annotated[str, typer.Option(help="Cycles of the driver, with units.")] = "10 ms, 20 ms, 50 ms, 100 ms",
    latencies: Annotated[
        str, typer.Option(help="Latencies of the link, one way, with units.")
    ] = "0 ms, 2 ms, 5 ms, 10 ms, 20 ms, 50 ms",
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time; default: one a core.")] = os.cpu_count() or 1,
) -> None:
    """Say for each limit at which driver cycle and link latency it holds, with the law on the wire.

    Exit code 0 once every pair has been run; 2 wrong usage or a bad scenario, 4 a run could not be finished.
    """
    from hil.cli.wire import print_wire_table
    from hil.errors import HilError, ScenarioError
    from hil.scenario.files import load
    from hil.session.wire_table import wire_table

    try:
        times = [_times(option, text) for option, text in (("--cycles", cycles), ("--latencies", latencies))]
        cells = list(wire_table(load(scenario, set_ or []), *times, jobs=jobs))
    except ScenarioError as error:
        fail(str(error))
    except (HilError, OSError) as error:
        fail(f"{scenario}: {error}", UNFINISHED)
    print_wire_table(cells)


def scenarios(
    *,
    only_incidents: Annotated[bool, typer.Option("--incidents", help="Those that tell of something that happened.")] = False,
    remedies: Annotated[bool, typer.Option("--remedies", help="The overlays of `hil compare` instead.")] = False,
) -> None:
    """List the packaged scenarios, incidents, or remedies."""
    from hil.scenario import overlay
    from hil.scenario.files import incidents, packaged

    found = overlay.remedies() if remedies else incidents() if only_incidents else packaged()
    width = max(map(len, found))
    for name, title in found.items():
        print(f"{name:{width}}  {title}")  # noqa: T201


def _run(
    source: str, overrides: list[str], runs: Path, file: JUnitFile, *, quiet: bool, clock: ClockName, speed: float | None
) -> Result:
    from hil.cli.progress import progress_bar
    from hil.errors import HilError, ScenarioError
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
            options = Options(folder=folder, progress=progress, overrides=overrides, clock=clock.value, speed=speed or 1.0)
            file.folder = folder
            return run_scenario(scenario, options)
    except ScenarioError:  # it never ran: there is nothing to keep
        file.folder = None
        shutil.rmtree(folder)
        raise
    except (HilError, OSError):
        raise
    except Exception as error:  # whatever a user's own code raises is told in one line
        raise HilError(f"{_told(error)}; {folder / 'failure.txt'} has the traceback") from error


def _told(error: Exception) -> str:
    """What one's own code raised, who, when and where."""
    from hil.errors import printable
    from hil.own.loading import place_in_own

    who = "".join(f"{note}: " for note in getattr(error, "__notes__", [])[:1])
    where = place_in_own(error)
    return printable(f"{who}{type(error).__name__}: {error}{'' if where is None else f' ({where})'}")


def _times(option: str, text: str) -> list[float]:
    """Times in a list such as "10 ms, 20 ms". Raises ScenarioError."""
    from hil.errors import ScenarioError
    from hil.scenario.quantity import TIME

    times = []
    for part in text.split(","):
        try:
            time_s = TIME.read(part, plain=False)
        except ValueError as problem:
            raise ScenarioError(f"{option} {text!r}", part.strip() or "''", f": {problem}") from None
        if time_s < 0.0 or (time_s == 0.0 and option == "--cycles"):
            raise ScenarioError(f"{option} {text!r}", part.strip(), ": must be positive")
        times.append(time_s)
    return times
