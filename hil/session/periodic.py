"""Work that goes on beside asyncio, so that a stall there does not stop it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable


class Periodic:
    """Calls `work` every `every_s` of wall-clock time in a thread of its own, from `start` to `stop`.

    An exception ends it, is kept in `error`, and `failed` is called, in that thread.
    """

    def __init__(self, name: str, work: Callable[[], None], every_s: float, failed: Callable[[], None]) -> None:
        self.error: BaseException | None = None
        self._work = work
        self._every_s = every_s
        self._failed = failed
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, patience_s: float) -> bool:
        """End it after the call under way; whether that ended in time. One that hangs is left to itself."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are the main thread's
        try:
            while not self._stopped.wait(self._every_s):
                self._work()
        except BaseException as error:  # noqa: BLE001  # raised where somebody hears it
            self.error = error
            self._failed()
