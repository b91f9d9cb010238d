"""How a relay judges what a bound by itself would: by the share of its operating time that is used up."""

from __future__ import annotations

from typing import Any

from hil.limits.judged import BELOW_ONE, Function, Judged
from hil.limits.relays import Relay
from hil.scenario.limit_rules import is_relay, limit_slug


def as_relay(limit: Any, how: Judged, *, magnitude: bool = False) -> list[Judged]:
    """How a limit is judged: as it would be without a relay, or by the relay that its keys ask for.

    magnitude: the channel counts without its sign.
    """
    if not is_relay(limit):
        return [how]
    of = limit.picks_up
    relay = Relay(
        float(getattr(limit, of.pickup)),
        under=of.under,
        dropout=getattr(limit, of.dropout),
        delay_s=float(limit.delay_s),
        reset="definite" if limit.timer == "resetting" else "instantaneous",
        reset_s=float(limit.reset_time_s),
        cumulative=limit.timer == "cumulative",
        window_s=float(limit.timer_window_s),
        magnitude=magnitude,
        blank=how.blanked_by,
    )
    channel = f"limits.{limit_slug(limit.name)}.operating_share"
    functions = (*how.functions, Function("relays", (how.channel,), (channel,), relay))
    return [Judged(channel, high=BELOW_ONE, blanked_by=how.blanked_by, functions=functions, picks_up_on=how)]
