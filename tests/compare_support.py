"""A site that takes moments to run, its load a square wave with edges, and a battery without losses that flattens it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

LOW_W, SWING_W, PERIOD_S, EDGE_S = 20e6, 100e6, 4.0, 0.25
STEADY_S = 2.0  # at the mean, before the first edge
ENERGY_WH = 5e6

SITE = """
title = "a square wave"
duration = "{duration_s} s"
transport = "direct"

[grid]
voltage = "110 kV"
short_circuit = "50 GVA"

[load]
kind = "trace"
trace = "power.csv"

[[limits]]
name = "swing"
kind = "peak_to_peak"
max = "50 MW"
window = "5 s"
required = true
"""

BATTERY = """
title = "battery"

[bess.main]
rating = "200 MVA"
energy = "5 MWh"
slew = "100 GW/s"
converter_lag = "0 s"
resistance = 0
rc1_resistance = 0
rc2_resistance = 0
standby_loss = 0
linear_loss = 0
quadratic_loss = 0

[absorber.main]
kind = "ramp_limit"
device = "bess.main"
ramp = "1 W/s"

[[limits]]
name = "SoC"
kind = "soc_window"
node = "bess.main"
window = [0.4, 0.6]
required = true
"""

LOSSES = """
title = "losses"

[bess.main]
standby_loss = 0.01
"""


def swing_j(duty: float) -> float:
    """Energy that flattens the wave: ΔP·d(1−d)·(T − e), as its edges of `e` take of both sides alike."""
    return SWING_W * duty * (1.0 - duty) * (PERIOD_S - EDGE_S)


def site(folder: Path, *, duty: float = 0.8, periods: int = 5) -> Path:
    """Write scenario, trace and overlays; the wave lasts a whole number of periods, and begins and ends at its mean."""
    begins_s = STEADY_S + PERIOD_S * np.arange(periods)
    mean_w = LOW_W + duty * SWING_W
    times, powers = [0.0], [mean_w]
    rise_s, fall_s = EDGE_S * (1.0 - duty), EDGE_S * duty  # from the mean to the top, and from the mean to the bottom
    for begin_s in begins_s:
        top_s = begin_s + rise_s
        falls_s = top_s + duty * PERIOD_S - EDGE_S
        bottom_s = falls_s + EDGE_S
        times += [begin_s, top_s, falls_s, bottom_s, begin_s + PERIOD_S - fall_s]
        powers += [mean_w, LOW_W + SWING_W, LOW_W + SWING_W, LOW_W, LOW_W]
    end_s = float(begins_s[-1] + PERIOD_S)
    times += [end_s, end_s + 1.0]
    powers += [mean_w, mean_w]
    rows = "\n".join(f"{time_s:.9f},{power_w:.6f}" for time_s, power_w in zip(times, powers, strict=True))
    (folder / "power.csv").write_text(f"time_s,power_w\n{rows}\n")
    (folder / "site.toml").write_text(SITE.format(duration_s=end_s))
    (folder / "battery.toml").write_text(BATTERY)
    (folder / "losses.toml").write_text(LOSSES)
    return folder / "site.toml"
