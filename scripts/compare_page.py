"""Runs the comparison of docs/compare.md, writes its tables and draws it: `compare_page.py [REMEDY …]`, all by default."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hil
from hil.report.comparison_table import percent

if TYPE_CHECKING:
    from hil.report.comparison import Comparison, Row
    from hil.report.variant import StorageUse
    from hil.scenario.load import TrainingLoad

PAGE = Path(__file__).parents[1] / "docs" / "compare.md"
PICTURE = PAGE.parent / "pictures" / "mitigation.png"
SCENARIO = "mitigation"
REMEDIES = ("filler", "smoothing", "rack", "shelf", "ups", "bess", "hybrid", "shelf+smoothing", "bess+smoothing")
FLOOR = 0.9
SHELF_J = 35_714 * 7e3
"""Of all GPUs, as remedies/shelf.toml says."""
_MARKS = "<!-- {} -->"


def main() -> None:
    comparison = hil.compare(SCENARIO, sys.argv[1:] or REMEDIES)
    PAGE.write_text(page(comparison), encoding="utf-8")
    comparison.plot(PICTURE)


def page(comparison: Comparison) -> str:
    """The page, with what stands between its marks made anew."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("comparison", comparison.markdown()), ("published", published(comparison))):
        begin, end = (_MARKS.format(f"{name}: {what}") for what in ("begin", "end"))
        head, _, rest = text.partition(begin)
        text = f"{head}{begin}\n{table}{end}{rest.partition(end)[2]}"
    return text


def published(comparison: Comparison) -> str:
    """What arXiv 2508.14318 says, what follows from the scenario on paper, and what its runs give."""
    scenario = hil.load(SCENARIO)
    load = scenario.load
    assert load.kind == "training"
    rows = {row.name: row for row in comparison.rows}
    smoothed, battery, shelf = rows.get("smoothing"), rows.get("bess"), rows.get("shelf")
    highest = float(getattr(load, "overshoot", 1.0))
    swing_w = (1.0 - load.communication_power) * float(load.power_w or 0.0)
    duty = load.compute_share
    swing_j = swing_w * duty * (1.0 - duty) * float(load.iteration_s - load.edge_s)
    lines = [
        "| | arXiv 2508.14318 | on paper | here |",
        "| --- | --- | ---: | ---: |",
        _line(
            f"energy overhead of a floor of {percent(FLOOR, digits=0)} of the thermal design power",
            "10.5 % (simulated, on a trace of H100s)",
            percent(floor_overhead(load, FLOOR)),
            None if smoothed is None or smoothed.overhead is None else percent(smoothed.overhead),
        ),
        _line(
            "swing that this floor leaves, of the thermal design power",
            "at least 20 % (0.9 to 1.1)",
            percent(highest - FLOOR),
            None if smoothed is None else percent(smoothed.share(smoothed.measured.usual_swing_w)),
        ),
        _line("swing without remedy", "", percent(highest - load.communication_power), _usual(rows["none"])),
        _line(
            "swing of the state of charge within an iteration, `shelf`",
            "50 to 54 % (simulated, storage in the racks)",
            percent(swing_j / SHELF_J, digits=2),
            None,
        ),
        _line(
            "the same, `bess`",
            "",
            battery and percent(swing_j / _battery(battery).energy_j, digits=2),
            battery and percent(_battery(battery).usual_swing or 0.0, digits=2),
        ),
        _line("swing of the power that `shelf` leaves", "within the specification", None, shelf and _usual(shelf)),
        _line("swing of the power that `bess` leaves", "", None, battery and _usual(battery)),
        _line("energy overhead of `bess`", "low", None, battery and percent(battery.overhead or 0.0)),
    ]
    return "\n".join(lines) + "\n"


def floor_overhead(load: TrainingLoad, floor: float) -> float:
    """(f − l)·((1 − d)·T − e·(1 − f)/(1 − l)) over the energy of an iteration, (d + (1 − d)·l)·T: docs/compare.md."""
    low, duty = load.communication_power, load.compute_share
    period_s, edge_s = float(load.iteration_s), float(load.edge_s)
    filled = (floor - low) * ((1.0 - duty) * period_s - edge_s * (1.0 - floor) / (1.0 - low))
    return filled / ((duty + (1.0 - duty) * low) * period_s)


def _battery(row: Row) -> StorageUse:
    return row.measured.storage["bess.main"]


def _usual(row: Row) -> str:
    return percent(row.share(row.measured.usual_swing_w))


def _line(what: str, said: str, paper: str | None, here: str | None) -> str:
    return f"| {what} | {said or '—'} | {paper or '—'} | {here or '—'} |"


if __name__ == "__main__":
    main()
