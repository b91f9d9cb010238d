"""How long a message takes: latency, jitter, and losses as the retransmissions by which TCP makes up for them.

What is drawn depends on the seed, the link's name, the direction, the connection and the message's number, and on nothing
else: there is no state, so a draw is the same whenever and wherever it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from hil.draws import uniform

Direction = Literal["to_device", "to_controller"]

RETRANSMIT_S = 0.2
"""First retransmission time-out: Linux's least, TCP_RTO_MIN (include/net/tcp.h). RFC 6298, section 2.4, asks for 1 s."""

_MOST_TIMEOUT_S = 120.0  # Linux's TCP_RTO_MAX; RFC 6298, section 2.5, allows a bound of at least 60 s
_MOST_RETRANSMISSIONS = 15  # Linux's tcp_retries2: there TCP gives the connection up, here the message then goes through


class Delay(NamedTuple):
    """What the link does to one message: seconds, and how many transmissions were lost before."""

    seconds: float
    retransmissions: int


@dataclass(frozen=True)
class LinkModel:
    """A network path, alike in both directions.

    latency_s: one way, ≥ 0. jitter_s: half-width of a uniform spread around it, at most `latency_s`. loss: probability that a
    transmission is lost, 0 ≤ loss < 1. retransmit_s: first time-out of the sender, doubled with each loss (RFC 6298,
    section 5.5) up to 120 s. seed, name: what draws are keyed by.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    retransmit_s: float = RETRANSMIT_S
    seed: int = 0
    name: str = ""

    def delay(self, direction: Direction, connection: int, message: int) -> Delay:
        """Delay of a message, before it waits for those ahead of it; connections and messages are counted from 0."""
        seconds = self.latency_s
        if self.jitter_s > 0.0:
            spread = 2.0 * self._uniform(direction, connection, message, 0) - 1.0
            seconds = max(0.0, seconds + self.jitter_s * spread)
        lost = 0
        if self.loss > 0.0:
            timeout_s = self.retransmit_s
            while lost < _MOST_RETRANSMISSIONS and self._uniform(direction, connection, message, lost + 1) < self.loss:
                seconds += timeout_s
                timeout_s = min(2.0 * timeout_s, max(_MOST_TIMEOUT_S, self.retransmit_s))
                lost += 1
        return Delay(seconds, lost)

    def _uniform(self, direction: Direction, connection: int, message: int, draw: int) -> float:
        return uniform(self.seed, direction, connection, message, draw, self.name)
