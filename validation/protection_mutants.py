"""Seeded mistakes in the protection functions, each of which the reference vectors must catch.

Three kinds: parameters that a builder has written, changed before they run; constants of curves and profiles; and compiled
functions, in a copy that is built once, every mistake in it behind a switch. `python validation/protection_mutants.py`
prints a table; exit code 1 if one survives.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import protection_mutations_kinds as kinds
from protection_mutations import CONSTANTS, PARAMETERS, TEXTS, mutate_constants, mutated

ROOT = Path(__file__).parents[1]
_BUILD = """
from Cython.Build import cythonize
from setuptools import Extension, setup
setup(
    name="mutants",
    ext_modules=cythonize(
        [Extension("hil.kernel.protection.replay", ["hil/kernel/protection/replay.pyx"],
                   include_dirs=[".", "controllers/include"], extra_compile_args=["-O1", "-w", "-ffp-contract=off"])],
        compiler_directives={"language_level": 3, "boundscheck": False, "wraparound": False, "cdivision": True},
        quiet=True,
    ),
    packages=[], script_args=["-q", "build_ext", "--inplace"],
)
"""


def caught(vectors: list[dict[str, Any]]) -> str | None:
    """The first vector that does not hold, or refuses to run; None: all hold."""
    from hil.verify.playing import play

    for vector in vectors:
        try:
            holds = play(vector).passed
        except ValueError:
            holds = False
        if not holds:
            return f"{vector['standard']}: {vector['name']}"
    return None


def of_functions(functions: tuple[str, ...]) -> list[dict[str, Any]]:
    """Vectors of some functions, the longest ones last: most mistakes show in the short ones."""
    from hil.verify.playing import vectors

    chosen = [one for one in vectors() if one["function"] in functions]
    return sorted(
        chosen, key=lambda one: sum(step[-1] for step in one["input"].get("steps", [])) / one["input"].get("dt_s", 1.0)
    )


def play_parameters() -> list[tuple[str, str, str | None]]:
    """Kind, mistake, and the vector that caught it."""
    from hil.verify import bench

    found = []
    for name, functions, change in (*PARAMETERS, *kinds.PARAMETERS):
        bench.bend[:] = [change]
        found.append(("parameter", name, caught(of_functions(functions))))
        bench.bend.clear()
    for name, functions, where, change_of in (*CONSTANTS, *kinds.CONSTANTS):
        with mutate_constants(where, change_of):
            found.append(("constant", name, caught(of_functions(functions))))
    return found


def play_texts() -> list[tuple[str, str, str | None]]:
    """Likewise, in the process that has the mutated build."""
    from hil.kernel.protection import replay

    found: list[tuple[str, str, str | None]] = []
    everything = tuple({function for text in TEXTS for function in text.functions})
    replay.set_mutant(0)
    unmutated = caught(of_functions(everything))
    assert unmutated is None, f"the copy without a mistake fails: {unmutated}"
    for k, text in enumerate(TEXTS, 1):
        replay.set_mutant(k)
        found.append(("compiled", text.name, caught(of_functions(text.functions))))
    return found


def in_a_copy() -> list[tuple[str, str, str | None]]:
    """Build the copy, play in it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for package in ("hil", "firmware_sim", "controllers"):
            shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
        for built in (copy / "hil/kernel/protection").glob("replay.*.so"):
            built.unlink()
        mutated(copy)
        (copy / "build_mutants.py").write_text(_BUILD)
        environment = os.environ | {"PYTHONPATH": f"{copy}{os.pathsep}{ROOT / 'validation'}"}
        subprocess.run([sys.executable, "build_mutants.py"], cwd=copy, env=environment, check=True, stdout=subprocess.DEVNULL)
        command = [sys.executable, str(Path(__file__)), "--texts"]
        out = subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True, text=True).stdout
        return [(kind, name, by) for kind, name, by in json.loads(out)]


def main() -> int:
    """Play all mutants and print the table; returns an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().texts:
        print(json.dumps(play_texts()))
        return 0
    begin = time.perf_counter()
    rows = [*play_parameters(), *in_a_copy()]
    width = max(len(name) for _, name, _ in rows)
    for kind, name, by in rows:
        print(f"{kind:9}  {name:{width}}  {'SURVIVES' if by is None else f'caught by {by}'}")
    survivors = sum(by is None for _, _, by in rows)
    print(f"\n{len(rows) - survivors} of {len(rows)} mutants caught in {time.perf_counter() - begin:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
