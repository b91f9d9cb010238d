"""How the emulated devices of a run are reached: a device's Modbus server, its presence on MQTT, broker, wires.

What all of it stands in are the *surroundings* of a run: engine, scenario, log, and where things listen. Nothing here knows a
controller, or what kind of device it serves: that stands in `hil.fleet`, and protocols in `firmware_sim`.
"""
