"""Writes the tables of docs/profiles.md from the packaged profiles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hil.scenario.profiles import profile_names, read_profile

PAGE = Path(__file__).parents[1] / "docs" / "profiles.md"
_BEGIN, _END = "<!-- profiles: begin -->", "<!-- profiles: end -->"
_TOLD = ("name", "kind", "basis", "unverified")
_LONG = re.compile(r"\d+\.\d{5,}")


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page, with what stands between its marks made anew."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    tail = rest.partition(_END)[2]
    return f"{head}{_BEGIN}\n{''.join(map(_profile, profile_names()))}\n{_END}{tail}"


def _profile(name: str) -> str:
    profile = read_profile(name, None)
    rows = [f"| {limit['name']} | `{limit['kind']}` | {_asks(limit)} | {_evidence(limit)} |" for limit in profile["limits"]]
    about = f"{profile['title']}. {profile['status']}"
    return "\n".join(
        [f"\n### `{name}`\n\n{about}\n", "| limit | kind | asks for | where from, besides |", "|---|---|---|---|", *rows, ""]
    )


def _asks(limit: dict[str, Any]) -> str:
    """The keys of a limit, as its file has them."""
    return "; ".join(f"{key} {_written(value)}" for key, value in limit.items() if key not in _TOLD)


def _written(value: Any) -> str:
    if isinstance(value, list) and isinstance(value[0], dict):
        return ", ".join(" ".join(f"{key} {part}" for key, part in entry.items()) for entry in value)
    if isinstance(value, list) and not isinstance(value[0], str) and len(value[0]) > len(("level", "time")):
        return ", ".join(f"from {row[0]:g} on {' '.join(f'{share:g}' for share in row[1:])}" for row in value)
    if isinstance(value, list):
        steps = isinstance(value[0], list)
        return (", " if steps else " to ").join(" for ".join(pair) if steps else str(pair) for pair in map(_short, value))
    return "yes" if value is True else str(value)


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(part) for part in value]
    return _LONG.sub(lambda number: f"{float(number[0]):.4f}", value)


def _evidence(limit: dict[str, Any]) -> str:
    return "; ".join(filter(None, ["**unverified**" if limit.get("unverified") else "", limit.get("basis", "")]))


if __name__ == "__main__":
    main()
