"""The kernel's functions and limits over the rows of a recording, with what the script of a run voids of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hil.check.ground import JudgedOn
from hil.kernel.protection.replay import Replay
from hil.limits import replaying
from hil.limits.judged import Judged
from hil.limits.replaying import Replayed
from hil.scenario.limit import Limit

_MEASURED = {"pcc.power_w": "pcc.power_measured_w"} | {
    f"{node}.voltage{phase}_pu": f"{node}.voltage_lowest_measured_pu"
    for node in ("pcc", "bus")
    for phase in ("", "_a", "_b", "_c")
}


def replayed(limit: Limit, ways: Sequence[Judged], there: dict[str, Any], on: JudgedOn, settles: int) -> Replayed:
    """What came of a limit over all rows, in each way in which it is judged.

    there: the channels that it looks at, shape (n,) each. settles: rows at the beginning that are not judged. Raises
    ValueError for functions that cannot be at the rate of the rows.
    """

    def run(replay: Replay, rows: Any) -> None:
        replay.warm_up_ticks = settles if on.run is None else on.run.warm_up
        replay.states["limits"]["suspect_until"] = replay.warm_up_ticks
        _run(replay, rows, on)

    return replaying.replayed([(limit, how) for how in ways], there, on.facts, before=_before(there, on), run=run)


def _before(there: dict[str, Any], on: JudgedOn) -> dict[str, float]:
    """Values of channels before the first row.

    Of a run as the site has them: where it stood for ever, which its measured signals still show in the first row; 0 for what
    is inside a device. Else the first value that there is.
    """
    found = {}
    for name, values in there.items():
        if on.run is not None:
            if not (name.startswith(("pcc.", "bus.")) or name.endswith(".input_w")):
                continue
            measured = on.signals.channel(_MEASURED.get(name, name))
            values = values if measured is None else measured  # noqa: PLW2901
        known = values[np.isfinite(values)]
        if known.size:
            found[name] = float(known[0])
    return found


def _run(replay: Replay, rows: Any, on: JudgedOn) -> None:
    if on.run is None:
        replay.run(rows)
        return
    limits, look_back = replay.states["limits"], replay.parameters["limits"]["look_back_ticks"]
    blank_until = replay.states["blank_until"]
    stops = [(start, code, until) for code, start, until in on.run.blanked] + [(int(row), -1, 0) for row in on.run.late]
    done = 0
    for row, code, until in sorted(stops):
        replay.run(rows[done:row])
        done = max(done, min(row, len(rows)))
        if code < 0:
            limits["suspect_until"] = np.maximum(limits["suspect_until"], row + 1 + look_back)
        else:
            blank_until[code] = max(blank_until[code], until)
    replay.run(rows[done:])
