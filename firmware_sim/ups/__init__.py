"""An emulated UPS: what its firmware shows and takes (`device`), and how that stands on MQTT (`mqtt`).

What the firmware does in a tick is not here but in `firmware_sim/kernel/ups.pxd`.
"""
