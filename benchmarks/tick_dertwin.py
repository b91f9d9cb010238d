"""dertwin's battery storage model, for scale: one step of it in pure Python, from its package.

The package pins an old pymodbus; its model needs nothing but the standard library, so it is taken without what it depends on,
into a folder of its own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PACKAGE = "dertwin==0.1.12"
FOLDER = Path(__file__).parents[1] / ".venv-dertwin"
STEPS = 20_000


def step_timer(rating_kw: float, energy_kwh: float, dt_s: float) -> Callable[[], float] | None:
    """What measures one step of its BESS model, ns; None, with a word on standard error, where it cannot be had."""
    problem = _install()
    if problem is None:
        sys.path.append(str(FOLDER))
        try:
            from dertwin.devices.bess.battery import BatteryModel
            from dertwin.devices.bess.bess import BESSModel
            from dertwin.devices.bess.inverter import InverterModel
        except ImportError as error:
            problem = str(error)
        finally:
            sys.path.remove(str(FOLDER))
    if problem is not None:
        print(f"tick: no dertwin_ratio: {PACKAGE} cannot be had: {problem}", file=sys.stderr)
        return None

    def step_ns() -> float:
        battery = BatteryModel(energy_kwh, initial_soc=55.0, max_charge_kw=rating_kw, max_discharge_kw=rating_kw)
        model = BESSModel(battery, InverterModel(rating_kw, rating_kw, ramp_rate_kw_per_s=rating_kw))
        model.set_power_command(0.5 * rating_kw)
        step = model.step
        began = time.perf_counter_ns()
        for _ in range(STEPS):
            step(dt_s)
        took = time.perf_counter_ns() - began
        assert battery.soc < 55.0
        return took / STEPS

    return step_ns


def _install() -> str | None:
    """Put the package into its folder, unless it is there; returns what is wrong."""
    if (FOLDER / "dertwin").is_dir():
        return None
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(FOLDER), PACKAGE]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return "pip takes too long"
    return None if run.returncode == 0 else (run.stderr.strip().splitlines() or ["pip failed"])[-1]
