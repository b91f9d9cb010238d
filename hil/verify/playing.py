"""The validation of the compiled functions: every reference vector played, and what came out beside what must.

A vector is a table of `vectors/*.toml`: function, standard, edition, clause, evidence, name, input, expect, tolerance.
Evidence: V, read in the primary text, or in the code or data named; S, in a secondary source; C, computed from such. Values of
which none is so are never vectors: `vectors/excluded.toml` says which, and why.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "vectors"
# A module of `runners` is named for its function; one plays all limits on a signal.
_LIMITS = ("level", "ramp", "peak_to_peak", "variation", "rocof", "recovery", "slope", "block_average")


@dataclass(frozen=True)
class Row:
    """One vector and its outcome. error: the largest deviation of a number; None where nothing but a decision is expected."""

    standard: str
    edition: str
    clause: str
    evidence: str
    function: str
    name: str
    input: str
    expected: str
    got: str
    error: float | None
    tolerance: str
    passed: bool


@dataclass(frozen=True)
class Excluded:
    """Values that are known, but of which no source was read."""

    standard: str
    what: str
    reason: str


@dataclass(frozen=True)
class Report:
    """All rows, in the order of the files, and what was left out."""

    rows: list[Row]
    excluded: list[Excluded]

    @property
    def failed(self) -> list[Row]:
        """Rows that do not hold."""
        return [row for row in self.rows if not row.passed]

    def by_standard(self) -> dict[tuple[str, str], list[Row]]:
        """Rows by standard and edition, in order of their names."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            found.setdefault((row.standard, row.edition), []).append(row)
        return dict(sorted(found.items(), key=lambda item: (item[0][0].lower(), item[0][1])))

    def document(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "vectors": len(self.rows),
            "passed": len(self.rows) - len(self.failed),
            "rows": [asdict(row) for row in self.rows],
            "excluded": [asdict(one) for one in self.excluded],
        }


def vectors() -> list[dict[str, Any]]:
    """All vectors, file by file."""
    return [vector for path in sorted(FOLDER.glob("*.toml")) for vector in tomllib.loads(path.read_text()).get("vector", [])]


def excluded() -> list[Excluded]:
    """What is no vector, and why."""
    return [Excluded(**one) for one in tomllib.loads((FOLDER / "excluded.toml").read_text())["excluded"]]


def verify() -> Report:
    """Play all vectors through the compiled functions."""
    return Report([play(vector) for vector in vectors()], excluded())


def play(vector: dict[str, Any]) -> Row:
    """Play one vector."""
    function, given, expect = vector["function"], vector["input"], vector["expect"]
    runner = import_module(f"hil.verify.runners.{'limit' if function in _LIMITS else function}")
    found = runner.run(given | {"function": function})
    dt_s, tolerance = given.get("dt_s", 0.0), vector["tolerance"]
    passed, error = True, None
    for key, wanted in expect.items():
        got = found.get(key)
        if isinstance(wanted, float) and isinstance(got, int | float) and not isinstance(got, bool):
            error = max(error or 0.0, abs(got - wanted))
        passed = passed and _holds(key, wanted, got, tolerance, dt_s, found.get("bin_hz", 0.0))
    return Row(
        **{key: vector[key] for key in ("standard", "edition", "clause", "evidence", "function", "name")},
        input=", ".join(_words(key, value) for key, value in given.items()),
        expected=", ".join(_words(key, value) for key, value in expect.items()),
        got=", ".join(_words(key, found.get(key)) for key in expect),
        error=error,
        tolerance=" or ".join(_words(key, value) for key, value in tolerance.items()),
        passed=passed,
    )


def _holds(key: str, wanted: Any, got: Any, tolerance: dict[str, float], dt_s: float, bin_hz: float) -> bool:
    """Whether it is what must come out: a time within ticks, a number within a share, the wider of both; others the same.

    A frequency that is told in bins of a transform is within so many of those, and nothing else.
    """
    if not isinstance(wanted, float) or got is None:
        return bool(got == wanted)
    if key.endswith("_hz") and "bins" in tolerance:
        return bool(abs(got - wanted) <= tolerance["bins"] * bin_hz)
    allowed = max(tolerance.get("relative", 0.0) * abs(wanted), tolerance.get("absolute", 0.0))
    if key.endswith("_s"):
        rounding = 1e-6 * dt_s + 1e-12 * abs(wanted)
        allowed = max(allowed, tolerance.get("ticks", 0) * dt_s) + rounding
    return bool(abs(got - wanted) <= allowed)


def _words(key: str, value: Any) -> str:
    """A setting or an outcome as people write it."""
    if value is None:
        return f"no {key.removesuffix('_s').replace('_', ' ')}"
    if isinstance(value, list) and value and isinstance(value[0], list):
        if key in ("steps", "subject", "voltage") and not isinstance(value[0][-1], str):
            return f"{key}: " + ", then ".join(_step(one) for one in value)
        return f"{key}: " + ", ".join(" ".join(_number(number) for number in one) for one in value)
    if isinstance(value, dict):
        return f"{key}: " + ", ".join(_words(*item) for item in value.items())
    if isinstance(value, bool):
        return f"{key.replace('_', ' ')}: {'yes' if value else 'no'}"
    if isinstance(value, list):
        return f"{key}: {', '.join(_number(one) for one in value)}"
    if isinstance(value, str):
        return f"{key.replace('_', ' ')} {value}"
    unit = " s" if key.endswith("_s") else " Hz" if key.endswith("_hz") else ""
    name = {"dt_s": "tick", "ticks": "ticks"}.get(key, key.removesuffix("_s").removesuffix("_hz").replace("_", " "))
    return f"{name} {_number(value)}{unit}"


def _step(step: Sequence[float]) -> str:
    *values, seconds = step
    return f"{' to '.join(_number(value) for value in values)} for {_number(seconds)} s"


def _number(value: float | str) -> str:
    """In full where it lies one step beside a rounder one; what has its unit already as it is."""
    if isinstance(value, str):
        return value
    short = f"{value:.9g}"
    return short if float(short) == value or abs(float(short) - value) > 1e-14 * abs(value) else repr(value)
