"""A run that takes no time."""

from __future__ import annotations

SMALL = ["duration='4 s'", "events=[]", "load.start='0 s'", "load.start_ramp='0 s'", "load.iteration='2 s'"]
