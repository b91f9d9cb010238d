"""A revenue meter as a Victron GX has one at the grid: its services `grid` and `system`.

Paths are those of com.victronenergy.grid and .system; power is positive when the site imports, energies are in kWh. Assumed:
the instance 30; that each phase carries a third of the power.
"""

from __future__ import annotations

from collections.abc import Mapping

from firmware_sim.meter.device import EmulatedMeter, Signal
from firmware_sim.mqtt.victron import Item, identity

_GRID = "grid/30"


def meter_items(device: EmulatedMeter) -> Mapping[str, Item]:
    """Its items, by `service/instance/path`."""
    signals = device.signals
    power, current = signals["power_w"], signals["current_a"]
    grid = {
        **identity(_GRID, "Emulated meter"),
        "Serial": Item(device.serial),
        "Role": Item("grid"),
        "Ac/Power": Item(power),
        "Ac/PowerFactor": Item(signals["power_factor"]),
        "Ac/Frequency": Item(signals["frequency_hz"]),
        "Ac/Energy/Forward": Item(_scaled(signals["imported_wh"], 1e-3)),
        "Ac/Energy/Reverse": Item(_scaled(signals["exported_wh"], 1e-3)),
    }
    system = {"Ac/Grid/NumberOfPhases": Item(3.0)}
    for phase, (own, to_next) in enumerate((("a", "ab"), ("b", "bc"), ("c", "ca")), 1):
        grid[f"Ac/L{phase}/Power"] = system[f"Ac/Grid/L{phase}/Power"] = Item(_scaled(power, 1.0 / 3.0))
        grid[f"Ac/L{phase}/Current"] = Item(current)
        grid[f"Ac/L{phase}/Voltage"] = Item(signals[f"voltage_{own}_v"])
        grid[f"Ac/L{phase}/VoltageLineToLine"] = Item(signals[f"voltage_{to_next}_v"])
    services = {_GRID: grid, "system/0": system}
    return {f"{service}/{path}": item for service, paths in services.items() for path, item in paths.items()}


def _scaled(read: Signal, by: float) -> Signal:
    def scaled() -> float | None:
        value = read()
        return None if value is None else by * value

    return scaled
