"""How long the command line takes before it does anything, against the interpreter alone.

Wall-clock time of whole processes: `help_s` of `hil --help`, `help_ratio` of it over `python -c pass`, `validate_s` of
`hil validate training_job`, which reads, checks and builds a scenario, and `load_s` of a script that loads one.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from bench import interleaved, median_ratio, report, seconds

ROUNDS = 15
HIL = str(Path(sys.executable).with_name("hil"))
COMMANDS = {
    "help": [HIL, "--help"],
    "validate": [HIL, "validate", "training_job"],
    "load": [sys.executable, "-c", "import hil; hil.load('training_job')"],
    "python": [sys.executable, "-c", "pass"],
}


def main() -> None:
    """Measure and report."""

    def process(command: list[str]) -> float:
        return seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))

    taken = interleaved(ROUNDS, {name: lambda command=command: process(command) for name, command in COMMANDS.items()})
    figures = {f"{name}_s": statistics.median(taken[name]) for name in ("help", "validate", "load")}
    report("startup", figures | {"help_ratio": median_ratio(taken["help"], taken["python"])}, ROUNDS)


if __name__ == "__main__":
    main()
