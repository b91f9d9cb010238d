"""What servers come to on the cases of conformance: each is started anew for every case.

Ours runs on the virtual clock, the others on the wall clock, with more patience than libmodbus's pause after what it does not
understand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from modbus_cases import CASES
from modbus_device import Case
from modbus_play import Play
from modbus_servers import ours

from hil.clock.lockstep import LockstepLoop

OURS_PATIENCE_S, PEERS_PATIENCE_S = 30.0, 3.0
AT_ONCE = 8  # cases on the wall clock, which mostly wait

Server = Callable[[], AbstractAsyncContextManager[tuple[str, int]]]


class NoPlant:
    """All of a plant that a clock wants."""

    tick = 0
    period_ns = 1_000_000

    def advance(self, until_tick: int) -> None:
        """Let time pass."""
        self.tick = until_tick


async def verdict(case: Case, server: Server, patience_s: float) -> str:
    """Of one server on one case."""
    async with server() as address:
        return await Play(case, address, patience_s).verdict()


def of_ours(case: Case) -> str:
    """Our server's, in virtual time."""
    with asyncio.Runner(loop_factory=lambda: LockstepLoop(NoPlant())) as runner:
        return runner.run(verdict(case, ours, OURS_PATIENCE_S))


async def of_peer(server: Server, cases: Sequence[Case] = CASES, patience_s: float = PEERS_PATIENCE_S) -> list[str]:
    """A peer's, some cases at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> str:
        async with places:
            return await verdict(case, server, patience_s)

    return await asyncio.gather(*map(one, cases))
