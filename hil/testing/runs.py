"""Runs of scenarios in a test, each with a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hil.api import outside_asyncio
from hil.errors import ScenarioError
from hil.report.limit_table import limit_table
from hil.report.words import held, told
from hil.scenario.model import Scenario
from hil.session.folder import new_folder
from hil.session.run import Options, run_scenario
from hil.testing.bench import ClockName, Target
from hil.testing.scenarios import listed, scenario_for
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from controllers.supervisor import Supervisor
    from controllers.ups_supervisor import UpsSupervisor
    from hil.report.result import Result
    from hil.verdict.result import LimitResult


@dataclass
class Run:
    """A run that a test has made. result: None where something ended it before its end."""

    name: str
    folder: Path
    result: Result | None = None

    def report(self) -> str:
        """How it ended, in lines; the last says where it lies."""
        if self.result is None:
            words = [f"{self.name}: not finished"]
        else:
            words = [
                f"{self.name}: {self.result.verdict}, {held(self.result.limits)}, waveform {self.result.waveform_hash}",
                *_told(self.result.limits.values(), self.result.reasons),
            ]
        return "\n".join([*words, str(self.folder)])

    def properties(self) -> list[tuple[str, str]]:
        """Names and values: verdict, waveform, folder, and how each limit ended."""
        if self.result is None:
            return [(f"{self.name}.folder", str(self.folder))]
        return [
            (f"{self.name}.verdict", str(self.result.verdict)),
            (f"{self.name}.waveform_hash", self.result.waveform_hash),
            (f"{self.name}.folder", str(self.folder)),
            *((f"{self.name}.limit.{limit.name}", told(limit)) for limit in self.result.limits.values()),
            *((f"{self.name}.reason.{place}", reason) for place, reason in enumerate(self.result.reasons, start=1)),
        ]

    def draw(self) -> None:
        """Its picture into its folder, where matplotlib is installed and the disk takes it."""
        if self.result is not None:
            with suppress(ImportError, OSError):
                self.result.plot(self.folder / "picture.png")


class Runs:
    """Makes runs: called with a scenario it returns the result.

    where: gives the folder in which those of the runs are made; beside: where files of scenarios are looked for first; keep:
    is told each run once it has ended, well or not.
    """

    def __init__(
        self, target: Target, where: Callable[[], Path], beside: Callable[[], Path | None], keep: Callable[[Run], None]
    ) -> None:
        self._target = target
        self._where = where
        self._beside = beside
        self._keep = keep

    def __repr__(self) -> str:
        return f"<runs on the target {self._target}>"

    def __call__(
        self,
        scenario: str | Path | Scenario,
        *,
        set: Iterable[str] = (),  # noqa: A002  # as on the command line
        duration: str | float | None = None,
        supervisors: Mapping[str, Supervisor | UpsSupervisor] | None = None,
        clock: ClockName | None = None,
        speed: float | None = None,
    ) -> Result:
        """Run a scenario and return its result; in lock-step, unless the target or `clock` says otherwise.

        scenario: a packaged name, the path of a file (beside the test's first), or a Scenario. set: as with `hil run --set`.
        duration: with a unit, or seconds. supervisors: of one's own, by device. speed: of the wall clock.

        Raises ScenarioError for what cannot be run; what a supervisor raises, once its devices are safe.
        """
        __tracebackhide__ = True
        outside_asyncio("hil_run")
        length = f"{duration} s" if isinstance(duration, (int, float)) else duration
        overrides = [*([] if length is None else [f"duration={length!r}"]), *listed(set)]
        try:
            found = scenario_for(scenario, overrides, self._target, self._beside())
            return self._run(found, overrides, supervisors, clock, speed)
        except ScenarioError as error:
            raise error.with_traceback(None) from None  # its line says all

    def _run(
        self,
        scenario: Scenario,
        overrides: list[str],
        supervisors: Mapping[str, Supervisor | UpsSupervisor] | None,
        clock: ClockName | None,
        speed: float | None,
    ) -> Result:
        chosen = clock or self._target.clock
        pace = speed if speed is not None else self._target.speed if chosen == self._target.clock else 1.0
        run = Run(scenario.name, new_folder(self._where(), scenario.name))
        options = Options(
            folder=run.folder,
            supervisors=supervisors,
            overrides=[*self._target.overrides, *overrides],
            clock=chosen,
            speed=pace,
            picture=False,
        )
        try:
            run.result = run_scenario(scenario, options)
        except ScenarioError:  # it never ran: there is nothing to keep
            shutil.rmtree(run.folder)
            raise
        except BaseException:
            self._keep(run)
            raise
        self._keep(run)
        return run.result


def assert_limits(result: Result, *names: str) -> None:
    """Assert that a run has the verdict PASS; with names of limits, that each of those held, required or not.

    Raises AssertionError with a table of limits, ValueError for the name of a limit that there is not.
    """
    __tracebackhide__ = True
    for name in names:
        if name not in result.limits:
            raise ValueError(f"no limit {name!r} in {result.scenario.name}; there are: {', '.join(result.limits)}")
    looked_at = [result.limits[name] for name in names] or list(result.limits.values())
    if names:
        good = all(limit.outcome is Outcome.PASS for limit in looked_at)
        words, reasons = f"{sum(limit.outcome is Outcome.PASS for limit in looked_at)} of {len(looked_at)} limits held", []
    else:
        good = result.verdict is Outcome.PASS
        words, reasons = f"{result.verdict}, {held(result.limits)}", result.reasons
    if not good:
        where = [] if result.folder is None else [str(result.folder)]
        raise AssertionError("\n".join([f"{result.scenario.name}: {words}", *_told(looked_at, reasons), *where]))


def _told(limits: Iterable[LimitResult], reasons: Iterable[str]) -> list[str]:
    """A table of limits and what else keeps a run from PASS; what both say stands there once."""
    return list(dict.fromkeys([*limit_table(limits), *reasons]))
