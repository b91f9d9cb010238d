"""An engine on the bench: a load of one's own, commands at set ticks, every row kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.scenario.files import from_document
from hil.site.build import build_engine

H = 0.001  # every rig ticks at 1 ms
SET_W, ENABLE, REVERT_S, SET_VAR, VAR_ENABLE, OPERATION = 0, 1, 4, 5, 6, 7  # points of a command (PcsPoint)
BESS = {
    "rating": "10 MVA", "energy": "0.6 MWh", "soc": 0.62, "dc_voltage": "1000 V",
    "setpoint_ramp": "40 MW/s", "slew": "100 MW/s", "converter_lag": "50 ms",
    "resistance": 0.02, "rc1_resistance": 0.015, "rc1_time": "2 s", "rc2_resistance": 0.02,
    "rc2_time": "20 s", "thermal_time": "60 s", "temperature_rise": "20 degC", "soc_min": 0.0, "soc_max": 1.0,
}  # fmt: skip
LOSSLESS = {
    "resistance": 0.0, "rc1_resistance": 0.0, "rc2_resistance": 0.0,
    "standby_loss": 0.0, "linear_loss": 0.0, "quadratic_loss": 0.0,
}  # fmt: skip


def document(**sections: Any) -> dict[str, Any]:
    """A small scenario; sections replace its own."""
    base: dict[str, Any] = {
        "duration": "1000 s",
        "grid": {"short_circuit": "500 MVA"},
        "load": {"kind": "training", "power": "10 MW", "power_factor": 1.0},
    }
    return base | sections


class Rig:
    """Runs an engine over a load and keeps every tick."""

    def __init__(self, sections: dict[str, Any], load_w: np.ndarray) -> None:
        self.scenario = from_document(document(**sections))
        self.load_w = np.ascontiguousarray(load_w, dtype=np.float64)
        self.engine = build_engine(self.scenario, float(self.load_w[0]))
        self.rows = np.zeros((self.load_w.size, len(self.engine.channels)))
        self.engine.attach_tap(self.rows)
        self.states: list[tuple[int, Any]] = []

    def run(self, commands: list[tuple[int, int, float]] = (), sample_grid_every: int = 0) -> Rig:
        """Advance over the whole load. commands: (tick, point, value) for the first BESS, in order of ticks."""
        todo = list(commands)
        stops = sorted({tick for tick, _, _ in todo} | set(range(0, self.load_w.size, sample_grid_every or 4096)))
        for stop in [*stops, self.load_w.size]:
            while self.engine.tick < stop:
                block = self.load_w[self.engine.load_filled : self.engine.load_filled + min(4096, self.engine.load_room)]
                if block.size:
                    self.engine.feed(block)
                self.engine.advance(min(stop, self.engine.load_filled))
            while todo and todo[0][0] == stop:
                _, point, value = todo.pop(0)
                self.engine.command(0, point, value)
            if sample_grid_every and stop % sample_grid_every == 0:
                self.states.append((stop, self.engine.states["area"][0].copy()))
        return self

    def __getitem__(self, channel: str) -> np.ndarray:
        return self.rows[:, self.engine.channels.index(channel)]
