"""Runs every validation and rewrites the tables of docs/validation.md from the lines they print (`make validate`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "validation.md"
VALIDATIONS = (
    "network",
    "unbalanced",
    "undervoltage",
    "frequency",
    "cooling",
    "battery",
    "pulse",
    "ups",
    "protection_agreement",
    "protection_trips",
    "arrivals",
    "modbus",
    "flicker",
    "load_step",
)
SMALL = (
    1e-9  # below it a figure is rounding and the peer's tolerance: so it says, and the page does not change from run to run
)


def main() -> None:
    """Compare, print, rewrite; fails where a figure is beyond its bound."""
    page = PAGE.read_text(encoding="utf-8")
    beyond = []
    for name in VALIDATIONS:
        run = subprocess.run([sys.executable, str(HERE / f"{name}.py")], stdout=subprocess.PIPE, text=True, check=False)
        if run.returncode != 0:  # it has said why; its table stays as it is
            beyond.append(f"{name}: not measured")
            continue
        line = run.stdout.strip().splitlines()[-1]
        print(line)
        figures = json.loads(line)["figures"]
        beyond += [f"{name}: {figure['name']}" for figure in figures if not figure["value"] <= figure["bound"]]
        page = rewritten(page, name, figures)
    PAGE.write_text(page, encoding="utf-8")
    if beyond:
        raise SystemExit("\n".join(["beyond their bounds, or not measured:", *beyond]))


def rewritten(page: str, name: str, figures: list[dict]) -> str:
    """The page with the table between the marks of a validation made anew."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    if not rest or not tail:
        raise SystemExit(f"{PAGE}: no marks for {name}")
    rows = "\n".join(
        f"| {figure['name']} | {shown(figure['value'])} | {figure['bound']:g} | {figure['against']} |" for figure in figures
    )
    return f"{head}{begin}\n| figure | value | at most | against |\n|---|---|---|---|\n{rows}\n{end}{tail}"


def shown(value: float) -> str:
    """As the page has it."""
    return f"< {SMALL:g}" if 0.0 < value < SMALL else f"{value:.2g}"


if __name__ == "__main__":
    main()
