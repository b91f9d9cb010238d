"""Writes docs/keys.md, the reference of all keys of a scenario."""

from __future__ import annotations

from pathlib import Path

from hil.guide.page import page

(Path(__file__).parents[1] / "docs" / "keys.md").write_text(page(), encoding="utf-8")
