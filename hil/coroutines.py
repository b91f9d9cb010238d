"""What coroutines of devices and controllers share: waking at whole periods, and ending when they are asked to."""

from __future__ import annotations

import asyncio


class Rhythm:
    """Whole periods from now on, in the time of the running loop; those that are past when asked are skipped."""

    def __init__(self, period_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._period_s = period_s
        self._start_s = self._loop.time()
        self._count = 0

    def next_s(self) -> float:
        """When the next period begins."""
        passed = int((self._loop.time() - self._start_s) / self._period_s + 1e-9)
        self._count = max(self._count, passed) + 1
        return self._start_s + self._count * self._period_s

    async def wait(self) -> None:
        """Sleep until the next period begins; one future and one timer, less than asyncio.sleep takes."""
        woken = self._loop.create_future()
        timer = self._loop.call_at(self.next_s(), _wake, woken)
        try:
            await woken
        except BaseException:
            timer.cancel()
            raise


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


def cancels() -> int:
    """How often the present task has been asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def honour(before: int) -> None:
    """Be cancelled if asked to since: asyncio.wait_for of Python 3.11 drops a cancellation that meets the reply.

    before: `cancels()` from before the wait.
    """
    if cancels() > before:
        raise asyncio.CancelledError
