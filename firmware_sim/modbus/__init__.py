"""Modbus servers of emulated devices: the compiled protocol (`engine`, `framing`), and servers on TCP and serial lines.

A server knows tables, not devices: it is given a `bank.Bank`, or one for each unit. Nothing here keeps registers.
"""
