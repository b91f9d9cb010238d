"""Checks an installation from the inside: the packages lie together, carry their data, and give their public names."""

from __future__ import annotations

from importlib.metadata import entry_points, files, version
from pathlib import Path

import controllers
import firmware_sim
import hil
from controllers.law import include

parents = {Path(package.__file__).parents[1] for package in (hil, firmware_sim, controllers)}
assert len(parents) == 1, parents
parent = parents.pop()
for name in hil.__all__:
    assert getattr(hil, name) is not None, name
assert (Path(include()) / "ridethrough_law.h").is_file()
for data in (
    "hil/py.typed",
    "firmware_sim/modbus/engine.pyi",
    "hil/guide/site.toml",
    "hil/verify/vectors/relays.toml",
    "hil/loads/azure_2023.json",
    "hil/pytest_plugin.py",
    "hil/kernel/engine.pyi",
    "hil/kernel/shared.h",
    "hil/kernel/tick.pxd",
):
    assert (parent / data).is_file(), data
run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
run.advance(1.0)
assert files("ridethrough")
assert [point.value for point in entry_points(group="pytest11", name="ridethrough")] == ["hil.pytest_plugin"]
print(f"ridethrough {version('ridethrough')} in {parent}")
