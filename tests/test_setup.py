"""What is missing for the set-up is named in one line, with the package to install."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[1] / "scripts" / "setup.sh"
# A stand-in interpreter: the real one, but failing where the set-up asks about one thing.
STAND_IN = """#!/bin/sh
case "$*" in
    *{asks}*) {answer} ;;
    *) exec {real} "$@" ;;
esac
"""


def setup(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SETUP)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "VENV": str(tmp_path / "venv"), **environment},
    )


def check(run: subprocess.CompletedProcess[str], what: str, package: str) -> None:
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("ridethrough: ")
    assert what in run.stderr
    assert f"apt-get install {package}" in run.stderr


@pytest.mark.parametrize(
    ("asks", "answer", "what", "package"),
    [
        ("ensurepip", "exit 1", "no venv module", "python3-venv"),
        ("version_info", "exit 1", "is older than 3.11", "python3"),
        ("sysconfig", "echo /nowhere", "no Python headers in /nowhere", "python3-dev"),
    ],
)
def test_interpreter_without(tmp_path, asks, answer, what, package):
    python = tmp_path / "python"
    python.write_text(STAND_IN.format(asks=asks, answer=answer, real=sys.executable))
    python.chmod(0o755)
    check(setup(tmp_path, PYTHON=str(python)), what, package)


def test_no_interpreter(tmp_path):
    check(setup(tmp_path, PYTHON="python3-that-is-not-there"), "no python3-that-is-not-there", "python3")


def test_no_compiler(tmp_path):
    check(setup(tmp_path, PYTHON=sys.executable, CC="cc-that-is-not-there"), "no C compiler", "gcc libc6-dev")


def test_no_c_library_headers(tmp_path):
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)
    check(setup(tmp_path, PYTHON=sys.executable, CC=str(compiler)), "no C library headers", "libc6-dev")
