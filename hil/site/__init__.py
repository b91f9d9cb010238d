"""From a scenario to an engine: parameters, initial states, and the arena in which windows and delays lie.

One module a part of the site. The initial state is a steady one: the load as in its first tick, storage at rest, every window
filled as if the site had stood like that for ever. Nothing here runs a tick, and nothing here knows asyncio or sockets.
"""
