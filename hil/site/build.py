"""The engine of a scenario."""

from __future__ import annotations

import numpy as np

from hil.kernel.engine import LOOP_CHANNELS, Engine, row_words
from hil.kernel.layout import CODES, channel_names
from hil.record.streams import ring
from hil.scenario.model import Scenario
from hil.site.breakers import breaker_outputs, breakers
from hil.site.events import events
from hil.site.laws import laws
from hil.site.limits import function_channels, limits, sequence_channels
from hil.site.parts import Parts, Steady
from hil.site.plant import plant, sequences, tan_phi
from hil.site.record import streams
from hil.site.sources import source_outputs, sources
from hil.site.storage import storage
from hil.site.ups import direct_share

LOAD_BLOCK_TICKS = 8192
LOAD_CAPACITY_TICKS = 4 * LOAD_BLOCK_TICKS
RECORD_CAPACITY_ROWS = 65_536


def build_engine(scenario: Scenario, first_it_w: float, *, record: bool = True) -> Engine:
    """The engine of a scenario, in steady state at an IT load; without a record it is lighter.

    Raises ScenarioError where the grid cannot carry the load at the start, a law of one's own cannot be used, or the record's
    channels fit none.
    """
    parts = Parts(scenario)
    names = [f"bess.{name}" for name in scenario.bess]
    ups_names = [f"ups.{name}" for name in scenario.ups_alone]
    groups = [f"ups.{name}" for name in scenario.ups_groups]
    more = (*sequence_channels(scenario), *breaker_outputs(scenario), *source_outputs(scenario), *function_channels(scenario))
    channels = (*channel_names(names, ups_names, groups), *more)
    steady = plant(parts, first_it_w)
    sequences(parts, channels)
    storage(parts)
    sources(parts, steady, channels)
    limits(parts, steady, channels)
    events(parts)
    breakers(parts, channels)
    own_laws = laws(parts, steady)
    _run_state(parts, steady, channels)
    return Engine(
        parts.parameters,
        parts.states,
        names,
        ups_names,
        groups,
        period_ns=scenario.period_ns,
        load_tan_phi=tan_phi(scenario.load.power_factor),
        direct_share=direct_share(scenario),
        laws=own_laws,
        function_channels=more,
        **(ring(streams(scenario, channels), [*channels, *LOOP_CHANNELS]) if record else {}),
        record_capacity=RECORD_CAPACITY_ROWS if record else 1,
    )


def _run_state(parts: Parts, steady: Steady, channels: tuple[str, ...]) -> None:
    """What the engine keeps besides the components."""
    run = parts.make_states("run", 1)
    run["end_tick"] = parts.scenario.ticks
    warm_up = parts.scenario.ticks_of(parts.scenario.warm_up_s)
    run["warm_up_ticks"] = run["suspect_until"] = warm_up
    parts.states["limits"]["suspect_until"] = warm_up
    run["it_demand_w"] = steady.it_w
    parts.make_states("commands", CODES["command.most"])
    parts.make_states("commanded", parts.scenario.numbers)
    parts.make_states("load_ring", LOAD_CAPACITY_TICKS)
    parts.make_states("stimuli", CODES["stimuli.most"] + 1)
    parts.make_states("blank_until", CODES["blank.kinds"])
    parts.make_states("row", row_words(channels))
    parts.states["arena"] = np.ascontiguousarray(parts.arena.array())
