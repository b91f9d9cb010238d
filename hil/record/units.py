"""Units of the columns of a record, by how their names end: as they are stored, and as people read them."""

from __future__ import annotations

# The SI unit, the one for people, and what a value is multiplied by for them.
_UNITS = {
    "_w_per_s": ("W/s", "MW/min", 60e-6),
    "_w": ("W", "MW", 1e-6),
    "_var": ("var", "Mvar", 1e-6),
    "_hz": ("Hz", "Hz", 1.0),
    "_pu": ("pu", "pu", 1.0),
    "_v": ("V", "V", 1.0),
    "_a": ("A", "A", 1.0),
    "_s": ("s", "s", 1.0),
    "_us": ("us", "µs", 1.0),
    "_degc": ("degC", "°C", 1.0),
    ".soc": ("", "%", 100.0),
}


def unit(column: str) -> str:
    """Unit in which a column is stored; empty for what has none."""
    return _units(column)[0]


def handy_unit(column: str) -> tuple[str, float]:
    """The unit in which people read a column, and what its value is multiplied by; no unit for what has none."""
    return _units(column)[1:]


def _units(column: str) -> tuple[str, str, float]:
    channel = column.removesuffix(".min").removesuffix(".max")
    return next((units for end, units in _UNITS.items() if channel.endswith(end)), ("", "", 1.0))
