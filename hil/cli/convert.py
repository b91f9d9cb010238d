"""The command `hil convert`: the record of a run as a file of another format."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hil.cli.runs import Run, folder_of, part_file, time_of
from hil.cli.trouble import fail


class Form(StrEnum):
    """What a record can be converted to."""

    PARQUET = "parquet"
    CSV = "csv"
    ARROW = "arrow"


def convert(
    run: Run = None,
    to: Annotated[Form, typer.Option(help="parquet, csv, or arrow: an Arrow IPC file (Feather 2).")] = Form.PARQUET,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Left out: record.parquet, .csv or .feather in the run's folder.")
    ] = None,
    stream: Annotated[str | None, typer.Option(metavar="NAME", help="record-NAME.arrow instead of record.arrow.")] = None,
    channel: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Only channels such as 'pcc.*'; may be given several times.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Where it begins, such as '100 s'.")] = None,
    to_time: Annotated[str | None, typer.Option(metavar="TIME", help="Where it ends.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write the record of a run, finished or not, as Parquet, CSV or an Arrow file.

    Exit code: 0 once it is written; 2 wrong usage, no record there, or a file that is there or cannot be written.
    """
    from hil.errors import RunUnreadable
    from hil.record.conversion import FORMATS
    from hil.record.conversion import convert as converted
    from hil.record.selection import chosen
    from hil.report.saved import SavedStream, stream_file

    from_s, to_s = time_of("--from", from_), time_of("--to-time", to_time)
    if from_s is not None and to_s is not None and not from_s < to_s:
        fail(f"--from {from_}: must be before --to-time {to_time}")
    folder = folder_of(run)
    try:
        source = stream_file(folder, stream)
        path = part_file(folder, f"{source.stem}{FORMATS[to]}", from_, to_time) if out is None else out
        record = SavedStream(folder, source, whole=(folder / "summary.json").is_file())
        channels = chosen(record.channels, channel or ["*"])
        if path.exists() and not force:
            fail(f"{path}: is there already; --force replaces it")
        if path.exists() and path.samefile(source):
            fail(f"{path}: is the record itself")
        bounds_ns = [None if time_s is None else round(time_s * 1e9) for time_s in (from_s, to_s)]
        if from_s is not None and from_s > (record.last_ns() or 0) / 1e9:
            fail(f"--from {from_}: the record goes to {(record.last_ns() or 0) / 1e9:g} s")
        converted(record, path, to, channels=channels, from_ns=bounds_ns[0], to_ns=bounds_ns[1])
    except RunUnreadable as error:
        fail(str(error))
    except KeyError as error:
        fail(f"--channel {error.args[0]}")
    except OSError as error:
        fail(f"{path}: cannot be written ({error.strerror or error})")
    print(path)  # noqa: T201
