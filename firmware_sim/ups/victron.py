"""A UPS as a Victron GX has an inverter/charger: its services `vebus`, `battery` and `system`.

Paths are those of com.victronenergy.vebus, .battery and .system; a battery's power is positive when it charges. Assumed: the
instances 276 (VE.Bus of a Cerbo GX) and 512; three equal phases of 230 V; no product of Victron's stands behind `ProductId`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from firmware_sim.image import UpsImage
from firmware_sim.mqtt.victron import Item, identity
from firmware_sim.ups.device import MODES, EmulatedUps

_VEBUS, _BATTERY = "vebus/276", "battery/512"
_NOMINAL_V = 230.0
_PHASES = 3
_LEAST_SHARE = 1e-3  # of its rating: a battery with less neither charges nor discharges
_OK, _ALARM = 0.0, 2.0
_GRID, _NOT_CONNECTED = 0.0, 240.0  # Ac/ActiveIn/ActiveInput
# State of com.victronenergy.vebus
_OFF, _BULK, _FLOAT, _PASSTHRU, _INVERTING, _POWER_ASSIST = 0.0, 3.0, 5.0, 8.0, 9.0, 10.0
# Mode of it; the device's command is on or off
_ON, _SWITCHED_OFF = 3.0, 4.0


def ups_items(device: EmulatedUps, image: UpsImage) -> Mapping[str, Item]:
    """Its items, by `service/instance/path`."""
    input_w, output_w = image.reader("input_w"), image.reader("output_w")
    input_pu, output_pu = image.reader("bus.voltage_measured_pu"), image.reader("output_voltage_pu")
    hertz, mode = image.reader("pcc.frequency_measured_hz"), image.reader("mode")
    soc, runtime_s = image.reader("soc"), image.reader("runtime_s")
    line_ok, low = image.reader("line_ok"), image.reader("low_battery")
    charge_w, charge_a = _reversed(image.reader("battery_w")), _reversed(image.reader("battery_current_a"))
    battery_v, degrees = image.reader("battery_voltage_v"), image.reader("temperature_degc")
    recharge_w, operation = image.firmware_reader("recharge_w"), image.firmware_reader("operation")

    def percent() -> float:
        return 100.0 * soc()

    def state() -> float:
        name = MODES[int(mode())]
        if name != "normal":
            return {"off": _OFF, "bypass": _PASSTHRU, "battery": _INVERTING}[name]
        least_w = _LEAST_SHARE * image.rating_w
        return _BULK if charge_w() > least_w else _POWER_ASSIST if charge_w() < -least_w else _FLOAT

    def on_grid() -> bool:
        return MODES[int(mode())] in ("normal", "bypass")

    def flow() -> float:
        """0 idle, 1 charging, 2 discharging."""
        least_w = _LEAST_SHARE * image.rating_w
        return 1.0 if charge_w() > least_w else 2.0 if charge_w() < -least_w else 0.0

    def set_mode(value: float) -> None:
        device.command("operation", {_ON: 1.0, _SWITCHED_OFF: 0.0}.get(value, value))

    def disable_charge(value: float) -> None:
        device.command("recharge_w", 0.0 if value else image.recharge_max_w)

    name = str(device.meta()["model"])
    battery = {
        "Dc/0/Voltage": Item(battery_v), "Dc/0/Current": Item(charge_a), "Dc/0/Power": Item(charge_w), "Soc": Item(percent),
    }  # fmt: skip
    vebus: dict[str, Item] = {
        **battery,
        "Ac/NumberOfPhases": Item(float(_PHASES)),
        "Ac/ActiveIn/ActiveInput": Item(lambda: _GRID if on_grid() else _NOT_CONNECTED),
        "Ac/ActiveIn/Connected": Item(lambda: float(on_grid())),
        "Ac/ActiveIn/P": Item(input_w),
        "Ac/Out/P": Item(output_w),
        "State": Item(state),
        "Mode": Item(lambda: _ON if operation() else _SWITCHED_OFF, set_mode),
        "Hub4/DisableCharge": Item(lambda: float(recharge_w() == 0.0), disable_charge),
        "Alarms/GridLost": Item(lambda: _OK if line_ok() else _ALARM),
        "Alarms/LowBattery": Item(lambda: _ALARM if low() else _OK),
    }
    system: dict[str, Item] = {
        "Ac/Grid/NumberOfPhases": Item(float(_PHASES)),
        "Ac/ConsumptionOnOutput/NumberOfPhases": Item(float(_PHASES)),
        "Ac/ActiveIn/Source": Item(lambda: 1.0 if on_grid() else _NOT_CONNECTED),
        "SystemState/State": Item(state),
        "Dc/Battery/Soc": Item(percent), "Dc/Battery/Power": Item(charge_w), "Dc/Battery/Voltage": Item(battery_v),
        "Dc/Battery/Current": Item(charge_a), "Dc/Battery/State": Item(flow), "Dc/Battery/TimeToGo": Item(runtime_s),
    }  # fmt: skip
    for phase in (f"L{number + 1}" for number in range(_PHASES)):
        vebus[f"Ac/ActiveIn/{phase}/P"] = system[f"Ac/Grid/{phase}/Power"] = Item(_part(input_w))
        vebus[f"Ac/Out/{phase}/P"] = system[f"Ac/ConsumptionOnOutput/{phase}/Power"] = Item(_part(output_w))
        vebus[f"Ac/ActiveIn/{phase}/V"] = Item(_volts(input_pu))
        vebus[f"Ac/Out/{phase}/V"] = Item(_volts(output_pu))
        vebus[f"Ac/ActiveIn/{phase}/F"] = Item(hertz)
    services = {
        _VEBUS: {**identity(_VEBUS, name), **vebus},
        _BATTERY: {
            **identity(_BATTERY, f"{name}, battery"), **battery,
            "Dc/0/Temperature": Item(degrees), "TimeToGo": Item(runtime_s),
        },
        "system/0": system,
    }  # fmt: skip
    return {f"{service}/{path}": item for service, paths in services.items() for path, item in paths.items()}


def _reversed(read: Callable[[], float]) -> Callable[[], float]:
    return lambda: 0.0 - read()


def _part(read: Callable[[], float]) -> Callable[[], float]:
    return lambda: read() / _PHASES


def _volts(read: Callable[[], float]) -> Callable[[], float]:
    return lambda: _NOMINAL_V * read()
