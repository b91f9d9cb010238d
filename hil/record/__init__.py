"""The record of a run: rows from the engine's ring to memory or a file, and out of the file again.

Nothing here knows what a run is, or judges one; `hil.session` makes a record, `hil.report` reads it.
"""
