"""What helps to write a scenario: a commented file to start with, the JSON Schema, what a key means, the page of all keys.

It knows `hil.scenario` only, takes every word about a key from the models there, and runs nothing.
"""
