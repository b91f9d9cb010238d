"""Type-checks the Python of README and docs as a user's checker would, without the settings and plugins of this project."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMES = ("python", "supervisors", "kernel", "runs", "recordings", "check", "compare")
PAGES = ("README.md", *(f"docs/{name}.md" for name in _NAMES))


def main() -> int:
    """Write the blocks of each page into one file, check them all; returns mypy's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for page in PAGES:
            file = Path(folder) / f"{Path(page).stem}_page.py"
            file.write_text("\n".join(BLOCK.findall((ROOT / page).read_text())))
            files.append(file.name)
        command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", sys.executable, *files]
        return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
