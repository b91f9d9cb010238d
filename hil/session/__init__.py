"""Runs: a scenario's engine, load, servers, drivers and supervisors on one clock, and what is left of them.

The composition root: the only place that knows all three packages. Nothing else may import it but the command line and the
public interface, `hil.serve`, which runs the devices alone, and `hil.testing`.
"""
