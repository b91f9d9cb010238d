"""Quantities: a number with a unit in a scenario file, a plain SI float in Python."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, ValidationInfo

_PREFIXES = {
    "": Fraction(1), "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9),
    "m": Fraction(1, 10**3), "u": Fraction(1, 10**6), "µ": Fraction(1, 10**6), "n": Fraction(1, 10**9),
}  # fmt: skip
_NUMBER = r"[-+]?(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_TEXT = re.compile(rf"\s*({_NUMBER})\s*(\S.*?)?\s*")
_COMMA = re.compile(r"\s*[-+]?[0-9_]*,[0-9]")


def _prefixed(unit: str, prefixes: str) -> dict[str, Fraction]:
    """Units such as kW, MW: `prefixes` is a string of one-letter prefixes; the bare unit is always in."""
    return {prefix + unit: _PREFIXES[prefix] for prefix in ["", *prefixes]}


_TIME = {**_prefixed("s", "munµ"), "min": Fraction(60), "h": Fraction(3600), "d": Fraction(86400)}
_POWER = _prefixed("W", "kMG")


@dataclass(frozen=True)
class Dimension:
    """One kind of quantity: its name, its SI unit, an example, the units that a file may use, the largest value.

    read_only: units that are read, but not chosen when a file is written.
    """

    name: str
    unit: str
    example: str
    units: dict[str, Fraction]
    most: float = math.inf
    read_only: frozenset[str] = frozenset()

    @property
    def article(self) -> str:
        """The indefinite article of the name."""
        return "an" if self.name[0] in "aeiou" else "a"

    @property
    def pattern(self) -> str:
        """Regular expression of its spellings in a file, as Python and JSON Schema both read it."""
        units = "|".join(re.escape(unit) for unit in self.units if unit)
        return rf"^\s*{_NUMBER}\s*(?:{units}){'?' if '' in self.units else ''}\s*$"

    def parse(self, value: Any, info: ValidationInfo) -> float:
        """SI value of a number with unit; plain numbers are SI and accepted from Python only.

        Raises ValueError with what is allowed.
        """
        return self.read(value, plain=not (info.context or {}).get("file"))

    def read(self, value: Any, *, plain: bool) -> float:
        """SI value of a number with unit, or of a plain number where those are accepted. Raises ValueError."""
        wanted = f"must be {self.article} {self.name}"
        if isinstance(value, Real) and not isinstance(value, bool):
            if not plain and self.unit:
                raise ValueError(f"{wanted} with its unit, such as {self.example!r}")
            return self._within(_float(value))
        match = _TEXT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"{wanted}, such as {self.example!r}")
        if _COMMA.match(value):
            raise ValueError(f"{wanted}, such as {self.example!r}; a number has a decimal point")
        scale = self.units.get(match[2] or "")
        if scale is None:
            allowed = ", ".join(unit for unit in self.units if unit)
            raise ValueError(f"{wanted}, such as {self.example!r}; units: {allowed}")
        return self._within(_exact(match[1].replace("_", ""), scale))

    def _within(self, value: float) -> float:
        if self.most < value < math.inf:
            raise ValueError(f"must be at most {self.most:.0f} {self.unit}")
        return value

    def text(self, value: float) -> str | float:
        """The value as a file writes it, exact to the last bit: in the unit that gives the handiest number."""
        if not self.unit or not math.isfinite(value):
            return value
        spelled = []
        for place, unit in enumerate(unit for unit in self.units if unit not in self.read_only):
            scale = self.units[unit]
            number = _float(Fraction(value) / scale)
            exact = [digits for digits in (f"{number:.15g}", repr(number)) if _exact(digits, scale) == value]
            spelled += [(not 1.0 <= abs(number) < 1000.0, len(digits), place, f"{digits} {unit}") for digits in exact]
        return min(spelled)[-1] if value else f"{value:g} {self.unit}"

    def type(self) -> Any:
        """The pydantic field type of this dimension."""
        return Annotated[float, BeforeValidator(self.parse), PlainSerializer(self.text)]


def _float(value: Any) -> float:
    """The nearest float; infinite where there is none."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _exact(number: str, scale: Fraction) -> float:
    """The float nearest to a decimal number times `scale`: "40 ms" is 0.04, "17 MW/min" is 17e6 / 60."""
    rough = float(number)
    if rough == 0.0 or math.isinf(rough):  # far exponents would make fractions of any size
        return rough
    return _float(Fraction(number) * scale)


TIME = Dimension("time", "s", "40 ms", _TIME, most=1e9, read_only=frozenset({"µs", "min", "h", "d"}))
FREQUENCY = Dimension("frequency", "Hz", "20 Hz", _prefixed("Hz", "mk"))
POWER = Dimension("power", "W", "25 MW", _POWER)
APPARENT = Dimension("apparent power", "VA", "25 MVA", _prefixed("VA", "kMG"))
REACTIVE = Dimension("reactive power", "var", "5 Mvar", _prefixed("var", "kMG"))
ENERGY = Dimension("energy", "Wh", "12.5 MWh", _prefixed("Wh", "kMG"))
ENERGY_J = Dimension(
    "energy", "J", "65 J", {**_prefixed("J", "kMG"), **{unit: 3600 * scale for unit, scale in ENERGY.units.items()}},
    read_only=frozenset(ENERGY.units),
)  # fmt: skip
VOLTAGE = Dimension("voltage", "V", "34.5 kV", _prefixed("V", "mkM"))
CURRENT = Dimension("current", "A", "400 A", _prefixed("A", "mk"))
RAMP = Dimension(
    "power ramp",
    "W/s",
    "18 MW/min",
    {f"{power}/{time}": a / b for power, a in _POWER.items() for time, b in (("s", 1), ("min", 60), ("h", 3600))},
    read_only=frozenset(f"{power}/h" for power in _POWER),
)
FREQUENCY_RATE = Dimension("rate of change of frequency", "Hz/s", "1 Hz/s", {"Hz/s": Fraction(1), "mHz/s": Fraction(1, 10**3)})
TEMPERATURE = Dimension("temperature", "degC", "25 degC", {"degC": Fraction(1), "°C": Fraction(1)})
ANGLE = Dimension("angle", "deg", "10 deg", {"deg": Fraction(1), "°": Fraction(1)}, read_only=frozenset({"°"}))
PER_UNIT = Dimension("number", "", "0.95", {"": Fraction(1), "pu": Fraction(1)})

UNITS = frozenset(
    unit
    for dimension in (
        TIME,
        FREQUENCY,
        POWER,
        APPARENT,
        REACTIVE,
        ENERGY,
        ENERGY_J,
        VOLTAGE,
        CURRENT,
        RAMP,
        FREQUENCY_RATE,
        TEMPERATURE,
        ANGLE,
        PER_UNIT,
    )
    for unit in dimension.units
    if unit
)
"""All units that there are."""

_ENDINGS = {
    "_w_per_s": RAMP, "_hz_per_s": FREQUENCY_RATE, "_w": POWER, "_s": TIME, "_hz": FREQUENCY, "_va": APPARENT,
    "_var": REACTIVE, "_wh": ENERGY, "_v": VOLTAGE, "_a": CURRENT, "_degc": TEMPERATURE, "_deg": ANGLE,
    "_pu": PER_UNIT, "_j": ENERGY_J,
}  # fmt: skip


def of_name(name: str) -> tuple[str, Dimension | None]:
    """A name without its unit and the dimension of that unit: `rise_w_per_s` is ("rise", RAMP); None where it has none."""
    for ending, dimension in _ENDINGS.items():
        if name.endswith(ending) and name != ending:
            return (name, None) if dimension is TIME and name.endswith("_per_s") else (name.removesuffix(ending), dimension)
    return name, None


def _whole_seconds(value: float) -> float:
    if value != int(value):
        raise ValueError("must be whole seconds, as the protocol has it")
    return value


Time = TIME.type()
WholeSeconds = Annotated[float, BeforeValidator(TIME.parse), AfterValidator(_whole_seconds), PlainSerializer(TIME.text)]
Frequency = FREQUENCY.type()
Power = POWER.type()
Apparent = APPARENT.type()
Reactive = REACTIVE.type()
Energy = ENERGY.type()
EnergyJ = ENERGY_J.type()
Voltage = VOLTAGE.type()
Current = CURRENT.type()
Ramp = RAMP.type()
FrequencyRate = FREQUENCY_RATE.type()
Temperature = TEMPERATURE.type()
Angle = ANGLE.type()
PerUnit = PER_UNIT.type()
