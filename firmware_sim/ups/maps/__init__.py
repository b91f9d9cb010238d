"""Register maps of UPSs, one file each: points over the same readings, settings and switch, for clients of one kind of device.

They are data: what a UPS does is its firmware's, and what all maps need is `firmware_sim.ups.panel`. No map knows a server.
"""
