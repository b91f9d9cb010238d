"""Fast laws: parameters and states of the built-in ones, and what it takes to load a user's own."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import math
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from controllers.law import SIGNALS, VERSION, Law
from hil.errors import ScenarioError
from hil.kernel.layout import CODES
from hil.scenario.absorber import OwnLaw, RampLimit
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
        if isinstance(absorber, RampLimit):
            params[index]["rise_w_per_s"] = absorber.ramp_w_per_s
            params[index]["fall_w_per_s"] = absorber.ramp_down_w_per_s or absorber.ramp_w_per_s
            states[index]["grid_w"] = steady.load_w
        elif isinstance(absorber, OwnLaw):
            name = next(name for name, other in scenario.absorber.items() if other is absorber)
            own.append((index, name, absorber, load_law(scenario, name, absorber)))
    return _memory(parts, steady, own)


def load_law(scenario: Scenario, name: str, absorber: OwnLaw) -> Law:
    """The law that an absorber names. Raises ScenarioError."""

    def problem(what: str) -> ScenarioError:
        return ScenarioError(scenario.source, f"absorber.{name}.law", f" = {absorber.law!r}: {what}")

    where, _, attribute = absorber.law.rpartition(":")
    try:
        module = _from_file(Path(where)) if where.endswith(".py") else importlib.import_module(where)
    except Exception as error:  # noqa: BLE001  # whatever a user's module raises is told in one line
        at = traceback.extract_tb(error.__traceback__)[-1].lineno if where.endswith(".py") else None
        line = getattr(error, "lineno", None) or at
        place = f" (line {line})" if line else ""
        raise problem(f"cannot be imported: {type(error).__name__}: {error}{place}") from None
    law = getattr(module, attribute, None)
    if not isinstance(law, Law):
        found = ", ".join(key for key, value in vars(module).items() if isinstance(value, Law)) or "none"
        is_what = "there is no such name" if law is None else f"{attribute} is of type {type(law).__name__}"
        raise problem(f"{is_what}; must name a controllers.Law, there are: {found}")
    return law


def _from_file(path: Path) -> ModuleType:
    """A module from a file; what stands beside the file can be imported by it."""
    name = f"_law_{path.stem}_{abs(hash(str(path))):x}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(path.parent))
    try:
        sys.modules[name] = module
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(path.parent))
    return module


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
    parts.parameters["law_memory"] = np.zeros(sizes["parameters"] + _ALIGNMENT, dtype=np.uint8)
    parts.states["law_memory"] = np.zeros(sizes["states"] + _ALIGNMENT, dtype=np.uint8)
    for (index, name, absorber, law), (_, _, state_at, params_at, _) in zip(own, adopted, strict=True):
        device = f"law_memory.{absorber.device}"
        state = parts.states["law_memory"][state_at:][: law.state.itemsize].view(law.state)
        params = parts.parameters["law_memory"][params_at:][: law.parameters.itemsize].view(law.parameters)
        parts.states[device], parts.parameters[device] = state, params
        _set_parameters(parts.scenario, name, absorber, law, params)
        if law.start is not None:
            law.start(state[0], params[0], _before_the_run(parts, index, steady))
    return adopted


def _set_parameters(scenario: Scenario, name: str, absorber: OwnLaw, law: Law, params: Any) -> None:
    names = {key: field for field in law.parameters.names if field != "unused" for key in (field, of_name(field)[0])}
    given: dict[str, float] = {}
    for key, value in absorber.parameters.items():
        place = f"absorber.{name}.parameters.{key}"
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1)
            known = ", ".join(dict.fromkeys(of_name(field)[0] for field in names.values())) or "none"
            hint = f"; did you mean {close[0]!r}?" if close else f"; the law has: {known}"
            raise ScenarioError(scenario.source, place, f": unknown parameter{hint}")
        try:
            given[names[key]] = _number(names[key], key, value)
        except ValueError as error:
            raise ScenarioError(scenario.source, place, f" = {value!r}: {error}") from None
    for field in dict.fromkeys(names.values()):
        if field in given:
            params[field] = given[field]
        elif field in law.defaults:
            params[field] = law.defaults[field]
        else:
            place = f"absorber.{name}.parameters.{of_name(field)[0]}"
            raise ScenarioError(scenario.source, place, ": missing; the law gives it no default")


def _number(field: str, key: str, value: Any) -> float:
    """A parameter in SI: a quantity by the unit that the field's name ends in; a plain number under the field's full name."""
    dimension = of_name(field)[1]
    if dimension is not None:
        number = dimension.read(value, plain=key == field)
    elif isinstance(value, str):
        raise ValueError("must be a number")
    else:
        number = float(value)
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
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
