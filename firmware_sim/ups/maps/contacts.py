"""`contacts`: the dry contacts of a UPS behind a remote I/O module, as NUT's `generic_modbus` reads them.

Every contact is closed (1) while its state holds. The contacts stand as discrete inputs, as input and holding registers, and
as coils from 16 on; coil 0 takes the output off, coil 1 brings it back.
"""

from __future__ import annotations

from collections.abc import Callable

from firmware_sim.image import UpsMode
from firmware_sim.modbus.bank import Table
from firmware_sim.registers.codec import BIT
from firmware_sim.registers.point import FLAG, Point
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.ups.panel import Kept, Panel, inputs

_HIGH_BATTERY = 99.0  # percent from which the battery counts as full; assumed
_COILS_AT = 16
_FUNCTIONS = frozenset((1, 2, 3, 4, 5, 15))


def contacts(panel: Panel) -> list[tuple[str, Callable[[], object]]]:
    """The contacts by name, in the order of their addresses."""
    of = panel.readings
    return [
        ("OB", of.without_line),
        ("LB", of.low_battery),
        ("HB", lambda: of.charge_percent() >= _HIGH_BATTERY),
        ("RB", panel.test.failed),
        ("OL", of.line_ok),
        ("BYPASS", of.on_bypass),
        ("CHRG", of.charging),
        ("DISCHRG", of.discharging),
        ("OVER", of.overload),
        ("OFF", of.off),
        ("LATCHED", of.latched),
        ("ECO", lambda: of.mode() == UpsMode.ECO),
        ("WALK_IN", of.walk_in),
        ("TEST", panel.test.in_progress),
        ("FAULT", of.fault),
        ("HOT", of.too_hot),
    ]


def registers(panel: Panel) -> RegisterMap:
    """The map of one UPS."""
    states = contacts(panel)
    coil, switch = Kept(), panel.switch

    def force_shutdown(value: float) -> None:
        if value and not coil.value:
            switch.cancel()
            switch.turn_off(back_s=lambda: None if panel.readings.line_ok() else 0.0)
        coil.write(value)

    def load_on(value: float) -> None:
        if value:
            switch.cancel()
            switch.turn_on()

    return panel.registers(
        [
            *inputs(states),
            *inputs(states, Table.COILS, _COILS_AT),
            *inputs(states, Table.INPUT),
            *inputs(states, Table.HOLDING),
            Point("FSD", 0, BIT, coil.read, force_shutdown, FLAG, Table.COILS),
            Point("LOAD_ON", 1, BIT, 0, load_on, FLAG, Table.COILS),
        ],
        functions=_FUNCTIONS,
        blocks=[(Table.COILS, 0, _COILS_AT)],
    )
