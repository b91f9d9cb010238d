"""Everything of a run short of running it: what can be wrong with a scenario shows here."""

from __future__ import annotations

from dataclasses import dataclass

from hil.errors import ScenarioError
from hil.fleet.leads import Leads, Own
from hil.kernel.engine import Engine
from hil.loads.source import LoadSource
from hil.scenario.files import checked
from hil.scenario.model import Scenario
from hil.site.build import build_engine
from hil.site.record import streams
from hil.verdict.expectations import unknown_signals


@dataclass(frozen=True)
class Prepared:
    """A scenario that can be run: its load at the first tick, its engine, its supervisors (None: no slow side)."""

    scenario: Scenario
    source: LoadSource
    engine: Engine
    leads: Leads | None


def prepare(scenario: Scenario, own: Own | None = None, *, controllers: bool = True, record: bool = True) -> Prepared:
    """Check a scenario as a whole, read the files that it names, build its engine, and make its supervisors.

    own: supervisors by device. record: False where nothing is recorded. Raises ScenarioError for whatever cannot be run as
    written.
    """
    scenario = checked(scenario)
    if not controllers:
        refuse_wire(scenario)
    source = LoadSource(scenario)
    engine = build_engine(scenario, source.first_w, record=record)
    if scenario.expect:
        _check_expected(scenario, engine)
    return Prepared(scenario, source, engine, Leads(scenario, own or {}) if controllers else None)


def _check_expected(scenario: Scenario, engine: Engine) -> None:
    """Raise ScenarioError where a signal is expected that is not recorded."""
    recorded = list(dict.fromkeys(channel for stream in streams(scenario, engine.channels) for channel in stream.columns))
    for number, signal in unknown_signals(scenario, recorded):
        there = ", ".join(recorded)
        raise ScenarioError(scenario.source, f"expect.{number}.signal", f" = {signal!r}: not recorded; there are: {there}")


def refuse_wire(scenario: Scenario) -> None:
    """Raise ScenarioError where a law needs a driver, which a run without controllers has not."""
    for name in scenario.absorber:
        if scenario.on_wire(scenario.absorber[name].device) == name:
            what = " = 'wire': needs a driver; a run of the kernel alone has none"
            raise ScenarioError(scenario.source, f"absorber.{name}.placement", what)
