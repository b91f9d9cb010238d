"""A flickermeter: its Pst, and the highest instantaneous flicker, for a modulation of constant size."""

from __future__ import annotations

from typing import Any

from hil.verify.flickermeter import flickermeter, measure, modulated


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: shape, changes_per_min, relative_percent, lamp, frequency_hz, settle_s, observe_s; dt_s, 1 ms if not given.

    found: pst; p_inst_max, the highest instantaneous flicker of the observation.
    """
    tick_s = given.get("dt_s", 0.001)
    times = {"settle_s": given["settle_s"], "observe_s": given["observe_s"]}
    duration_s = times["settle_s"] + times["observe_s"]
    course = (given["shape"], given["changes_per_min"], given["relative_percent"])
    meter = flickermeter(tick_s=tick_s, lamp=given["lamp"], frequency_hz=given["frequency_hz"], **times)
    found = measure(meter, modulated(*course, duration_s=duration_s, tick_s=tick_s))
    return {"pst": float(found.pst[-1]), "p_inst_max": float(found.level[round(times["settle_s"] / tick_s) :].max())}
