"""The stages of a load, from its sections: what acts on the power behind the GPUs. Equations and sources: docs/loads.md.

Their order is that of the hardware: filler, smoothing, capping, hosts, rack capacitors, power supplies. Each begins in the
steady state of the first power.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from hil.loads.base import Floats
from hil.loads.stages import DTYPES, cap, fill, hold, smooth, supply
from hil.scenario.load.base import LoadSection

AT_GPUS = ("filler", "smoothing", "capping")
"""Those that change what the GPUs take."""


class Stage(Protocol):
    """One of them. Its whole state is plain data."""

    def settle(self, power_w: float) -> float:
        """Begin in the steady state of a power, W; returns what then comes out."""

    def act(self, power_w: Floats) -> None:
        """Turn what goes in into what comes out, in place."""

    def figures(self) -> dict[str, Any]:
        """What it has come to."""


def stages(load: LoadSection, period_s: float) -> dict[str, Stage]:
    """Those that a load has, by the table that asks for them, in order."""
    found: dict[str, Stage] = {}
    hosts_w = 0.0 if load.supply is None else float(load.supply.host) * (load.rated_w or 0.0)
    if load.filler is not None:
        found["filler"] = FillerStage(load, period_s)
    if load.smoothing is not None:
        found["smoothing"] = SmoothingStage(load, period_s)
    if load.capping is not None:
        found["capping"] = CappingStage(load, period_s, hosts_w)
    if hosts_w:
        found["hosts"] = Hosts(hosts_w)
    if load.rack is not None:
        found["rack"] = RackStage(load, period_s)
    if load.supply is not None:
        found["supply"] = SupplyStage(load, period_s)
    return found


def _one(of: str, **values: float) -> np.ndarray[Any, Any]:
    """The record of a stage."""
    record = np.zeros(1, DTYPES[of])
    for name, value in values.items():
        record[name] = value
    return record


class FillerStage:
    """A second workload that fills up to a share of the thermal design power, by what it saw a little earlier."""

    def __init__(self, load: LoadSection, period_s: float) -> None:
        filler, rated_w = load.filler, load.rated_w
        assert filler is not None
        assert rated_w is not None
        self._period_s = period_s
        self._state = _one("filler", fill_w=filler.fill * rated_w, limit_w=rated_w)
        self._line = np.zeros(round(filler.delay_s / period_s))

    def settle(self, power_w: float) -> float:
        """Begin in the steady state of a power, W; returns what then comes out."""
        self._line[:] = power_w
        return max(power_w, float(self._state["fill_w"][0]))

    def act(self, power_w: Floats) -> None:
        """Turn what goes in into what comes out, in place."""
        fill(self._state, self._line, power_w)

    def figures(self) -> dict[str, Any]:
        """Energy that it adds."""
        return {"energy_j": float(self._state["extra_w"][0]) * self._period_s}


class SmoothingStage:
    """Power smoothing of the GPUs: a floor that is held, and ramps between idle and work."""

    def __init__(self, load: LoadSection, period_s: float) -> None:
        smoothing, rated_w, gpus = load.smoothing, load.rated_w, load.gpu_count
        assert smoothing is not None
        assert rated_w is not None
        assert gpus is not None
        self._period_s = period_s
        self._state = _one(
            "smoothing",
            floor_w=smoothing.floor * rated_w,
            up_w=smoothing.up_w_per_s * gpus * period_s,
            down_w=smoothing.down_w_per_s * gpus * period_s,
            hold_ticks=round(smoothing.hold_s / period_s),
        )

    def settle(self, power_w: float) -> float:
        """Begin in the steady state of a power, W; returns what then comes out."""
        floor_w = float(self._state["floor_w"][0])
        self._state["level_w"] = min(floor_w, power_w)
        self._state["top_w"] = power_w
        self._state["started"] = power_w >= floor_w
        return power_w

    def act(self, power_w: Floats) -> None:
        """Turn what goes in into what comes out, in place."""
        smooth(self._state, power_w)

    def figures(self) -> dict[str, Any]:
        """Energy burnt below the floor, energy kept from the job while it started, and for how long."""
        state = self._state[0]
        return {
            "burnt_j": float(state["burnt_w"]) * self._period_s,
            "withheld_j": float(state["held_w"]) * self._period_s,
            "limited_s": int(state["limited_ticks"]) * self._period_s,
        }


class CappingStage:
    """Caps of two thresholds and a power brake, each a latency after its threshold."""

    def __init__(self, load: LoadSection, period_s: float, hosts_w: float) -> None:
        capping = load.capping
        assert capping is not None
        self._period_s = period_s
        self._row = _one("row", provisioned_w=capping.provisioned_w, other_w=hosts_w, above_first=-1, largest_at=-1)
        self._caps = np.zeros(3, DTYPES["cap"])
        thresholds = np.array([capping.t1, capping.t2, capping.brake_threshold])
        self._caps["on_w"] = thresholds * capping.provisioned_w
        self._caps["off_w"] = (thresholds - capping.hysteresis) * capping.provisioned_w
        self._caps["factor"] = capping.t1_power, capping.t2_power, capping.brake_power
        latencies_s = np.array([capping.latency_s, capping.latency_s, capping.brake_latency_s])
        self._caps["latency"] = np.maximum(1, np.round(latencies_s / period_s))
        self._caps["due"] = self._caps["first"] = -1

    def settle(self, power_w: float) -> float:
        """Begin with the caps that a power calls for, W; returns what they leave."""
        self._caps["active"] = power_w + self._row["other_w"][0] >= self._caps["on_w"]
        self._row["largest_w"] = 0.0
        active = self._caps["factor"][self._caps["active"] != 0]
        return power_w * float(active.min(initial=1.0))

    def act(self, power_w: Floats) -> None:
        """Turn what goes in into what comes out, in place."""
        cap(self._row, self._caps, power_w)

    def figures(self) -> dict[str, Any]:
        """Time above what is provisioned, when caps and brake came, and the energy that they took; times from the start."""
        row, (first, second, brake) = self._row[0], self._caps
        return {
            "above_s": int(row["above_ticks"]) * self._period_s,
            "longest_above_s": int(row["above_longest"]) * self._period_s,
            "first_above_s": self._at(row["above_first"]),
            "largest_w": float(row["largest_w"]),
            "largest_at_s": self._at(row["largest_at"]),
            "t1_s": int(first["ticks"]) * self._period_s,
            "t2_s": int(second["ticks"]) * self._period_s,
            "brakes": int(brake["count"]),
            "first_brake_s": self._at(brake["first"]),
            "brake_s": int(brake["ticks"]) * self._period_s,
            "taken_j": float(row["taken_w"]) * self._period_s,
        }

    def _at(self, tick: int) -> float | None:
        """The beginning of a tick; None where it never was."""
        return None if tick < 0 else int(tick) * self._period_s


class Hosts:
    """A constant power beside that of the GPUs."""

    def __init__(self, power_w: float) -> None:
        self._power_w = power_w

    def settle(self, power_w: float) -> float:
        """What comes out at a power, W."""
        return power_w + self._power_w

    def act(self, power_w: Floats) -> None:
        """Turn what goes in into what comes out, in place."""
        power_w += self._power_w

    def figures(self) -> dict[str, Any]:
        """The constant power."""
        return {"power_w": self._power_w}


class RackStage:
    """Capacitors that hold the mean of the power."""

    def __init__(self, load: LoadSection, period_s: float) -> None:
        rack, gpus = load.rack, load.gpu_count
        assert rack is not None
        assert gpus is not None
        self._period_s = period_s
        capacity_w = rack.energy_j * gpus / period_s
        begin_w = rack.soc * capacity_w
        self._state = _one(
            "rack",
            capacity_w=capacity_w,
            energy_w=begin_w,
            target_w=begin_w,
            low_w=begin_w,
            high_w=begin_w,
            most_w=math.inf if rack.power_w is None else rack.power_w * gpus,
            follow=-math.expm1(-period_s / rack.flatten_s),
            restore=min(1.0, period_s / rack.recharge_s),
        )

    def settle(self, power_w: float) -> float:
        """Begin in the steady state of a power, W; returns what then comes out."""
        self._state["mean_w"] = power_w
        return power_w

    def act(self, power_w: Floats) -> None:
        """Turn what goes in into what comes out, in place."""
        hold(self._state, power_w)

    def figures(self) -> dict[str, Any]:
        """States of charge, energy through them, and the energy that they lacked, with the time for which they did."""
        state = self._state[0]
        capacity_w = float(state["capacity_w"])
        low, high = float(state["low_w"]) / capacity_w, float(state["high_w"]) / capacity_w
        return {
            "capacity_j": capacity_w * self._period_s,
            "soc": float(state["energy_w"]) / capacity_w,
            "soc_low": low,
            "soc_high": high,
            "soc_swing": high - low,
            "given_j": float(state["given_w"]) * self._period_s,
            "taken_j": float(state["taken_w"]) * self._period_s,
            "missing_j": float(state["missing_w"]) * self._period_s,
            "missing_s": int(state["short_ticks"]) * self._period_s,
        }


class SupplyStage:
    """Power supplies: losses, and the lag of their input filter."""

    def __init__(self, load: LoadSection, period_s: float) -> None:
        assert load.supply is not None
        self._period_s = period_s
        lag_s = load.supply.rise_s / math.log(9.0)
        follow = 1.0 if lag_s == 0.0 else -math.expm1(-period_s / lag_s)
        within = 0.0 if lag_s == 0.0 else follow * lag_s / period_s
        self._state = _one("supply", efficiency=load.supply.efficiency, follow=follow, within=within)

    def settle(self, power_w: float) -> float:
        """Begin in the steady state of a power, W; returns what then comes out."""
        out_w = power_w / float(self._state["efficiency"][0])
        self._state["output_w"] = out_w
        return out_w

    def act(self, power_w: Floats) -> None:
        """Turn what goes in into what comes out, in place."""
        supply(self._state, power_w)

    def figures(self) -> dict[str, Any]:
        """Energy lost."""
        state = self._state[0]
        return {"loss_j": float(state["input_sum_w"]) * (1.0 / float(state["efficiency"]) - 1.0) * self._period_s}
