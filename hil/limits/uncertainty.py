"""How uncertain the value of a limit is, from how uncertain what is measured is."""

from __future__ import annotations

import math

from hil.limits.judged import Judged
from hil.limits.units import written
from hil.scenario.grid import Measurement


def expanded_uncertainty(measurement: Measurement, how: Judged) -> float:
    """Expanded uncertainty (k = 2) of a limit's value, in its unit; 0 where nothing is said of it.

    A difference of two measured values has √2 times that of one: their errors are taken to be independent, which for the
    error of a class of instrument is on the safe side.
    """
    if not how.channel.startswith(("pcc.", "bus.")):
        return 0.0
    if how.unit in ("W", "W/s") or how.scale != 1.0:
        one = float(measurement.power_uncertainty_w)
    elif how.unit in ("Hz", "Hz/s"):
        one = float(measurement.frequency_uncertainty_hz)
    elif how.unit == "pu" and "voltage" in how.channel:
        one = float(measurement.voltage_uncertainty)
    else:
        return 0.0
    if how.unit in ("W/s", "Hz/s"):
        return math.sqrt(2.0) * one / how.window_s
    return how.scale * (math.sqrt(2.0) * one if how.value == "limit.range" else one)


def too_close(measurement: Measurement, how: Judged, worst: float, bound: float) -> str | None:
    """Why a limit that was held may have been violated all the same; None where it was not."""
    uncertainty = expanded_uncertainty(measurement, how)
    left = abs(bound - worst)
    if left >= uncertainty:
        return None
    margin, allowed = written(left, how.unit), written(uncertainty, how.unit)
    return f"its margin, {margin}, is below the expanded uncertainty of what was measured, {allowed}"


def too_near(measurement: Measurement, how: Judged) -> str:
    """Why a relay that did not operate may have done so all the same. how: the bound that it picks up on."""
    by = written(expanded_uncertainty(measurement, how), how.unit)
    return f"with a pick-up nearer by the expanded uncertainty of what was measured, {by}, it operates"
