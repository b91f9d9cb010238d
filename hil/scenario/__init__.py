"""Scenarios: the models of a scenario file, quantities with units, loading and its errors.

Nothing here runs anything: no plant, no sockets, no clock.
"""
