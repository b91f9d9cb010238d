"""Our Modbus TCP server, pymodbus's and libmodbus's against the cases of conformance; rewrites docs/conformance.md."""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from harness import Figure, peer, report
from modbus_cases import CASES
from modbus_play import OK
from modbus_servers import build_libmodbus, libmodbus, pymodbus
from modbus_verdicts import of_ours, of_peer

PAGE = Path(__file__).parents[1] / "docs" / "conformance.md"
BEGIN, END = "<!-- cases: begin -->", "<!-- cases: end -->"


def figures(verdicts: Sequence[str]) -> list[Figure]:
    """What ours has to come to."""
    others = sum(found != OK for found in verdicts)
    return [Figure(f"Cases, of {len(verdicts)}, in which our server does otherwise", others, 0, "the clauses of the cases")]


def table(columns: dict[str, Sequence[str]]) -> str:
    """All cases with their clauses, a column of verdicts for each server, and how many are as they should be."""
    lines = [
        "| case | clause | " + " | ".join(columns) + " |",
        "|---" * (2 + len(columns)) + "|",
        "| **as they should be** | | "
        + " | ".join(f"**{sum(found == OK for found in column)} of {len(CASES)}**" for column in columns.values())
        + " |",
    ]
    lines += [
        f"| {case.name} | {case.clause} | " + " | ".join(found) + " |"
        for case, *found in zip(CASES, *columns.values(), strict=True)
    ]
    return "\n".join(lines)


def version_of_libmodbus() -> str:
    """Of the library that is loaded."""
    library = ctypes.CDLL(ctypes.util.find_library("modbus"))
    return ".".join(
        str(ctypes.c_uint.in_dll(library, f"libmodbus_version_{part}").value) for part in ("major", "minor", "micro")
    )


def main() -> None:
    """Play, print, rewrite."""
    with tempfile.TemporaryDirectory() as folder:
        program = build_libmodbus(Path(folder))
        columns = {
            "ours": [of_ours(case) for case in CASES],
            peer("pymodbus"): asyncio.run(of_peer(pymodbus)),
            f"libmodbus {version_of_libmodbus()}": asyncio.run(of_peer(partial(libmodbus, program))),
        }
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{table(columns)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    report("modbus", figures(columns["ours"]))


if __name__ == "__main__":
    main()
