"""The commands that help to write a scenario: `hil init`, `hil explain`, `hil schema`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from hil.cli.trouble import fail

_WIDTH, _MOST = 100, 120


def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("scenario.toml"),
    kind: Annotated[str, typer.Option(help="Of the load: training, inference or trace.")] = "training",
) -> None:
    """Write a commented scenario to start with; never over a file that is there.

    Exit code: 0, or 2 where it cannot be written.
    """
    from hil.errors import ScenarioError
    from hil.guide.starter import write

    try:
        files = write(file, kind)
    except ScenarioError as error:
        fail(str(error))
    print(f"{' and '.join(map(str, files))} written; next: hil run {file}")  # noqa: T201


def explain(
    key: Annotated[
        str | None,
        typer.Argument(help="Such as bess.main.soc, limits.ramp.max, soc, or a section; without one: the sections."),
    ] = None,
) -> None:
    """Tell what a key of a scenario means: its unit, default, range and source.

    Exit code: 0, or 2 where nothing goes by that name.
    """
    from hil.errors import ScenarioError
    from hil.guide.explain import explain as explained

    width = min(shutil.get_terminal_size().columns, _MOST) if sys.stdout.isatty() else _WIDTH
    try:
        print(explained(key, width=width))  # noqa: T201
    except ScenarioError as error:
        fail(str(error))


def schema(
    out: Annotated[Path | None, typer.Option(help="Write it to this file instead.")] = None,
) -> None:
    """Print the JSON Schema of a scenario, from which editors complete and check.

    For editors that know Taplo the first line of a scenario names it: #:schema hil.schema.json

    Exit code: 0, or 2 where it cannot be written.
    """
    from hil.guide.schema import schema as made

    text = json.dumps(made(), indent=2, ensure_ascii=False)
    if out is None:
        print(text)  # noqa: T201
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"hil schema: {out}: cannot be written: {error.strerror or error}")
