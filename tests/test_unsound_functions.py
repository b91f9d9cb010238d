"""Arrays of functions that cannot be run are refused by name, before the first row."""

from __future__ import annotations

import numpy as np
import pytest

from hil.kernel.layout import FUNCTIONS, parameter_dtypes, state_dtypes
from hil.kernel.protection.replay import Replay


@pytest.mark.parametrize("family", [*FUNCTIONS, "limits"])
def test_a_channel_outside_the_row_is_told(family):
    params = np.zeros(1, parameter_dtypes()[family])
    params["channel"] = 7
    states = {family: np.zeros(1, state_dtypes()[family])} if family in state_dtypes() else {}
    rows = np.zeros((3, 4))
    replay = Replay({family: params}, states)
    with pytest.raises(ValueError, match=f"^{family}: "):
        replay.run(rows)
    assert replay.tick == 0
    assert not rows.any()


def test_no_rows_are_no_run():
    replay = Replay({}, {})
    replay.run(np.zeros((0, 4)))
    assert replay.tick == 0
