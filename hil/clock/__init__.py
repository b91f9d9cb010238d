"""Clocks: asyncio loops whose time is scenario time.

`lockstep` is the virtual clock over real sockets, `ledger` its account of what is in flight, `participants` the order of those
who wake at one instant. Nothing here knows what the plant is: a clock moves something that has an `advance`.
"""
