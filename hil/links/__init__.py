"""Networks between controllers and devices: relays that carry messages late, or not at all (docs/links.md).

`model` says how long a message takes, `framer` what a message is, `flow` keeps messages on their way in order, `relay` joins
two real connections. Nothing here knows a scenario or a clock: a link runs on the caller's loop, its delays are in that
loop's time.
"""

from hil.links.flow import Tally
from hil.links.model import Delay, Direction, LinkModel
from hil.links.relay import Link

__all__ = ["Delay", "Direction", "Link", "LinkModel", "Tally"]
