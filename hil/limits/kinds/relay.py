"""How a relay judges what a bound by itself would: by the share of its operating time that is used up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hil.limits.facts import Facts
from hil.limits.judged import BELOW_ONE, Function, Judged
from hil.limits.relays import Relay
from hil.limits.uncertainty import expanded_uncertainty
from hil.scenario.limit_rules import is_relay, limit_slug


def as_relay(
    limit: Any, facts: Facts, how: Judged, *, channel: str = "", functions: tuple[Function, ...] = ()
) -> list[Judged]:
    """How a limit is judged: as it would be without a relay, or by the relay that its keys ask for.

    channel: what the relay looks at, without its sign, where that is not the channel of the limit; functions: that make it.
    Where what was measured is uncertain another relay stands beside it, of which the verdict asks whether it operated.
    """
    if not is_relay(limit):
        return [how]
    of = limit.picks_up
    pickup, dropout = float(getattr(limit, of.pickup)), getattr(limit, of.dropout)
    inside = pickup if dropout is None else float(dropout)
    relay = Relay(
        pickup,
        under=of.under,
        dropout=inside,
        delay_s=float(limit.delay_s),
        reset="definite" if limit.timer == "resetting" else "instantaneous",
        reset_s=float(limit.reset_time_s),
        cumulative=limit.timer == "cumulative",
        window_s=float(limit.timer_window_s),
        magnitude=bool(channel),
        blank=how.blanked_by,
    )
    at = f"limits.{limit_slug(limit.name)}"
    relays = {f"{at}.operating_share": relay}
    uncertainty = 0.0 if facts.measurement is None else expanded_uncertainty(facts.measurement, how)
    if uncertainty > 0.0:
        by = uncertainty if of.under else -uncertainty
        relays[f"{at}.operating_share_nearer"] = replace(relay, pickup=pickup + by, dropout=inside + by)
    operating, *nearer = relays
    made = (Function("relays", (channel or how.channel,), (output,), one) for output, one in relays.items())
    return [
        Judged(
            operating,
            high=BELOW_ONE,
            blanked_by=how.blanked_by,
            functions=(*how.functions, *functions, *made),
            picks_up_on=how,
            nearer="".join(nearer),
        )
    ]
