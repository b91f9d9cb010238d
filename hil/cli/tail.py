"""The command `hil tail`: the newest rows of a record that is being written."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hil.cli.runs import Run, folder_of
from hil.cli.trouble import fail

if TYPE_CHECKING:
    from hil.record.following import Follower

_USUAL = ("load.power_w", "pcc.power_w", "pcc.frequency_hz", "bess.*.power_w", "bess.*.soc")
_EVERY_S = 0.25
_QUIET_S = 5.0
_HEAD_EVERY = 40
_WIDTH, _COLUMN = 160, 12
_INTERRUPTED = 130


def tail(
    run: Run = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Such as 'pcc.*'; may be given several times. Left out: the usual few."),
    ] = None,
    rows: Annotated[int, typer.Option(min=0, help="How many rows that are there to begin with.")] = 10,
    follow: Annotated[bool, typer.Option(help="Go on until the run has ended.")] = True,
    stream: Annotated[str | None, typer.Option(metavar="NAME", help="record-NAME.arrow instead of record.arrow.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every row as a line of JSON, in SI, instead of a table.")] = False,
) -> None:
    """Print the newest rows of a run's record, and go on while it is being written, four rows a second at most.

    Exit code: 0 once the run has ended, whatever its verdict; 130 after Ctrl-C; 2 wrong usage, or no record there.
    """
    from hil.errors import RunUnreadable
    from hil.record.following import Follower
    from hil.report.saved import reading, stream_file

    folder = folder_of(run)
    try:
        source = stream_file(folder, stream)
        with reading(folder, source.name), Follower(source) as follower:
            printer = _printer(_wait_for_channels(follower, folder, follow=follow), channel, as_json=as_json)
            printer(follower.newest(rows), every=True)
            for batches in _following(follower, folder) if follow else ():
                printer(batches, every=as_json)
    except RunUnreadable as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    if follow:
        print(_ended(folder), file=sys.stderr)  # noqa: T201


def _wait_for_channels(follower: Follower, folder: Path, *, follow: bool) -> list[str]:
    """Channels of a record, which stand in its first message."""
    from hil.report.saved import has_ended

    while follow and not follower.channels and not has_ended(folder):
        time.sleep(_EVERY_S)
    return follower.channels


def _following(follower: Follower, folder: Path) -> Iterator[Iterator[Any]]:
    """What has come, now and then, until the run has ended."""
    from hil.report.saved import has_ended

    quiet_s, told, seen = 0.0, False, -1
    while True:
        ended = has_ended(folder)  # asked first, so that nothing that was written before is missed
        yield follower.more()
        if ended:
            return
        quiet_s = 0.0 if follower.last_ns != seen else quiet_s + _EVERY_S
        seen = follower.last_ns
        if quiet_s >= _QUIET_S and not told:
            told = True
            print(f"{folder}: nothing new for {_QUIET_S:g} s", file=sys.stderr)  # noqa: T201
        time.sleep(_EVERY_S)


def _ended(folder: Path) -> str:
    """How a run ended, in one line."""
    from hil.errors import RunUnreadable
    from hil.report.saved import open_run
    from hil.report.words import said

    try:
        result = open_run(folder)
    except RunUnreadable as error:
        return str(error)
    return f"{folder}: {result.verdict}, {said(result.limits, result.expectations)}"


def _printer(recorded: list[str], patterns: list[str] | None, *, as_json: bool) -> Callable[..., None]:
    """Something that prints batches: all rows of them, or the newest."""
    from hil.record.selection import chosen

    try:
        channels = chosen(recorded, patterns or [pattern for pattern in _USUAL if _names(recorded, pattern)] or ["*"])
    except KeyError as error:
        fail(f"--channel {error.args[0]}")
    if as_json:
        return lambda batches, every: _print_json(batches, channels, every=every)
    return _Table(channels, fitting=patterns is None)


def _names(recorded: list[str], pattern: str) -> bool:
    import fnmatch

    return bool(fnmatch.filter(recorded, pattern))


def _rows(batches: Iterator[Any], channels: Sequence[str], *, every: bool) -> Iterator[tuple[float, list[float]]]:
    """Time, s, and values of rows."""
    newest = None
    for batch in batches:
        if not batch.num_rows:
            continue
        if not every:
            newest = batch.slice(batch.num_rows - 1)
            continue
        yield from _values(batch, channels)
    if newest is not None:
        yield from _values(newest, channels)


def _values(batch: Any, channels: Sequence[str]) -> Iterator[tuple[float, list[float]]]:
    columns = [batch.column(name).to_pylist() for name in channels]
    for time_ns, *values in zip(batch.column(0).to_pylist(), *columns, strict=True):
        yield time_ns / 1e9, values


def _print_json(batches: Iterator[Any], channels: Sequence[str], *, every: bool) -> None:
    for time_s, values in _rows(batches, channels, every=every):
        numbers = [value if abs(value) < float("inf") else None for value in values]  # JSON has nothing else for them
        print(json.dumps({"time_s": time_s, **dict(zip(channels, numbers, strict=True))}), flush=True)  # noqa: T201


class _Table:
    """Prints rows below a head with names and units, which comes again where it has scrolled away."""

    def __init__(self, channels: Sequence[str], *, fitting: bool) -> None:
        from hil.record.units import handy_unit

        wide = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
        self._channels: list[str] = []
        widths = [_COLUMN]
        for name in channels:
            width = max(_COLUMN, len(name) + 2)
            if fitting and self._channels and sum(widths) + width > wide:
                break
            self._channels.append(name)
            widths.append(width)
        left_out = len(channels) - len(self._channels)
        units = [handy_unit(name) for name in self._channels]
        self._scales = [scale for _, scale in units]
        self._widths = widths
        more = f"  and {left_out} more: --channel" if left_out else ""
        self._head = [
            self._line(["time", *self._channels]) + more,
            self._line(["s", *(unit for unit, _ in units)]),
        ]
        self._printed = 0

    def __call__(self, batches: Iterator[Any], *, every: bool) -> None:
        """Print all rows, or the newest."""
        for time_s, values in _rows(batches, self._channels, every=every):
            if self._printed % _HEAD_EVERY == 0:
                print("\n".join(self._head))  # noqa: T201
            self._printed += 1
            cells = [f"{value * scale:.4f}" for value, scale in zip(values, self._scales, strict=True)]
            print(self._line([f"{time_s:.3f}", *cells]), flush=True)  # noqa: T201

    def _line(self, cells: list[str]) -> str:
        return "".join(f"{cell:>{width}}" for cell, width in zip(cells, self._widths, strict=True))
