"""Paths in a scenario: relative to the file that names them, or else to the working directory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo


def _existing_file(value: Any, info: ValidationInfo) -> Path:
    if not isinstance(value, (str, Path)) or not str(value):
        raise ValueError("must be the path of a file")
    found = find_file(value, info)
    if found is None:
        looked = " or ".join(dict.fromkeys(str(place.absolute().parent) for place in _places(value, info)))
        raise ValueError(f"no such file (looked in {looked})")
    return found


def find_file(value: str | Path, info: ValidationInfo) -> Path | None:
    """Where a file that a scenario names stands, absolute; None where it does not.

    Of a finished run (context `finished`) the files may have gone since: then it is where the scenario says.
    """
    for place in _places(value, info):
        if os.path.isfile(place):  # noqa: PTH113  # says no, where Path.is_file raises
            return place.resolve()
    return _places(value, info)[0].absolute() if (info.context or {}).get("finished") else None


def _places(value: str | Path, info: ValidationInfo) -> list[Path]:
    folder = (info.context or {}).get("folder")
    return [Path(value)] if folder is None else [Path(folder) / value, Path(value)]


def _named_object(value: Any, info: ValidationInfo) -> str:
    """`file.py:name`, the file found beside the scenario and made absolute, or `package.module:name`."""
    match = re.fullmatch(r"(.+):([A-Za-z_]\w*)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a file or a module and a name in it, such as 'mine.py:hold'")
    where, name = match.groups()
    if not where.endswith(".py"):
        if not all(part.isidentifier() for part in where.split(".")):
            raise ValueError("must be a file or a module and a name in it, such as 'mine.py:hold'")
        return f"{where}:{name}"
    found = find_file(where, info)
    if found is None:
        raise ValueError(f"no such file: {where}")
    return f"{found}:{name}"


NamedObject = Annotated[str, BeforeValidator(_named_object)]
TracePath = Annotated[Path, BeforeValidator(_existing_file), PlainSerializer(str)]
