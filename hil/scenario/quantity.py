"""Quantities: a number with a unit in a scenario file, a plain SI float in Python."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo

_PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "n": 1e-9}
_TEXT = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*")


def _prefixed(unit: str, prefixes: str, scale: float = 1.0) -> dict[str, float]:
    """Units such as kW, MW: `prefixes` is a string of one-letter prefixes; the bare unit is always in."""
    return {prefix + unit: scale * _PREFIXES[prefix] for prefix in ["", *prefixes]}


_TIME = {**_prefixed("s", "munµ"), "min": 60.0, "h": 3600.0, "d": 86400.0}
_POWER = _prefixed("W", "kMG")


@dataclass(frozen=True)
class Dimension:
    """One kind of quantity: its name, its SI unit, an example, and the units that a file may use."""

    name: str
    unit: str
    example: str
    units: dict[str, float]

    @property
    def article(self) -> str:
        """The indefinite article of the name."""
        return "an" if self.name[0] in "aeiou" else "a"

    def parse(self, value: Any, info: ValidationInfo) -> float:
        """SI value of a number with unit; plain numbers are SI and accepted from Python only.

        Raises ValueError with what is allowed.
        """
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if not (info.context or {}).get("file") or not self.unit:
                return float(value)
            raise ValueError(f"must be {self.article} {self.name} with its unit, such as {self.example!r}")
        if not isinstance(value, str):
            raise ValueError(f"must be {self.article} {self.name}, such as {self.example!r}")  # noqa: TRY004  # as pydantic wants it
        match = _TEXT.fullmatch(value)
        if match is None:
            raise ValueError(f"must be {self.article} {self.name}, such as {self.example!r}")
        scale = self.units.get(match[2] or "")
        if scale is None:
            allowed = ", ".join(unit for unit in self.units if unit)
            raise ValueError(f"must be {self.article} {self.name}, such as {self.example!r}; units: {allowed}")
        number = float(match[1].replace("_", ""))
        inverse = round(1.0 / scale)
        # A division by a whole number keeps "40 ms" at the float nearest to 0.04.
        return number / inverse if scale < 1.0 and abs(inverse * scale - 1.0) < 1e-12 else number * scale

    def text(self, value: float) -> str | float:
        """The value as a file writes it, exact to the last bit."""
        return f"{value!r} {self.unit}" if self.unit and math.isfinite(value) else value

    def type(self) -> Any:
        """The pydantic field type of this dimension."""
        return Annotated[float, BeforeValidator(self.parse), PlainSerializer(self.text)]


TIME = Dimension("time", "s", "40 ms", _TIME)
FREQUENCY = Dimension("frequency", "Hz", "20 Hz", _prefixed("Hz", "mk"))
POWER = Dimension("power", "W", "25 MW", _POWER)
APPARENT = Dimension("apparent power", "VA", "25 MVA", _prefixed("VA", "kMG"))
REACTIVE = Dimension("reactive power", "var", "5 Mvar", _prefixed("var", "kMG"))
ENERGY = Dimension("energy", "Wh", "12.5 MWh", _prefixed("Wh", "kMG"))
VOLTAGE = Dimension("voltage", "V", "34.5 kV", _prefixed("V", "mkM"))
RAMP = Dimension(
    "power ramp",
    "W/s",
    "18 MW/min",
    {f"{power}/{time}": a / b for power, a in _POWER.items() for time, b in (("s", 1.0), ("min", 60.0), ("h", 3600.0))},
)
TEMPERATURE = Dimension("temperature", "degC", "25 degC", {"degC": 1.0, "°C": 1.0})
PER_UNIT = Dimension("number", "", "0.95", {"": 1.0, "pu": 1.0})

Time = TIME.type()
Frequency = FREQUENCY.type()
Power = POWER.type()
Apparent = APPARENT.type()
Reactive = REACTIVE.type()
Energy = ENERGY.type()
Voltage = VOLTAGE.type()
Ramp = RAMP.type()
Temperature = TEMPERATURE.type()
PerUnit = PER_UNIT.type()
