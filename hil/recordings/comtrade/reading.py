"""A COMTRADE recording as columns: scaled, brought to one side of the transformers, with times."""

from __future__ import annotations

import numpy as np

from hil.errors import RecordingError
from hil.recordings.asking import Request
from hil.recordings.comtrade.configuration import Analog, Configuration
from hil.recordings.comtrade.data import Samples, samples
from hil.recordings.comtrade.files import locate
from hil.recordings.raw import Channel, Floats, Mask, Raw
from hil.recordings.times import in_order

_APART = 0.5  # of a period: so far stamps may be from the rates before it is told


def read_comtrade(request: Request) -> Raw:
    """The channels of a recording. Raises RecordingError, OSError."""
    located = locate(request.path)
    configuration = located.configuration
    analog, status = configuration.analog_names, configuration.status_names
    names = analog + status
    places = [f"A{place + 1}" for place in range(len(analog))] + [f"D{place + 1}" for place in range(len(status))]
    taken = set(request.choose(names, dict(zip(places, names, strict=True))))
    of_analog = [place for place, name in enumerate(analog) if name in taken]
    of_status = [place for place, name in enumerate(status) if name in taken]
    factors = {place: _factor(request, located.path, configuration.analog[place], analog[place]) for place in of_analog}
    read = samples(located, of_analog, of_status)
    notes = list(configuration.notes)
    time_s, first_s, timed = _times(configuration, read, notes)
    channels: dict[str, Channel] = {}
    for place in of_analog:
        channels[analog[place]] = _channel(
            configuration, configuration.analog[place], read.analog[place][timed], factors[place]
        )
    for place in of_status:
        channels[status[place]] = Channel(_bits(located.path, status[place], read.status[place][timed]), digital=True)
    aliases = {place: name for place, name in zip(places, names, strict=True) if place not in channels and name in channels}
    channels |= {place: channels[name] for place, name in aliases.items() if place in (request.wanted or ())}
    return Raw("comtrade", in_order(time_s, configuration.start, first_s), channels, notes)


def _channel(configuration: Configuration, channel: Analog, stored: Floats, factor: float) -> Channel:
    with np.errstate(all="ignore"):
        values = (stored * channel.a + channel.b) * factor
    whole = configuration.form != "FLOAT32" and bool(
        (stored == np.rint(stored))[np.isfinite(stored)].all()
    )  # counts of a converter
    return Channel(values, channel.unit, abs(channel.a * factor) or None if whole else None, channel.skew_us * 1e-6)


def _factor(request: Request, path: object, channel: Analog, name: str) -> float:
    """What brings the values to the side that is asked for."""
    if request.side not in ("primary", "secondary", "recorded"):
        raise RecordingError(path, f"side: must be primary, secondary or recorded, and is {request.side!r}")
    if request.side == "recorded" or not channel.side or channel.side == request.side[0].upper():
        return 1.0
    if not (channel.primary > 0 and channel.secondary > 0):
        raise RecordingError(
            path,
            f"channel {name!r}: a ratio of {channel.primary:g} to {channel.secondary:g} leads to no other side; take recorded",
        )
    ratio = channel.primary / channel.secondary
    return ratio if request.side == "primary" else 1 / ratio


def _bits(path: object, name: str, bits: Floats) -> Floats:
    wrong = np.flatnonzero((bits != 0) & (bits != 1))
    if wrong.size:
        raise RecordingError(path, f"sample {wrong[0] + 1}: status channel {name!r} must be 0 or 1, and is {bits[wrong[0]]:g}")
    return bits


def _times(configuration: Configuration, read: Samples, notes: list[str]) -> tuple[Floats, float, Mask]:
    """Seconds from the first sample of those that have a time; its stamp, 0 where rates tell the time; and which have."""
    if read.number.size == 0:
        return np.empty(0), 0.0, np.empty(0, np.bool_)
    first = read.number[0]
    if first != 1:
        notes.append(f"sample numbers begin with {first:g}, and not with 1")
    with np.errstate(all="ignore"):
        stamped_s = read.stamp * (configuration.stamp_s * configuration.multiplier)
    if not configuration.rates:
        timed = np.isfinite(stamped_s)
        if not timed.all():
            notes.append(f"{timed.size - np.count_nonzero(timed)} of {timed.size} samples have no time stamp and are left out")
        kept = stamped_s[timed]
        return (kept - kept[0], float(kept[0]), timed) if kept.size else (kept, 0.0, timed)
    skipped = int(np.count_nonzero(np.diff(read.number) != 1))
    if skipped:
        notes.append(f"sample numbers do not follow one another in {skipped} places; times go by the numbers")
    time_s = _by_rates(configuration.rates, read.number - first + 1)
    _compare(stamped_s, time_s, configuration.rates[0][0], notes)
    return time_s, 0.0, np.ones(time_s.size, np.bool_)


def _by_rates(rates: tuple[tuple[float, int], ...], number: Floats) -> Floats:
    """Times of sample numbers from 1: each follows the one before it by a period of the rate at which it was sampled."""
    hz = np.array([rate for rate, _ in rates])
    ends = np.array([end for _, end in rates], np.float64)
    begins = np.concatenate([[1.0], ends[:-1]])
    with np.errstate(all="ignore"):  # of rates that no clock has
        starts_s = np.concatenate([[0.0], np.cumsum((ends - begins) / hz)[:-1]])
        part = np.minimum(np.searchsorted(ends, number), hz.size - 1)
        times_s: Floats = starts_s[part] + (number - begins[part]) / hz[part]
    return times_s


def _compare(stamped_s: Floats, time_s: Floats, rate_hz: float, notes: list[str]) -> None:
    """Tell where stamps, which rates go before, say something else; a recorder may leave them all 0."""
    there = np.isfinite(stamped_s)
    if not there.any() or not stamped_s[there].any():
        return
    apart_s = float(np.abs((stamped_s - stamped_s[there][0]) - (time_s - time_s[there][0]))[there].max())
    if apart_s * rate_hz > _APART:
        notes.append(f"time stamps are up to {apart_s:.3g} s off the rates; times go by the rates, as the standard prefers")
