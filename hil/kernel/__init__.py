"""The fast part of the testbed: plant, measured signals, limits, the tick that joins them, and the engine that runs it.

Component steps are structs and inline functions in `.pxd` files without Python objects; only `engine.pyx` joins the packages.
`site` builds an engine's arrays from a scenario. Nothing here knows asyncio, sockets or files.
"""
