"""The calls of a script that runs scenarios."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hil.session.run import Options, run_scenario

if TYPE_CHECKING:
    from controllers.supervisor import Supervisor
    from controllers.ups_supervisor import UpsSupervisor
    from hil.report.comparison import Comparison
    from hil.report.result import Result
    from hil.scenario.model import Scenario


def run(
    scenario: Scenario,
    *,
    supervisors: Mapping[str, Supervisor | UpsSupervisor] | None = None,
    folder: str | Path | None = None,
    clock: Literal["lockstep", "wall"] = "lockstep",
    speed: float = 1.0,
) -> Result:
    """Run a scenario and return its result; in lock-step virtual time, unless the clock says otherwise.

    supervisors: of one's own, by device (`{"bess.main": HoldHalf()}`; `"ups"` for all UPSs); each replaces the scenario's.
    folder: where the run's files go; by default the record stays in memory. clock: "wall" paces the run, `speed` times as
    fast as real time (docs/wall_clock.md). Call it outside any running asyncio loop.

    Raises ScenarioError for what cannot be run; what a supervisor raises, once its devices are safe;
    ValueError for a speed that the clock cannot have.
    """
    outside_asyncio("hil.run")
    where = None if folder is None else Path(folder)
    return run_scenario(scenario, Options(folder=where, supervisors=supervisors, clock=clock, speed=speed))


def outside_asyncio(who: str) -> None:
    """Raise RuntimeError where a loop runs in this thread: a run has one of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"{who} has a loop of its own: call it outside asyncio, or in a thread")


def compare(
    scenario: Scenario | str | Path,
    overlays: Sequence[str | Path] = (),
    *,
    overrides: Sequence[str] = (),
    combine: bool = False,
    jobs: int = 1,
    folder: str | Path | None = None,
) -> Comparison:
    """Run a scenario as it is and under each overlay, and say what each remedy cost and saved (docs/compare.md).

    scenario: one that was loaded or made, a file, or the name of a packaged one. overlays: files, packaged remedies, or
    several joined by a plus. overrides: as of `hil.load`, of all runs. combine: every subset of the overlays. jobs: runs at
    a time; several are processes, and need a script that can be imported. folder: where the runs' folders are kept.

    Raises ScenarioError for what cannot be run, before anything runs.
    """
    from hil.scenario.files import Written, override_document, written
    from hil.scenario.overlay import variants
    from hil.session.compare import CompareOptions, compare_variants

    outside_asyncio("hil.compare")
    if isinstance(scenario, (str, Path)):
        base = written(scenario, overrides)
    else:
        base = Written(scenario.document(), scenario.name, scenario.source)
        for override in overrides:
            override_document(base.source, base.document, override)
    options = CompareOptions(jobs=jobs, folder=None if folder is None else Path(folder))
    return compare_variants(base, variants(overlays, combine=combine), options)
