"""Events of the slow side: each begins at its time, or by hand, and is taken back after its duration."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace

from hil.clock.participants import acting_as
from hil.draws import uniform
from hil.errors import EventRefused
from hil.fleet.acts import Act, Acted, acts
from hil.fleet.supervision import Failure, end
from hil.kernel.layout import CODES
from hil.scenario.event import Event, Stimulus
from hil.scenario.event_kind import WireEvent
from hil.scenario.fault import DeviceReboot, EquipmentFault
from hil.wiring.surroundings import Order

MOST_STIMULI: int = CODES["stimuli.most"]


@dataclass(frozen=True, eq=False)
class _Acting:
    """What acts or begins to, and how it is taken back: by `over`, where somebody waits for its end, else by `back`."""

    event: Event
    back: Act
    over: asyncio.Future[None] | None

    @property
    def where(self) -> str:
        """The device or the link; nothing of the broker."""
        return str(getattr(self.event, "device", getattr(self.event, "link", "")))

    @property
    def mendable(self) -> bool:
        """Whether somebody can take it back: a reboot takes its time, and the grid is the plant's."""
        return isinstance(self.event, (WireEvent, EquipmentFault)) and not isinstance(self.event, DeviceReboot)

    @property
    def stimulates(self) -> bool:
        """Whether the plant feels it still."""
        return isinstance(self.event, Stimulus) and (self.over is None or not self.over.done())

    def __str__(self) -> str:
        return f"{self.event.kind} {self.where}".rstrip()


class Script:
    """Plays what is not the plant's, and what is given by hand, and takes back by hand what acts."""

    def __init__(self, on: Acted, failure: Failure, seed: int) -> None:
        self._on = on
        self._seed = seed
        self._failure = failure
        self._tasks: set[asyncio.Task[None]] = set()
        self._scripted: dict[str, Event] = {}  # what acts now, by what it disturbs
        self._by_hand: dict[str, Event] = {}
        self._acting: list[_Acting] = []

    def start(self, events: Iterable[Event], *, every_s: float | None = None) -> None:
        """Start one task an event. every_s: after so long each happens again; None: once."""
        # Of one instant: what began earlier ends before another begins.
        for order, (index, event) in enumerate(sorted(enumerate(events), key=lambda entry: entry[1].at_s)):
            found = acts(event, self._on)
            if found is not None:
                name = f"events.{index}"
                self._begin(order, name, self._due(name, event, *found, every_s))

    def by_hand(self, event: Event) -> None:
        """Play an event now, whatever its time. Raises EventRefused."""
        found = acts(event, self._on)
        if found is None:
            raise EventRefused(f"{event.kind} cannot be given by hand")
        other = self._scripted.get(event.disturbs) or self._by_hand.get(event.disturbs)
        if other is not None:
            raise EventRefused(f"{event.disturbs} is disturbed already, by {other.kind}")
        stimuli = [acting for acting in self._acting if acting.stimulates]
        if isinstance(event, Stimulus) and len(stimuli) >= MOST_STIMULI:
            raise EventRefused(f"{event.kind}: {MOST_STIMULI} dips and losses act already, and no more can; calm ends them")
        if event.disturbs:
            self._by_hand[event.disturbs] = event
        begin, back = found
        self._begin(0, f"{event.kind} by hand", self._once(self._acts(event, back), None, begin))

    def mend(self, kind: str = "", where: str = "") -> None:
        """Take back what acts, before its time if it has one. where: its device or link, where there are several.

        A reboot takes its time. Raises EventRefused where nothing of that kind acts there, or on several.
        """
        can = [acting for acting in self._acting if acting.mendable and (acting.over is None or not acting.over.done())]
        found = [acting for acting in can if acting.event.kind == kind and where in ("", acting.where)]
        several = len({acting.where for acting in found}) > 1
        if not found or several:
            told = f"{kind} {where}".strip()
            problem = f"{told} acts on several" if several else f"{told} does not act" if told else "nothing named"
            raise EventRefused(f"mend: {problem}; what acts: {', '.join(map(str, can)) or 'nothing'}")
        for acting in found:
            if acting.over is None:
                self._acting.remove(acting)
                self._begin(0, f"{kind} mended", acting.back())
            else:
                acting.over.set_result(None)

    def calm(self) -> None:
        """Wait no longer for the ends of dips and losses: the plant feels none any more."""
        for acting in [acting for acting in self._acting if acting.stimulates]:
            if acting.over is None:
                self._acting.remove(acting)
            else:
                _end_of(acting.over)

    async def end(self) -> None:
        """End those that still wait."""
        await end(list(self._tasks))

    def _begin(self, order: int, name: str, play: Awaitable[None]) -> None:
        with acting_as(Order.SCRIPT + order, name):
            task = self._failure.start(play, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _due(self, name: str, event: Event, begin: Act, back: Act, every_s: float | None) -> None:
        """Play an event each time that it is due, unless the same is disturbed by hand then."""
        loop = asyncio.get_running_loop()
        due_s = float(event.at_s)
        times = 0
        while True:
            await asyncio.sleep(due_s - loop.time())
            if event.disturbs in self._by_hand:
                self._on.log("event_left_out", {"kind": event.kind, "disturbed": event.disturbs})
            else:
                if event.disturbs:
                    self._scripted[event.disturbs] = event
                await self._once(self._acts(event, back), due_s, begin)
            mean_s: float | None = getattr(event, "again_after_s", None)
            if mean_s is not None:
                times += 1
                due_s = loop.time() - mean_s * math.log1p(-uniform(self._seed, times, name))
                continue
            if every_s is None:
                return
            while due_s <= loop.time():
                due_s += every_s

    async def _once(self, acting: _Acting, at_s: float | None, begin: Act) -> None:
        """Begin, and take back. at_s: from when the duration counts; None: from the beginning."""
        event, over = acting.event, acting.over
        loop = asyncio.get_running_loop()
        duration_s: float | None = getattr(event, "duration_s", None)
        assert over is not None
        try:
            if isinstance(event, Stimulus) and over.done():  # `calm` came first, and the plant would feel it on and on
                return
            await begin()
            if duration_s is None and not over.done():
                if acting in self._acting:
                    self._acting[self._acting.index(acting)] = replace(acting, over=None)
                return
            began_s = loop.time() if at_s is None else at_s
            timer = loop.call_later(began_s + (duration_s or 0.0) - loop.time(), _end_of, over)
            try:
                await over
            finally:
                timer.cancel()
            await acting.back()
        finally:
            _end_of(over)
            for disturbing in (self._scripted, self._by_hand):
                if disturbing.get(event.disturbs) is event:
                    del disturbing[event.disturbs]

    def _acts(self, event: Event, back: Act) -> _Acting:
        """Keep what begins for `mend`; of one kind at one device it is the last. Its `over` is there until nobody waits."""
        now = _Acting(event, back, asyncio.get_running_loop().create_future())
        same = event.disturbs or None  # events that disturb nothing that can be named are never the same
        self._acting = [
            acting
            for acting in self._acting
            if (acting.over is None or not acting.over.done()) and acting.event.disturbs != same
        ]
        self._acting.append(now)
        return now


def _end_of(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)
