"""Tasks of a run: supervisors kept going through device errors, and failures that are heard of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from hil.errors import DeviceError
from hil.wiring.surroundings import Event

T = TypeVar("T")
_RESTART_S = 0.05


class Failure:
    """Tasks whose failure ends the run: `future` gets the first exception of any."""

    def __init__(self) -> None:
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, work: Awaitable[None], name: str) -> asyncio.Task[None]:
        """A task; what it raises is kept."""

        async def guarded() -> None:
            try:
                await work
            except (Exception, SystemExit) as raised:  # noqa: BLE001  # whatever a user's supervisor raises ends the run, safely
                error = _as_exception(raised)
                error.add_note(f"{name}, at {asyncio.get_running_loop().time():.3f} s of the run")
                if not self.future.done():
                    self.future.set_exception(error)

        return asyncio.create_task(guarded(), name=name)

    def seen(self) -> None:
        """Nobody else need look."""
        if self.future.done() and not self.future.cancelled():
            self.future.exception()


def _as_exception(raised: Exception | SystemExit) -> Exception:
    """An exit asked for in a supervisor must not pass for the run's own: its code would be the verdict's."""
    if isinstance(raised, Exception):
        return raised
    return RuntimeError(f"sys.exit({raised.code!r})").with_traceback(raised.__traceback__)


async def supervise(label: str, run: Callable[[], Awaitable[None]], event: Event) -> None:
    """Run a supervisor; start it again after a device error, which its driver deals with.

    In a row of attempts that fail at once the first is told: an outage of an hour is not 72,000 lines of the log.
    """
    loop = asyncio.get_running_loop()
    failing = False
    while True:
        began_s = loop.time()
        try:
            await run()
        except DeviceError as problem:
            if not failing or loop.time() > began_s + _RESTART_S:
                event("supervisor_restarted", {"supervisor": label, "problem": str(problem)})
            failing = True
            await asyncio.sleep(_RESTART_S)
        else:
            event("supervisor_ended", {"supervisor": label})
            return


async def together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all at once: over slow links one after the other would take long. What was begun is ended where one fails."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        await end(tasks)
        raise


async def end(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
