"""Fast laws: parameters and states of the built-in ones, and what it takes to load a user's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from controllers.law import PLACEHOLDER, SIGNALS, VERSION, Law
from hil.errors import ScenarioError
from hil.kernel.layout import CODES
from hil.own.loading import load_named, told
from hil.own.parameters import Given, read_quantity
from hil.scenario.absorber import Absorber, Droop, HighPass, OwnLaw, RampLimit
from hil.scenario.model import Scenario
from hil.scenario.quantity import of_name
from hil.site.parts import Parts, Steady

_ALIGNMENT = 64
Adopted = tuple[int, int, int, int, object]


def laws(parts: Parts, steady: Steady) -> list[Adopted]:
    """Fill the laws of all devices; returns the users' own as the engine takes them. Raises ScenarioError."""
    scenario = parts.scenario
    params, states = parts.make("law", len(scenario.bess))
    own: list[tuple[int, str, OwnLaw, Law]] = []
    for index, device in enumerate(scenario.bess):
        absorber = scenario.absorber_of(f"bess.{device}")
        params[index]["update_ticks"] = 1
        if absorber is None or absorber.kind == "none":
            continue
        params[index]["kind"] = CODES[f"law.{absorber.kind}"]
        params[index]["placement"] = CODES[f"placement.{absorber.placement}"]
        params[index]["update_ticks"] = max(1, scenario.ticks_of(absorber.update_s))
        params[index]["share"] = scenario.share_of(absorber)
        states[index]["grid_w"] = steady.load_w
        _built_in(scenario, absorber, params[index])
        if isinstance(absorber, OwnLaw):
            name = next(name for name, other in scenario.absorber.items() if other is absorber)
            own.append((index, name, absorber, load_law(scenario, name, absorber)))
    return _memory(parts, steady, own)


def _built_in(scenario: Scenario, absorber: Absorber, params: Any) -> None:
    """Parameters of the laws that come with the testbed (docs/model.md, "Absorbers")."""
    bess = scenario.bess[absorber.device.removeprefix("bess.")]
    if isinstance(absorber, RampLimit):
        params["rise_w_per_s"] = absorber.ramp_w_per_s
        params["fall_w_per_s"] = absorber.ramp_down_w_per_s or absorber.ramp_w_per_s
    elif isinstance(absorber, HighPass):
        params["gain"] = -math.expm1(-float(params["update_ticks"]) * scenario.tick_s / absorber.time_s)
        params["soc_target"] = absorber.soc_target
        params["restore_w"] = bess.energy_wh * 3600.0 / absorber.restore_time_s
        params["restore_most_w"] = absorber.restore_most * bess.rating_va
    elif isinstance(absorber, Droop):
        params["nominal_hz"], params["deadband_hz"] = scenario.grid.frequency_hz, absorber.deadband_hz
        params["droop_w_per_hz"] = bess.rating_va / (scenario.grid.frequency_hz * absorber.droop)


def load_law(scenario: Scenario, name: str, absorber: OwnLaw) -> Law:
    """The law that an absorber names. Raises ScenarioError."""
    try:
        law = load_named(absorber.law, lambda found: isinstance(found, Law), "a controllers.Law")
    except ValueError as error:
        raise _problem(scenario, name, absorber, str(error)) from None
    assert isinstance(law, Law)
    return law


def _problem(scenario: Scenario, name: str, absorber: OwnLaw, what: str) -> ScenarioError:
    return ScenarioError(scenario.source, f"absorber.{name}.law", f" = {absorber.law!r}: {what}")


def _memory(parts: Parts, steady: Steady, own: list[tuple[int, str, OwnLaw, Law]]) -> list[Adopted]:
    """Lay out the memory of the users' laws, set it, and give views of it to Python."""
    adopted: list[Adopted] = []
    sizes = {"parameters": 0, "states": 0}

    def place(kind: str, dtype: np.dtype[Any]) -> int:
        offset = sizes[kind]
        sizes[kind] += math.ceil(dtype.itemsize / _ALIGNMENT) * _ALIGNMENT
        return offset

    for index, _, _, law in own:
        adopted.append((index, law.address, place("states", law.state), place("parameters", law.parameters), law))
    parts.parameters["law_memory"] = _aligned(sizes["parameters"])
    parts.states["law_memory"] = _aligned(sizes["states"])
    for (index, name, absorber, law), (_, _, state_at, params_at, _) in zip(own, adopted, strict=True):
        device = f"law_memory.{absorber.device}"
        state = parts.states["law_memory"][state_at:][: law.state.itemsize].view(law.state)
        params = parts.parameters["law_memory"][params_at:][: law.parameters.itemsize].view(law.parameters)
        parts.states[device], parts.parameters[device] = state, params
        _set_parameters(parts.scenario, name, absorber, law, params)
        if law.start is not None:
            try:
                law.start(state[0], params[0], _before_the_run(parts, index, steady))
            except Exception as error:  # noqa: BLE001  # likewise
                what = f"its start raised {told(error, absorber.law.rpartition(':')[0])}"
                raise _problem(parts.scenario, name, absorber, what) from None
    return adopted


def _aligned(size: int) -> Any:
    """Zeroed bytes that begin at a multiple of 64, and one such multiple more than asked for."""
    raw = np.zeros(size + 2 * _ALIGNMENT, dtype=np.uint8)
    begin = -raw.ctypes.data % _ALIGNMENT
    return raw[begin : begin + size + _ALIGNMENT]


def _set_parameters(scenario: Scenario, name: str, absorber: OwnLaw, law: Law, params: Any) -> None:
    fields = [field for field in law.parameters.names if field != PLACEHOLDER]
    given = Given(scenario.source, f"absorber.{name}.parameters", "the law", absorber.parameters)
    values = given.values(fields, lambda field, key, value: _number(field, key, value, law.parameters[field]))
    for field in fields:
        if field not in values and field not in law.defaults:
            raise given.missing(field, fields)
        params[field] = values.get(field, law.defaults.get(field))


def _number(field: str, key: str, value: Any, dtype: np.dtype[Any]) -> float:
    """A parameter in SI: a quantity by the unit that the field's name ends in; a plain number under the field's full name."""
    dimension = of_name(field)[1]
    if dimension is not None:
        number = read_quantity(dimension, field, key, value)
    elif isinstance(value, str):
        raise ValueError("must be a number")
    else:
        number = float(value)
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    if dtype.kind in "iu":
        held = np.iinfo(dtype)
        if number != int(number) or not held.min <= number <= held.max:
            raise ValueError(f"must be a whole number between {held.min} and {held.max}")
        return int(number)
    most = float(np.finfo(dtype).max)
    if abs(number) > most:
        raise ValueError(f"must be at most {most:g}")
    return number


def _before_the_run(parts: Parts, index: int, steady: Steady) -> Any:
    """What the law would have been given in a tick before the first."""
    bess = list(parts.scenario.bess.values())[index]
    pcs = parts.parameters["pcs"][index]
    given = np.zeros(1, dtype=SIGNALS)
    given["struct_size"], given["version"] = SIGNALS.itemsize, VERSION
    given["load_w"], given["voltage_pu"] = steady.load_w, steady.bus_voltage_pu
    given["frequency_hz"], given["soc"] = parts.scenario.grid.frequency_hz, bess.soc
    for name in ("rating_va", "charge_max_w", "discharge_max_w"):
        given[name] = pcs[name]
    return given[0]
