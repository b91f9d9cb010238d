"""Packaged scenarios, one TOML file each. Nothing else."""
