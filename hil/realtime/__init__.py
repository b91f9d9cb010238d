"""The thread of the real-time loop, what it asks of the machine, what it was given, and how late its ticks were.

Nothing here knows asyncio, a record or a verdict.
"""
