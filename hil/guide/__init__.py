"""What helps to write a scenario: the commented file of `hil init`, the JSON Schema, the explanation of a key, the reference page.

It knows `hil.scenario` only, takes every word about a key from the models there, and runs nothing.
"""
