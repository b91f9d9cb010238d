"""The C programs of benchmarks/modbus_c, built where they are used."""

from __future__ import annotations

import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent / "modbus_c"
NEEDS = {"modbus": "libmodbus (Debian's package libmodbus-dev)"}


class CannotBuild(RuntimeError):
    """There is no compiler, or no library."""


def compiled(name: str, folder: Path, *libraries: str) -> Path:
    """Build a program into a folder. Raises CannotBuild."""
    program = folder / name
    command = ["cc", "-O2", "-o", str(program), str(SOURCES / f"{name}.c"), *(f"-l{library}" for library in libraries)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CannotBuild("no C compiler") from None
    if run.returncode:
        needs = ", ".join(NEEDS[library] for library in libraries) or "what it includes"
        raise CannotBuild(f"cannot build {name}.c, is {needs} there? {run.stderr.strip().splitlines()[0]}")
    return program
