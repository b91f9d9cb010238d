"""The slow part of limits: how each kind is judged, designs, constants, profiles.

What the functions of `hil/kernel/protection` need to know before the first tick is worked out here, and put into their arrays.
Nothing that runs a site, and nothing that runs in a tick, lives here; no verdict is made, and no reference vector played
(`hil.verify`).
"""
