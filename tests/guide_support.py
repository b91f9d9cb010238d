"""What tests of the room `hil/guide` share."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema

from hil.guide.schema import schema
from hil.scenario.files import PACKAGED

SCHEMA = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def hil_command(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from hil.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


def problems(document: object) -> list[str]:
    """What the schema finds wrong."""
    return [error.message for error in VALIDATOR.iter_errors(document)]


def training_job() -> dict:
    return tomllib.loads((PACKAGED / "training_job.toml").read_text())
