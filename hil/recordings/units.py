"""Units that files give, as SI: what a number is multiplied by."""

from __future__ import annotations

from functools import cache

from hil.record.units import unit as unit_of_column

_NONE = ("", "-", "none", "1")
# As recorders spell them.
_SPELLINGS = {
    "KV": "kV", "KA": "kA", "KW": "kW", "HZ": "Hz", "hz": "Hz", "Volt": "V", "Volts": "V", "Amp": "A", "Amps": "A",
    "Watt": "W", "VAR": "var", "VAr": "var", "Var": "var", "kVAR": "kvar", "kVAr": "kvar", "KVAR": "kvar", "MVAR": "Mvar",
    "MVAr": "Mvar", "KVA": "kVA", "C": "degC", "p.u.": "pu", "p.u": "pu", "PU": "pu",
}  # fmt: skip
_ALIKE = ("", "pu")  # shares of something


def wanted(signal: str) -> str:
    """The SI unit in which the name of a signal ends, as `pcc.power_w` in W; empty where it ends in none."""
    plain = unit_of_column(signal)
    if "_per_" not in signal and (plain or "_" not in signal):
        return plain
    from hil.scenario.quantity import of_name

    dimension = of_name(signal)[1]
    return "" if dimension is None else dimension.unit


def to_si(given: str, unit: str) -> tuple[float, str]:
    """What a number in a given unit is multiplied by to be in `unit`, and that unit; empty: the SI unit of its kind.

    A unit that is not known stays as it is where none is wanted. Raises ValueError saying what is wrong.
    """
    given = given.strip()
    if given in _NONE or given == unit:
        return 1.0, unit
    known = _table().get(_SPELLINGS.get(given, given))
    if known is None:
        if unit:
            raise ValueError(f"is in {given!r}, which is no unit that is known here; say its scale to {unit}")
        return 1.0, given
    scale, base = known
    if unit and base != unit and not (base in _ALIKE and unit in _ALIKE):
        raise ValueError(f"is in {given!r}, and not in a unit of {unit}")
    return scale, unit or base


@cache
def _table() -> dict[str, tuple[float, str]]:
    """By unit its scale to SI, and the SI unit."""
    from hil.scenario.quantity import (
        ANGLE,
        APPARENT,
        ENERGY,
        FREQUENCY,
        FREQUENCY_RATE,
        POWER,
        RAMP,
        REACTIVE,
        TEMPERATURE,
        TIME,
        VOLTAGE,
    )

    table = {"A": (1.0, "A"), "kA": (1e3, "A"), "mA": (1e-3, "A"), "%": (0.01, "")}
    for dimension in (TIME, TEMPERATURE, ANGLE, FREQUENCY, FREQUENCY_RATE, POWER, RAMP, APPARENT, REACTIVE, ENERGY, VOLTAGE):
        table |= {unit: (float(scale), dimension.unit) for unit, scale in dimension.units.items() if unit}
    return table | {"pu": (1.0, "pu")}
