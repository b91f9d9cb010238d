"""The command line: in this process, and in one of its own."""

from __future__ import annotations

import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from hil.cli import main

WHOLE = [sys.executable, "-c", "from hil.cli import main; main()"]
# Drawing takes longer than most runs of tests, and is tested by itself: as where matplotlib is not installed.
HIL = [sys.executable, "-c", "import sys; sys.modules['hil.report.picture'] = None; from hil.cli import main; main()"]


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def hil_command(*arguments: object, cwd: Path = Path()) -> Said:
    """`hil ARGUMENTS` in this process: starting another takes longer than what is tested."""
    out, err, argv = StringIO(), StringIO(), sys.argv
    with redirect_stdout(out), redirect_stderr(err), chdir(cwd):
        sys.argv = ["hil", *map(str, arguments)]
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        finally:
            sys.argv = argv
    return Said(code, out.getvalue(), err.getvalue())
