"""A training job. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Number, Refused, Share, Whole, source
from hil.scenario.load.base import LoadSection
from hil.scenario.quantity import Power, Time

_ASSUMED = source("assumed; docs/loads.md")
_CHECKPOINT = source("secondary: to idle within a second, a few seconds long; docs/loads.md")
_ROUNDING = 1e-9  # of shares that add up to 1

GPUS = {"h100": (700.0, 72.5), "a100": (400.0, 53.7)}
"""Thermal design power and bare idle power of one, W; docs/loads.md."""

SPREAD = 3.0
"""Deviations at which what is drawn from a normal distribution is cut."""

DESIGN_WINDOW_S = 1.0
"""Time over which GPUs hold their thermal design power as a mean (arXiv 2508.14318)."""


class TrainingLoad(LoadSection):
    """A training job: compute, communication and optimiser phases, checkpoints, start, stop, crash, failures, restart."""

    kind: Literal["training"] = "training"
    power_w: Power | None = Field(
        default=None,
        gt=0,
        description="power in the compute phase, of its GPUs; default: gpus · gpu_power",
        json_schema_extra=source("compute phases run near the thermal design power (arXiv 2508.14318)"),
    )
    gpus: Whole | None = Field(default=None, ge=1, le=10_000_000, description="number of its GPUs; default: unknown")
    gpu: Literal["h100", "a100"] | None = Field(
        default=None,
        description="which GPU: 700 W, idle 72.5 W, or 400 W, idle 53.7 W; default: unknown",
    )
    gpu_power_w: Power | None = Field(
        default=None, gt=0, description="thermal design power of one GPU; default: that of `gpu`, or else power / gpus"
    )
    iteration_s: Time = Field(
        default=4.0,
        ge=0.001,
        description="length of an iteration: a compute, a communication and an optimiser phase",
        json_schema_extra=source("periods of 1 to 10 s (arXiv 2606.22096, abstract)"),
    )
    edge_s: Time = Field(
        default=0.25,
        ge=0,
        description="time from one phase's power to the other's, in a straight line",
        json_schema_extra=source("secondary: NERC's 1.9 pu/s for about 250 ms; that shorter ones are possible is assumed"),
    )
    compute_share: Share = Field(
        default=0.8,
        description="share of an iteration that is the compute phase",
        json_schema_extra=source("assumed: 0.5 to 0.9; docs/loads.md"),
    )
    communication_power: Share = Field(
        default=0.35,
        description="power in the communication phase, share of power",
        json_schema_extra=source("troughs of 0.2 to 0.75 of the thermal design power by model (arXiv 2308.12908)"),
    )
    optimiser_share: Share = Field(
        default=0.0, description="share of an iteration that is the optimiser phase, at its end", json_schema_extra=_ASSUMED
    )
    optimiser_power: Share = Field(
        default=0.6, description="power in the optimiser phase, share of power", json_schema_extra=_ASSUMED
    )
    straggle_s: Time = Field(
        default=0.0,
        ge=0,
        description="standard deviation of the times at which nodes end their compute phase, cut at 3 σ; 0: synchronous",
        json_schema_extra=_ASSUMED,
    )
    nodes: Whole | None = Field(
        default=None,
        ge=1,
        le=512,
        description="nodes whose times are drawn one by one, seeded; default: so many that only their distribution shows",
    )
    overshoot: Number = Field(
        default=1.0,
        ge=1,
        le=2,
        description="peak with which a compute phase begins, share of power; the mean over 1 s stays at power",
        json_schema_extra=source("electrical design point, GB200: from 1.1, at the scale of 50 ms (arXiv 2508.14318)"),
    )
    overshoot_time_s: Time = Field(
        default=0.05,
        gt=0,
        description="how long that peak lasts, where overshoot is above 1",
        json_schema_extra=source("at the scale of 50 ms (arXiv 2508.14318)"),
    )
    idle_power: Share | None = Field(
        default=None,
        description="power while idle, share of power; default: that of `gpu`, or else 0.1",
        json_schema_extra=source("H100: 72.5 W bare of 700 W (arXiv 2604.07345)"),
    )
    jitter: Number = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="standard deviation of the iteration time, share of it, seeded, cut at 3 σ; at most 1/3 with two phases",
        json_schema_extra=_ASSUMED,
    )
    start_s: Time = Field(default=0.0, ge=0, description="when the job starts; it is idle before", json_schema_extra=CHOICE)
    start_ramp_s: Time = Field(
        default=0.0, ge=0, description="time in which it rises from idle at its start", json_schema_extra=CHOICE
    )
    stop_s: Time | None = Field(default=None, gt=0, description="when the job stops; it is idle after; default: never")
    checkpoint_every_s: Time | None = Field(
        default=None, gt=0, description="period of checkpoints, each at the end of its iteration; default: there are none"
    )
    checkpoint_offset_s: Time = Field(
        default=0.0, ge=0, description="how much later all its checkpoints come", json_schema_extra=CHOICE
    )
    checkpoint_duration_s: Time = Field(
        default=5.0,
        gt=0,
        description="how long a checkpoint stays at its power; its edges come on top",
        json_schema_extra=_CHECKPOINT,
    )
    checkpoint_power: Share = Field(
        default=0.1, description="power in a checkpoint, share of power", json_schema_extra=_CHECKPOINT
    )
    failure_every_s: Time | None = Field(
        default=None,
        ge=1,
        description="mean time that it runs until it fails, exponential, seeded; default: it does not fail",
        json_schema_extra=source("Llama 3, 16,384 H100: 419 unexpected stops in 54 days, one in 3.1 h (arXiv 2407.21783)"),
    )
    fall_s: Time | None = Field(
        default=None, ge=0, description="time in which it falls when it fails or crashes; default: one edge"
    )
    restart_after_s: Time | None = Field(
        default=None, ge=0, description="from its failure or crash to its restart, at least fall; default: never"
    )
    restore_s: Time = Field(
        default=0.0,
        ge=0,
        description="how long a restart then stays at checkpoint_power, while it reads its checkpoint",
        json_schema_extra=source("secondary: 39 to 145 s with CRIUgpu; docs/loads.md"),
    )
    restart_ramp_s: Time = Field(
        default=0.0, ge=0, description="time in which it then rises to power", json_schema_extra=CHOICE
    )

    @property
    def full_w(self) -> float:
        """Power in the compute phase, W."""
        return float(self.power_w) if self.power_w is not None else (self.gpus or 0) * (self._one_w or 0.0)

    @property
    def idle_share(self) -> float:
        """Power while idle, share of that in the compute phase."""
        if self.idle_power is not None:
            return float(self.idle_power)
        design_w, idle_w = GPUS.get(self.gpu or "", (1.0, 0.1))
        return idle_w / design_w

    @property
    def gpu_count(self) -> float | None:
        """How many GPUs it runs on; None where nothing says it."""
        return self.gpus

    @property
    def rated_w(self) -> float:
        """Thermal design power of all its GPUs, W: that of its compute phase where nothing else says it."""
        return self.gpus * self._one_w if self.gpus is not None and self._one_w is not None else self.full_w

    @property
    def length_s(self) -> float:
        """Mean length of an iteration, with what a software filler adds to it."""
        return float(self.iteration_s) * (1.0 + (float(self.filler.overhead) if self.filler is not None else 0.0))

    @property
    def _one_w(self) -> float | None:
        """Thermal design power of one GPU, where it is known."""
        if self.gpu_power_w is not None:
            return float(self.gpu_power_w)
        return None if self.gpu is None else GPUS[self.gpu][0]

    @property
    def _gpus_from(self) -> str:
        return "gpus"

    @property
    def communicates(self) -> bool:
        """Whether an iteration has a communication phase."""
        return 1.0 - float(self.compute_share) - float(self.optimiser_share) > _ROUNDING

    def hold_w(self, before_w: float) -> float:
        """Power after an overshoot that rises from `before_w`: so low that no mean over 1 s is above that of computing.

        From the crossing of that level on the rise to the end of that second the mean is exactly it. Raises ValueError where
        there is no such level.
        """
        before, edge_s, peak = before_w / self.full_w, float(self.edge_s), float(self.overshoot)
        triangle = edge_s / (peak - before) / 2.0  # above the level on the rise, for each unit of its height squared
        rest_s = DESIGN_WINDOW_S - float(self.overshoot_time_s) - edge_s / 2.0
        excess = DESIGN_WINDOW_S * (peak - 1.0)
        root = rest_s * rest_s - 4.0 * triangle * excess
        if rest_s <= 0.0 or root < 0.0:
            raise ValueError("no level is low enough")
        below = 2.0 * excess / (rest_s + math.sqrt(root))
        if below > peak - before:
            raise ValueError("the level is below that from which it rises")
        return self.full_w * (peak - below)

    def _phases(self) -> Iterator[tuple[float, str]]:
        """Shares of an iteration that are not nothing, and the keys behind them."""
        phases = ((self.compute_share, "compute_share"), (self.optimiser_share, "optimiser_share"))
        yield from ((float(share), key) for share, key in phases if share > 0.0)
        if self.communicates:
            yield 1.0 - float(self.compute_share) - float(self.optimiser_share), "communication"

    @model_validator(mode="after")
    def _power_is_known(self) -> Self:
        if self.power_w is None and (self.gpus is None or self._one_w is None):
            raise Refused("missing; it has no default", "power")
        if self.gpu_power_w is not None and self.gpus is None:
            raise Refused("needs gpus, the number of GPUs", "gpu_power")
        return self

    @model_validator(mode="after")
    def _phases_hold_their_edges(self) -> Self:
        if self.compute_share + self.optimiser_share > 1.0 + _ROUNDING:
            raise Refused("must leave compute_share and optimiser_share at 1 together", "optimiser_share")
        phases = {key: share for share, key in self._phases()}
        if len(phases) > 1:
            shortest_s = self.length_s * min(phases.values()) * (1.0 - SPREAD * self.jitter)
            if shortest_s < 0.0:
                raise Refused("must be at most 1/3 where an iteration has two phases", "jitter")
            if self.edge_s > shortest_s:
                raise Refused(f"must fit the shortest phase of an iteration, {shortest_s:g} s", "edge")
        if self.checkpoint_every_s is not None and self.checkpoint_duration_s + 2 * self.edge_s >= self.checkpoint_every_s:
            raise Refused("must be shorter, with its edges, than checkpoint_every", "checkpoint_duration")
        if self.stop_s is not None and self.stop_s <= self.start_s:
            raise Refused(f"must come after start, {self.start_s:g} s", "stop")
        if self.nodes is not None and self.straggle_s == 0.0:
            raise Refused("needs straggle, the spread of their times", "nodes")
        self._phases_hold_more(phases)
        return self

    def _phases_hold_more(self, phases: dict[str, float]) -> None:
        """What stragglers and overshoot need beside the edges. Raises Refused."""
        shortest = self.length_s * (1.0 - SPREAD * self.jitter)
        compute_s = shortest * phases.get("compute_share", 0.0)
        peak_s = 2.0 * self.edge_s + self.overshoot_time_s if self.overshoot > 1.0 else float(self.edge_s)
        spread_s = SPREAD * self.straggle_s
        if self.straggle_s > 0.0:
            if "compute_share" not in phases or "communication" not in phases:
                raise Refused("needs a compute and a communication phase", "straggle")
            room_s = min(compute_s - peak_s, shortest * phases["communication"] - self.edge_s)
            if spread_s > room_s:
                raise Refused(f"must be at most {max(0.0, room_s / SPREAD):g} s: 3 σ must fit the phases", "straggle")
        if self.overshoot > 1.0:
            self._overshoots_fit(phases, compute_s, peak_s + spread_s)

    def _overshoots_fit(self, phases: dict[str, float], compute_s: float, least_s: float) -> None:
        """Whether the mean power over 1 s can be held. Raises Refused."""
        if "compute_share" not in phases or len(phases) < 2:
            raise Refused("needs a compute phase, and another to rise from", "overshoot")
        if compute_s < least_s:
            raise Refused(f"must fit the compute phase, {compute_s:g} s, with an edge on either side", "overshoot_time")
        before = [float(self.optimiser_power if "optimiser_share" in phases else self.communication_power)]
        before += [float(self.checkpoint_power)] if self.checkpoint_every_s is not None else []
        above_s = (float(self.overshoot) - 1.0) * (self.overshoot_time_s + 2.0 * self.edge_s)
        below_s = self.length_s * (1.0 - SPREAD * self.jitter) * phases.get("communication", 0.0) - self.edge_s
        try:
            self.hold_w(self.full_w * max(before))
        except (ValueError, ZeroDivisionError):
            raise Refused("is too much for a mean of power over 1 s, with these edges", "overshoot") from None
        if compute_s < DESIGN_WINDOW_S and above_s > below_s * (1.0 - self.communication_power):
            raise Refused("is too much for a mean of power over 1 s, with such short iterations", "overshoot")

    @model_validator(mode="after")
    def _falls_before_it_restarts(self) -> Self:
        if self.restart_after_s is not None and self.restart_after_s < (self.fall_s or 0.0):
            raise Refused(f"must be at least fall, {self.fall_s:g} s", "restart_after")
        return self
