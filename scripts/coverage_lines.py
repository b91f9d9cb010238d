"""What scripts/coverage.sh needs of Python: the directives of setup.py, and counts of C lines booked on lines of Cython."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import defaultdict
from itertools import groupby
from pathlib import Path

PACKAGES = ("hil", "firmware_sim", "controllers")
ORIGIN = re.compile(r'/\*#line (\d+) "(.*)"\*/')
LABEL = re.compile(r"\s*__pyx_L\w+:;$")  # where branches meet again: ran, whichever of them was taken
JUMP = re.compile(r"\s*goto ")
INLINE = re.compile(r"cdef inline .*?(\w+)\(")


def directives() -> str:
    """DIRECTIVES of setup.py, as an ordinary build takes them, for the command line of Cython."""
    for node in ast.parse(Path("setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DIRECTIVES":
            found = eval(ast.unparse(node.value), {"CHECKED": False})
            # As a switch, a chain of elif books its lines on one another.
            return " ".join(f"-X {name}={value}" for name, value in (found | {"optimize.use_switch": False}).items())
    raise SystemExit("setup.py has no DIRECTIVES")


def counts(module: str) -> dict[str, dict[int, list[tuple[int, bool]]]]:
    """By file and line, for each line of C made from it: how often it ran, and whether it does more than jump."""
    ran: dict[int, int] = {}
    for file in json.loads(Path(f"{module}.json").read_text())["files"]:
        if file["file"] == f"{module}.c":
            for line in file["lines"]:
                ran[line["line_number"]] = max(ran.get(line["line_number"], 0), line["count"])
    found: dict[str, dict[int, list[tuple[int, bool]]]] = defaultdict(lambda: defaultdict(list))
    origin = None
    for number, text in enumerate(Path(f"{module}.c").read_text().splitlines(), 1):
        if match := ORIGIN.match(text):
            origin = match[2], int(match[1])
        elif origin and number in ran and not LABEL.match(text):
            found[origin[0]][origin[1]].append((ran[number], not JUMP.match(text)))
        if text == "}":  # the end of a function; what follows is of Cython's own making until it says otherwise
            origin = None
    return found


def spans(lines: list[int]) -> str:
    """Line numbers with runs of them joined: 3, 7-9."""
    runs = [[line for _, line in run] for _, run in groupby(enumerate(lines), lambda pair: pair[1] - pair[0])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def report(minimum: float, modules: list[str]) -> int:
    """Print the table; 1 where less than `minimum` percent ran or an inline function is in no module."""
    lines: dict[str, dict[int, list[tuple[int, bool]]]] = defaultdict(lambda: defaultdict(list))
    for module in modules:
        for name, of_file in counts(module).items():
            for line, made in of_file.items():
                lines[name][line] += made
    covered = total = 0
    failed = False
    for path in sorted(path for package in PACKAGES for path in Path(package).rglob("*.p[xy][xd]")):
        of_file = lines[str(path)]
        missed = sorted(line for line, made in of_file.items() if not any(ran for ran, _ in made))
        # One line of Cython may be several of C: an arm of an expression, the second half of a condition.
        partly = {line for line, made in of_file.items() if any(acts and not ran for ran, acts in made)} - {*missed}
        if path.suffix == ".pyx":  # where Python's errors are handled nearly every line has such a part
            partly = set()
        hit = len(of_file) - len(missed)
        covered, total = covered + hit, total + len(of_file)
        notes = [f"not run: {spans(missed)}"] * bool(missed) + [f"in part: {spans(sorted(partly))}"] * bool(partly)
        print(f"{path!s:32} {hit:4}/{len(of_file):4} {100 * hit / max(len(of_file), 1):6.1f} %  {'; '.join(notes)}".rstrip())
        first = None  # line of a function's first decorator, where it has one
        for number, text in enumerate(path.read_text().splitlines(), 1):
            first = first or number
            if (match := INLINE.match(text)) and first not in of_file:
                print(f"{path}:{number}: {match[1]} is in no module")
                failed = True
            if not text.startswith("@"):
                first = None
    percent = 100 * covered / max(total, 1)
    print(f"{'all':32} {covered:4}/{total:4} {percent:6.1f} %, at least {minimum:g} % wanted")
    return int(failed or percent < minimum)


if __name__ == "__main__":
    if sys.argv[1] == "directives":
        print(directives())
    else:
        sys.exit(report(float(sys.argv[2]), sys.argv[3:]))
