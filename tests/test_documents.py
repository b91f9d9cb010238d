"""What the documents show is what happens."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from command import WHOLE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.slow
def test_the_table_of_the_readme_is_what_the_flagship_prints(tmp_path):
    """Every limit's line of the README, figures included; the first line but for the speed, the last but for the time."""
    shown = re.search(r"```text\n(training_job · .*?)```", README, re.DOTALL)
    assert shown is not None
    run = subprocess.run(
        [*WHOLE, "run", "training_job"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    def lines(text: str) -> list[str]:
        text = re.sub(r"lock-step, [\d,]+ x real time · waveform \w+", "", text)  # a build's own
        text = re.sub(r"runs/\S+", "", text)
        return [line.rstrip() for line in text.strip().splitlines()]

    assert lines(shown[1]) == lines(run.stdout)


@pytest.mark.slow
def test_the_wire_table_of_the_readme_is_what_the_command_finds():
    """The column in which the swing breaks, figures included."""
    import hil
    from hil.cli.wire import shown
    from hil.session.wire_table import wire_table

    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in README.splitlines() if line.startswith("| ")]
    head = next(row for row in rows if row[0] == "latency, one way")
    table = {row[0]: dict(zip(head, row, strict=True)) for row in rows if len(row) == len(head) and row is not head}
    columns = {"5 ms": 0.005}
    cells = wire_table(hil.load("training_job_wire"), [0.02], columns.values(), jobs=1)
    for column, cell in zip(columns, cells, strict=True):
        assert {limit: row[column] for limit, row in table.items()} == {limit: shown(cell, limit) for limit in table}


def test_the_law_of_its_page_is_the_example():
    shown = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "laws.md").read_text(), re.DOTALL)
    example = (ROOT / "examples" / "laws" / "in_numba.py").read_text()
    assert shown is not None
    assert example.endswith(shown[1])


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=str
)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target
