"""The command `hil compare`: one load under several remedies, as tables and a picture."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.trouble import UNFINISHED, can_draw, fail, never_over

if TYPE_CHECKING:
    from hil.report.comparison import Comparison

_STDOUT = "-"


def compare(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or the name of a packaged one (see `hil scenarios`).")],
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with", metavar="OVERLAY", help="A file laid over it, or a packaged remedy; a+b: both together; several times."
        ),
    ] = None,
    combine: Annotated[bool, typer.Option("--combine", help="Every subset of the overlays, not each alone.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, of every variant.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time; default: one a core.")] = os.cpu_count() or 1,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the folder of each run there.")] = None,
    as_json: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write all of it as JSON; -: print it instead of the tables."),
    ] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown.")] = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it, into a .png or .svg file.")] = None,
) -> None:
    """Run one load under several remedies, and say what each costs and saves; the scenario as it is comes first.

    Exit code: 0 once every variant has been run, whatever its limits say; 2 wrong usage, a bad scenario or overlay; 4 a run
    could not be finished; 128 + n where signal n ended it.
    """
    from hil.errors import HilError, ScenarioError
    from hil.scenario.files import written
    from hil.scenario.overlay import variants
    from hil.session.compare import CompareOptions, compare_variants

    if picture is not None:
        can_draw("--picture", picture, "comparison_picture")
    read = [scenario, *(part for one in with_ or [] for part in (one, *one.split("+")))]
    json_file = None if as_json in (None, _STDOUT) else Path(str(as_json))
    files = {"--markdown": markdown, "--picture": picture, "--json": json_file}
    for option, file in files.items():
        if file is None:
            continue
        if not file.absolute().parent.is_dir():
            fail(f"{file}: cannot be written (no such folder)")
        if file.is_dir():
            fail(f"{file}: cannot be written (it is a folder)")
        never_over(option, file, read)
    caught: list[int] = []
    try:
        with _told() as told, _ended_by_signal(caught), contextlib.redirect_stdout(sys.stderr):  # what laws of one's own print
            base = written(scenario, set_ or [])
            asked = variants(with_ or [], combine=combine)
            found = compare_variants(base, asked, CompareOptions(jobs=jobs, folder=out, told=told))
    except ScenarioError as error:
        fail(str(error))
    except (HilError, OSError) as error:
        fail(f"{scenario}: {error}", UNFINISHED)
    except KeyboardInterrupt as interrupt:
        number = int([*caught, *interrupt.args, signal.SIGINT][0])
        fail(f"{scenario}: ended by signal {number}", 128 + number)
    if as_json != _STDOUT:
        print_comparison(found)
    _write(found, as_json, markdown, picture)


def print_comparison(comparison: Comparison) -> None:
    """Print what was compared, the tables, and what the figures are of."""
    from rich.markup import escape
    from rich.table import Table

    from hil.cli import terminal
    from hil.cli.table import wide_enough
    from hil.report.comparison_table import HEAD, TEXT, cells, margins, notes

    console = terminal.console()
    title = f" · {escape(comparison.title)}" if comparison.title else ""
    console.print(
        f"[bold]{escape(comparison.scenario)}[/]{title} · {comparison.duration_s:g} s · seed {comparison.seed} · "
        f"{len(comparison.rows)} variants"
    )
    first = Table(box=None, pad_edge=True, header_style="dim")
    for place, head in enumerate(HEAD):
        first.add_column(head, justify="left" if place in TEXT else "right", no_wrap=True)
    for row in comparison.rows:
        words = [escape(cell) for cell in cells(row)]
        words[1] = f"[{_COLOURS.get(str(row.verdict), 'yellow')}]{words[1]}[/]"
        first.add_row(*words)
    second = Table(box=None, pad_edge=True, header_style="dim")
    second.add_column("margin of", no_wrap=True)
    for row in comparison.rows:
        second.add_column(escape(row.title), justify="right", no_wrap=True)
    for limit in comparison.limits:
        found = [f"[red]{cell}[/]" if "violated" in cell else cell for cell in margins(comparison, limit)]
        second.add_row(escape(limit), *found)
    for table in [first, *([second] if comparison.limits else [])]:
        wide_enough(console, table)
        console.print()
        console.print(table)
    console.print()
    for note in notes(comparison):
        console.print(f"[dim]{escape(note)}[/]")


_COLOURS = {"PASS": "green", "FAIL": "bold red"}


def _write(comparison: Comparison, as_json: str | None, markdown: Path | None, picture: Path | None) -> None:
    file: Path | str = ""
    try:
        if as_json is not None:
            text = json.dumps(comparison.document(), indent=2) + "\n"
            if as_json == _STDOUT:
                print(text, end="")  # noqa: T201
            else:
                file = as_json
                Path(as_json).write_text(text, encoding="utf-8")
        if markdown is not None:
            file = markdown
            markdown.write_text(comparison.markdown(), encoding="utf-8")
        if picture is not None:
            file = picture
            comparison.plot(picture)
    except OSError as error:
        if not file:
            raise
        fail(f"{file}: cannot be written ({error.strerror or error})")


@contextlib.contextmanager
def _ended_by_signal(caught: list[int]) -> Iterator[None]:
    """SIGTERM ends it as an interrupt does: nothing is left behind. caught: takes its number."""

    def end(number: int, _frame: object) -> None:
        caught.append(number)
        raise KeyboardInterrupt(number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _told() -> Iterator[Callable[[str, int, int], None]]:
    """A line on standard error of how far it is; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _name, _done, _all: None
        return
    from rich.console import Console

    with Console(stderr=True).status("0 variants done") as status:
        yield lambda name, done, every: status.update(f"{done} of {every} variants done, the last was {name}")
