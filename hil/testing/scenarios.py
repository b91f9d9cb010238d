"""The scenario of a test: where it is looked for, and what target and test change in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hil.errors import ScenarioError
from hil.scenario.files import from_document, load, override_document
from hil.scenario.model import Scenario
from hil.testing.bench import Target


def scenario_for(what: str | Path | Scenario, overrides: Iterable[str], target: Target, beside: Path | None) -> Scenario:
    """A scenario as it is for a target and a test. overrides: of the test, which come last.

    what: a Scenario, the path of a file, looked for in the folder `beside` first, or a packaged name. Raises ScenarioError.
    """
    changes = [*target.overrides, *overrides]
    try:
        if not isinstance(what, Scenario):
            return load(_found(what, beside), changes)
        if not changes:
            return what
        document = what.document()
        for change in changes:
            override_document(what.source, document, change)
        return from_document(document, source=what.source).named(what.name, what.source)
    except ScenarioError as error:
        if target.overrides:
            error.add_note(f"{target.source} sets {'; '.join(target.overrides)}")
        raise


def listed(overrides: Iterable[str]) -> list[str]:
    """What was given as `set`, as a list. Raises TypeError for a string, whose letters it would have."""
    if isinstance(overrides, str):
        raise TypeError(f"set = {overrides!r}: must be a list, such as [{overrides!r}]")
    return list(overrides)


def _found(what: str | Path, beside: Path | None) -> str | Path:
    if beside is not None and (beside / what).is_file():
        return beside / what
    return what
