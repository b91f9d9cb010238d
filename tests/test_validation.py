"""Every figure of validation/ is within its bound (docs/validation.md)."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "validation"))
PANDAPOWER, OPENDSS = pytest.mark.peer_package("pandapower"), pytest.mark.peer_package("dss")


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    [
        pytest.param("network", marks=PANDAPOWER),
        pytest.param("unbalanced", marks=[PANDAPOWER, OPENDSS]),
        pytest.param("undervoltage", marks=[PANDAPOWER, OPENDSS]),
        pytest.param("frequency", marks=PANDAPOWER),
        pytest.param("cooling", marks=PANDAPOWER),
        "battery",
        "pulse",
        "ups",
        "protection_agreement",
        pytest.param("protection_trips", marks=pytest.mark.peer_package("opender")),
        pytest.param("arrivals", marks=pytest.mark.shared),
        pytest.param("flicker", marks=pytest.mark.peer_package("pqopen")),
        pytest.param("load_step", marks=PANDAPOWER),
    ],
)
def test_figures_are_within_their_bounds(module):
    figures = importlib.import_module(module).figures()
    assert figures
    assert [figure for figure in figures if not figure.value <= figure.bound] == []
