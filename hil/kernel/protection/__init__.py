"""Protection functions, fast: what they compute of the row of a tick, and nothing of sites, scenarios or verdicts.

Each family is one `.pxd`: parameters, state, what one tick does, and whether its arrays can be run. What a function finds out
becomes channels of the row, behind those of the site, so that limits look at it, records hold it and several limits share it.
`functions.pxd` runs them all; `replay.pyx` runs them, and limits, on rows that came from elsewhere.
"""
