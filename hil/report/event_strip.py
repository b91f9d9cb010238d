"""The scripted events of a run, and its breakers, in its picture: a line through all panels, named in a strip above them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hil.report.lettering import fitted, width_in
from hil.scenario.event import Event

LANE_IN = 0.15
_MOST_LANES = 6
_POINTS = 7.5
_GAP_IN = 0.12
_MOST_IN = 2.5  # of a name


@dataclass(frozen=True)
class Named:
    """A text in the strip: its lane, counted from above, the time of its event, and on which side of that it stands.

    span_in: from where to where it reaches. Down from it goes a line to the panels.
    """

    text: str
    at_s: float
    lane: int
    leftwards: bool
    at_in: float
    span_in: tuple[float, float]

    def leaves_free(self, other: Named) -> bool:
        """Whether neither text lies on the other, and neither line goes through the other's text."""
        if self.lane == other.lane:
            return self.span_in[1] <= other.span_in[0] or other.span_in[1] <= self.span_in[0]
        above, below = sorted((self, other), key=lambda named: named.lane)
        return not below.span_in[0] < above.at_in < below.span_in[1]


@dataclass(frozen=True)
class Switched:
    """A breaker that has opened or closed, as an entry of the strip beside scripted events."""

    kind: str
    device: str
    at_s: float


def switched(events: Iterable[Mapping[str, Any]]) -> list[Switched]:
    """What breakers did, from the log of a run."""
    kinds = {"breaker_opened": "opened", "breaker_closed": "closed"}
    found = (event for event in events if event["event"] in kinds)
    return [Switched(f"breaker_{kinds[event['event']]}", event["breaker"], event["time_s"]) for event in found]


def lanes(events: Sequence[Event | Switched], view: tuple[float, float], across_in: float) -> tuple[list[Named], int]:
    """Names of the events in view, such that none lies on another; and how many found no room.

    across_in: width of the strip, which shows the times of the view.
    """
    named: list[Named] = []
    left_out = 0
    for event in sorted(events, key=lambda event: event.at_s):
        if not view[0] <= event.at_s <= view[1]:
            continue
        text = _text(event)
        needed_in = width_in(text, _POINTS) + _GAP_IN
        at_in = (event.at_s - view[0]) / (view[1] - view[0]) * across_in
        leftwards = at_in + needed_in > across_in
        span_in = (at_in - needed_in, at_in) if leftwards else (at_in, at_in + needed_in)
        tried = (Named(text, float(event.at_s), lane, leftwards, at_in, span_in) for lane in range(_MOST_LANES))
        fitting = next((one for one in tried if all(one.leaves_free(other) for other in named)), None)
        if fitting is None:
            left_out += 1
        else:
            named.append(fitting)
    return named, left_out


def _text(event: Event | Switched) -> str:
    about = getattr(event, "device", "") or getattr(event, "link", "") or getattr(event, "breaker", "")
    return fitted(f"{event.kind.replace('_', ' ')} {about}".strip(), _MOST_IN, _POINTS)


def draw_strip(named: list[Named], axis: Any) -> None:
    """Draw the names into an axis of as many lanes as they take."""
    axis.set_axis_off()
    axis.set_ylim(1 + max((name.lane for name in named), default=0), 0)
    for name in named:
        side = "right" if name.leftwards else "left"
        text = f"{name.text} " if name.leftwards else f" {name.text}"
        axis.text(name.at_s, name.lane + 0.5, text, fontsize=_POINTS, va="center", ha=side)
        axis.plot([name.at_s, name.at_s], [name.lane + 0.1, axis.get_ylim()[0]], color="black", lw=0.7, ls=":")
