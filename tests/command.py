"""The command line in a process of its own."""

from __future__ import annotations

import sys

WHOLE = [sys.executable, "-c", "from hil.cli import main; main()"]
# Drawing takes longer than most runs of tests, and is tested by itself: as where matplotlib is not installed.
HIL = [sys.executable, "-c", "import sys; sys.modules['hil.report.picture'] = None; from hil.cli import main; main()"]
