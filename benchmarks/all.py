"""Runs all benchmarks, or those named, and rewrites the tables of docs/performance.md from what they print (`make bench`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench import CANNOT

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
BENCHMARKS = (
    "kernel",
    "tick",
    "limits",
    "lockstep",
    "modbus_server",
    "fleet",
    "ups_fleet",
    "inference_day",
    "wall_clock",
    "jitter",
    "startup",
)


def main() -> None:
    """Measure, print, rewrite."""
    page = PAGE.read_text(encoding="utf-8")
    for name in sys.argv[1:] or BENCHMARKS:
        run = subprocess.run([sys.executable, str(HERE / f"{name}.py")], stdout=subprocess.PIPE, text=True, check=False)
        if run.returncode == CANNOT:
            continue  # it has said why; the table stays
        run.check_returncode()
        line = run.stdout.strip().splitlines()[-1]
        print(line)
        page = rewritten(page, name, json.loads(line))
    PAGE.write_text(page, encoding="utf-8")


def rewritten(page: str, name: str, result: dict) -> str:
    """The page with the table between the marks of a benchmark made anew."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    if not rest or not tail:
        raise SystemExit(f"{PAGE}: no marks for {name}")
    host = result["host"]
    tables = [figures_table(result)]
    if "table" in result:
        tables.append(wide_table(result["table"]))
    note = f"Median of {result['rounds']} interleaved rounds; Python {host['python']}, {host['cpu']}, {host['system']}."
    return "\n".join([head + begin, *(f"{table}\n" for table in tables), note, end + tail])


def figures_table(result: dict) -> str:
    """Figures one below the other, with the spread of the rounds where it is told."""
    if "spread" not in result:
        rows = [f"| `{figure}` | {value:,g} |" for figure, value in result["figures"].items()]
        return "\n".join(["| figure | value |", "|---|---|", *rows])
    spread = {figure: " to ".join(f"{value:,g}" for value in ends) for figure, ends in result["spread"].items()}
    rows = [f"| `{figure}` | {value:,g} | {spread.get(figure, '')} |" for figure, value in result["figures"].items()]
    return "\n".join(["| figure | value | of the rounds |", "|---|---|---|", *rows])


def wide_table(table: dict) -> str:
    """Rows with several columns, each a median and in brackets the spread of the rounds."""
    columns = list(next(iter(table.values())))
    rows = [
        f"| {row} | " + " | ".join("{:,g} ({:,g} to {:,g})".format(*cells[column]) for column in columns) + " |"
        for row, cells in table.items()
    ]
    return "\n".join(
        ["| | " + " | ".join(f"`{column}`" for column in columns) + " |", "|---" * (len(columns) + 1) + "|", *rows]
    )


if __name__ == "__main__":
    main()
