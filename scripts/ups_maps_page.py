"""Writes the tables of docs/ups_maps.md from the points of the register maps."""

from __future__ import annotations

from pathlib import Path

from firmware_sim.modbus.bank import Table
from firmware_sim.registers.point import Point
from firmware_sim.ups.modbus import MAPS, ModbusUps
from hil.fleet.images import EngineUpsImage
from hil.scenario.files import from_document
from hil.site.build import build_engine

PAGE = Path(__file__).parents[1] / "docs" / "ups_maps.md"
_TABLES = {
    Table.COILS: "coil",
    Table.DISCRETE_INPUTS: "discrete input",
    Table.HOLDING: "holding",
    Table.INPUT: "input",
}
_SITE = {
    "duration": "1 s",
    "grid": {"short_circuit": "500 MVA"},
    "load": {"kind": "training", "power": "4 MW"},
    "ups": {"a": {"rating": "6 MW"}},
}


def main() -> None:
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def rewritten(page: str) -> str:
    """The page with the table between the marks of each map made anew."""
    scenario = from_document(_SITE)
    image = EngineUpsImage(build_engine(scenario, 0.0), scenario, "a")
    for name in MAPS:
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        head, _, rest = page.partition(begin)
        _, _, tail = rest.partition(end)
        page = f"{head}{begin}\n{table(ModbusUps(image, name).registers.points)}\n{end}{tail}"
    return page


def table(points: tuple[Point, ...]) -> str:
    """One row a point, in order of tables and addresses; what stands twice, the first time."""
    rows = ["| address | table | point | form | unit | positive | a write takes |", "|---|---|---|---|---|---|---|"]
    seen = set()
    for point in sorted(
        points, key=lambda point: (point.table not in (Table.HOLDING, Table.INPUT), point.table, point.address)
    ):
        if (point.table, point.name) in seen:
            continue
        seen.add((point.table, point.name))
        takes = "" if point.write is None else str(point.allowed)
        row = (
            f"{point.address} (0x{point.address:X})",
            _TABLES[point.table],
            f"`{point.name}`",
            point.codec.form,
            point.unit,
            point.sign,
            takes,
        )
        rows.append(f"| {' | '.join(row)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
