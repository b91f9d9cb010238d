"""What the asyncio side of devices and controllers shares: waking at whole periods, ending when asked to, not reading."""

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


def hold_reading(transport: asyncio.Transport) -> None:
    """Pause reading, in `connection_made` too: there the asyncio of Python 3.11.2 forgets it, and reads all the same."""
    transport.pause_reading()
    asyncio.get_running_loop().call_soon(_hold_again, transport)


def _hold_again(transport: asyncio.Transport) -> None:
    if not transport.is_reading() and not transport.is_closing():
        transport.resume_reading()
        transport.pause_reading()


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
