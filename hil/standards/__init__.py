"""Published standards as data and codecs, used by emulated devices and by the drivers that talk to them.

Nothing here knows a device, a socket or a scenario.
"""
