"""What must be refused of limits on batteries and UPSs."""

from __future__ import annotations

from typing import Any


def one(kind: str, node: str = "bess.a", name: str = "x", **keys: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "node": node, **keys}


BAD = [
    (one("cell_voltage"), "min: missing; a limit of this kind has min or max"),
    (one("cell_voltage", min=2.5), "min = 2.5: must be a voltage with its unit, such as '34.5 kV'"),
    (one("cell_voltage", min="3.2 V"), "min = '3.2 V': must be below a cell's nominal voltage = 3.2 V"),
    (one("cell_voltage", max="3.2 V"), "max = '3.2 V': must be above a cell's nominal voltage = 3.2 V"),
    (one("cell_voltage", "ups.a", min="2.0 V"), "min = '2.0 V': must be below a cell's nominal voltage = 2 V"),
    (one("cell_voltage", min="3.6 V", max="2.5 V"), "min = '3.6 V': must be below max = 2.5 V"),
    (one("cell_voltage", "pcc", min="2.5 V"), "node = 'pcc': must name a BESS or a UPS, such as 'bess.main'"),
    (one("cell_voltage", min="2.5 V", release="2.5 V"), "release = '2.5 V': must be above min = 2.5 V"),
    (one("cell_voltage", max="3.6 V", release="3.7 V"), "release = '3.7 V': must be below max = 3.6 V"),
    (
        one("cell_voltage", min="2.5 V", max="3.6 V", release="3 V"),
        "release = '3 V': needs one bound, min or max; of a stage with both it is not clear whose it is",
    ),
    (one("dc_voltage", max="1000 V"), "max = '1000 V': must be above bess.a.dc_voltage = 1000 V"),
    (one("dc_voltage", min="1 kV"), "min = '1 kV': must be below bess.a.dc_voltage = 1000 V"),
    (one("c_rate"), "max: missing; a limit of this kind has max, charge or discharge"),
    (one("c_rate", max=1.0, charge=1.0), "max = 1.0: is for both ways: without charge and discharge"),
    (one("c_rate", charge=0.0), "charge = 0.0: must be above 0"),
    (one("battery_temperature"), "min: missing; a limit of this kind has min or max"),
    (one("battery_temperature", min="25 degC"), "min = '25 degC': must be below bess.a.ambient = 25 degC"),
    (one("battery_temperature", min="9 degC", max="8 degC"), "min = '9 degC': must be below max = 8 degC"),
    (one("battery_temperature", min="9 degC", during="rest"), "during = 'rest': must be 'always', 'charging' or 'discharging'"),
    (one("overload", "ups.a"), "max: missing; an overload has max, or steps"),
    (one("overload", "ups.a", max=1.1, steps=[[1.1, "1 s"]]), "max = 1.1: a limit with steps has no max: each step has its level"),
    (one("overload", "ups.a", steps=[[1.1, "1 s"]], delay="1 s"), "delay = '1 s': a limit with steps has no delay: each step has its time"),
    (one("overload", "ups.a", max=1.1, window="1 s"), "window = '1 s': is for the times of steps"),
    (one("overload", "ups.a", steps=[[1.1, 1.0]]), "steps.0.1 = 1.0: must be a time with its unit, such as '40 ms'"),
    (one("overload", "ups.a", steps=[[1.0 + n / 10, "1 s"] for n in range(8)]), "steps: must have at most 7 steps"),
    (one("output_voltage", "ups.a"), "below: missing; an envelope has steps below or above"),
    (one("output_voltage", "ups.a", below=[[1.0, "1 s"]]), "below = [[1.0, '1 s']]: must have levels below 1 pu"),
    (one("output_voltage", "ups.a", above=[[1.0, "1 s"]]), "above = [[1.0, '1 s']]: must have levels above 1 pu"),
    (one("output_voltage", "bess.a", above=[[1.1, "1 s"]]), "node = 'bess.a': must name a UPS, such as 'ups.a'"),
    (one("dc_link", "ups.a"), "min: missing; a limit of this kind has min or max"),
    (one("dc_link", "ups.a", max=0.9), "max = 0.9: must be above 1"),
]  # fmt: skip
