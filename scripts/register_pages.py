"""Writes the tables of docs/ups_maps.md and docs/personalities.md from the points of the register maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from firmware_sim.modbus.bank import Table
from firmware_sim.registers.point import Point
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.registers.sunspec_map import SunSpecMap
from firmware_sim.storage.personalities.kaco_gridsave import LAYOUT
from firmware_sim.storage.personalities.registry import PERSONALITIES, bank_of
from firmware_sim.ups.modbus import MAPS, ModbusUps
from hil.fleet.images import EngineStorageImage, EngineUpsImage
from hil.scenario.files import from_document
from hil.site.build import build_engine

DOCS = Path(__file__).parents[1] / "docs"
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
    "bess": {"a": {"rating": "30 kVA", "energy": "60 kWh"}},
}


def main() -> None:
    for name, page in pages().items():
        (DOCS / name).write_text(page, encoding="utf-8")


def pages() -> dict[str, str]:
    """The pages by their names, with the tables between their marks made anew."""
    scenario = from_document(_SITE)
    engine = build_engine(scenario, 0.0)
    ups, storage = EngineUpsImage(engine, scenario, "a"), EngineStorageImage(engine, scenario, "a")
    inverters: dict[str, str] = {}
    models = ["| device | models, each at the address of its `ID` |", "|---|---|"]
    for name in PERSONALITIES:
        for unit, registers in bank_of(storage, name).items():
            if isinstance(registers, SunSpecMap):
                models.append(f"| `{name}` | {_places(registers)} |")
            else:
                inverters[f"{name} {unit}"] = table(registers.points)
            inverters |= _vendors_model(registers)
    return {
        "ups_maps.md": _rewritten("ups_maps.md", {name: table(ModbusUps(ups, name).registers.points) for name in MAPS}),
        "personalities.md": _rewritten("personalities.md", {"sunspec models": "\n".join(models)} | inverters),
    }


def _rewritten(name: str, tables: Mapping[str, str]) -> str:
    page = (DOCS / name).read_text(encoding="utf-8")
    for mark, text in tables.items():
        begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
        head, _, rest = page.partition(begin)
        _, _, tail = rest.partition(end)
        page = f"{head}{begin}\n{text}\n{end}{tail}"
    return page


def _places(registers: SunSpecMap) -> str:
    places = [(address, number) for (number, point), address in registers.addresses.items() if point == "ID"]
    return ", ".join(f"{number}: {address}" for address, number in sorted(places))


def _vendors_model(registers: RegisterMap) -> dict[str, str]:
    """KACO's own model, which is in no file of the standard's."""
    mark = f"{LAYOUT.id}."
    points = [point for point in registers.points if point.name.startswith(mark) and "RESERVED" not in point.name]
    forms = {
        f"{mark}{name}": f"{point.type}, {point.scale}" if point.scale else point.type for name, point in LAYOUT.points.items()
    }
    return {f"model {LAYOUT.id}": table(points, forms)} if points else {}


def table(points: Iterable[Point], forms: Mapping[str, str] | None = None) -> str:
    """One row a point, by tables and addresses; what stands twice, the first time. forms: of points that tell none."""
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
            (forms or {}).get(point.name, point.codec.form),
            point.unit,
            point.sign,
            takes,
        )
        rows.append(f"| {' | '.join(row)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
