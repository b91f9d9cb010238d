"""The page that compares remedies says what its command finds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import hil
from hil.loads.source import LoadSource
from hil.scenario.load import TrainingLoad
from hil.scenario.overlay import title_of, variants

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("compare_page", ROOT / "scripts" / "compare_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("edge", ["0 s", "50 ms", "250 ms"])
@pytest.mark.parametrize(("duty", "low"), [(0.82, 0.35), (0.5, 0.1), (0.7, 0.8)])
def test_the_overhead_of_a_floor_is_that_of_its_waveform(script, edge, duty, low):
    """Against the load itself, tick by tick, over a hundred iterations from one start of a communication phase to the next."""
    overrides = ["load.start='0 s'", "load.start_ramp='0 s'", f"load.edge='{edge}'", f"load.compute_share={duty}"]
    overrides += ["load.overshoot=1"] if "overshoot" in TrainingLoad.model_fields else []
    scenario = hil.load("mitigation", [*overrides, f"load.communication_power={low}"])
    feed = LoadSource(scenario).feed
    power = np.concatenate([feed.block(8000) for _ in range(51)])[4000:404_000] / 25e6
    expected = np.maximum(power, 0.9).sum() / power.sum() - 1.0
    assert script.floor_overhead(scenario.load, 0.9) == pytest.approx(expected, rel=2e-3)


def test_the_packaged_scenario_has_the_published_overhead(script):
    assert script.floor_overhead(hil.load("mitigation").load, 0.9) == pytest.approx(0.105, abs=0.002)


@pytest.mark.slow
def test_the_page_is_what_the_command_writes(script):
    shown = [line.split(" | ")[0].removeprefix("| ") for line in script.PAGE.read_text().splitlines() if line.startswith("| ")]
    asked = {name: variants([name])[-1] for name in script.REMEDIES}
    there = [name for name, variant in asked.items() if title_of(variant) in shown]
    assert len(there) >= 3
    assert script.page(hil.compare(script.SCENARIO, there)) == script.PAGE.read_text()
