"""What scripts/thread_sanitizer.sh relies on: it reports a race of our own code, in a C program and under the interpreter."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from test_shared_memory import ROOT, built

SANITIZED = ("-O1", "-g", "-Wno-tsan", "-fsanitize=thread")
WRONG = ("-include", "tests/wrong_words.h")
RACE = "WARNING: ThreadSanitizer: data race"
IMAGE = "test_pacer.test_what_is_looked_at_is_all_of_one_tick"
ROWS = "test_pacer.test_every_row_is_recorded_and_none_twice"


@pytest.mark.parametrize("what", ["image", "ring"])
def test_the_primitives_have_no_race(what, tmp_path):
    program = built(tmp_path / "program", *SANITIZED)
    done = subprocess.run([program, what], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ("PLAIN_LOAD", "image"), ("PLAIN_STORE", "image"), ("PLAIN_COPY", "image"),
        ("PLAIN_LOAD", "ring"), ("PLAIN_STORE", "ring"), ("RELAXED_LOAD", "ring"), ("RELAXED_STORE", "ring"),
    ],
)  # fmt: skip
def test_a_wrong_primitive_is_reported(wrong, what, tmp_path):
    program = built(tmp_path / "program", *SANITIZED, *WRONG, f"-D{wrong}")
    done = subprocess.run([program, what], capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert RACE in done.stderr


def test_pictures_that_are_not_looked_at_twice_are_torn(tmp_path):
    """The program notices itself: to ThreadSanitizer single atomic words are no race."""
    program = built(tmp_path / "program", "-O2", *WRONG, "-DREAD_NOT_CHECKED")
    done = subprocess.run([program, "image"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stdout.startswith("picture ")


@pytest.mark.parametrize(
    ("module", "wrong", "test"),
    [
        ("pacer", "PLAIN_COPY", IMAGE),
        ("engine", "PLAIN_STORE", ROWS),
        ("engine", "RELAXED_STORE", IMAGE),  # its feed: nothing else orders the load before the tick
        ("engine", "RELAXED_LOAD", IMAGE),
    ],
)
def test_a_wrong_module_is_reported(module, wrong, test, tmp_path):
    """The module's own C once more, with one primitive wrong, in place of the right one under a test of the thread."""
    out = tmp_path / f"{module}{sysconfig.get_config_var('EXT_SUFFIX')}"
    headers = [f"-I{sysconfig.get_path('include')}", "-I.", "-Icontrollers/include"]
    command = ["cc", "-O0", "-g", "-w", "-fPIC", "-shared", *SANITIZED[2:], *headers, *WRONG, f"-D{wrong}"]
    source = f"build/cython/hil/kernel/{module}.c"
    subprocess.run([*command, source, "-o", str(out)], cwd=ROOT, check=True, capture_output=True, timeout=120)
    name, function = test.split(".")
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('hil.kernel.{module}', {str(out)!r})\n"
        "sys.modules[spec.name] = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(sys.modules[spec.name])\n"
        "sys.path.insert(0, 'tests')\n"
        f"import {name}\n"
        f"{name}.{function}()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert RACE in done.stderr
    assert f"{module}.c" in done.stderr or Path(out).name in done.stderr
