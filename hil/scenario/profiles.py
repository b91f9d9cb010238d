"""Profiles: limits of a grid code or a contract as a file, which `[[limits]] profile = "…"` puts into a scenario."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hil.errors import ScenarioError

PACKAGED = Path(__file__).parent.parent / "limits" / "profiles"
_KEYS = {"profile": str, "required": bool, "unverified": bool, "node": str}
_OF_FILE = ("title", "basis", "status", "limits")


def profile_names() -> list[str]:
    """Names of the packaged profiles."""
    return sorted(path.stem for path in PACKAGED.glob("*.toml"))


def read_profile(name: str, folder: Path | None, source: str = "profile", key: str = "profile") -> dict[str, Any]:
    """A packaged profile by its name, or one of the user's own by its path (from `folder` on).

    Raises ScenarioError, of `key` in `source` where there is no such profile.
    """
    path = (folder or Path()) / name if name.endswith(".toml") else PACKAGED / f"{name}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        known = "a packaged profile is one of: " + ", ".join(profile_names())
        raise ScenarioError(
            source, key, f" = {name!r}: no such profile; one's own is a path that ends in .toml, {known}"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(source, key, f" = {name!r}: cannot be read: {error}") from None
    limits = document.get("limits")
    if not isinstance(limits, list) or not limits or not all(isinstance(limit, dict) for limit in limits):
        raise ScenarioError(str(path), "limits", ": missing; a profile has entries [[limits]]")
    for other in document:
        if other not in _OF_FILE:
            raise ScenarioError(str(path), other, f": unknown key; a profile has: {', '.join(_OF_FILE)}")
    return document


def expand_profiles(document: dict[str, Any], folder: Path | None, source: str) -> None:
    """Put the limits of profiles into a document, in place: the first where the profile stood, the others at the end.

    So what is the user's own keeps its place, and its number in an error. Raises ScenarioError.
    """
    entries = document.get("limits")
    if not isinstance(entries, list):
        return
    for index, entry in enumerate(list(entries)):
        if isinstance(entry, dict) and "profile" in entry:
            first, *others = _limits(entry, f"limits.{index}", folder, source)
            entries[index] = first
            entries.extend(others)


def _limits(entry: dict[str, Any], where: str, folder: Path | None, source: str) -> list[dict[str, Any]]:
    for key, value in entry.items():
        if key not in _KEYS:
            raise ScenarioError(source, f"{where}.{key}", f": unknown key; an entry with a profile has: {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]):
            wanted = "a string" if _KEYS[key] is str else "true or false"
            raise ScenarioError(source, f"{where}.{key}", f" = {value!r}: must be {wanted}")
    name = entry["profile"]
    profile = read_profile(name, folder, source, f"{where}.profile")
    basis = profile.get("basis", "")
    found = []
    for limit in profile["limits"]:
        if limit.get("unverified") and not entry.get("unverified", False):
            continue
        own = {"basis": basis, "required": entry.get("required", False)} | limit
        if "node" in entry:
            own["node"] = entry["node"]
        own["name"] = f"{Path(name).stem}: {limit.get('name', limit.get('kind', ''))}"
        if "basis" in limit and basis:
            own["basis"] = f"{basis}; {limit['basis']}"
        found.append(own)
    if not found:
        what = "has only limits that no source confirms; unverified = true takes them all the same"
        raise ScenarioError(source, f"{where}.profile", f" = {name!r}: {what}")
    return found
