"""`law = "in_numba.py:ramp_limit"`: the law ramp_limit once more, compiled by numba."""

from numba import carray, cfunc

from controllers import Law
from controllers.law import numba_signature

STATE = [("grid_w", "f8")]
PARAMETERS = [("ramp_w_per_s", "f8")]


@cfunc(numba_signature(STATE, PARAMETERS))
def step(state, parameters, signals, command, dt):
    """Let the grid follow the load at a bounded rate; storage gives the rest."""
    own, given, answer = carray(state, 1)[0], carray(signals, 1)[0], carray(command, 1)[0]
    most = carray(parameters, 1)[0].ramp_w_per_s * dt
    own.grid_w += min(max(given.load_w - own.grid_w, -most), most)
    answer.power_w = given.load_w - own.grid_w


def start(state, parameters, signals):
    """A site at rest: the grid carries the whole load."""
    state["grid_w"] = signals["load_w"]


ramp_limit = Law(step, state=STATE, parameters=PARAMETERS, version=1, start=start)
