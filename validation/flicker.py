"""Flickermeter: on the envelope, against one of scipy on the voltage itself, the tables of the standard, and pqopen-lib."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib import resources

import harness
import numpy as np
import point_on_wave
from harness import Figure, peer

from hil.verify.flickermeter import flickermeter, measure, modulated
from hil.verify.runners.flicker import run

VECTORS = tomllib.loads((resources.files("hil.verify") / "vectors" / "flicker.toml").read_text(encoding="utf-8"))["vector"]
SETTLE_S, DURATION_S, TICK_S = 120.0, 720.0, 0.001
RANDOM = 8


def ours(envelope: np.ndarray, lamp: str, mains_hz: float) -> float:
    """Pst of an envelope at 1 kHz, by the compiled flickermeter."""
    return float(measure(flickermeter(tick_s=TICK_S, lamp=lamp, frequency_hz=mains_hz), envelope).pst[-1])


def on_wave(envelope: np.ndarray, lamp: str, mains_hz: float, rate_hz: int) -> float:
    """Pst of a modulated carrier."""
    levels = point_on_wave.level(envelope, rate_hz, lamp, round(mains_hz))
    return point_on_wave.pst(levels[round(SETTLE_S * rate_hz) :])


def by_pqopen(envelope: np.ndarray, rate_hz: int) -> float:
    """Pst of a modulated carrier of 230 V at 50 Hz, the only lamp it has, fed by tenths of a second."""
    from pqopen.powerquality import VoltageFluctuation

    voltage = 230.0 * point_on_wave.on_carrier(envelope, rate_hz, 50)
    meter, part = VoltageFluctuation(rate_hz, 230, 50), rate_hz // 10
    for begin in range(0, len(voltage), part):
        some = voltage[begin : begin + part]
        half_periods = np.sqrt(np.mean(some.reshape(-1, rate_hz // 100) ** 2, axis=1))
        meter.process(begin, half_periods, some)
    return float(meter.calc_pst(round(SETTLE_S * rate_hz), len(voltage)))


def table_5(edition: str) -> list[tuple[tuple[str, float, float], str, float]]:
    """Its points: course, lamp, frequency."""
    return [
        (
            (given["shape"], given["changes_per_min"], given["relative_percent"]),
            given["lamp"],
            given["frequency_hz"],
        )
        for given in (v["input"] for v in VECTORS if v["clause"] == "Table 5" and v["edition"] == edition)
    ]


def rate_of(mains_hz: float) -> int:
    """Of the peer: whole samples a half-cycle, and whole ones a tick."""
    return 4000 if mains_hz == 50.0 else 6000


def off(theirs: Callable[[str, float], float], envelope: np.ndarray, lamp: str, mains_hz: float) -> float:
    """How far the compiled flickermeter is from another, as a share."""
    return abs(ours(envelope, lamp, mains_hz) / theirs(lamp, mains_hz) - 1.0)


def tables() -> list[Figure]:
    """What the standard asks of a flickermeter."""
    worst: dict[tuple[str, str, float], float] = {}
    for vector in VECTORS:
        found = run(vector["input"])
        for key, value in vector["expect"].items():
            group = (vector["edition"], vector["clause"], vector["tolerance"]["relative"])
            worst[group] = max(worst.get(group, 0.0), abs(found[key] / value - 1.0))
    return [
        Figure(f"{clause}, every value of 1", value, bound, f"IEC 61000-4-15, {edition}")
        for (edition, clause, bound), value in worst.items()
    ]


def against_the_wave() -> list[Figure]:
    """Every point of Table 5, and random courses, on a carrier."""
    points = [
        off(
            lambda lamp, hz, course=course: on_wave(
                modulated(*course, duration_s=DURATION_S, tick_s=1.0 / rate_of(hz)), lamp, hz, rate_of(hz)
            ),
            modulated(*course, duration_s=DURATION_S, tick_s=TICK_S),
            lamp,
            mains_hz,
        )
        for course, lamp, mains_hz in table_5("2010 (ed. 2)")
    ]
    randoms = []
    for seed in range(RANDOM):
        envelope = point_on_wave.random_envelope(seed, round(DURATION_S / TICK_S), TICK_S)
        for lamp, mains_hz in (("230 V", 50.0), ("120 V", 60.0)):
            held = np.repeat(envelope, round(rate_of(mains_hz) * TICK_S))
            randoms.append(off(lambda lamp, hz, held=held: on_wave(held, lamp, hz, rate_of(hz)), envelope, lamp, mains_hz))
    against = f"the chain on a carrier, by {peer('scipy')}"
    return [
        Figure("Pst of the points of Table 5, share", max(points), 0.01, against),
        Figure(f"Pst of {len(randoms)} random courses, share", max(randoms), 0.01, against),
    ]


def against_pqopen() -> Figure:
    """Points of Table 5 and random courses, at 230 V and 50 Hz."""
    shares = []
    for course, lamp, mains_hz in table_5("2010 (ed. 2)"):
        if (lamp, mains_hz) == ("230 V", 50.0):
            fine = modulated(*course, duration_s=DURATION_S, tick_s=1.0 / 5000)
            envelope = modulated(*course, duration_s=DURATION_S, tick_s=TICK_S)
            shares.append(off(lambda _, __, fine=fine: by_pqopen(fine, 5000), envelope, lamp, mains_hz))
    for seed in range(4):
        envelope = point_on_wave.random_envelope(100 + seed, round(DURATION_S / TICK_S), TICK_S)
        held = np.repeat(envelope, 5)
        shares.append(off(lambda _, __, held=held: by_pqopen(held, 5000), envelope, "230 V", 50.0))
    name = f"Pst of Table 5 and of random courses, 230 V/50 Hz, {len(shares)} in all, share"
    return Figure(name, max(shares), 0.01, peer("pqopen-lib"))


def figures() -> list[Figure]:
    """The standard's tables, a second implementation, a third."""
    return [*tables(), *against_the_wave(), against_pqopen()]


if __name__ == "__main__":
    harness.report("flicker", figures())
