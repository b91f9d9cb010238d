"""Firmware steps that run inside the tick: structs and inline functions without Python objects."""
