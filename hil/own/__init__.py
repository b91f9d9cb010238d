"""What users bring of their own: their files, imported by path, and what a scenario hands to what is in them.

Laws and supervisors are loaded the same way. What a law or a supervisor is does not stand here: `hil.site` and `hil.fleet`
know that.
"""
