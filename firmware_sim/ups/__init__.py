"""An emulated UPS: what its firmware shows and takes, on MQTT (`device`, `mqtt`) and on Modbus (`modbus`, `maps`).

What the firmware does in a tick is not here but in `firmware_sim/kernel/ups.pxd`.
"""
