"""Dates, times and time codes of COMTRADE."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{2}|[0-9]{4})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.([0-9]{0,9}))?")
_CODE = re.compile(r"([-+]?)([0-9]{1,2})(?:h([0-9]{2}))?", re.IGNORECASE)
_CENTURY_FROM = 70  # two digits of a year from here on are of the 20th century


def stamp(date: str, time: str, *, month_first: bool) -> tuple[datetime | None, int]:
    """A moment to the microsecond below, and how many digits its second has.

    There is no moment where the fields are empty, or the date all zeros. month_first: mm/dd/yyyy, as 1991 had it; dd/mm/yyyy
    since. Raises ValueError.
    """
    match = _TIME.fullmatch(time)
    if match is None and (time or date):
        raise ValueError(f"the time must be as 23:59:59.999999, with at most 9 digits behind the point, and is {time!r}")
    fraction = (match[4] or "") if match else ""
    day = _DATE.fullmatch(date)
    if day is None and date:
        raise ValueError(f"the date must be as {'12/31/1999' if month_first else '31/12/1999'}, and is {date!r}")
    if day is None or match is None or not any(int(part) for part in day.groups()):
        return None, len(fraction)
    year = int(day[3]) + (0 if len(day[3]) == 4 else 1900 if int(day[3]) >= _CENTURY_FROM else 2000)
    first, second = int(day[1]), int(day[2])
    month, of_month = (first, second) if month_first else (second, first)
    try:
        moment = datetime(year, month, of_month, int(match[1]), int(match[2]), int(match[3]))  # noqa: DTZ001  # the zone is apart
    except ValueError as error:
        raise ValueError(f"{date} {time}: {error}; the {'month' if month_first else 'day'} stands first") from None
    return moment.replace(microsecond=int(fraction[:6].ljust(6, "0"))), len(fraction)


def zone(code: str) -> timezone | None:
    """The difference from UTC that a time code gives: `-5h30`, `2`, `0`; None for `x`. Raises ValueError."""
    if code in ("x", "X", ""):
        return None
    match = _CODE.fullmatch(code)
    if match is None or int(match[2]) > 14 or int(match[3] or 0) > 59:
        raise ValueError(f"must be a difference from UTC such as -5h30, or x, and is {code!r}")
    minutes = 60 * int(match[2]) + int(match[3] or 0)
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def code(moment: datetime | None) -> str:
    """The time code of a moment: x where it has no zone. Raises ValueError where its zone is no whole minute."""
    offset = None if moment is None else moment.utcoffset()
    if offset is None:
        return "x"
    minutes, rest = divmod(abs(offset), timedelta(minutes=1))
    if rest:
        raise ValueError(f"a difference of {offset} from UTC has no time code")
    sign = "-" if offset < timedelta() else ""
    return f"{sign}{minutes // 60}" + (f"h{minutes % 60:02d}" if minutes % 60 else "")
