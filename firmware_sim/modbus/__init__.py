"""Modbus servers of emulated devices: the protocol (`pdu`), Modbus TCP framing and connections (`tcp`).

A server knows registers, not devices: it is given a `Registers`.
"""
