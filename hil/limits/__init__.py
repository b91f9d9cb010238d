"""The slow part of limits: how each kind is judged, designs, constants, profiles.

What the functions of `hil/kernel/protection` need to know before the first tick is worked out here, and put into their arrays;
`vectors` holds what standards say must come out. Nothing that runs a site, and nothing that runs in a tick, lives here, and no
verdict is made.
"""
