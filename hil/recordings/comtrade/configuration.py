"""The configuration of a COMTRADE recording: channels, rates, stamps and the form of its data."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from hil.errors import RecordingError
from hil.recordings.comtrade.stamps import stamp, zone

REVISIONS = ("1991", "1999", "2001", "2013")
"""2001 is IEC 60255-24, first edition, which is the text of 1999."""
FORMS = ("ASCII", "BINARY", "BINARY32", "FLOAT32")
"""How data stand in the data file."""

_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")
_WHOLE = re.compile(r"[0-9]{1,10}")
_COUNT = re.compile(r"([0-9]{1,6})\s*([AaDd])")
_LINE_ENDS = re.compile(r"\r\n|\n|\r")
_UNRELIABLE = "F"


@dataclass(frozen=True)
class Analog:
    """An analog channel: value = a * number + b, in `unit`, of the primary or of the secondary side of a transformer.

    skew_us: how much later than the sample's time. least, most: range of the numbers. primary, secondary: the ratio; side:
    P, S, or empty.
    """

    name: str
    phase: str
    component: str
    unit: str
    a: float
    b: float
    skew_us: float = 0.0
    least: float | None = None
    most: float | None = None
    primary: float = 1.0
    secondary: float = 1.0
    side: str = ""


@dataclass(frozen=True)
class Configuration:
    """What a configuration file says.

    rates: rate, Hz, and the last sample at it; empty where the stamps of the samples tell the time. count: of samples.
    start: of the first one. stamp_s: unit of the stamps, before `multiplier`.
    """

    station: str
    device: str
    revision: str
    analog: tuple[Analog, ...]
    status: tuple[str, ...]
    line_hz: float | None
    rates: tuple[tuple[float, int], ...]
    count: int
    start: datetime | None
    stamp_s: float
    form: str
    multiplier: float = 1.0
    notes: tuple[str, ...] = field(default=())

    @property
    def analog_names(self) -> list[str]:
        """A name for each analog channel: its own, or its place, as `A1`, where it has none of its own."""
        return self._names()[: len(self.analog)]

    @property
    def status_names(self) -> list[str]:
        """A name for each status channel, likewise `D1`."""
        return self._names()[len(self.analog) :]

    def _names(self) -> list[str]:
        named = [channel.name for channel in self.analog] + list(self.status)
        places = [f"A{place + 1}" for place in range(len(self.analog))] + [
            f"D{place + 1}" for place in range(len(self.status))
        ]
        count = Counter(named)
        return [name if name and count[name] == 1 else place for name, place in zip(named, places, strict=True)]


class _Lines:
    """The lines of a text, one by one, each split into its fields. Errors name path and line."""

    def __init__(self, path: object, text: str, first_line: int) -> None:
        self._path = path
        self._lines = _LINE_ENDS.split(text.replace("\x1a", "").rstrip("\r\n"))
        self._first = first_line
        self._next = 0

    def more(self) -> bool:
        """Whether there is another line that is not blank."""
        return self._next < len(self._lines) and bool(self._lines[self._next].strip())

    def fields(self, what: str, counts: tuple[int, ...]) -> list[str]:
        """Fields of the next line, so many of them."""
        if self._next >= len(self._lines):
            raise RecordingError(self._path, f"ends after line {self._first + self._next - 1}, before {what}")
        fields = [word.strip() for word in self._lines[self._next].split(",")]
        self._next += 1
        if len(fields) not in counts:
            allowed = " or ".join(map(str, counts))
            raise self.error(f"{what}: has {len(fields)} fields; must have {allowed}")
        return fields

    def error(self, problem: str) -> RecordingError:
        """What is wrong in the line that was given last."""
        return RecordingError(self._path, f"line {self._first + self._next - 1}: {problem}")

    def number(self, what: str, word: str, default: float | None = None) -> float:
        """A finite number; default: of an empty field."""
        if not word and default is not None:
            return default
        if _NUMBER.fullmatch(word) is None or abs(float(word)) == float("inf"):
            raise self.error(f"{what}: must be a number, and is {word!r}")
        return float(word)

    def whole(self, what: str, word: str, least: int, most: int) -> int:
        """A whole number between two."""
        if _WHOLE.fullmatch(word) is None or not least <= int(word) <= most:
            raise self.error(f"{what}: must be a whole number from {least} to {most}, and is {word!r}")
        return int(word)


def parse(path: object, text: str, first_line: int = 1) -> Configuration:
    """A configuration from its text, which begins in a line of a file. Raises RecordingError naming the line."""
    lines = _Lines(path, text, first_line)
    station, device, *rest = lines.fields("station, device and revision", (2, 3))
    revision = (rest[0] if rest else "") or "1991"
    if revision not in REVISIONS:
        raise lines.error(f"revision: must be {', '.join(REVISIONS)}, or left out for 1991, and is {revision!r}")
    analog_count, status_count = _counts(lines)
    analog = tuple(_analog(lines, revision, place + 1) for place in range(analog_count))
    status = tuple(lines.fields(f"status channel {place + 1}", (3, 5))[1] for place in range(status_count))
    (word,) = lines.fields("line frequency", (1,))
    line_hz = lines.number("line frequency", word) if word else None
    rates, count = _rates(lines)
    start, digits = _stamps(lines, revision)
    (form,) = lines.fields("form of the data", (1,))
    form = form.upper()
    if form not in FORMS:
        raise lines.error(f"form of the data: must be {', '.join(FORMS)}, and is {form!r}")
    notes: list[str] = []
    multiplier = _multiplier(lines, revision, notes)
    if revision == "2013":
        start = _zoned(lines, start)
        _quality(lines, notes)
    return Configuration(
        station=station,
        device=device,
        revision=revision,
        analog=analog,
        status=status,
        line_hz=line_hz,
        rates=rates,
        count=count,
        start=start,
        stamp_s=1e-9 if digits > 6 else 1e-6,
        form=form,
        multiplier=multiplier,
        notes=tuple(notes),
    )


def _counts(lines: _Lines) -> tuple[int, int]:
    total, analog, status = lines.fields("numbers of channels", (3,))
    matches = [_COUNT.fullmatch(analog), _COUNT.fullmatch(status)]
    kinds = [match[2].upper() if match else "" for match in matches]
    if kinds != ["A", "D"]:
        raise lines.error(f"numbers of channels: must be as 8,6A,2D, and are {total},{analog},{status}")
    counts = [int(match[1]) for match in matches if match]
    if lines.whole("number of channels", total, 1, 999_999) != sum(counts):
        raise lines.error(
            f"number of channels: must be the sum of {counts[0]} analog and {counts[1]} status channels, and is {total}"
        )
    return counts[0], counts[1]


def _analog(lines: _Lines, revision: str, place: int) -> Analog:
    what = f"analog channel {place}"
    fields = lines.fields(what, (10, 13) if revision == "1991" else (13,))
    _, name, phase, component, unit, a, b, skew, least, most, *ratio = fields
    primary, secondary, side = ratio or ("1", "1", "")
    if side.upper() not in ("P", "S") and ratio:
        raise lines.error(f"{what}: PS: must be P or S, and is {side!r}")
    return Analog(
        name=name,
        phase=phase,
        component=component,
        unit=unit,
        a=lines.number(f"{what}: a", a),
        b=lines.number(f"{what}: b", b),
        skew_us=lines.number(f"{what}: skew", skew, 0.0),
        least=lines.number(f"{what}: min", least) if least else None,
        most=lines.number(f"{what}: max", most) if most else None,
        primary=lines.number(f"{what}: primary", primary, 1.0),
        secondary=lines.number(f"{what}: secondary", secondary, 1.0),
        side=side.upper(),
    )


def _rates(lines: _Lines) -> tuple[tuple[tuple[float, int], ...], int]:
    """Rates, none where samples carry their time, and the number of samples."""
    (word,) = lines.fields("number of rates", (1,))
    count = lines.whole("number of rates", word, 0, 999)
    rates: list[tuple[float, int]] = []
    last = 0
    for _ in range(max(1, count)):
        rate, end = lines.fields("rate and last sample", (2,))
        hz = lines.number("rate", rate, 0.0)
        if hz < 0 or (hz == 0 and count > 1) or (hz > 0 and count == 0):
            raise lines.error(f"rate: must be above 0 Hz, or 0 where the number of rates is 0, and is {rate!r}")
        last = lines.whole("last sample", end, last + 1, 9_999_999_999)
        rates.append((hz, last))
    return tuple(rates) if rates[0][0] > 0 else (), last


def _stamps(lines: _Lines, revision: str) -> tuple[datetime | None, int]:
    """Time of the first sample, and the most digits that a second has in the two stamps."""
    found: list[tuple[datetime | None, int]] = []
    for what in ("date and time of the first sample", "date and time of the trigger"):
        fields = lines.fields(what, (1, 2))
        try:
            found.append(stamp(fields[0], fields[-1] if len(fields) == 2 else "", month_first=revision == "1991"))
        except ValueError as error:
            raise lines.error(f"{what}: {error}") from None
    return found[0][0], max(digits for _, digits in found)


def _multiplier(lines: _Lines, revision: str, notes: list[str]) -> float:
    """Of the stamps of samples; 1991 had none."""
    if not lines.more():
        if revision != "1991":
            notes.append("the configuration ends before the multiplier of its time stamps; taken as 1")
        return 1.0
    (word,) = lines.fields("multiplier of time stamps", (1,))
    multiplier = lines.number("multiplier of time stamps", word)
    if multiplier <= 0:
        raise lines.error(f"multiplier of time stamps: must be above 0, and is {word!r}")
    return multiplier


def _zoned(lines: _Lines, start: datetime | None) -> datetime | None:
    """The start with the zone of the time code, if there is one."""
    if not lines.more():
        return start
    code, _ = lines.fields("time code and local code", (2,))
    try:
        known = zone(code)
    except ValueError as error:
        raise lines.error(f"time code: {error}") from None
    return start if start is None or known is None else start.replace(tzinfo=known)


def _quality(lines: _Lines, notes: list[str]) -> None:
    if not lines.more():
        return
    quality, leap = lines.fields("time quality and leap second", (2,))
    if quality.upper() == _UNRELIABLE:
        notes.append("the recorder's clock had failed (time quality F): its start is not reliable")
    if leap in ("1", "2"):
        notes.append(f"a leap second was {'added' if leap == '1' else 'subtracted'} in the recording")
