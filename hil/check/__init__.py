"""Limits of a scenario applied to a recording: `hil check`. Nothing here runs a site, and no sample is repaired."""
