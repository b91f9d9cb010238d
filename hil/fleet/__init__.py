"""The slow side of a run: emulated devices, drivers, supervisors, and the script that disturbs them.

One module a kind of device. A device is served by a *station* (by means of `hil.wiring`), commanded through a *driver*, and
led by a supervisor that knows the driver's contract alone. This is the only room that knows both emulated devices and
controllers; what computes the ticks is the engine's affair, when they are computed is the clock's.
"""
