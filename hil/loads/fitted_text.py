"""A fitted job as a `[load]` section, with what was not resolved in comments."""

from __future__ import annotations

from hil.loads.fit import Fitted

_SHARES = ("compute_share", "communication_power", "jitter", "idle_power", "checkpoint_power")
_TIMES = ("iteration", "edge", "start", "stop", "checkpoint_every", "checkpoint_duration")
_ORDER = (
    "iteration", "edge", "compute_share", "communication_power", "idle_power", "jitter", "start", "stop", "checkpoint_every",
    "checkpoint_duration", "checkpoint_power",
)  # fmt: skip


def text(found: Fitted, name: str) -> str:
    """TOML that a scenario takes as it is."""
    counted = f"{found.iterations:,} iterations, {found.checkpoints:,} checkpoints"
    lines = [
        f"# Fitted to {name}: {found.samples:,} samples, one every {found.sampled_s:.4g} s; {counted}.",
        "[load]",
        'kind = "training"',
        f'power = "{found.power_w / _unit(found.power_w)[0]:.4g} {_unit(found.power_w)[1]}"',
    ]
    for key in _ORDER:
        value = getattr(found, f"{key}_s" if key in _TIMES else key)
        if key in found.open:
            told = f": {_value(key, value)}?" if value is not None else ""
            lines.append(f"# {key}{told} not resolved, {found.open[key]}")
        elif value is not None:
            lines.append(f"{key} = {_value(key, value)}")
    return "\n".join(lines) + "\n"


def _unit(power_w: float) -> tuple[float, str]:
    return next(((unit, name) for unit, name in ((1e6, "MW"), (1e3, "kW")) if power_w >= unit), (1.0, "W"))


def _value(key: str, value: float) -> str:
    return f"{value:.4g}" if key in _SHARES else f'"{value:.4g} s"'
