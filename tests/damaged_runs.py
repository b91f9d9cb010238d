"""Folders of runs that are none, or damaged, and the line that each must print."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from hil.record.framing import frames


def changed(**values: object):
    """A summary with other values."""

    def spoil(folder: Path) -> None:
        summary = json.loads((folder / "summary.json").read_text())
        (folder / "summary.json").write_text(json.dumps(summary | values))

    return spoil


def written(name: str, text: str | bytes):
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return spoil


def cut(name: str, size: int):
    def spoil(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[:size])

    return spoil


def gone(name: str):
    return lambda folder: (folder / name).unlink()


def a_folder(name: str):
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return spoil


def killed(folder: Path) -> None:
    """What a kill leaves: no summary, a torn line of the log, a torn batch of the record."""
    gone("summary.json")(folder)
    gone("picture.png")(folder)
    cut("events.jsonl", -3)(folder)
    with (folder / "record.arrow").open("rb", buffering=0) as file:
        last = list(frames(file, (folder / "record.arrow").stat().st_size))[-1]
    cut("record.arrow", last.end - 100)(folder)


# What each must say; an ellipsis stands for words of another library.
DAMAGED = {
    "no folder": (shutil.rmtree, "no such folder"),
    "a file": (lambda folder: (shutil.rmtree(folder), folder.touch()), "not a folder"),
    "another folder": (gone("scenario.toml"), "not the folder of a run: there is no scenario.toml"),
    "no events": (gone("events.jsonl"), "incomplete: there is no events.jsonl"),
    "no record": (gone("record.arrow"), "incomplete: there is no record.arrow"),
    "summary cut": (cut("summary.json", 20), "summary.json: not JSON: Unterminated string starting at: line 2 column 15 (char 16)"),
    "summary empty": (written("summary.json", ""), "summary.json: not JSON: Expecting value: line 1 column 1 (char 0)"),
    "summary no text": (written("summary.json", b'{"a": "\xff"}'), "summary.json: not UTF-8 text, at byte 7"),
    "summary a list": (written("summary.json", "[1]"), "summary.json: it: Input should be an object"),
    "summary deep": (written("summary.json", "[" * 100_000), "summary.json: not JSON: …"),
    "verdict": (changed(verdict="GOOD"), "summary.json: verdict: Input should be 'PASS', 'FAIL', 'INCONCLUSIVE', 'NOT EXERCISED' or 'NOT APPLICABLE'"),
    "duration": (changed(duration_s="long"), "summary.json: duration_s: Input should be a valid number"),
    "limits": (changed(limits=[{"name": "x"}]), "summary.json: limits.0.kind: Field required"),
    "timing": (changed(timing=7), "summary.json: timing: Input should be an object"),
    "events": (written("events.jsonl", '{"time_s": 1.0, "event": "a"}\n{"time_s"\n'), "events.jsonl: line 2 is no event"),
    "event": (written("events.jsonl", "7\n"), "events.jsonl: line 1 is no event"),
    "events no text": (written("events.jsonl", b"\xff\n"), "events.jsonl: not UTF-8 text, at byte 0"),
    "record empty": (written("record.arrow", ""), "record.arrow: not an Arrow stream, or damaged (…"),
    "record cut": (cut("record.arrow", -1), "record.arrow: cut short: its end is missing"),
    "record a folder": (a_folder("record.arrow"), "record.arrow: …"),
    "scenario": (written("scenario.toml", "duration = 7\n"), "scenario.toml: duration = 7: must be a time with its unit, such as '40 ms'"),
    "scenario no toml": (written("scenario.toml", "=\n"), "scenario.toml: not TOML: Invalid statement (at line 1, column 1)"),
}  # fmt: skip
