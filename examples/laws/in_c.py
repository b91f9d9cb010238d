"""`law = "in_c.py:ramp_limit"`: the law of ramp_limit.c, compiled as its first lines say."""

import _ramp_limit  # from the folder of this file

from controllers import Law


def start(state, parameters, signals):
    """A site at rest: the grid carries the whole load."""
    state["grid_w"] = signals["load_w"]


ramp_limit = Law(_ramp_limit.step, state=[("grid_w", "f8")], parameters=[("ramp_w_per_s", "f8")], start=start)
