"""Jumps of the phase of recorded voltages, and limits on the frequency that they block (docs/check.md, "Waveforms")."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from law_support import ALONE
from rig import H, Rig, document
from test_limits_kernel import state
from waveform_support import HEAD, judged, site

from hil.check.api import check
from hil.limits import entries
from hil.limits.facts import Facts
from hil.scenario.files import from_document
from hil.session.run import run_scenario
from hil.waves.fundamental import CYCLES, fundamental
from hil.waves.jumps import holds_jump, phase_jump, phase_jumps

TURN = 2.0 * math.pi
RATE_HZ = 10_000
HELD = math.ceil(CYCLES * RATE_HZ / 60)


def waves(
    rate_hz, frequency_hz, jumps, *, phases=3, seconds=2.0, ramp_hz_per_s=0.0, level=None, harmonics=((5, 0.04), (7, 0.03))
):
    """Voltages with a peak of 1 whose phase jumps, each at a sample and by an angle. level: their peak at each time."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    angle = TURN * (frequency_hz * time_s + 0.5 * ramp_hz_per_s * time_s**2)
    for at, degrees in jumps:
        angle[at:] += math.radians(degrees)
    found = []
    for place in range(phases):
        own = angle - TURN * place / 3.0
        wave = np.cos(own) + sum(share * np.cos(order * own + order) for order, share in harmonics)
        found.append(wave if level is None else level(time_s) * wave)
    return found


# --- the angle ---


@pytest.mark.parametrize("degrees", [3.0, 10.0, -30.0, 60.0, -90.0])
@pytest.mark.parametrize("ramp_hz_per_s", [0.0, 2.0, -5.0])
@pytest.mark.parametrize(("off_hz", "phases"), [(0.0, 3), (-2.3, 3), (1.9, 3), (0.0, 1), (-0.9, 1)])
@pytest.mark.parametrize(("rate_hz", "nominal_hz"), [(10_000, 60), (6_400, 50), (1_000, 50)])
def test_the_angle_of_a_jump_is_told_whatever_the_frequency_does(rate_hz, nominal_hz, off_hz, phases, ramp_hz_per_s, degrees):
    """Off nominal, moving, and with harmonics that jump with it."""
    at = round(0.4 * rate_hz)
    settings = (rate_hz, nominal_hz, 1.0)
    made = {"phases": phases, "seconds": 0.8, "ramp_hz_per_s": ramp_hz_per_s}
    angle = phase_jump(waves(rate_hz, nominal_hz + off_hz, [(at, degrees)], **made), *settings)
    assert angle[at] == pytest.approx(degrees, abs=0.1 if phases == 3 else 0.5)
    quiet = phase_jump(waves(rate_hz, nominal_hz + off_hz, [], **made), *settings)
    edge = 3 * math.ceil(rate_hz / nominal_hz)
    assert np.flatnonzero(~np.isnan(quiet))[[0, -1]] == pytest.approx([edge, quiet.size - edge], abs=2)
    assert np.nanmax(np.abs(quiet)) < (0.1 if phases == 3 else 0.5)


@pytest.mark.parametrize("degrees", [170.0, -170.0])
def test_the_angle_is_one_within_half_a_turn(degrees):
    angle = phase_jump(waves(RATE_HZ, 58.5, [(10_000, degrees)]), RATE_HZ, 60.0, 1.0)
    assert angle[10_000] == pytest.approx(degrees, abs=0.1)
    angle = phase_jump(waves(RATE_HZ, 61.5, [(10_000, degrees)]), RATE_HZ, 60.0, 1.0)
    assert angle[10_000] == pytest.approx(degrees, abs=0.1)


def test_around_a_jump_the_angle_falls_off_as_its_averages_do():
    """A step in a phase that is averaged twice over a cycle has the shape 1/2 t² and 1 - 1/2 (2 - t)²."""
    rate_hz = 6_000  # a hundred samples a cycle
    angle = phase_jump(waves(rate_hz, 60.0, [(6_000, 2.0)], harmonics=()), rate_hz, 60.0, 1.0)

    def step(time):
        time = np.clip(time, 0.0, 2.0)
        return np.where(time < 1.0, 0.5 * time**2, 1.0 - 0.5 * (2.0 - time) ** 2)

    cycles = np.arange(-350, 351) / 100.0
    expected = 2.0 * (2.0 * step(cycles + 2.0) - 2.0 * step(cycles) - step(cycles + 3.0) + step(cycles - 1.0))
    assert angle[5_650:6_351] == pytest.approx(expected, abs=0.06)
    assert np.nanmin(angle) == pytest.approx(-2.0 * 2 / 3, abs=0.03)


def test_a_step_of_the_frequency_counts_two_thirds_of_what_it_turns_in_a_cycle():
    """1 Hz turns 6 degrees in a cycle of 60 Hz."""
    time_s = np.arange(20_000) / RATE_HZ
    turns = 60.0 * time_s + np.maximum(0.0, time_s - 1.0)
    angle = phase_jump([np.cos(TURN * (turns - place / 3.0)) for place in range(3)], RATE_HZ, 60.0, 1.0)
    assert np.nanmax(np.abs(angle)) == pytest.approx(4.0, abs=0.05)
    assert abs(angle[10_000]) < 0.05


# --- which jumps there are ---


@pytest.mark.parametrize("phases", [3, 1])
@pytest.mark.parametrize(
    ("degrees", "least_deg", "found"),
    [(9.9, 10, False), (10.1, 10, True), (-10.1, 10, True), (29.9, 30, False), (30.1, 30, True)],
)
def test_a_jump_counts_beyond_the_angle(degrees, least_deg, found, phases):
    jumps = phase_jumps(waves(RATE_HZ, 60.4, [(10_000, degrees)], phases=phases), RATE_HZ, 60.0, 1.0, least_deg)
    assert [(jump.at, round(jump.degrees, 1), jump.unsure) for jump in jumps] == [(10_000, degrees, 0)] * found


@pytest.mark.parametrize("cycles", [4, 5, 8, 20])
def test_jumps_that_come_and_go_are_told_apart(cycles):
    back = 10_000 + round(cycles * RATE_HZ / 60)
    jumps = phase_jumps(waves(RATE_HZ, 59.8, [(10_000, -30.0), (back, 18.0)]), RATE_HZ, 60.0, 1.0, 10.0)
    assert [(jump.at, round(jump.degrees, 1), jump.unsure) for jump in jumps] == [(10_000, -30.0, 0), (back, 18.0, 0)]


@pytest.mark.parametrize("cycles", [0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0])
@pytest.mark.parametrize(("one", "other"), [(-20.0, 20.0), (20.0, 20.0), (-30.0, 14.0), (14.0, -30.0), (60.0, -60.0)])
def test_of_jumps_close_to_each_other_no_more_is_left_than_of_one_that_does_not_count(one, other, cycles):
    """A jump of 10 degrees moves the frequency by three quarters of what it turns in a cycle: 1.25 Hz."""
    then = 10_000 + round(cycles * RATE_HZ / 60)
    voltages = waves(RATE_HZ, 60.0, [(10_000, one), (then, other)])
    jumps = phase_jumps(voltages, RATE_HZ, 60.0, 1.0, 10.0)
    blocked = holds_jump(jumps, voltages[0].size, RATE_HZ, 60.0)
    off_hz = np.abs(fundamental(voltages, RATE_HZ, 60.0, 1.0).frequency_hz - 60.0)
    assert np.nanmax(off_hz) > 1.25
    assert np.nanmax(off_hz[~blocked]) < 1.25
    assert blocked.sum() < then - 10_000 + HELD + 6 * 2 * RATE_HZ / 60


@pytest.mark.parametrize(("phases", "most_hz"), [(3, 1.25), (1, 1.7)])
def test_of_any_two_jumps_close_to_each_other_little_is_left(phases, most_hz):
    rng = np.random.default_rng(5)
    for _ in range(200):
        one, other = rng.choice([-1.0, 1.0], 2) * rng.uniform(10.0, 60.0, 2)
        then = 6_000 + round(rng.uniform(0.3, 3.5) * RATE_HZ / 60)
        voltages = waves(RATE_HZ, 60.0, [(6_000, one), (then, other)], phases=phases, seconds=1.2, harmonics=())
        jumps = phase_jumps(voltages, RATE_HZ, 60.0, 1.0, 10.0)
        blocked = holds_jump(jumps, 12_000, RATE_HZ, 60.0)
        off_hz = np.abs(fundamental(voltages, RATE_HZ, 60.0, 1.0).frequency_hz - 60.0)
        assert np.nanmax(off_hz[~blocked]) < most_hz, (one, other, then)


@pytest.mark.parametrize("phases", [3, 1])
def test_a_jump_into_a_dip_and_out_of_it(phases):
    def dip(time_s):
        return np.where((time_s >= 1.0) & (time_s < 1.15), 0.4, 1.0)

    plain = waves(RATE_HZ, 60.3, [], phases=phases, level=dip)
    assert phase_jumps(plain, RATE_HZ, 60.0, 1.0, 10.0) == []
    jumps = phase_jumps(
        waves(RATE_HZ, 60.3, [(10_000, -25.0), (11_500, 25.0)], phases=phases, level=dip), RATE_HZ, 60.0, 1.0, 15.0
    )
    assert [jump.at for jump in jumps] == pytest.approx([10_000, 11_500], abs=0 if phases == 3 else 50)
    assert [jump.degrees for jump in jumps] == pytest.approx([-25.0, 25.0], abs=0.1 if phases == 3 else 1.5)


def test_noise_comes_to_an_end_and_a_gap_is_none():
    rng = np.random.default_rng(3)
    phase_jumps([rng.standard_normal(100_000)], RATE_HZ, 60.0, 1.0, 5.0)
    voltages = waves(RATE_HZ, 60.0, [])
    voltages[1][9_000:9_050] = np.nan
    assert phase_jumps(voltages, RATE_HZ, 60.0, 1.0, 1.0) == []
    assert phase_jumps([one[:300] for one in voltages], RATE_HZ, 60.0, 1.0, 1.0) == []


def test_a_frequency_holds_a_jump_for_three_cycles():
    voltages = waves(RATE_HZ, 60.0, [(10_000, 30.0)])
    blocked = holds_jump(phase_jumps(voltages, RATE_HZ, 60.0, 1.0, 10.0), 20_000, RATE_HZ, 60.0)
    assert np.flatnonzero(blocked)[[0, -1]].tolist() == [10_000, 10_000 + HELD - 1]
    off_hz = np.abs(fundamental(voltages, RATE_HZ, 60.0, 1.0).frequency_hz - 60.0)
    assert np.nanmax(off_hz[~blocked]) < 1e-6
    assert np.flatnonzero(off_hz > 1e-6)[[0, -1]] == pytest.approx([10_000, 10_000 + HELD - 1], abs=2)


# --- limits ---

OVER, UNDER = "kind = 'overfrequency'\nmax = '60.5 Hz'\n", "kind = 'underfrequency'\nmin = '59.5 Hz'\n"
QUICK = "kind = 'rocof'\nmax = '2 Hz/s'\nwindow = '20 ms'\n"
SLOW = "kind = 'rocof'\nmax = '2 Hz/s'\nwindow = '500 ms'\n"
BLOCK = "block_jump = '10 deg'\n"


def moved(*jumps, frequency=lambda time_s: 0.0 * time_s, level=None):
    """For `site`: in place of its voltages some whose phase jumps, at a time and by an angle, and whose frequency moves."""

    def voltage(_, time_s, phase):
        turns = 60.0 * time_s + np.cumsum(frequency(time_s)) * (time_s[1] - time_s[0])
        angle = TURN * (turns - "abc".index(phase) / 3.0)
        for at_s, degrees in jumps:
            angle = angle + np.where(time_s > at_s - 1e-9, math.radians(degrees), 0.0)
        return np.cos(angle) if level is None else level(time_s) * np.cos(angle)

    return voltage


def outcomes(result):
    return [str(limit.outcome) for limit in result.limits.values()]


@pytest.mark.parametrize("degrees", [30.0, -30.0])
def test_a_jump_violates_what_it_does_not_block(degrees, tmp_path):
    path = site(tmp_path, 3.0, voltage=moved((1.5, degrees)))
    beyond = OVER if degrees > 0 else UNDER
    assert outcomes(judged(tmp_path, path, beyond, QUICK, SLOW)) == ["FAIL"] * 3
    blocked = judged(tmp_path, path, *(limit + BLOCK for limit in (OVER, UNDER, QUICK, SLOW)))
    assert blocked.verdict == "PASS"
    assert outcomes(blocked) == ["PASS"] * 4
    assert not any(limit.reasons for limit in blocked.limits.values())
    for name, limit in blocked.limits.items():
        assert f"{name}: blocked for 0.050 s by a phase jump of {degrees:.1f} deg at 1.500 s" in blocked.notes
        assert limit.worst == pytest.approx(60.0 if limit.unit == "Hz" else 0.0, abs=1e-6)


@pytest.mark.parametrize(("degrees", "outcome"), [(14.9, "FAIL"), (15.1, "PASS")])
def test_only_a_jump_beyond_the_angle_blocks(degrees, outcome, tmp_path):
    path = site(tmp_path, 2.0, voltage=moved((1.0, degrees)))
    result = judged(tmp_path, path, OVER + "block_jump = '15 deg'\n")
    assert outcomes(result) == [outcome]
    assert any("blocked" in note for note in result.notes) == (outcome == "PASS")


@pytest.mark.parametrize("jumps", [(), ((1.0, 30.0),)])
def test_a_frequency_that_steps_or_moves_is_seen(jumps, tmp_path):
    for frequency in (lambda time_s: np.where(time_s > 1.0, 1.0, 0.0), lambda time_s: np.clip(5.0 * (time_s - 1.0), 0.0, 1.0)):
        path = site(tmp_path, 3.0, voltage=moved(*jumps, frequency=frequency))
        result = judged(
            tmp_path, path, *(limit + BLOCK for limit in (OVER, OVER + "delay = '1.5 s'\n", SLOW.replace("2 Hz/s", "1 Hz/s")))
        )
        over, late, rocof = result.limits.values()
        assert [over.outcome, late.outcome] == ["FAIL", "FAIL"]
        assert over.worst == pytest.approx(61.0, abs=1e-3)
        assert rocof.worst == pytest.approx(2.0, abs=0.02)  # the mean over half a second
        assert rocof.outcome == "FAIL"


def test_a_step_that_is_as_far_as_a_jump_is_seen_after_it(tmp_path):
    """3 Hz turn 12 degrees in two thirds of a cycle: blocked for a while, and then beyond."""
    path = site(tmp_path, 2.0, voltage=moved(frequency=lambda time_s: np.where(time_s > 1.0, 3.0, 0.0)))
    result = judged(tmp_path, path, OVER + BLOCK)
    (over,) = result.limits.values()
    assert over.outcome == "FAIL"
    assert over.worst == pytest.approx(63.0, abs=0.01)
    assert 1.0 < over.first_violation_s < 1.2
    assert any("x0: blocked for " in note for note in result.notes)


def test_81r_is_not_judged_while_an_end_of_its_window_is_blocked(tmp_path):
    """Between, its window holds the jump, but its two frequencies do not: a ramp from there on is seen in time."""
    path = site(tmp_path, 3.0, voltage=moved((1.0, 30.0), frequency=lambda time_s: np.clip(4.0 * (time_s - 1.1), 0.0, 2.0)))
    (rocof,) = judged(tmp_path, path, SLOW.replace("2 Hz/s", "1 Hz/s") + BLOCK).limits.values()
    assert rocof.first_violation_s == pytest.approx(1.1 + 0.5 / 4.0 + 1.5 / 60, abs=2e-3)


def test_a_jump_into_a_dip_with_both_blocks(tmp_path):
    """The gate keeps the limit from looking during the dip, the jumps from looking around its ends."""

    def dip(time_s):
        return np.where((time_s > 1.0 - 1e-9) & (time_s < 1.3 - 1e-9), 0.5, 1.0)

    path = site(tmp_path, 3.0, voltage=moved((1.0, -30.0), (1.3, 30.0), level=dip))
    limits = [
        limit + keys
        for keys in ("block_below = 0.7\n", BLOCK, BLOCK + "block_below = 0.7\n")
        for limit in (UNDER, OVER, QUICK)
    ]
    result = judged(tmp_path, path, *limits)
    assert outcomes(result) == ["FAIL"] * 3 + ["PASS"] * 6
    assert all(not limit.reasons for limit in result.limits.values())
    assert [note for note in result.notes if note.startswith("x6:")] == [
        "x6: blocked for 0.050 s by a phase jump of -30.0 deg at 1.000 s",
        "x6: blocked for 0.050 s by a phase jump of 30.0 deg at 1.300 s",
    ]


def test_what_is_blocked_is_not_missing_and_what_is_missing_is(tmp_path):
    """A jump of 150 degrees also takes the frequency away; samples that were not recorded are another matter."""
    path = site(tmp_path, 2.0, voltage=moved((1.0, 150.0)))
    plain, blocked = judged(tmp_path, path, UNDER.replace("59.5", "30"), UNDER.replace("59.5", "30") + BLOCK).limits.values()
    assert (plain.outcome, blocked.outcome) == ("INCONCLUSIVE", "PASS")
    assert plain.reasons[0].endswith("samples are missing")

    def gap(wave, time_s, phase):
        return np.where((time_s > 0.5) & (time_s < 0.51), np.nan, moved((1.0, 30.0))(wave, time_s, phase))

    (lost,) = judged(tmp_path, site(tmp_path, 2.0, voltage=gap), OVER + BLOCK).limits.values()
    assert lost.outcome == "INCONCLUSIVE"
    assert lost.reasons[0].endswith("samples are missing")


def test_a_delay_longer_than_what_is_left_is_not_held(tmp_path):
    """Jumps every 0.4 s leave 0.35 s between them: a delay of 0.36 s never ends, one of 0.3 s does."""
    jumps = [(0.2 + 0.4 * count, 20.0 * (-1) ** count) for count in range(7)]
    path = site(tmp_path, 2.8, voltage=moved(*jumps))
    never, held = judged(
        tmp_path, path, OVER + BLOCK + "delay = '360 ms'\n", OVER + BLOCK + "delay = '300 ms'\n"
    ).limits.values()
    assert (never.outcome, held.outcome) == ("INCONCLUSIVE", "PASS")
    assert never.reasons == ["never judged for its delay, 0.36 s, without a break"]
    result = check(path, tmp_path / "limits.toml")
    assert "x0: blocked 7 times, 0.350 s in all, the first for 0.050 s by a phase jump of 20.0 deg at 0.200 s" in result.notes


@pytest.mark.parametrize("more", ["", "acts_as = 'relay'\n", "timer = 'cumulative'\ndelay = '30 ms'\n"])
def test_relays_are_blocked_alike(more, tmp_path):
    path = site(tmp_path, 2.0, voltage=moved((1.0, 30.0)))
    for limit in (OVER, QUICK):
        free, blocked = judged(tmp_path, path, limit + more, limit + more + BLOCK).limits.values()
        assert free.outcome == "FAIL", more
        assert blocked.outcome == ("NOT EXERCISED" if "acts_as" in more else "PASS")


def test_one_phase_and_phases_in_the_other_order_are_blocked(tmp_path):
    path = site(tmp_path, 2.0, voltage=moved((1.0, 30.0)))
    one = "\n".join(line for line in HEAD.splitlines() if "_b_wave" not in line and "_c_wave" not in line) + "\n"
    other = HEAD.replace('"Vb"', '"V?"').replace('"Vc"', '"Vb"').replace('"V?"', '"Vc"')
    for head in (one, other):
        assert outcomes(judged(tmp_path, path, OVER, OVER + BLOCK, head=head)) == ["FAIL", "PASS"]


def test_a_recorded_frequency_shows_no_jumps(tmp_path):
    (tmp_path / "site.csv").write_text(
        "time_s,pcc.frequency_hz\n" + "".join(f"{place / 50},{61.5 if place == 60 else 60}\n" for place in range(200))
    )
    result = judged(tmp_path, tmp_path / "site.csv", OVER + BLOCK, head="")
    assert outcomes(result) == ["FAIL"]
    assert result.notes == ["x0: block_jump blocks nothing: of pcc no waveforms were recorded, which would show a phase jump"]


def test_a_frequency_recorded_beside_the_waveforms_is_blocked_too(tmp_path):
    """What is missing of it, and its steps of 0.1 Hz, count as ever."""
    path = site(tmp_path, 2.0, voltage=moved((1.0, 30.0)))
    table = pq.read_table(path)
    recorded = np.full(table.num_rows, 60.0)
    recorded[10_000:10_400] = 63.1
    head = HEAD.replace("[signals]", "[signals]\n'pcc.frequency_hz' = { column = 'f' }")
    for lost, reason in ((0, "its margin, "), (20, "20 samples are missing")):
        recorded[:lost] = np.nan
        pq.write_table(table.append_column("f", pa.array(recorded)), path)
        (limit,) = judged(tmp_path, path, OVER.replace("60.5", "60.04") + BLOCK, head=head).limits.values()
        assert limit.outcome == "INCONCLUSIVE"
        assert any(found.startswith(reason) for found in limit.reasons)
        assert limit.worst == 60.0


def test_channels_say_what_blocks_them():
    known, unknown = (Facts(100_000, 60.0, jumps=jumps) for jumps in (True, False))
    limits = from_document(
        document(
            duration="2 s",
            limits=[
                {"name": f"x{number}", "kind": "rocof", "max": "1 Hz/s", "acts_as": "relay", **keys}
                for number, keys in enumerate(({"block_jump": "12.5 deg"}, {"block_jump": "12.5 deg", "block_below": 0.8}))
            ],
        )
    ).limits
    names = [
        [made for one in how.functions for made in one.outputs] for limit in limits for how in entries.judged(limit, known)
    ]
    rocof = "pcc.rocof_0.5_s"
    assert names == [
        [f"{rocof}_blocked_jump_12.5_deg_hz_per_s", "limits.x0.operating_share"],
        [
            "pcc.frequency_blocked_jump_12.5_deg_below_0.8_pu_hz",
            f"{rocof}_blocked_jump_12.5_deg_below_0.8_pu_hz_per_s",
            "limits.x1.operating_share",
        ],
    ]
    assert entries.judged(limits[0], known)[0].functions[0].inputs == ("pcc.frequency_blocked_jump_12.5_deg_hz",)
    assert entries.judged(limits[0], unknown)[0].functions[0].inputs == ("pcc.frequency_measured_hz",)


# --- a site ---


def test_a_run_takes_the_key_and_has_nothing_to_block():
    limit = {"name": "x", "kind": "rocof", "max": "1 Hz/s", "window": "50 ms"}
    area = {"short_circuit": "100 MVA", "source": 1.0, "area": "100 MVA", "inertia": "0.2 s"}
    load = 10e6 + 5e6 * np.sin(TURN * 0.5 * np.arange(2500) * H)
    free, keyed = (Rig({"grid": area, "limits": [one]}, load).run() for one in (limit, limit | {"block_jump": "10 deg"}))
    assert state(free) == state(keyed)
    sections = document(duration="2 s", limits=[limit])
    with_key = document(duration="2 s", limits=[limit | {"block_jump": "10 deg"}])
    hashes = [run_scenario(from_document(one), ALONE).waveform_hash for one in (sections, with_key)]
    assert hashes[0] == hashes[1]
