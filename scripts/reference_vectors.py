"""Writes hil/limits/vectors: what standards say, worked out here from their constants, and never by the code that they judge.

`python scripts/reference_vectors.py` writes the files, `--check` says whether they are what it would write.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import vectors_counters
import vectors_envelopes
import vectors_ratios
import vectors_relays
import vectors_signals
import vectors_stages
import vectors_thermals

FOLDER = Path(__file__).parents[1] / "hil" / "limits" / "vectors"
FAMILIES = (
    vectors_relays,
    vectors_stages,
    vectors_thermals,
    vectors_counters,
    vectors_envelopes,
    vectors_signals,
    vectors_ratios,
)


def written(value: Any) -> str:
    """A value in TOML, tables inline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(one) for one in value) + "]"
    return repr(value)


def texts() -> dict[str, str]:
    """What stands in each file, by its name."""
    files = {}
    for family in FAMILIES:
        for name, (header, vectors) in family.files().items():
            lines = [f"# {line}".rstrip() for line in [*header.strip().splitlines(), "", "Written by scripts/reference_vectors.py."]]
            for vector in vectors:
                lines += ["", "[[vector]]", *(f"{key} = {written(value)}" for key, value in vector.items())]
            files[f"{name}.toml"] = "\n".join(lines) + "\n"
    return files


def main() -> int:
    """Write the files, or say which are not as they would be written; returns an exit code."""
    different = [name for name, text in texts().items() if not (FOLDER / name).is_file() or (FOLDER / name).read_text() != text]
    if "--check" in sys.argv:
        print(f"not as written: {', '.join(different)}" if different else "all as written")
        return 1 if different else 0
    for name in different:
        (FOLDER / name).write_text(texts()[name])
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
