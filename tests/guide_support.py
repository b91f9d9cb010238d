"""What tests of the room `hil/guide` share."""

from __future__ import annotations

import tomllib

import jsonschema

from hil.guide.schema import schema
from hil.scenario.files import PACKAGED

SCHEMA = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def problems(document: object) -> list[str]:
    """What the schema finds wrong."""
    return [error.message for error in VALIDATOR.iter_errors(document)]


def training_job() -> dict:
    return tomllib.loads((PACKAGED / "training_job.toml").read_text())
