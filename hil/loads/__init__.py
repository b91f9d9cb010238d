"""Loads: what the site draws, in W at the tick rate, generated block by block.

A load is a stream of break-points of a piecewise-linear power (one module each); `LoadFeed` turns it into the mean power of
each tick. Schedules, sums and remedies act on those ticks (`feeds`, `remedies`, the compiled `stages`). Nothing here knows the
plant or the clock.
"""
