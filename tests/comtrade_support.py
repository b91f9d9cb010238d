"""COMTRADE files made by hand, field by field as the standard has them, never by the writer under test."""

from __future__ import annotations

import struct
from pathlib import Path

ANALOG = "1,IA,A,Line 1,kA,0.5,10,0,-32767,32767,2000,1,S"
STATUS = "1,TRIP,,Line 1,0"
CODES = {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}


def configuration(
    *,
    form: str = "ASCII",
    revision: str = "1999",
    analog: list[str] | None = None,
    status: list[str] | None = None,
    rates: list[str] | None = None,
    start: str = "29/11/2026,12:00:00.250000",
    end: list[str] | None = None,
) -> str:
    """The lines of a .cfg. rates: the number of rates, and the lines behind it; end: the lines behind the form."""
    analog = [ANALOG] if analog is None else analog
    status = [] if status is None else status
    lines = [
        f"Station,Device,{revision}" if revision else "Station,Device",
        f"{len(analog) + len(status)},{len(analog)}A,{len(status)}D",
        *analog,
        *status,
        "50",
        *(["1", "1000,4"] if rates is None else rates),
        start,
        start,
        form,
        *(["1"] if end is None else end),
    ]
    return "\r\n".join(lines) + "\r\n"


def binary(form: str, rows: list[tuple[int, int, list[float], list[int]]]) -> bytes:
    """Samples: number, stamp, analog values, status bits."""
    data = b""
    for number, stamp, analog, status in rows:
        data += struct.pack(f"<II{len(analog)}{CODES[form]}", number, stamp, *analog)
        for first in range(0, len(status), 16):
            data += struct.pack("<H", sum(bit << place for place, bit in enumerate(status[first : first + 16])))
    return data


def ascii_rows(rows: list[str]) -> bytes:
    """Lines of a .dat in ASCII."""
    return "".join(f"{row}\r\n" for row in rows).encode()


def files(folder: Path, settings: str | bytes, data: bytes, name: str = "fault") -> Path:
    """A .cfg and a .dat; the path of the first."""
    path = folder / f"{name}.cfg"
    path.write_bytes(settings if isinstance(settings, bytes) else settings.encode())
    path.with_suffix(".dat").write_bytes(data)
    return path
