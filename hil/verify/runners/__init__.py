"""How a reference vector is played: one module for each kind of function, and nothing that knows a standard.

A module has a function `run(given) -> found`: the vector's `input` as a mapping, what came out by the names of its `expect`.
"""
