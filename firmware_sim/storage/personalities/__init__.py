"""Storage inverters of vendors as a client meets them: registers, words, signs, watchdogs, how many may connect.

One file each, data and a small class; docs/personalities.md says how to add one. What a device does in a tick is in
`firmware_sim.kernel`: nothing here keeps time or power.
"""
