"""The fenced blocks of the documentation, and how each kind is tried."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Of a session the commands follow one another in one folder; of a console each is on its own.
KINDS = ("console", "console session", "python", "toml", "text")
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXITS = {"PASS": (0,), "FAIL": (1,), "INCONCLUSIVE": (3,), "changed": (1,)}
# Awaits may stand at the top of a block; all blocks of a page share their names.
_RUNNER = """
import ast, asyncio, inspect, pathlib, sys
names = {"__name__": "__page__"}
for file in sys.argv[1:]:
    code = compile(pathlib.Path(file).read_text(), file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(code, names))
    else:
        exec(code, names)
"""


@dataclass(frozen=True)
class Block:
    """A block, and the line of its fence."""

    page: Path
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file_name(self) -> str | None:
        """The file that a first line such as `# hold.py` makes of it."""
        match = re.match(r"# (\S+\.(?:py|toml))\n", self.text)
        return match[1] if match else None

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Commands and what the remark behind each says."""
        lines = [re.split(r"\s+#\s+", line, maxsplit=1) for line in self.text.splitlines() if line.strip()]
        return [(command, remark[0] if remark else "") for command, *remark in lines]


def blocks() -> list[Block]:
    """All of them."""
    texts = {page: page.read_text() for page in PAGES}
    return [
        Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2])
        for page, text in texts.items()
        for match in _FENCE.finditer(text)
    ]


def furnish(folder: Path, page: Path) -> None:
    """Put into a folder what the blocks of a page may name: files of earlier blocks, examples, a file of requests."""
    for example in (ROOT / "examples").rglob("*"):
        if example.suffix in (".py", ".toml"):
            shutil.copy(example, folder)
    for block in blocks():
        if block.page == page and block.file_name is not None:
            (folder / block.file_name).write_text(block.text)
    rows = [f"2023-11-16 18:{second // 60:02d}:{second % 60:02d}.5,{500 + 7 * second},{10 + second}" for second in range(300)]
    (folder / "requests.csv").write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *rows, ""]))


def run_command(command: str, remark: str, folder: Path) -> None:
    """Run a command as it stands; its remark may begin with the verdict, or the word, that it must end with.

    `make` is asked for what it would do, and a script only read: they set up environments, or are these very tests.
    """
    program = command.split(maxsplit=1)[0]
    if program == "make":
        subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, check=True, capture_output=True)
        return
    if (ROOT / program).is_file():
        subprocess.run(["bash", "-n", ROOT / program], check=True, capture_output=True)
        return
    run = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=command_environment(folder),
        capture_output=True,
        text=True,
        timeout=200,
    )
    expected = next((codes for word, codes in _EXITS.items() if remark.startswith(word)), (0,))
    if "--clock wall" in command:  # a busy machine may be too late for PASS
        expected = (*expected, 3)
    assert run.returncode in expected, f"{command}: exit code {run.returncode}\n{run.stdout}{run.stderr}"


def command_environment(home: Path) -> dict[str, str]:
    """Of a user who has installed the project."""
    return {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(home)}


def run_python(page_blocks: list[Block], folder: Path) -> str:
    """Run the Python blocks of a page one after the other; returns what they print."""
    files = []
    for block in page_blocks:
        file = folder / (block.file_name or f"block_{block.line}.py")
        file.write_text(block.text)
        files.append(file.name)
    run = subprocess.run(
        [sys.executable, "-c", _RUNNER, *files],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    return run.stdout


def scenario_of(block: Block) -> dict[str, Any]:
    """A block of TOML as a whole scenario: what it has, in place of what a packaged one has."""
    document = tomllib.loads(block.text)
    if "load" in document and "duration" in document:
        return document
    base = "hall" if "ups" in block.text else "training_job"
    whole = tomllib.loads((ROOT / "hil" / "scenarios" / f"{base}.toml").read_text())
    for section, value in document.items():
        if section in ("absorber", "supervisor", "link"):  # a device has one of each
            whole[section] = value
        elif isinstance(value, dict):
            whole.setdefault(section, {}).update(value)
        elif isinstance(value, list):
            whole[section] = [*whole.get(section, []), *value]
        else:
            whole[section] = value
    return whole
