"""What scripts/checked_build.sh relies on: each of its checks fires on a violation inside a tick, and a test sees it."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import types

import numpy as np
import pytest
from law_support import capsule
from rig import Rig

from controllers import Law
from controllers.law import CAPSULE
from hil.kernel.engine import steady_network
from hil.kernel.layout import parameter_dtypes

SITE = {
    "bess": {"x": {"rating": "10 MVA", "energy": "5 MWh"}},
    "absorber": {"a": {"kind": "ramp_limit", "device": "bess.x", "ramp": "1 MW/s"}},
}
ENABLE, HEARTBEAT = 1, 8


def rig() -> Rig:
    return Rig(SITE, np.full(3, 10e6))


def run(array: str, field: str, value: float, kind: str = "parameters") -> None:
    """Three ticks with one number of the site replaced."""
    site = rig()
    getattr(site.engine, kind)[array][field] = value
    site.run()


def behind_the_arena() -> None:
    """A window whose samples begin where the arena ends; set within the tick, since `advance` looks before it."""
    module = types.ModuleType("spoils")
    module.name = CAPSULE.encode()

    @ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, ctypes.c_double)
    def step(*_: object) -> None:
        site.engine.states["measured"]["window"]["offset"] = site.engine.states["arena"].size

    module.law = Law(capsule(step, module.name))
    sys.modules["spoils"] = module
    site = Rig({**SITE, "absorber": {"a": {"kind": "law", "device": "bess.x", "law": "spoils:law"}}}, np.full(3, 10e6))
    site.run()


@pytest.fixture
def ignored(monkeypatch):
    """Exceptions that code without exceptions reported; left to pytest's own hook they fail the test."""
    found: set[tuple[str, str]] = set()
    monkeypatch.setattr(sys, "unraisablehook", lambda args: found.add((args.exc_type.__name__, str(args.object))))
    return found


def test_overflow_in_a_tick(ignored):
    site = rig()
    site.engine.states["pcs"]["local"], site.engine.states["pcs"]["refused"] = 1, 2**63 - 1
    site.run([(1, ENABLE, 1.0)])
    assert ignored == {("OverflowError", "firmware_sim.kernel.pcs_supervision.pcs_command")}


def test_an_index_out_of_bounds():
    with pytest.raises(IndexError, match="Out of bounds on buffer access"):
        steady_network(np.zeros(0, dtype=parameter_dtypes()["network"]), 1e6, 0.0)


def test_integer_division_by_zero_in_a_tick(ignored, monkeypatch):
    """Past what `advance` looks at: the engine's own check is for this very array."""
    site = rig()
    site.engine.parameters["law"]["update_ticks"] = 0
    with pytest.raises(ValueError, match="update_ticks must be positive"):
        site.run()
    assert not ignored


def test_float_division_by_zero_in_a_tick(ignored):
    run("area", "base_va", 0.0)
    assert ignored == {("ZeroDivisionError", "hil.kernel.area.area_step")}


@pytest.mark.parametrize(
    ("violation", "report"),
    [
        ("rig().run([(1, HEARTBEAT, float('nan'))])", "runtime error: nan is outside the range of representable values"),
        ("behind_the_arena()", "heap-buffer-overflow"),
    ],
    ids=["cast", "address"],
)
def test_what_ends_the_process(violation, report):
    code = f"import sys; sys.path.insert(0, 'tests'); from test_checked_build import *; {violation}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert report in ended.stderr
