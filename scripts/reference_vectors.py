"""Writes hil/verify/vectors: what standards say, worked out here from their constants, and never by the code that they judge.

`python scripts/reference_vectors.py` writes the files, and the table of docs/verify.md from all that lie there; `--check` says
whether they are what it would write.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import vectors_counters
import vectors_envelopes
import vectors_ratios
import vectors_relays
import vectors_signals
import vectors_stages
import vectors_storage
import vectors_thermals
import vectors_trends
import vectors_ups

FOLDER = Path(__file__).parents[1] / "hil" / "verify" / "vectors"
PAGE = FOLDER.parents[2] / "docs" / "verify.md"
_TABLE_HEAD = "| standard | edition | vectors | evidence |\n|---|---|---|---|\n"
FAMILIES = (
    vectors_relays,
    vectors_stages,
    vectors_thermals,
    vectors_counters,
    vectors_envelopes,
    vectors_signals,
    vectors_ratios,
    vectors_storage,
    vectors_ups,
    vectors_trends,
)


def written(value: Any) -> str:
    """A value in TOML, tables inline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        keys = {key: f'"{key}"' if "." in key else key for key in value}
        return "{ " + ", ".join(f"{keys[key]} = {written(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(one) for one in value) + "]"
    return repr(value)


def texts() -> dict[str, str]:
    """What stands in each file, by its name."""
    files = {}
    for family in FAMILIES:
        for name, (header, vectors) in family.files().items():
            lines = [
                f"# {line}".rstrip() for line in [*header.strip().splitlines(), "", "Written by scripts/reference_vectors.py."]
            ]
            for vector in vectors:
                lines += ["", "[[vector]]", *(f"{key} = {written(value)}" for key, value in vector.items())]
            files[f"{name}.toml"] = "\n".join(lines) + "\n"
    return files


def table(page: str) -> str:
    """The page with the table of all vectors that lie in the folder, ours and those written by hand."""
    counts: dict[tuple[str, str], list[str]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for one in tomllib.loads(path.read_text()).get("vector", []):
            counts.setdefault((one["standard"], one["edition"]), []).append(one["evidence"])
    rows = [
        f"| {standard} | {edition} | {len(tags)} | {' '.join(tag for tag in 'VSC' if tag in tags)} |"
        for (standard, edition), tags in sorted(counts.items(), key=lambda item: (item[0][0].lower(), item[0][1]))
    ]
    total = f"| **all** | | {sum(len(tags) for tags in counts.values())} | |"
    before, _, rest = page.partition(_TABLE_HEAD)
    return before + _TABLE_HEAD + "\n".join([*rows, total]) + "\n" + rest[rest.index("\n\n") + 1 :]


def main() -> int:
    """Write the files and the table, or say which are not as they would be written; returns an exit code."""
    wanted = texts()
    there = {path.name: path.read_text() for path in FOLDER.glob("*.toml")}
    different = [name for name, text in wanted.items() if there.get(name) != text]
    if "--check" in sys.argv:
        page = PAGE.read_text()
        if table(page) != page:
            different.append(PAGE.name)
        print(f"not as written: {', '.join(different)}" if different else "all as written")
        return 1 if different else 0
    for name in different:
        (FOLDER / name).write_text(wanted[name])
        print(f"wrote {name}")
    PAGE.write_text(table(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
