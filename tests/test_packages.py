"""A folder of the user's that hides one of the three packages is told in one clear line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMAND = "from hil.cli import main; main()"
SCRIPT = "import hil\nhil.load('training_job')\n"


def run(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python's `-c` has the working directory first on its path, as a script has its own folder."""
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


def hiding(tmp_path: Path, name: str, form: str) -> Path:
    if form == "package":
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        return tmp_path / name
    (tmp_path / f"{name}.py").write_text("")
    return tmp_path / f"{name}.py"


@pytest.mark.parametrize("name", ["controllers", "firmware_sim"])
@pytest.mark.parametrize("form", ["package", "module"])
def test_the_command_says_what_hides_what(tmp_path, name, form):
    found = hiding(tmp_path, name, form)
    result = run(COMMAND, tmp_path, "run", "training_job")
    line = f"hil: {found} hides the package {name} of ridethrough, {ROOT / name}: rename it, or take its folder off the path\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", line)
    assert not (tmp_path / "runs").exists()


def test_a_script_gets_one_error_that_says_so(tmp_path):
    hiding(tmp_path, "controllers", "package")
    result = run(SCRIPT, tmp_path)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"hil.errors.InstallationError: {tmp_path / 'controllers'} hides the package")
    assert "hil.InstallationError" not in result.stderr
    catching = f"import hil\ntry:\n    {SCRIPT.splitlines()[1]}\nexcept hil.InstallationError:\n    print('told')\n"
    assert run(catching, tmp_path).stdout == "told\n"


def test_a_folder_without_code_is_told_where_it_hides_something(tmp_path):
    """A plain folder stands behind an installed package, but before one that an editable installation finds by a hook."""
    (tmp_path / "controllers").mkdir()
    (tmp_path / "controllers" / "notes.txt").write_text("mine")
    hides = run("from controllers import Law", tmp_path).returncode != 0
    result = run(COMMAND, tmp_path, "scenarios")
    assert result.returncode == (2 if hides else 0)
    assert result.stderr.startswith(f"hil: {tmp_path / 'controllers'} hides the package" if hides else "")


def test_a_missing_package_is_told(tmp_path):
    code = (
        "import sys, importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'controllers' else real(name, *rest)\n" + COMMAND
    )
    result = run(code, tmp_path, "scenarios")
    assert result.returncode == 2
    assert result.stderr == f"hil: no package controllers beside {ROOT / 'hil'}: install ridethrough again\n"
