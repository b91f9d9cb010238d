"""Recordings of real sites, and of runs, as signals: time, values, which of them count, and what is known of each.

`read` takes a file or the folder of a run; its suffix says how it is read. Nothing here repairs, judges or runs anything:
what is missing or out of order is told, and what a limit may make of it is for who asks (docs/recordings.md).
"""

from hil.recordings.asking import Column, Kind, Text, TimeColumn
from hil.recordings.reading import READERS, read
from hil.recordings.recording import Recording, Signal, Uniform

__all__ = ["READERS", "Column", "Kind", "Recording", "Signal", "Text", "TimeColumn", "Uniform", "read"]
