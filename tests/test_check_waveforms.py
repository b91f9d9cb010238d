"""`hil check` on samples point on wave: harmonics, and what lasts less than a cycle (docs/check.md, "Waveforms")."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ci_support import cases, junit, red
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from waveform_support import HEAD, SHORT, distortion, judged, site

from hil.check.api import check
from hil.check.transients import _used
from hil.cli.app import app
from hil.errors import HilError

# --- harmonics ---


def test_harmonics_of_the_voltage_each_and_together(tmp_path):
    path = site(tmp_path, harmonics={5: 0.029, 7: 0.02, 11: 0.011}, frequency_hz=59.7)
    together = math.sqrt(0.029**2 + 0.02**2 + 0.011**2)
    result = judged(tmp_path, path, distortion(0.03, 0.05), distortion(0.028, 0.05), distortion(0.03, 0.036))
    held, one, all_of_them = result.limits.values()
    assert [limit.outcome for limit in (held, one, all_of_them)] == ["PASS", "FAIL", "FAIL"]
    assert (held.worst, held.limit, held.unit) == (pytest.approx(2.9, abs=0.003), pytest.approx(3.0), "%")
    assert held.margin == pytest.approx(1 / 30, abs=1e-3)
    assert all_of_them.worst == pytest.approx(100 * together, abs=0.004)
    assert (one.first_violation_s, one.time_beyond_s, one.excursions) == (pytest.approx(0.02, abs=0.04), pytest.approx(5.0), 1)
    notes = "\n".join(result.notes)
    assert "x1: least margin at order 5 of phase" in notes
    assert "x2: least margin at THD of phase" in notes


def test_harmonics_of_the_current_by_the_row_of_the_table(tmp_path):
    """15 kA over 500 A is a ratio of 30; shares are of the demand current, not of what flows."""
    table = "table = [[0, 0.04, 0.02, 0.015, 0.006, 0.003, 0.05], [20, 0.07, 0.035, 0.025, 0.01, 0.005, 0.08]]"
    path = site(tmp_path, of_current={4: 0.04, 5: 0.06, 13: 0.03})
    together = 0.8 * 100 * math.sqrt(0.04**2 + 0.06**2 + 0.03**2)
    even = "even_share = 0.5\neven_up_to = 6"
    limit = f"kind = 'current_distortion'\n{table}\n{SHORT}\n"
    held, halved = judged(tmp_path, path, limit, limit + even).limits.values()
    assert (held.outcome, halved.outcome) == ("PASS", "PASS")
    assert (held.worst, held.limit) == (pytest.approx(together, abs=0.005), pytest.approx(8.0))
    assert (halved.worst, halved.limit) == (pytest.approx(3.2, abs=0.005), pytest.approx(3.5))
    result = judged(tmp_path, path, limit, head=HEAD.replace("15 kA", "9.9 kA"))
    (failed,) = result.limits.values()
    assert (failed.outcome, failed.limit, failed.worst) == ("FAIL", pytest.approx(5.0), pytest.approx(together, abs=0.005))
    assert "x0: short-circuit over demand current is 19.8: the row from 0 on" in result.notes
    result = judged(tmp_path, path, limit, head=HEAD.replace("15 kA", "10 kA"))
    assert "x0: short-circuit over demand current is 20: the row from 20 on" in result.notes


def test_a_percentile_of_a_period_that_is_longer_is_not_decided_but_for_what_is_sure(tmp_path):
    """95 % of 120 values allow six beyond: seven are a violation whatever comes. Of 140 they are not."""
    early = site(tmp_path, 7.5, voltage=lambda wave, time_s, _: wave + 0.05 * np.cos(2 * np.pi * 300 * time_s))
    week = "statistics = [{ interval = '1 s', percentile = 95, period = '%d s' }]"
    sure, open_ = judged(tmp_path, early, distortion(0.03, 0.2, week % 120), distortion(0.03, 0.2, week % 140)).limits.values()
    assert (sure.outcome, open_.outcome) == ("FAIL", "INCONCLUSIVE")
    assert open_.reasons == [
        "95 % of 1 s values in 140 s: the recording, 7 s of them, is shorter; it is beyond its limit there"
    ]
    (held,) = judged(tmp_path, site(tmp_path), distortion(0.03, 0.05, week % 604800)).limits.values()
    assert held.outcome == "INCONCLUSIVE"
    assert held.reasons[0].endswith("is shorter; it is within its limit there")
    (none,) = judged(tmp_path, site(tmp_path, 0.9), distortion(0.03, 0.05)).limits.values()
    assert (none.outcome, none.worst) == ("INCONCLUSIVE", None)
    assert none.reasons == ["95 % of 1 s values in 5 s: no interval is whole"]


def test_what_the_sampling_does_not_show_is_not_held(tmp_path):
    held, violated = judged(
        tmp_path,
        site(tmp_path, rate_hz=3_840, harmonics={5: 0.02}),
        distortion(0.03, 0.05),
        distortion(0.01, 0.05),
    ).limits.values()
    assert (held.outcome, violated.outcome) == ("INCONCLUSIVE", "FAIL")
    assert held.reasons == ["3840 samples a second show harmonics up to order 25 of 50"]
    (enough,) = judged(tmp_path, tmp_path / "site.parquet", distortion(0.03, 0.05, more="highest = 25")).limits.values()
    assert enough.outcome == "PASS"


def test_a_dip_is_no_harmonic(tmp_path):
    def dip(wave, time_s, _):
        return np.where((time_s > 2.3) & (time_s < 2.45), 0.5, 1.0) * wave

    two = "statistics = [{ interval = '1 s', percentile = 95, period = '5 s' }]"
    result = judged(tmp_path, site(tmp_path, voltage=dip), distortion(0.03, 0.05, two))
    assert result.limits["x0"].outcome == "PASS"
    assert any("windows of 0.2 s are left out: a voltage was beyond 0.9 to 1.1 pu" in note for note in result.notes)


def test_samples_that_are_missing_are_told(tmp_path):
    def gap(wave, time_s, phase):
        return np.where((phase == "b") & (time_s > 3.0) & (time_s < 3.01), np.nan, wave)

    held, voltage = judged(
        tmp_path, site(tmp_path, voltage=gap), distortion(0.03, 0.05), "kind = 'undervoltage'\nmin = 0.9"
    ).limits.values()
    assert held.outcome == "INCONCLUSIVE"
    assert held.reasons[0].startswith("samples, or the fundamental, are missing in ")
    assert voltage.outcome == "INCONCLUSIVE"
    assert voltage.reasons[0].endswith("samples are missing")


def test_a_limit_for_other_voltages_does_not_apply(tmp_path):
    path = site(tmp_path)
    one = distortion(0.03, 0.05, more="above = '1 kV'\nup_to = '34.5 kV'")
    other = distortion(0.001, 0.001, more="above = '34.5 kV'")
    result = judged(tmp_path, path, one, other)
    assert [limit.outcome for limit in result.limits.values()] == ["PASS", "NOT APPLICABLE"]
    assert result.verdict == "PASS"
    assert result.limits["x1"].reasons == ["is for nominal voltages above 34.5 kV, and this one is 34.5 kV"]
    ended = CliRunner().invoke(
        app, ["check", str(path), "--limits", str(tmp_path / "limits.toml"), "--junit", str(tmp_path / "x.xml")]
    )
    assert ended.exit_code == 0
    assert "NOT APPLICABLE" in ended.stdout
    assert "x1: is for nominal voltages above 34.5 kV" in ended.stdout
    assert "PASS  1 of 1 required limits held" in ended.stdout
    assert not red(cases(junit((tmp_path / "x.xml").read_bytes())).values())


def test_the_profile_of_ieee_519(tmp_path):
    path = site(tmp_path, harmonics={5: 0.01})
    (tmp_path / "limits.toml").write_text(HEAD + "[[limits]]\nprofile = 'ieee-519'\nunverified = true\nrequired = true\n")
    result = check(path, tmp_path / "limits.toml")
    outcomes = {name.partition(": ")[2]: limit.outcome for name, limit in result.limits.items()}
    assert {name for name, outcome in outcomes.items() if outcome != "NOT APPLICABLE"} == {
        "voltage to 69 kV",
        "current to 69 kV",
        "current to 69 kV, short",
    }
    assert result.verdict == "INCONCLUSIVE"  # six seconds are no week
    assert result.limits["ieee-519: voltage to 69 kV"].limit == pytest.approx(4.5)
    (tmp_path / "limits.toml").write_text(HEAD + "[[limits]]\nprofile = 'ieee-519'\nrequired = true\n")
    assert len(check(path, tmp_path / "limits.toml").limits) == 2


# --- under a cycle ---


def spiked(level: float, *times_s: tuple[float, float]):
    """A plateau, of either sign with the wave, in phase c."""

    def done(wave, time_s, phase):
        for begin_s, end_s in times_s if phase == "c" else ():
            inside = (time_s > begin_s - 1e-9) & (time_s < end_s - 1e-9)
            wave = np.where(inside, level * np.sign(wave), wave)
        return wave

    return done


@pytest.mark.parametrize(("lasts_ms", "outcome"), [(2.7, "PASS"), (3.3, "FAIL")])
def test_how_long_an_instantaneous_voltage_may_be_above_a_level(lasts_ms, outcome, tmp_path):
    begin_s = 1.0057  # where phase c does not change its sign
    path = site(tmp_path, 2.0, voltage=spiked(1.5, (begin_s, begin_s + 1e-3 * lasts_ms)))
    result = judged(tmp_path, path, "kind = 'transient_overvoltage'\nabove = [['1.4 pu', '3 ms'], ['2 pu', '1 ms']]")
    (found,) = result.limits.values()
    assert found.outcome == outcome
    assert found.worst == pytest.approx(lasts_ms / 3.0, abs=0.05)
    assert found.margin == pytest.approx(1.0 - found.worst)
    assert "most of an allowed time was used above 1.4 pu of phase c" in result.notes[-1]
    if outcome == "FAIL":
        assert found.first_violation_s == pytest.approx(begin_s + 3e-3, abs=2e-4)


def test_times_above_a_level_add_up_in_a_window(tmp_path):
    moments = [(at_s, at_s + 1e-3) for at_s in (0.5057, 1.0057, 1.5057)]
    path = site(tmp_path, 3.0, voltage=spiked(1.8, *moments))
    limit = "kind = 'transient_overvoltage'\nabove = [['1.7 pu', '2.5 ms']]\nwindow = '%s'"
    alone, short, long, too_long = judged(
        tmp_path, path, limit % "0 s", limit % "800 ms", limit % "2 s", limit % "1 min"
    ).limits.values()
    for count, one in enumerate((alone, short, long), start=1):  # a sample's edge is a line
        assert 0.9 * count < one.worst * 2.5 <= count
    assert [one.outcome for one in (alone, short, long, too_long)] == ["PASS", "PASS", "FAIL", "FAIL"]
    assert too_long.reasons == ["its window, 60 s, is longer than the recording, 3 s"]


@given(st.integers(2, 40), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 5.0, 17.0]))
@hypothesis_settings(max_examples=60)
def test_times_above_a_level_are_those_of_lines_between_samples(count, seed, window):
    """Against the line itself, in steps of a thousandth of a sample."""
    rng = np.random.default_rng(seed)
    above = rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0], count)
    fine = np.interp(np.arange(0, 1000 * (count - 1)) / 1000 + 5e-4, np.arange(count), above) > 0.0
    expected = np.zeros(count)
    for place in range(count):
        past = fine[: 1000 * place]
        if not window and not past[-1000:].any():
            continue
        if window:
            spent = past[max(0, 1000 * place - round(1000 * window)) :].sum()
        else:
            breaks = np.flatnonzero(~past[-1000:]) if above[place] <= 0.0 else np.array([])
            end = 1000 * (place - 1) + (int(breaks[0]) if breaks.size else 1000)
            open_ = np.flatnonzero(~fine[:end])
            spent = end - (open_[-1] + 1 if open_.size else 0)
        expected[place] = spent / 1000
    assert _used(above, 1.0, window, 2.0) * 2.0 == pytest.approx(expected, abs=3e-3 * count)


def test_the_class_of_the_transformer_counts_for_transients_and_harmonics(tmp_path):
    path = site(tmp_path, voltage=spiked(1.38, (1.0057, 1.0097)), harmonics={5: 0.028})
    limits = ("kind = 'transient_overvoltage'\nabove = [['1.4 pu', '3 ms']]", distortion(0.03, 0.05))
    for uncertainty, outcome in ((0.001, "PASS"), (0.03, "INCONCLUSIVE")):
        head = HEAD + f"[measurement]\nvoltage_uncertainty = {uncertainty}\n"
        found = judged(tmp_path, path, *limits, head=head).limits.values()
        assert [limit.outcome for limit in found] == [outcome] * 2
    spike, harmonic = (limit.reasons[0] for limit in found)
    assert spike == "with voltages higher by the expanded uncertainty of what was measured, 0.03 pu, it is violated"
    assert harmonic.startswith("its margin, 0.2")


def test_a_time_shorter_than_two_samples_is_not_held(tmp_path):
    limit = "kind = 'transient_overvoltage'\nabove = [['1.7 pu', '0.15 ms']]"
    (found,) = judged(tmp_path, site(tmp_path, 1.0), limit).limits.values()
    assert found.outcome == "INCONCLUSIVE"
    assert found.reasons == ["its 0.00015 s above 1.7 pu are shorter than two samples, 0.0002 s"]


def test_an_interruption_of_20_ms_is_within_itic_and_one_of_25_ms_is_not(tmp_path):
    limit = "kind = 'undervoltage'\nmin = 0.7\ndelay = '20 ms'"
    for lasts_s, outcome in ((0.019, "PASS"), (0.025, "FAIL")):

        def gone(wave, time_s, _, lasts_s=lasts_s):
            return np.where((time_s > 1.0) & (time_s < 1.0 + lasts_s), 0.0, wave)

        (found,) = judged(tmp_path, site(tmp_path, 2.0, voltage=gone), limit).limits.values()
        assert found.outcome == outcome, lasts_s


def test_the_output_of_a_ups(tmp_path):
    head = HEAD.replace("pcc.", "ups.a.").replace("pcc =", "'ups.a' =").partition('"ups.a.current')[0] + (
        "[waveforms]\nvoltage = { 'ups.a' = '34.5 kV' }\n"
    )
    low = site(tmp_path, 2.0, voltage=lambda wave, time_s, phase: np.where((time_s > 1) & (phase == "b"), 0.6, 1.0) * wave)
    under, over = judged(
        tmp_path,
        low,
        "kind = 'undervoltage'\nnode = 'ups.a'\nmin = 0.7\ndelay = '20 ms'",
        "kind = 'transient_overvoltage'\nnode = 'ups.a'\nabove = [['1.4 pu', '3 ms']]",
        head=head,
    ).limits.values()
    assert (under.outcome, over.outcome) == ("FAIL", "PASS")
    assert under.worst == pytest.approx(0.6, abs=0.002)


# --- what is refused ---

VOLTAGE = "kind = 'undervoltage'\nmin = 0.9"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            ("voltage = { pcc", "voltage = { bus"),
            "limits.toml: waveforms.voltage.pcc: missing; waveforms of pcc need the nominal",
        ),
        (('"34.5 kV"', "34500"), "limits.toml: waveforms.voltage.pcc = 34500: must be a voltage with its unit"),
        (('"500 A"', '"500 V"'), "limits.toml: waveforms.demand_current = '500 V': must be a current, such as '400 A'"),
        (("demand_current", "demand"), "limits.toml: waveforms.demand: unknown key; did you mean 'demand_current'?"),
        (('"Va"', '"Vx"'), "site.parquet: no column 'Vx'; there is Va, Ia, Vb, Ib, Vc, Ic"),
        (('unit = "kV" }\n"pcc.voltage_b', 'unit = "A" }\n"pcc.voltage_b'), "is in 'A', and not in a unit of V"),
        (("voltage_a_wave_v", "voltage_wave_v"), "signals.pcc.voltage_wave_v: no such signal; did you mean 'pcc.voltage_"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(change, line, tmp_path):
    path = site(tmp_path, 0.5)
    with pytest.raises(HilError) as refused:
        judged(tmp_path, path, VOLTAGE, head=HEAD.replace(*change, 1))
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_samples_too_far_apart_for_a_waveform_are_refused(tmp_path):
    with pytest.raises(HilError, match=r"waveforms of pcc: 200 samples a second are fewer than 8 a cycle of 60 Hz"):
        judged(tmp_path, site(tmp_path, 2.0, rate_hz=200), VOLTAGE)


@pytest.mark.parametrize(
    ("change", "told"), [(('unit = "kV"', 'unit = "V"'), "0.001 pu"), (('"34.5 kV"', '"19.92 kV"'), "1.73 pu")]
)
def test_voltages_far_from_nominal_are_no_evidence(change, told, tmp_path):
    """Kilovolts taken for volts, and a nominal voltage to ground: whatever is not violated is not known to have held."""
    limits = (
        VOLTAGE.replace("0.9", "0.0005"),
        "kind = 'transient_overvoltage'\nabove = [['9 pu', '1 ms']]",
        distortion(0.9, 0.9),
    )
    result = judged(tmp_path, site(tmp_path), *limits, head=HEAD.replace(*change))
    assert [limit.outcome for limit in result.limits.values()] == ["INCONCLUSIVE"] * 3
    for limit in result.limits.values():
        assert any(reason.startswith(f"voltages of pcc are mostly far from nominal, a {told}") for reason in limit.reasons)


def test_currents_without_a_voltage_are_refused(tmp_path):
    head = "\n".join(line for line in HEAD.splitlines() if "wave_v" not in line) + "\n"
    with pytest.raises(HilError, match="waveforms of pcc: no voltage, by which a period is known"):
        judged(tmp_path, site(tmp_path, 1.0), VOLTAGE, head=head)


def test_what_the_file_or_the_recording_lacks_is_a_reason(tmp_path):
    path = site(tmp_path, 1.0)
    limit = f"kind = 'current_distortion'\ntable = [[50, 0.04, 0.02, 0.015, 0.006, 0.003, 0.05]]\n{SHORT}"
    (found,) = judged(tmp_path, path, limit, head=HEAD.replace('demand_current = "500 A"\n', "")).limits.values()
    assert found.reasons == ["the file does not say waveforms.demand_current"]
    (found,) = judged(tmp_path, path, limit).limits.values()
    assert found.reasons == ["its table begins at a ratio of 50, and this one is 30"]
    (found,) = judged(tmp_path, path, distortion(0.03, 0.05, more="node = 'bus'")).limits.values()
    assert found.reasons == ["the recording has no bus.voltage_a_wave_v"]
