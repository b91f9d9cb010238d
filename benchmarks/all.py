"""Runs every benchmark and rewrites the tables of docs/performance.md from the lines they print (`make bench`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
BENCHMARKS = ("kernel", "tick", "lockstep", "fleet", "wall_clock", "startup")


def main() -> None:
    """Measure, print, rewrite."""
    page = PAGE.read_text(encoding="utf-8")
    for name in BENCHMARKS:
        run = subprocess.run([sys.executable, str(HERE / f"{name}.py")], stdout=subprocess.PIPE, text=True, check=True)
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
    rows = "\n".join(f"| `{figure}` | {value:,g} |" for figure, value in result["figures"].items())
    note = f"Median of {result['rounds']} interleaved rounds; Python {host['python']}, {host['cpu']}, {host['system']}."
    return f"{head}{begin}\n| figure | value |\n|---|---|\n{rows}\n\n{note}\n{end}{tail}"


if __name__ == "__main__":
    main()
