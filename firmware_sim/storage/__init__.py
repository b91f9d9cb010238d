"""Emulated storage inverters: what a client sees of them on a register map, over their process image.

What they do in a tick is `firmware_sim.kernel`; nothing here keeps time or power.
"""
