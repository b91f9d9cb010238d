"""Whether this machine can be trusted with the clock: what it is, how late its ticks are, what to change.

Each module is one step: `facts` reads what the machine is, `latency` measures beside what `stress` does, `bands` says which
rates are honest, `advice` what to change, `saved` keeps the result for later runs. Nothing here changes the machine or prints.
"""
