"""The compiled protection functions and limits against the second implementation, validation/protection (docs/protection.md).

Random recordings, and the least recordings by which the two once differed: there the kernel was wrong.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "validation"))
from protection import agreement, envelopes, images, limit_agreement, replays, storage_agreement
from protection.relays import Relay, relay

CASES = {**agreement.CASES, **limit_agreement.CASES, **storage_agreement.CASES}
NAN = np.nan


@pytest.mark.parametrize("name", CASES)
def test_random_recordings(name):
    tally, wrong = agreement.worst(name, range(60), CASES)
    assert wrong == []
    assert tally.differ == 0
    assert (tally.yes == 0) == (name in agreement.NUMBERS)  # else recordings decide something


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_many_random_recordings(name):
    tally, wrong = agreement.worst(name, range(10_000, 11_500), CASES)
    assert wrong == []
    assert tally.compared > 100_000


# --- relays ---

CURVE = Relay(1.0, 0.95, inverse=True, a=3.0, reset="disc", tr=4.0)


def both(values: list[float], setting: Relay) -> list[float]:
    """What both put out, which is one."""
    value = np.array(values)
    ours, theirs = relay(value, setting), replays.relay(value, setting)
    assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-12)
    return theirs.tolist()


def test_a_disc_turns_back_from_its_stop():
    """However long the relay has been beyond its time: a disc cannot turn further than to its contact."""
    assert both([0, 100, 100, 0, 0, 0, 0, 0], CURVE)[3:] == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_a_disc_is_turned_on_by_nothing_that_flows_the_other_way():
    assert both([0, 2, 2, -3, -3, -3], CURVE) == pytest.approx([0, 0, 1 / 3, 2 / 3, 5 / 12, 1 / 6])


def test_what_is_not_a_number_lets_a_relay_drop_out_and_spoils_nothing():
    assert both([0, 2, 2, 0, NAN, NAN, 2, 2, 2, 2], CURVE)[-4:] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert both([0, 2, NAN, 2, 2], Relay(1.0, 0.9, delay_samples=2)) == [0, 0, 0, 0, 0.5]


def test_a_least_time_is_kept_and_forgotten_with_the_share():
    """A disc that is back at its beginning has forgotten it; and the share is that of what is slower, time or curve."""
    disc = dataclasses.replace(CURVE, a=1.0, tr=1.0, delay_samples=4)
    assert both([0, 2, 2, 2, 0, 0, 0, 2, 2, 2, 2, 2], disc)[-5:] == [0, 0.25, 0.5, 0.75, 1.0]
    assert both([0, 1.5, 1.5, 1.5], Relay(1.0, 0.9, inverse=True, a=1.0, delay_samples=40)) == [0, 0, 0.025, 0.05]


@pytest.mark.parametrize(("rest", "goes_on"), [(1, True), (3, True), (4, False)])
def test_a_definite_reset_keeps_for_its_time(rest, goes_on):
    """Picked up again at the sample that is `reset` after drop-out it goes on, one later it does not."""
    setting = Relay(1.0, 0.9, delay_samples=4, reset="definite", reset_samples=3)
    assert both([2, 2, 2, *[0] * rest, 2, 2], setting)[-2:] == ([0.75, 1.0] if goes_on else [0, 0.25])


@pytest.mark.parametrize(
    "setting",
    [
        Relay(0.9, 0.92, under=True, inverse=True, a=1.0),
        Relay(-1.0, -1.1, inverse=True, a=1.0),
        Relay(1.0, 0.9, reset="disc", delay_samples=3),
        dataclasses.replace(CURVE, most=1.0),
    ],
    ids=["below a positive pick-up", "above a negative one", "a disc without a curve", "flat from pick-up on"],
)
def test_a_relay_that_could_never_operate_or_reset_is_refused(setting):
    with pytest.raises(ValueError, match="relays: channel, output, times or curve"):
        replays.relay(np.zeros(3), setting)


# --- envelopes ---

DEEP = (envelopes.Threshold(0.5, under=True, inclusive=False, allowed=3),)
POWER = envelopes.Envelope(0.9, 1.1, DEEP, 0.9, recovery=2, relative=True)
STATE = envelopes.Envelope(0.9, 1.1, DEEP, 0.5, recovery=2)


def judged(values: list[float], subject: list[float], setting: envelopes.Envelope) -> tuple[list[float], list[float]]:
    """Both outputs of both, which are one."""
    args = np.array(values), np.array(subject, dtype=float), setting, float(subject[0])
    ours, theirs = envelopes.envelope(*args), replays.envelope(*args)
    for a, b in zip(ours, theirs, strict=True):
        assert b == pytest.approx(a, nan_ok=True)
    return theirs[0].tolist(), theirs[1].tolist()


def test_each_disturbance_counts_for_itself():
    """Two dips, the second in the recovery of the first: neither was too long, and so the power must come back."""
    share, let_go = judged([1, 0.4, 0.4, 1, 0.4, 0.4, 1, 1, 1, 1], [10] + [0] * 9, POWER)
    assert max(share) == pytest.approx(2 / 3)
    assert let_go[-2:] == [1, 1]


@pytest.mark.parametrize(("back", "failed"), [(4, False), (5, True)])
def test_the_power_must_be_back_when_its_time_is_up(back, failed):
    """At the sample that is `recovery` after the end, as the limit `recovery` has it."""
    _, let_go = judged([1, 0.4, 1, 1, 1, 1, 1], [10, *[0] * (back - 1), *[10] * (7 - back)], POWER)
    assert (1.0 in let_go) is failed
    assert np.isnan(let_go[-1])  # and then it is over


def test_a_power_that_was_fed_in_must_be_fed_in_again():
    assert judged([1, 0.4, 1, 1, 1, 1], [-10, 0, 0, 0, 0, 0], POWER)[1][-2:] == [1, 1]
    assert 1.0 not in judged([1, 0.4, 1, 1, 1, 1], [-10, 0, 0, 0, -9.5, -9.5], POWER)[1]


def test_who_let_go_too_early_is_not_pardoned_by_what_comes_after():
    """Neither because the dip goes on until a trip would be allowed, nor because it is over."""
    assert judged([1, *[0.4] * 5, 1, 1], [1, 1, 0, 0, 0, 0, 0, 0], STATE)[1][2:] == [1.0] * 6
    assert judged([1, 0.4, 0.4, 1, 1, 1, 1], [1, 1, 0, 0, 0, 1, 1], STATE)[1][2:6] == [1.0] * 4


def test_who_may_trip_still_may_in_a_disturbance_before_it_is_back():
    _, let_go = judged([1, *[0.4] * 4, 1, 0.8, 0.8, 1, 1, 1, 1], [1, 1, 1, 1, *[0] * 5, 1, 1, 1], STATE)
    assert 1.0 not in let_go
    assert np.isnan(let_go[-1])


def test_a_subject_that_is_not_a_number_does_not_stay():
    assert judged([1, 0.4, 0.4, 1, 1], [1, 1, NAN, 1, 1], STATE)[1][2] == 1.0


# --- what is not a number, elsewhere ---


def test_a_gap_in_a_recording_spoils_neither_a_filter_nor_a_thermal_image():
    value = np.array([1.0, 2.0, NAN, 2.0, 2.0, 2.0])
    for compiled in (
        replays.thermal(value, 1.0, 5.0, 5.0, 0.0, 1.0),
        replays.filtered(value, np.array([[0.2, 0.2, 0, 1, -0.6, 0]]), np.zeros((1, 2)), np.zeros(6, bool)),
    ):
        assert np.isfinite(compiled).all()


def test_a_limit_judges_no_sample_that_is_not_a_number_and_its_time_begins_anew():
    beyond = replays.limit("level", high=1.0, delay=2).samples(np.array([0, NAN, 2, 2, 2, 2.0]), field="beyond")
    assert beyond.tolist() == [0, 0, 0, 0, 1, 1]


def test_no_state_decays_into_subnormal_numbers():
    """708 time constants are past 1e-308; the filter's is a little more than a sample."""
    value = np.concatenate([[1.0], np.zeros(3_000)])
    sections = np.array([[0.5, -0.5, 0.0, 1.0, -0.4, 0.0]])
    for out in (
        replays.thermal(value, 1.0, 1e-3, 1e-3, 0.0, 1e-3),
        replays.filtered(value, sections, np.array([[-0.5, 0.0]]), np.zeros(value.size, bool)),
    ):
        assert np.min(np.abs(out[out != 0.0])) > np.finfo(float).tiny
        assert out[-1] == 0.0


def test_the_thermal_image_against_the_closed_form_of_its_standard():
    """Cold and hot trip times at 1.1 to 6 times Ib: τ·ln((I² − Ip²)/(I² − (k·Ib)²))."""
    tau_s, k, dt = 600.0, 1.05, 0.01
    for multiple, before in ((1.2, 0.0), (1.5, 0.9), (6.0, 1.0)):
        expected_s = tau_s * np.log((multiple**2 - before**2) / (multiple**2 - k**2))
        current = np.full(round(expected_s / dt) + 10, multiple)
        for thermal in (images.thermal, replays.thermal):
            theta = thermal(current, k**-2, tau_s, tau_s, (before / k) ** 2, dt)
            assert np.argmax(theta >= 1.0) == np.ceil(expected_s / dt)


IEC = {"SI": (0.14, 0.0, 0.02), "VI": (13.5, 0.0, 1.0), "EI": (80.0, 0.0, 2.0)}
IEEE = {"MI": (0.0515, 0.114, 0.02), "VI": (19.61, 0.491, 2.0), "EI": (28.2, 0.1217, 2.0)}


@pytest.mark.parametrize(("a", "b", "exponent"), [*IEC.values(), *IEEE.values()], ids=[*IEC, *(f"IEEE {n}" for n in IEEE)])
def test_curves_operate_at_their_times(a, b, exponent):
    dt = 0.01
    for multiple in (1.5, 2.0, 5.0, 20.0):
        expected_s = a / (multiple**exponent - 1.0) + b
        value = np.full(int(expected_s / dt) + 10, multiple)
        setting = Relay(1.0, 0.95, inverse=True, a=a, b=b, exponent=exponent, dt=dt)
        for share in (relay(value, setting), replays.relay(value, setting)):
            assert np.argmax(share >= 1.0 - 1e-9) == np.ceil(expected_s / dt - 1e-6)
