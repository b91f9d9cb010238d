"""Emulated devices on MQTT: one connection a device, and one class for each dialect that it speaks there.

A dialect knows topics and payloads; it holds nothing of the device, which it asks (`firmware_sim.device`).
"""
