"""The call that judges a recording."""

from __future__ import annotations

from pathlib import Path

from hil.check.checking import Checked, check_recording
from hil.check.orders import CheckFile, read_orders
from hil.check.runs import rows_of
from hil.errors import RecordingError, ScenarioError
from hil.recordings import read


def check(recording: str | Path, limits: str | Path | CheckFile | None = None) -> Checked:
    """Judge a recording by limits.

    limits: a TOML file (docs/check.md), or what one says; of the folder of a run it may be left out: its own limits.
    Raises ScenarioError for limits, and RecordingError for a recording, that cannot be read as asked.
    """
    path = Path(recording)
    scenario = None
    if path.is_dir():
        from hil.scenario.files import load_finished

        scenario = load_finished(path / "scenario.toml")
        if limits is None:
            limits = CheckFile(
                frequency_hz=float(scenario.grid.frequency_hz), measurement=scenario.measurement, limits=scenario.limits
            )
    if limits is None:
        raise ScenarioError(str(path), "", "needs --limits FILE: only the folder of a run has limits of its own")
    orders = limits if isinstance(limits, CheckFile) else read_orders(Path(limits))
    columns = {name: column.as_column() for name, column in orders.signals.items()} or None
    found = read(path, columns, time=orders.time.as_column())
    if found.rate_hz <= 0.0:
        raise RecordingError(path, "has fewer than two samples that count")
    return check_recording(found, orders, None if scenario is None else rows_of(path, scenario, found))
