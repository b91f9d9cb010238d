"""Paths in a scenario: relative to the file that names them, or else to the working directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo


def _existing_file(value: Any, info: ValidationInfo) -> Path:
    if not isinstance(value, (str, Path)) or not str(value):
        raise ValueError("must be the path of a file")
    folder = (info.context or {}).get("folder")
    places = [Path(value)] if folder is None else [Path(folder) / value, Path(value)]
    for place in places:
        if os.path.isfile(place):  # noqa: PTH113  # says no, where Path.is_file raises
            return place.resolve()
    looked = " or ".join(dict.fromkeys(str(place.absolute().parent) for place in places))
    raise ValueError(f"no such file (looked in {looked})")


TracePath = Annotated[Path, BeforeValidator(_existing_file), PlainSerializer(str)]
