"""Values of limits as people read them."""

from __future__ import annotations


def written(value: float, unit: str) -> str:
    """A value in SI with the unit that people use for it."""
    if unit == "W/s":
        return f"{value * 60e-6:.2f} MW/min"
    if unit == "W":
        return f"{value * 1e-6:.2f} MW"
    if unit == "Wh":
        return f"{value * 1e-6:.4g} MWh" if abs(value) >= 1e6 else f"{value * 1e-3:.4g} kWh"
    if unit == "Hz":
        return f"{value:.3f} Hz"
    if unit == "degC":
        return f"{value:.2f} degC"
    return f"{value:.3f} {unit}".rstrip()
