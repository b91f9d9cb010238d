"""The limit `damping` on oscillations whose damping ratio is known: decaying, standing and growing sines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rig import H, Rig, document

from hil.errors import ScenarioError
from hil.limits.entries import judged
from hil.limits.facts import facts_of
from hil.scenario.files import from_document
from hil.verdict.evidence import Evidence
from hil.verdict.foreseen import foreseen
from hil.verdict.limits import limit_result

WINDOW_S = 4.0
LIMIT = {"name": "x", "kind": "damping", "band": ["0.5 Hz", "5 Hz"], "window": f"{WINDOW_S} s", "required": True}
CHANNEL = "pcc.oscillation_0.5_5_hz_4_s_above_10000_w.damping"


def ring(damping: float, frequency_hz: float = 2.0, *, at_s: float = 5.0, seconds: float = 40.0, w: float = 1e6) -> np.ndarray:
    """A load that rings from a moment on, its damping ratio as given."""
    time_s = np.arange(round(seconds / H)) * H - at_s
    omega = 2.0 * math.pi * frequency_hz
    sigma = damping * omega / math.sqrt(1.0 - damping**2)
    return 20e6 + np.where(time_s < 0.0, 0.0, w * np.exp(-sigma * np.maximum(time_s, 0.0)) * np.sin(omega * time_s))


def ended(load_w: np.ndarray, least: float, above: str = "10 kW"):
    site = Rig({"limits": [LIMIT | {"min": least, "above": above}], "grid": {"short_circuit": "100 GVA"}}, load_w).run()
    (limit,), facts = site.scenario.limits, facts_of(site.scenario)
    ways = list(zip(judged(limit, facts), site.engine.states["limits"], strict=True))
    return site, limit_result(Evidence(H, load_w.size, site.scenario.measurement), limit, ways)


@pytest.mark.parametrize("damping", [-0.004, 0.0, 0.005, 0.01, 0.02])
@pytest.mark.parametrize("frequency_hz", [1.3, 2.0])
def test_the_damping_of_a_ring_is_told_to_a_hundredth_of_its_bound(damping, frequency_hz):
    """From rest: that it grows out of nothing at first is not held against it."""
    load_w = ring(damping, frequency_hz)
    _, below = ended(load_w, max(0.0, damping + 5e-4))
    assert below.outcome == "FAIL"
    assert below.worst == pytest.approx(damping, abs=2e-4)
    if damping > 0.0:
        _, above = ended(load_w, damping - 5e-4)
        assert (above.outcome, above.reasons) == ("PASS", [])
        assert above.margin == pytest.approx((above.worst - above.limit) / (1.0 - above.limit))


def test_it_is_judged_two_and_a_half_windows_after_it_began():
    site, found = ended(ring(0.005), 0.01)
    begun = int(np.flatnonzero(np.isfinite(site[CHANNEL]))[0])
    assert 5.0 < (begun + 1) * H < 5.0 + WINDOW_S
    assert found.first_violation_s == pytest.approx((begun + 1) * H + 2.5 * WINDOW_S)
    assert np.nanmin(site[CHANNEL][: begun + 100]) < -0.02  # out of nothing: it seems to grow


@pytest.mark.parametrize(
    ("load_w", "above"),
    [
        (np.full(40_000, 20e6), "10 kW"),
        (20e6 + 100.0 * np.arange(40_000), "10 kW"),
        (ring(0.0), "1.1 MW"),
        (ring(0.05), "10 kW"),  # gone before its damping could be told
    ],
)
def test_what_is_never_large_enough_for_long_enough_is_not_exercised(load_w, above):
    _, found = ended(load_w, 0.03, above)
    assert (found.outcome, found.worst) == ("NOT EXERCISED", None)
    size = "1.10 MW" if above == "1.1 MW" else "0.01 MW"
    assert found.reasons == [f"no oscillation stayed above {size} for as long as it takes to tell its damping, 10 s"]


def test_a_run_that_is_too_short_is_no_evidence():
    scenario = from_document(document(duration="15 s", limits=[LIMIT | {"min": 0.03, "above": "1 MW"}]))
    line = "its window, 18 s (two windows 8 s, begin of an oscillation 10 s), is longer than the run, 15 s"
    assert list(foreseen(scenario)) == [f"x: {line}: it cannot PASS"]
    _, found = ended(ring(0.0, seconds=15.0), 0.03, "1.1 MW")
    assert (found.outcome, found.reasons) == ("INCONCLUSIVE", [line])


def test_a_forced_oscillation_that_stops_hides_nothing():
    """It stands, undamped, and is then switched off, which looks like any damping."""
    load_w = ring(0.0)
    load_w[30_000:] = 20e6
    _, found = ended(load_w, 0.03)
    assert found.outcome == "FAIL"
    assert found.worst == pytest.approx(0.0, abs=2e-4)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"min": 1.0}, "min = 1.0: must be below 1"),
        ({"min": -0.1}, "min = -0.1: must be between 0 and 1"),
        ({"above": "0 W"}, "above = '0 W': must be above 0 W"),
        ({"window": "3 s"}, "window = '3 s': must hold two periods of the lower edge, 4 s"),
        ({"band": ["5 Hz", "0.5 Hz"]}, "band = ['5 Hz', '0.5 Hz']: must be [low, high] with 0 < low < high"),
    ],
)
def test_what_cannot_be_judged_so_is_refused_in_a_line(keys, line):
    with pytest.raises(ScenarioError) as refused:
        from_document(document(limits=[LIMIT | {"min": 0.03, "above": "1 MW"} | keys]))
    assert str(refused.value) == f"scenario: limits.x.{line}"
