"""How limits of frequency are judged."""

from __future__ import annotations

from typing import Any

from hil.limits.channels import FREQUENCY, blocked_by_jumps
from hil.limits.facts import Facts
from hil.limits.judged import Function, Judged
from hil.limits.kinds.relay import as_relay
from hil.limits.rates import Rate
from hil.limits.ratios import Ratio


def _frequency(limit: Any, facts: Facts) -> dict[str, Any]:
    """The channel of a frequency, and what blocks it."""
    jumps = facts.jumps and limit.block_jump_deg is not None
    measured = blocked_by_jumps(float(limit.block_jump_deg)) if jumps else FREQUENCY
    if limit.block_below is None:
        return {"channel": measured, "blanked_by": "blank.frequency"}
    start = measured.removesuffix("_hz") if jumps else "pcc.frequency_blocked"
    channel = f"{start}_below_{limit.block_below:g}_pu_hz"
    inputs = (measured, "pcc.voltage_lowest_measured_pu")
    gate = Function("ratios", inputs, (channel,), Ratio("gate", least=float(limit.block_below)))
    return {"channel": channel, "blanked_by": "blank.frequency", "functions": (gate,)}


def _underfrequency(limit: Any, facts: Facts) -> list[Judged]:
    return as_relay(
        limit, facts, Judged(low=limit.min_hz, unit="Hz", reference=facts.frequency_hz, **_frequency(limit, facts))
    )


def _overfrequency(limit: Any, facts: Facts) -> list[Judged]:
    return as_relay(
        limit, facts, Judged(high=limit.max_hz, unit="Hz", reference=facts.frequency_hz, **_frequency(limit, facts))
    )


def _rocof(limit: Any, facts: Facts) -> list[Judged]:
    most, window_s = limit.max_hz_per_s, float(limit.window_s)
    how = Judged(low=-most, high=most, unit="Hz/s", value="limit.rate", window_s=window_s, **_frequency(limit, facts))
    blocked = how.channel.removeprefix(FREQUENCY).removeprefix("pcc.frequency").removesuffix("_hz")
    channel = f"pcc.rocof_{window_s:g}_s{blocked}_hz_per_s"
    rate = Function("rates", (how.channel,), (channel,), Rate(window_s, how.blanked_by))
    return as_relay(limit, facts, how, channel=channel, functions=(rate,))


HOW = {
    "underfrequency": _underfrequency,
    "overfrequency": _overfrequency,
    "rocof": _rocof,
}
