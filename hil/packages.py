"""Whether the three packages belong together: their names are ordinary words, and a user's folder can hide one of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from hil.errors import InstallationError

_TOGETHER = ("firmware_sim", "controllers")


def check_together() -> None:
    """Raise InstallationError unless `firmware_sim` and `controllers` lie beside `hil`."""
    parent = Path(__file__).resolve().parents[1]
    for name in _TOGETHER:
        try:
            spec = importlib.util.find_spec(name)
        except ValueError:  # a module of that name without a spec
            spec = None
        found = None if spec is None else spec.origin or next(iter(spec.submodule_search_locations or []), None)
        if found is None:
            raise InstallationError(f"no package {name} beside {parent / 'hil'}: install ridethrough again")
        folder = Path(found).resolve()
        folder = folder.parent if folder.name == "__init__.py" else folder
        if folder != parent / name:
            mend = "rename it, or take its folder off the path"
            raise InstallationError(f"{folder} hides the package {name} of ridethrough, {parent / name}: {mend}")
