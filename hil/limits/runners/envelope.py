"""A ride-through profile: whether and when a device may trip, and whether a subject did what it had to."""

from __future__ import annotations

from typing import Any

from hil.limits.bench import Bench, first, signal
from hil.limits.published import ENVELOPES


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: profile by name, steps, dt_s; subject, its steps, and before, what it was until then.

    found: may_trip, whether one of the profile's envelopes allows it; time_s of the first sample at which; with a subject:
    failed, and failed_s, the first sample at which it did what it must not.
    """
    dt_s = given["dt_s"]
    envelopes = ENVELOPES[given["profile"]].envelopes
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
        failed_s = first((rows[:, len(columns) + 1 :: 2] == 1.0).any(axis=1), dt_s)
        found["failed"] = failed_s is not None
        if failed_s is not None:
            found["failed_s"] = failed_s
    return found
