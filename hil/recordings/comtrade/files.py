"""Where configuration and data of a COMTRADE recording stand: two files side by side, or sections of one."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hil.errors import RecordingError
from hil.recordings.comtrade.configuration import FORMS, Configuration, parse

_MOST_CONFIGURATION = 1 << 28  # a million channels
_SECTION = re.compile(
    rb"---\s*file type:\s*(CFG|INF|HDR|DAT)\s*(ASCII|BINARY32|BINARY|FLOAT32)?\s*(?::\s*([0-9]{1,15}))?\s*---\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Located:
    """A configuration, and the bytes of a file that hold its data. line: of the file, at which the data begin."""

    configuration: Configuration
    path: Path
    start: int
    end: int
    line: int = 1


def locate(path: Path) -> Located:
    """The recording that a .cfg, a .dat or a .cff file belongs to. Raises RecordingError, OSError."""
    if path.suffix.lower() == ".cff":
        return _single(path)
    settings, data = _beside(path, ".cfg"), _beside(path, ".dat")
    if settings.stat().st_size > _MOST_CONFIGURATION:
        raise RecordingError(settings, f"a configuration of more than {_MOST_CONFIGURATION:,} bytes is not read")
    configuration = parse(settings, decoded(settings.read_bytes()))
    return Located(configuration, data, 0, data.stat().st_size)


def decoded(data: bytes) -> str:
    """Text in UTF-8, or in Latin-1, which recorders wrote before 2013 said so."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _beside(path: Path, suffix: str) -> Path:
    """The file of the same name with another suffix, whatever its case."""
    if path.suffix.lower() == suffix:
        return path
    for name in os.listdir(path.parent):  # noqa: PTH208  # names alone
        stem, end = os.path.splitext(name)  # noqa: PTH122
        if stem == path.stem and end.lower() == suffix:
            return path.parent / name
    raise RecordingError(path, f"there is no {path.stem}{suffix} beside it")


def _single(path: Path) -> Located:
    """A .cff file: sections under headings, the data last."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        text: bytes | None = None
        at = 0
        section, number = "", 0
        gathered: list[bytes] = []
        while line := file.readline(_MOST_CONFIGURATION):
            number += 1
            heading = _SECTION.fullmatch(line.removeprefix(b"\xef\xbb\xbf").strip())
            if heading is None:
                if section == "CFG":
                    gathered.append(line)
                elif not section and line.strip():
                    raise RecordingError(path, "line 1: must be --- file type: CFG ---")
                if file.tell() > _MOST_CONFIGURATION:
                    raise RecordingError(path, f"no heading of data in its first {_MOST_CONFIGURATION:,} bytes")
                continue
            if section == "CFG":
                text = b"".join(gathered)
            section = heading[1].decode().upper()
            if section == "CFG":
                if gathered:
                    raise RecordingError(path, f"line {number}: a second configuration; there must be one")
                at = number + 1
            if section == "DAT":
                return _located(path, file, text, at, number, heading, size)
    raise RecordingError(path, "ends before its data: there is no --- file type: DAT ---")


def _located(
    path: Path, file: BinaryIO, text: bytes | None, at: int, number: int, heading: re.Match[bytes], size: int
) -> Located:
    if text is None:
        raise RecordingError(path, f"line {number}: data before the configuration")
    configuration = parse(path, decoded(text), at)
    kind = (heading[2] or b"").decode().upper()
    binary = configuration.form != "ASCII"
    # The standard's heading says BINARY of all binary forms, some writers the form itself.
    if kind and kind not in (("BINARY", configuration.form) if binary else ("ASCII",)):
        raise RecordingError(
            path, f"line {number}: data in {kind}, and {configuration.form} in the configuration; of {', '.join(FORMS)}"
        )
    start, end = file.tell(), size
    if binary and heading[3]:
        end = start + int(heading[3])
        if end > size:
            raise RecordingError(
                path, f"cut short: its data have {int(heading[3]):,} bytes, of which {size - start:,} are there"
            )
    return Located(configuration, path, start, end, number + 1)
