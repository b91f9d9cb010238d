"""What the Python of some pages must print besides running: one check a page, of its output and of the folder it ran in."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from command import WHOLE
from doc_blocks import ROOT, blocks


def readme(printed: str, _folder: Path) -> None:
    script = next(block.text for block in blocks() if block.page == ROOT / "README.md" and "hil.load" in block.text)
    assert len([line for line in script.splitlines() if line.strip()]) <= 15
    verdict, numbers = printed.splitlines()
    worst, limit, at_s = map(float, numbers.split())
    assert verdict == "FAIL"
    assert worst > limit == 10e6
    assert 0 < at_s < 180


def python(printed: str, _folder: Path) -> None:
    assert printed.splitlines()[0] == "PASS 0 []"
    assert printed.splitlines()[-1] == "PASS"


def mqtt(printed: str, _folder: Path) -> None:
    verdict, mode, messages = re.search(r"^(\S+) ([\d.]+) (\d+)$", printed, re.MULTILINE).groups()
    assert (verdict, float(mode)) == ("FAIL", 3.0)  # all at once is too fast; and it was on battery
    assert int(messages) > 1000


def kernel(printed: str, _folder: Path) -> None:
    swings = {int(line.split()[0]): float(line.split()[1]) for line in printed.splitlines()[1:]}
    assert swings[10] < swings[17] < swings[25]


def runs(printed: str, folder: Path) -> None:
    lines = printed.splitlines()
    assert lines[0].startswith("PASS 1.03")
    assert lines[1] == "False ['bess.main.rating']"
    assert len(lines) == 5
    assert (folder / "start.svg").exists()
    command = [*WHOLE, "diff", "runs/one", "runs/two"]
    diff = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    page = [block.text for block in blocks() if block.page == ROOT / "docs" / "runs.md"]
    shown = next(text for text in page if text.startswith("settings\n"))
    assert shown in "\n".join(line.rstrip() for line in diff.stdout.splitlines())


def recordings(printed: str, _folder: Path) -> None:
    """Every line that the page shows."""
    page = [block.text for block in blocks() if block.page == ROOT / "docs" / "recordings.md" and block.kind == "text"]
    assert "".join(page) == printed


def check(printed: str, folder: Path) -> None:
    """What the script prints, and the table of the command."""
    page = [block.text for block in blocks() if block.page == ROOT / "docs" / "check.md" and block.kind == "text"]
    assert page[-1] == printed
    command = [*WHOLE, "check", "site.csv", "--limits", "limits.toml"]
    table = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert table.returncode == 1
    shown = next(text for text in page if text.startswith("site.csv ·"))
    assert shown.splitlines() == [line.rstrip() for line in table.stdout.splitlines()]


def serve(printed: str, _folder: Path) -> None:
    power, code = printed.splitlines()
    assert power.endswith(" kW")
    assert abs(float(power.split()[0]) - 500) < 6
    assert code == "exit code 0"


CHECKS = {
    "README.md": readme,
    "docs/check.md": check,
    "docs/python.md": python,
    "docs/mqtt.md": mqtt,
    "docs/kernel.md": kernel,
    "docs/recordings.md": recordings,
    "docs/runs.md": runs,
    "docs/serve.md": serve,
}
