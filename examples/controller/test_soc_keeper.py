"""Tests of `soc_keeper.py` in a simulated site: `pytest`, or on several targets `pytest --hil-bench bench.toml`."""

import pytest
from soc_keeper import SocKeeper


def test_limits_hold(hil_run, assert_limits):
    """The verdict is PASS: every required limit held, and no evidence is missing."""
    assert_limits(hil_run("campus.toml"))


def test_it_charges(hil_run):
    """Below its target the battery gains charge."""
    result = hil_run("campus.toml", set=["load.power='100 kW'"])
    _, soc = result.signal("bess.main.soc")
    assert soc[-1] > soc[0]


@pytest.mark.parametrize("wanted", [0.43, 0.57])
def test_other_states_of_charge(hil_run, assert_limits, wanted):
    """It discharges too; named are the limits that matter here."""
    result = hil_run("campus.toml", supervisors={"bess.main": SocKeeper(wanted)}, duration="15 s")
    assert_limits(result, "swing, 5 s", "converter current")
