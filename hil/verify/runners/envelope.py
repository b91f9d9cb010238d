"""A ride-through profile: whether and when a device may trip, and whether a subject did what it had to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hil.verify.bench import Bench, first, signal
from hil.verify.published import ENVELOPES


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: profile by name, steps, dt_s; subject, its steps, and before, what it was until then.

    stays: a value below which the subject has let go, for one that is no power, in place of the profile's share.
    found: may_trip, whether one of the profile's envelopes allows it; time_s of the first sample at which; with a subject:
    failed, and failed_s, the first sample at which it did what it must not; failed_until_s, the last at which that shows.
    """
    dt_s = given["dt_s"]
    envelopes = ENVELOPES[given["profile"]].envelopes
    if "stays" in given:
        envelopes = tuple(replace(one, stays=given["stays"], relative=False) for one in envelopes)
    judged = "subject" in given
    bench = Bench()
    params, states = bench.add("envelopes", len(envelopes))
    columns = [signal(given)]
    if judged:
        columns.append(signal(given, "subject"))
    for i, envelope in enumerate(envelopes):
        envelope.fill(
            params[i], states[i], bench, dt_s=dt_s, channel=0, output=len(columns) + 2 * i,
            subject=1 if judged else None, before=given.get("before", 0.0),
        )  # fmt: skip
    rows = bench.run(*columns, outputs=2 * len(envelopes))
    used = rows[:, len(columns) :: 2].max(axis=1)
    may_trip = bool((bench.states["envelopes"]["exceeded"] > 0).any())
    found: dict[str, Any] = {"may_trip": may_trip}
    if may_trip:
        found["time_s"] = first(used > 1.0, dt_s)
    if judged:
        shows = (rows[:, len(columns) + 1 :: 2] == 1.0).any(axis=1)
        found["failed"] = bool(shows.any())
        if found["failed"]:
            found["failed_s"] = first(shows, dt_s)
            found["failed_until_s"] = int(shows.nonzero()[0][-1]) * dt_s
    return found
