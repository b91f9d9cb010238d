"""Progress of a run in the terminal, with how much faster than real time it goes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hil.scenario.model import Scenario

_EVERY_S = 0.1


@contextmanager
def progress_bar(scenario: Scenario, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """A bar on standard error while a run is under way; nothing where that is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[speed]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(scenario.name, total=scenario.ticks, speed="")
        began = shown = time.perf_counter()

        def progress(tick: int) -> None:
            nonlocal shown
            now = time.perf_counter()
            if now - shown >= _EVERY_S:
                shown = now
                done_s = tick * scenario.tick_s
                bar.update(task, completed=tick, speed=f"{done_s:.0f} s, {done_s / (now - began):,.0f} x real time")

        yield progress
