"""What the command line and `import hil` must not import before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "numpy",
    "pydantic",
    "pyarrow",
    "matplotlib",
    "pymodbus",
    "aiomqtt",
    "sunspec2",
    "hil.scenario",
    "hil.record",
    "hil.report",
    "hil.kernel",
}
COMMANDS = (
    "run",
    "serve",
    "validate",
    "scenarios",
    "wire",
    "init",
    "explain",
    "schema",
    "show",
    "plot",
    "tail",
    "convert",
    "diff",
    "doctor",
    "verify",
)


def imported(script: str, cwd: object) -> set[str]:
    program = f"import sys\n{script}\nprint(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, timeout=60)
    return set(run.stderr.split())


def test_help_imports_nothing_heavy(tmp_path):
    """Of the program first, and then of every command, one after the other."""
    script = "sys.argv = ['hil', '--help']\nfrom hil.cli import main\ntry: main()\nexcept SystemExit: pass"
    modules = imported(script, tmp_path)
    assert "hil.cli.app" in modules
    assert modules.isdisjoint(HEAVY), modules & HEAVY
    script = f"""from hil.cli import main
for name in {COMMANDS}:
    sys.argv = ["hil", name, "--help"]
    try: main()
    except SystemExit as end: assert end.code == 0, name"""
    modules = imported(script, tmp_path)
    assert "hil.cli.serve" in modules
    allowed = {"pydantic"}  # typer's own, where a command has arguments
    assert modules.isdisjoint(HEAVY - allowed), modules & HEAVY


def test_importing_hil_imports_nothing_heavy(tmp_path):
    assert imported("import hil", tmp_path).isdisjoint(HEAVY)


def test_loading_a_scenario_needs_no_kernel(tmp_path):
    modules = imported("import hil\nhil.load('training_job')", tmp_path)
    assert modules.isdisjoint({"pyarrow", "matplotlib", "pymodbus", "aiomqtt", "hil.kernel.engine"}), modules


@pytest.mark.slow
def test_a_run_that_is_recorded_does_without_pandas(tmp_path):
    """Which Arrow's own conversions import wherever it is installed; pictures do not need it either."""
    script = (
        "import hil\nhil.run(hil.load('training_job', ['duration=\"1 s\"', 'events=[]']), folder='run')\nhil.open_run('run')"
    )
    modules = imported(script, tmp_path)
    assert {"pyarrow", "matplotlib"} <= modules
    assert "pandas" not in modules
