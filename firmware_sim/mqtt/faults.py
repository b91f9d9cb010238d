"""What goes wrong with the messages of a device on a broker, both ways, by draws that repeat: they come late, or twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hil.draws import uniform


class MessageFaults:
    """The faults of one device; they may be changed at any time and hold from the next message on.

    seed, device: what draws are keyed by, with the number of the message; messages are counted while there are faults.
    late_s: how late is a share `late_share` of them; one that is late is overtaken by those behind it. twice_share: of those
    that come twice.
    """

    def __init__(self, seed: int, device: str) -> None:
        self.late_s = 0.0
        self.late_share = 0.0
        self.twice_share = 0.0
        self._seed = seed
        self._device = device
        self._messages = 0

    def pass_on(self, deliver: Callable[[], None]) -> None:
        """Deliver a message, when and as often as it comes."""
        late_s, times = self.drawn()
        if late_s > 0.0:
            asyncio.get_running_loop().call_later(late_s, self._deliver, deliver, times)
        else:
            self._deliver(deliver, times)

    def drawn(self) -> tuple[float, int]:
        """How late the next message is, and how often it comes."""
        if self.late_share == self.twice_share == 0.0:
            return 0.0, 1
        self._messages += 1
        late = uniform(self._seed, "late", self._messages, self._device) < self.late_share
        twice = uniform(self._seed, "twice", self._messages, self._device) < self.twice_share
        return self.late_s if late else 0.0, 2 if twice else 1

    @staticmethod
    def _deliver(deliver: Callable[[], None], times: int) -> None:
        for _ in range(times):
            deliver()
