"""Emulated devices: what their firmware does in a tick (`kernel`), and what a client sees of it on the wire.

A register map is a view of the firmware, never its state: reads come from the process image, writes are validated and applied
at the next tick. Nothing here knows a scenario, a controller or a limit.
"""
