"""What a load did in a run, in a line each: requests, outages, what remedies cost and lacked. Nothing here prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_MOST_LINES = 12


def load_lines(load: dict[str, Any]) -> list[str]:
    """The lines of `Result.load`, parts of a sum by name; the last says how many were left out."""
    lines = [*_of("", load)]
    for name, part in load.get("part", {}).items():
        copies = part.get("copies", [part])
        for number, copy in enumerate(copies):
            lines += _of(f"{name}, copy {number}: " if len(copies) > 1 else f"{name}: ", copy)
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[:_MOST_LINES], f"and {more} lines more, of other parts: --json"]


def _of(whose: str, load: dict[str, Any]) -> Iterator[str]:
    if "requests_served" in load:
        yield (
            f"{whose}served {load['requests_served']:,} requests: {load['context_tokens']:,} context and "
            f"{load['generated_tokens']:,} generated tokens, {load['energy_j'] / 3.6e9:.3f} MWh"
        )
    if load.get("failures") or load.get("crashes"):
        yield f"{whose}failures: {load['failures']}, crashes: {load['crashes']}, down for {load['down_s']:g} s"
    remedies = load.get("remedies", {})
    if {"filler", "smoothing", "capping"} & set(remedies):
        yield f"{whose}GPUs took {100.0 * remedies['overhead']:+.2f} % against what the job asked for"
    if "capping" in remedies:
        capping = remedies["capping"]
        longest = f"{capping['longest_above_s']:g} s at a time"
        brakes = f", brake {capping['brakes']} times, first at {capping['first_brake_s']:g} s" if capping["brakes"] else ""
        yield f"{whose}above what is provisioned for {capping['above_s']:g} s, {longest}{brakes}"
    if "rack" in remedies:
        rack = remedies["rack"]
        lacked = (
            f"lacked {rack['missing_j'] / 1e6:.3g} MJ in {rack['missing_s']:g} s" if rack["missing_s"] else "lacked nothing"
        )
        yield f"{whose}racks at {100.0 * rack['soc_low']:.0f} to {100.0 * rack['soc_high']:.0f} % of their charge, {lacked}"
