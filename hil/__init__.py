"""Ridethrough: a hardware-in-the-loop control testbed for batteries and UPSs under LLM load transients.

`hil` is the testbed: scenario, loads, clocks, plant, limits, record, verdict, report, command line. `firmware_sim` emulates
devices, `controllers` command them; of those two only `hil.session` and the compiled engine know more than their contracts.

Signs, everywhere: load power > 0 consumes, storage power > 0 discharges, grid power > 0 imports; so grid = load - storage.
Units: SI inside, in the name (`power_w`, `period_ns`, `soc` from 0 to 1).

The names below are the public interface; they are imported when first used, so that `import hil` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil.api import compare, run
    from hil.errors import (
        DeviceError,
        DeviceLost,
        DeviceRefused,
        DeviceTimeout,
        HilError,
        InstallationError,
        LockstepStall,
        ReadbackMismatch,
        RunUnreadable,
        ScenarioError,
        SnapshotRefused,
    )
    from hil.report.comparison import Comparison
    from hil.report.recording import Recording
    from hil.report.result import Result
    from hil.report.saved import open_recording, open_run
    from hil.scenario.files import load, packaged
    from hil.scenario.model import Scenario
    from hil.session.kernel_run import KernelRun, Snapshot
    from hil.verdict.outcome import Outcome
    from hil.verdict.result import LimitResult

_HOMES = {
    "load": "hil.scenario.files",
    "run": "hil.api",
    "compare": "hil.api",
    "Comparison": "hil.report.comparison",
    "packaged": "hil.scenario.files",
    "Scenario": "hil.scenario.model",
    "KernelRun": "hil.session.kernel_run",
    "Snapshot": "hil.session.kernel_run",
    "Result": "hil.report.result",
    "Recording": "hil.report.recording",
    "open_run": "hil.report.saved",
    "open_recording": "hil.report.saved",
    "LimitResult": "hil.verdict.result",
    "Outcome": "hil.verdict.outcome",
    "HilError": "hil.errors",
    "InstallationError": "hil.errors",
    "ScenarioError": "hil.errors",
    "SnapshotRefused": "hil.errors",
    "RunUnreadable": "hil.errors",
    "LockstepStall": "hil.errors",
    "DeviceError": "hil.errors",
    "DeviceTimeout": "hil.errors",
    "DeviceLost": "hil.errors",
    "DeviceRefused": "hil.errors",
    "ReadbackMismatch": "hil.errors",
}

__all__ = [
    "Comparison",
    "DeviceError",
    "DeviceLost",
    "DeviceRefused",
    "DeviceTimeout",
    "HilError",
    "InstallationError",
    "KernelRun",
    "LimitResult",
    "LockstepStall",
    "Outcome",
    "ReadbackMismatch",
    "Recording",
    "Result",
    "RunUnreadable",
    "Scenario",
    "ScenarioError",
    "Snapshot",
    "SnapshotRefused",
    "compare",
    "load",
    "open_recording",
    "open_run",
    "packaged",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hil' has no attribute {name!r}")
    if _HOMES[name] != "hil.errors":
        from hil.packages import check_together

        check_together()
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
