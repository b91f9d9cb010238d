"""Sources of the site's own, and the power supplies of its IT: generating sets, forming converters, banks of supplies."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from hil.errors import ScenarioError
from hil.kernel.layout import CODES
from hil.limits.channels import GENSET_CHANNELS, PSU_CHANNELS, SOURCE_CHANNELS, forming_channels
from hil.scenario.forming import Forming
from hil.scenario.genset import Gensets
from hil.scenario.model import Scenario
from hil.site.parts import Parts, Steady


def source_outputs(scenario: Scenario) -> tuple[str, ...]:
    """Channels of own sources and power supplies, which stand behind those of the site; none where it has none."""
    found = [channel for name in scenario.forming for channel in forming_channels(f"bess.{name}")]
    if scenario.gensets is not None:
        found = list(GENSET_CHANNELS)
    return (*(SOURCE_CHANNELS if found else ()), *found, *(PSU_CHANNELS if scenario.psu is not None else ()))


def sources(parts: Parts, steady: Steady, channels: tuple[str, ...]) -> None:
    """Fill them: sets at rest, converters in step and without current, all supplies running. Raises ScenarioError."""
    scenario = parts.scenario
    there = scenario.gensets is not None or bool(scenario.forming)
    state = parts.make_states("sources", int(there))
    if there:
        state["output"] = channels.index(SOURCE_CHANNELS[0])
        state["tied"] = 1
        state["frequency_hz"] = scenario.grid.frequency_hz
        parts.states["network"]["disconnected"] = CODES["apart.own"]
        state["angle"] = -cmath.phase(_source(parts, steady))
    _gensets(parts, steady, channels)
    _forming(parts, steady, channels, float(state["angle"][0]) if there else 0.0)
    _psu(parts, steady, channels)


def _source(parts: Parts, steady: Steady) -> complex:
    """The voltage behind the grid's impedance, the bus voltage being real."""
    network = parts.parameters["network"][0]
    apparent = complex(steady.load_w, -steady.load_var) / (float(network["base_va"]) * steady.bus_voltage_pu)
    return steady.bus_voltage_pu + complex(network["resistance_pu"], network["reactance_pu"]) * apparent


def _gensets(parts: Parts, steady: Steady, channels: tuple[str, ...]) -> None:
    scenario, sets = parts.scenario, parts.scenario.gensets
    params, _ = parts.make("genset", int(sets is not None))
    if sets is None:
        return
    if steady.voltage_pu < sets.lost_below:
        what = f" = {sets.lost_below:g}: must be at most the voltage at the PCC at the start, {steady.voltage_pu:.3f} pu"
        raise ScenarioError(scenario.source, "gensets.lost_below", what)
    _machine(sets, params)
    for name in ("under_frequency", "overload", "transfer", "transfer_after", "return_after"):
        params[f"{name}_ticks"] = scenario.ticks_of(getattr(sets, f"{name}_s"))
    params["start_ticks"] = scenario.ticks_of(sets.start_delay_s)
    params["cool_ticks"] = scenario.ticks_of(sets.cool_down_s)
    params["output"] = channels.index(GENSET_CHANNELS[0])


def _machine(sets: Gensets, params: Any) -> None:
    """Engine, alternator and their regulators, all sets as one."""
    params["rating_w"] = sets.count * sets.rating_w
    params["base_va"] = sets.count * sets.rating_w / sets.power_factor
    params["resistance_pu"] = sets.resistance
    params["reactance_pu"] = sets.transient_reactance
    params["synchronous_pu"] = sets.synchronous_reactance
    params["field_s"], params["exciter_s"] = sets.field_s, sets.exciter_s
    params["regulator_gain"] = sets.regulator_gain
    params["regulator_per_s"] = sets.regulator_gain / sets.regulator_s
    params["ceiling_pu"] = sets.ceiling
    params["inertia_s"], params["friction"] = sets.inertia_s, sets.friction
    params["governor_gain"] = sets.governor_gain
    params["governor_per_s"] = sets.governor_gain / sets.governor_s
    params["droop_pu"] = sets.droop
    params["actuator_s"], params["turbo_s"] = sets.actuator_s, sets.turbo_s
    params["first_step"], params["most"] = sets.first_step, sets.overload
    params["under_frequency_pu"] = sets.under_frequency
    params["lost_below_pu"], params["back_above_pu"] = sets.lost_below, sets.back_above


def _forming(parts: Parts, steady: Steady, channels: tuple[str, ...], angle: float) -> None:
    scenario = parts.scenario
    params, states = parts.make("forming", len(scenario.bess) if scenario.forming else 0)
    for index, (name, bess) in enumerate(scenario.bess.items() if scenario.forming else ()):
        if bess.control != "forming":
            continue
        setting = bess.forming or Forming()
        param, state = params[index], states[index]
        param["forms"] = 1
        param["set_pu"] = steady.bus_voltage_pu
        param["resistance_pu"], param["reactance_pu"] = setting.resistance, setting.reactance
        param["inertia_s"], param["damping_pu"] = setting.inertia_s, setting.damping
        param["droop_pu"], param["voltage_droop_pu"] = setting.droop, setting.voltage_droop
        param["filter_gain"] = -math.expm1(-scenario.tick_s / setting.filter_s) if setting.filter_s > 0 else 1.0
        param["restore_s"] = setting.restore_s
        param["limit_pu"] = bess.current_limit
        param["output"] = channels.index(forming_channels(f"bess.{name}")[0])
        state["on"] = state["able"] = bess.initial == "running"
        state["emf_pu"], state["angle"], state["widened"] = steady.bus_voltage_pu, angle, 1.0


def _psu(parts: Parts, steady: Steady, channels: tuple[str, ...]) -> None:
    """A bank for each feed, phase, and pair of a voltage and a time."""
    scenario, psu = parts.scenario, parts.scenario.psu
    feeds = 1 + len(scenario.ups_alone) if psu is not None else 0
    params, states = parts.make("psu", feeds * 3 * psu.banks if psu is not None else 0)
    feed_states = parts.make_states("psu_feeds", feeds)
    if psu is None:
        return
    if steady.bus_voltage_pu < psu.drop_below:
        what = f" = {psu.drop_below:g}: must be at most the voltage of the bus at the start, {steady.bus_voltage_pu:.3f} pu"
        raise ScenarioError(scenario.source, "psu.drop_below", what)
    places = (np.arange(psu.banks) + 0.5) / psu.banks if psu.banks > 1 else np.zeros(1)
    paired = np.random.default_rng([scenario.seed, 0x505355]).permutation(places)
    drop_below = psu.drop_below - psu.drop_below_spread * places
    hold_up_s = psu.hold_up_s + psu.hold_up_spread_s * paired
    shape = (feeds, 3, psu.banks)
    feed, phase, _ = np.indices(shape)
    params["feed"], params["phase"] = feed.ravel(), phase.ravel()
    params["share"] = 1.0 / (3 * psu.banks)
    params["drop_below_pu"] = np.broadcast_to(drop_below, shape).ravel()
    params["hold_ticks"] = np.broadcast_to([scenario.ticks_of(float(one)) for one in hold_up_s], shape).ravel()
    params["refill"] = psu.refill
    params["restart_ticks"] = -1 if psu.restart_after_s is None else scenario.ticks_of(psu.restart_after_s)
    params["restart_step"] = 1.0 / max(1, scenario.ticks_of(psu.restart_ramp_s))
    params["output"] = channels.index(PSU_CHANNELS[0])
    states["running"] = 1.0
    feed_states["draws"] = feed_states["works"] = 1.0
