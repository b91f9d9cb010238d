"""Devices alone, on the wall clock, for controllers that are not ours: the session, its commands, single devices.

What a run's devices are stands in `hil.fleet`, what paces them in `hil.session`; nothing here drives or judges, and only the
command line and `hil.testing` know this room.
"""
