"""Firmware steps that run inside the tick: structs and inline functions without Python objects.

No state of their own, no allocation, no call into Python; the engine of `hil/kernel` compiles them into its tick.
"""
