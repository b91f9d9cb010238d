"""The option `--junit` of a run or a check: whether its file can be written, and what it holds however the run ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from hil.cli.trouble import UNFINISHED, USAGE, fail, never_over

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hil.check.checking import Checked
    from hil.report.result import Result

_OUTCOMES = {USAGE: "wrong input", UNFINISHED: "unfinished"}


class JUnitFile:
    """Where the JUnit XML of a run goes; None: nowhere. What a place cannot be shows at once, in a line with exit code 2.

    folder: of the run, once there is one.
    """

    def __init__(self, path: Path | None, scenario: str) -> None:
        self._path = path
        self._scenario = scenario
        self.folder: Path | None = None
        if path is not None:
            from hil.report.junit import make_place

            never_over("--junit", path, [scenario])
            try:
                make_place(path)
            except OSError as error:
                fail(f"--junit {path}: cannot be written ({error.strerror or error})")

    def fail(self, message: str, code: int = USAGE) -> NoReturn:
        """Leave as `fail` does; the file says so too, so that a CI server shows why there is no verdict."""
        if self._path is not None:
            from hil.report.junit import unfinished

            self._write(unfinished(Path(self._scenario).stem, message, _OUTCOMES[code], self.folder))
        fail(message, code)

    def tell(self, result: Result) -> int:
        """Write how the run ended; the exit code, which is not that of PASS where the file could not be written."""
        if self._path is None:
            return result.exit_code
        from hil.report.junit import document

        return result.exit_code if self._write(document(result)) else result.exit_code or UNFINISHED

    def tell_check(self, result: Checked, properties: Iterable[tuple[str, object]], wall_s: float) -> int:
        """Write how a check ended; the exit code, likewise."""
        code = result.verdict.exit_code
        if self._path is None:
            return code
        from hil.report.junit import of_check

        return code if self._write(of_check(Path(self._scenario).stem, result, properties, wall_s)) else code or UNFINISHED

    def _write(self, document: bytes) -> bool:
        from hil.report.junit import write

        assert self._path is not None
        try:
            write(document, self._path)
        except OSError as error:
            print(f"--junit {self._path}: cannot be written ({error.strerror or error})", file=sys.stderr)  # noqa: T201
            return False
        return True
