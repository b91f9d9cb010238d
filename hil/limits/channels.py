"""The channels that limits of several rooms look at."""

POWER = "pcc.power_measured_w"
TRUE_POWER = "pcc.power_w"
FREQUENCY = "pcc.frequency_measured_hz"

NEGATIVE_SEQUENCE = {node: f"{node}.voltage_negative_sequence_measured_pu" for node in ("pcc", "bus")}
"""Measured negative-sequence voltages, which a row has only where something looks at them."""


def breaker_channels(breaker: str) -> tuple[str, str, str]:
    """Of a breaker that limits trip: 1 while it is closed, 1 while it is about to open, 1 while it is locked out (86)."""
    return f"breakers.{breaker}.closed", f"breakers.{breaker}.tripping", f"breakers.{breaker}.lockout"
