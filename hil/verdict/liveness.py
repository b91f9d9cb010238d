"""How long a supervisor has gone without the device acknowledging a fresh target of it."""

from __future__ import annotations


class Liveness:
    """Longest silence of one controller towards one device, in seconds of scenario time, from the start of the run to its end.

    who: `supervisor.NAME` or `absorber.NAME`.
    """

    def __init__(self, who: str) -> None:
        self.who = who
        self._last_s = 0.0
        self.longest_s = 0.0
        self.longest_from_s = 0.0
        self.count = 0

    def acknowledged(self, now_s: float) -> None:
        """The device accepted a fresh target."""
        self.count += 1
        self.until(now_s)
        self._last_s = now_s

    def until(self, now_s: float) -> None:
        """The silence lasts at least to this time."""
        if now_s - self._last_s > self.longest_s:
            self.longest_s = now_s - self._last_s
            self.longest_from_s = self._last_s
