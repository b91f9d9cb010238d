"""The channels that limits of several rooms look at."""

import re

POWER = "pcc.power_measured_w"
TRUE_POWER = "pcc.power_w"
FREQUENCY = "pcc.frequency_measured_hz"
_OF_JUMPS = re.compile(r"pcc\.frequency_blocked_jump_(.+)_deg_hz")

NEGATIVE_SEQUENCE = {node: f"{node}.voltage_negative_sequence_measured_pu" for node in ("pcc", "bus")}
"""Measured negative-sequence voltages, which a row has only where something looks at them."""

SOURCE_CHANNELS = ("bus.frequency_hz", "pcc.tied")
"""Of a site that has sources of its own."""

GENSET_CHANNELS = tuple(
    f"gensets.{name}" for name in ("power_w", "reactive_var", "voltage_pu", "frequency_hz", "state", "switch")
)
"""Of one with generating sets."""

PSU_CHANNELS = ("psu.off_share", "psu.held_share")
"""Of one with power supplies."""


def forming_channels(bess: str) -> tuple[str, str, str]:
    """Of a BESS that forms a voltage: 1 while it does, its frequency, by how much its current limit widens its impedance."""
    return f"{bess}.forming", f"{bess}.forming_frequency_hz", f"{bess}.widened"


def breaker_channels(breaker: str) -> tuple[str, str, str]:
    """Of a breaker that limits trip: 1 while it is closed, 1 while it is about to open, 1 while it is locked out (86)."""
    return f"breakers.{breaker}.closed", f"breakers.{breaker}.tripping", f"breakers.{breaker}.lockout"


def blocked_by_jumps(least_deg: float) -> str:
    """The measured frequency, not a number around jumps of the phase beyond an angle: it is there of waveforms alone."""
    return f"pcc.frequency_blocked_jump_{least_deg:.12g}_deg_hz"


def least_jump(channel: str) -> float | None:
    """The angle beyond which jumps block a channel, degrees; None where they do not."""
    found = _OF_JUMPS.fullmatch(channel)
    return None if found is None else float(found[1])
