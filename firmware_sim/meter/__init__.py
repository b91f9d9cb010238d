"""Emulated revenue meters: what a client sees of one on a register map or on MQTT, over its process image.

What they measure and count in a tick is the kernel's (`hil/kernel/meter.pxd`); nothing here keeps an energy.
"""
