"""What tests of the room `hil/guide` share."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import jsonschema

from hil.cli import main
from hil.guide.schema import schema
from hil.scenario.files import PACKAGED

SCHEMA = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def hil_command(*arguments: str, cwd: Path = Path()) -> subprocess.CompletedProcess[str]:
    """`hil ARGUMENTS` in this process: starting another takes longer than what is tested."""
    out, said, argv = StringIO(), StringIO(), sys.argv
    with redirect_stdout(out), redirect_stderr(said), chdir(cwd):
        sys.argv = ["hil", *arguments]
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        finally:
            sys.argv = argv
    return subprocess.CompletedProcess(["hil", *arguments], code, out.getvalue(), said.getvalue())


def problems(document: object) -> list[str]:
    """What the schema finds wrong."""
    return [error.message for error in VALIDATOR.iter_errors(document)]


def training_job() -> dict:
    return tomllib.loads((PACKAGED / "training_job.toml").read_text())
