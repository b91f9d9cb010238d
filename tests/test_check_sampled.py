"""What ordinary limits of `hil check` see of samples point on wave (docs/check.md, "Waveforms")."""

from __future__ import annotations

import math

import numpy as np
import point_on_wave
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from waveform_support import HEAD, NOMINAL_V, RATE_HZ, distortion, judged, site

from hil.check.api import check
from hil.recordings import comtrade, read

# --- what ordinary limits look at ---


def test_power_reactive_power_voltage_and_frequency_of_the_samples(tmp_path):
    path = site(tmp_path, 3.0, frequency_hz=59.8, lag=0.4)
    power_w = math.sqrt(3.0) * NOMINAL_V * 400.0
    result = judged(
        tmp_path,
        path,
        f"kind = 'underpower'\nmin = '{power_w * math.cos(0.4) * 0.999:.0f} W'",
        f"kind = 'underpower'\nmin = '{power_w * math.cos(0.4) * 1.005:.0f} W'",
        "kind = 'underfrequency'\nmin = '59.79 Hz'",
        "kind = 'underfrequency'\nmin = '59.81 Hz'",
        f"kind = 'overcurrent'\nbase = '{power_w:.0f} VA'\npickup = 1.01",
        f"kind = 'overcurrent'\nbase = '{power_w:.0f} VA'\npickup = 0.99",
        "kind = 'overvoltage'\nmax = 1.01",
        "kind = 'undervoltage'\nmin = 0.99",
        "kind = 'rocof'\nmax = '0.1 Hz/s'",
    )
    outcomes = [limit.outcome for limit in result.limits.values()]
    assert outcomes == ["PASS", "FAIL", "PASS", "FAIL", "NOT EXERCISED", "FAIL", "PASS", "PASS", "PASS"]
    assert "pcc: RMS values, frequency and power of 10000 samples a second, from 0.05 s on" in result.notes


def test_a_band_sees_the_power_at_each_instant(tmp_path):
    """50 Hz of the power, of which a mean over a cycle of 60 Hz would leave a fifth."""
    path = site(tmp_path, 8.0, voltage=lambda wave, time_s, _: wave * (1.0 + 0.1 * np.cos(2 * np.pi * 50.0 * time_s)))
    (found,) = judged(
        tmp_path, path, "kind = 'oscillation'\nband = ['40 Hz', '55 Hz']\nwindow = '2 s'\nmax = '3 MW'"
    ).limits.values()
    assert found.worst == pytest.approx(0.1 * math.sqrt(3.0) * NOMINAL_V * 400.0, rel=0.01)


def test_a_power_must_come_back_after_a_dip(tmp_path):
    path = site(tmp_path, 4.0, voltage=lambda wave, time_s, _: wave * np.where((time_s > 1.0) & (time_s < 1.15), 0.4, 1.0))
    limits = "[[limits]]\nprofile = 'ercot-nogrr282'\nrequired = true\n"
    (tmp_path / "limits.toml").write_text(HEAD + limits)
    result = check(path, tmp_path / "limits.toml")
    assert result.limits["ercot-nogrr282: voltage ride-through"].outcome == "PASS"


@pytest.mark.parametrize("rms", ["sample", "half_cycle"])
def test_a_dip_is_as_deep_and_as_long_as_it_is(rms, tmp_path):
    path = site(tmp_path, 3.0, voltage=lambda wave, time_s, _: wave * np.where((time_s > 1.0) & (time_s < 1.2), 0.55, 1.0))
    (found,) = judged(
        tmp_path, path, "kind = 'undervoltage'\nmin = 0.9", head=HEAD.replace("demand", f"rms = '{rms}'\ndemand")
    ).limits.values()
    assert found.worst == pytest.approx(0.55, abs=0.002)
    assert found.time_beyond_s == pytest.approx(0.2, abs=0.018)
    assert found.first_violation_s == pytest.approx(1.0, abs=0.02)


def test_a_filter_that_does_not_settle_is_no_evidence(tmp_path):
    limit = "kind = 'variation'\nband = ['0.1 Hz', '55 Hz']\norder = 2\nmax = '50 MW'\nwindow = '1 s'"
    (found,) = judged(tmp_path, site(tmp_path, 3.0), limit).limits.values()
    assert found.outcome == "INCONCLUSIVE"
    assert any(reason.startswith("its filter settles, and its window") for reason in found.reasons)


def test_phases_in_the_other_order_and_one_phase_alone(tmp_path):
    path = site(tmp_path, 2.0)
    swapped = HEAD.replace('"Vb"', '"V?"').replace('"Vc"', '"Vb"').replace('"V?"', '"Vc"')
    result = judged(tmp_path, path, "kind = 'overfrequency'\nmax = '60.1 Hz'", head=swapped)
    assert result.verdict == "PASS"
    assert "pcc: its phases follow each other as a, c, b" in result.notes
    lines = [line for line in HEAD.splitlines() if not any(f"_{phase}_wave" in line for phase in "bc")]
    result = judged(
        tmp_path,
        path,
        "kind = 'overfrequency'\nmax = '60.1 Hz'",
        "kind = 'underpower'\nmin = '1 MW'",
        head="\n".join(lines) + "\n",
    )
    assert [limit.outcome for limit in result.limits.values()] == ["PASS", "INCONCLUSIVE"]
    assert result.limits["x1"].reasons == ["the recording has no pcc.power_measured_w"]


def test_flicker_of_waveforms_is_that_of_a_flickermeter_for_waveforms(tmp_path):
    """A sine of 8.8 Hz on 60 Hz, against the second flickermeter of the tests, which has the voltage itself."""
    rate_hz = 2_400
    time_s = np.arange(722 * rate_hz) / rate_hz
    swing = 1.0 + 0.01 * np.sin(2 * np.pi * 8.8 * time_s)
    voltage = point_on_wave.on_carrier(swing, rate_hz, 60)
    pq.write_table(pa.table({"time_s": time_s, "pcc.voltage_a_wave_v": voltage}), tmp_path / "site.parquet")
    head = f"[waveforms]\nvoltage = {{ pcc = '{math.sqrt(3.0)!r} V' }}\n"
    (found,) = judged(
        tmp_path, tmp_path / "site.parquet", "kind = 'flicker'\nlamp = '120 V'\nmax = 10", head=head
    ).limits.values()
    levels = point_on_wave.level(swing, rate_hz, "120 V", 60)
    assert found.outcome == "PASS"
    assert found.worst == pytest.approx(point_on_wave.pst(levels[120 * rate_hz : 720 * rate_hz]), rel=0.01)


def test_a_channel_that_is_sampled_later_is_brought_to_the_others(tmp_path):
    """COMTRADE's skew: currents 40 us behind the voltages, which at 60 Hz would be 0.9 degrees and 0.3 % of the power."""
    path = site(tmp_path, 2.0, lag=0.4)
    table = pq.read_table(path)
    skew_s = 40e-6
    for place, phase in enumerate("abc"):
        angle = 2 * np.pi * (60.0 * (np.arange(20_000) / RATE_HZ + skew_s) - place / 3) - 0.4
        column = table.column_names.index(f"I{phase}")
        table = table.set_column(column, f"I{phase}", pa.array(400.0 * math.sqrt(2.0) * np.cos(angle)))
    pq.write_table(table, path)
    comtrade.write(tmp_path / "site.cfg", read(path), line_hz=60)
    lines = (tmp_path / "site.cfg").read_text().splitlines()
    fields = [line.split(",") for line in lines]
    for line in fields:
        if len(line) > 7 and line[1].startswith("I"):
            line[7] = f"{1e6 * skew_s:g}"
    (tmp_path / "site.cfg").write_text("\r\n".join(",".join(line) for line in fields) + "\r\n")
    power_w = math.sqrt(3.0) * NOMINAL_V * 400.0 * math.cos(0.4)
    limit = "kind = 'underpower'\nmin = '%.0f W'"
    (found,) = judged(tmp_path, tmp_path / "site.cfg", limit % (0.999 * power_w)).limits.values()
    assert found.outcome == "PASS"
    assert found.worst == pytest.approx(power_w, rel=3e-4)
    plain = judged(tmp_path, path, limit % (0.999 * power_w)).limits["x0"]
    assert plain.worst > 1.004 * power_w  # what it would be


def test_samples_that_are_not_even_are_no_evidence(tmp_path):
    """A recorder that goes over to a tenth of its rate."""
    table = pq.read_table(site(tmp_path, 4.0))
    kept = np.ones(table.num_rows, bool)
    kept[20_000:] = np.arange(20_000) % 10 == 0
    pq.write_table(table.filter(pa.array(kept)), tmp_path / "site.parquet")
    (found,) = judged(tmp_path, tmp_path / "site.parquet", distortion(0.9, 0.9)).limits.values()
    assert found.outcome == "INCONCLUSIVE"
    assert found.reasons[0] == "waveforms of pcc are not sampled evenly"


@pytest.mark.parametrize("frequency_hz", [45.0, 70.0])
def test_an_rms_value_is_right_from_its_first_period_on(frequency_hz, tmp_path):
    """Before a frequency is known the period is that of the first that will be."""
    path = site(tmp_path, 2.0, frequency_hz=frequency_hz)
    found = judged(tmp_path, path, "kind = 'undervoltage'\nmin = 0.99", "kind = 'overvoltage'\nmax = 1.01").limits.values()
    assert [limit.outcome for limit in found] == ["PASS", "PASS"]


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (np.ones_like, "the voltages of pcc have no fundamental near 60 Hz"),
        (lambda wave: 1e300 * wave, "voltages of pcc are mostly far from nominal, a 1e+300 pu"),
        (lambda wave: np.full_like(wave, np.nan), "the voltages of pcc have no fundamental near 60 Hz"),
        (lambda wave: np.where(np.arange(wave.size) < 3_000, np.nan, wave), "samples are missing"),
    ],
)
def test_what_is_no_voltage_holds_nothing(spoilt, reason, tmp_path):
    limits = (
        "kind = 'undervoltage'\nmin = 0.5",
        "kind = 'transient_overvoltage'\nabove = [['4 pu', '3 ms']]",
        distortion(0.9, 0.9),
        "kind = 'rocof'\nmax = '9 Hz/s'",
        "kind = 'volts_per_hertz'\nmax = 2.9",
    )
    result = judged(tmp_path, site(tmp_path, 2.0, voltage=lambda wave, _, __: spoilt(wave)), *limits)
    assert "PASS" not in {limit.outcome for limit in result.limits.values()}
    assert any(reason in one for limit in result.limits.values() for one in limit.reasons)


@pytest.mark.parametrize("count", [2, 5, 170, 600, 2_600])
def test_a_recording_of_a_few_samples_is_read_and_holds_little(count, tmp_path):
    pq.write_table(pq.read_table(site(tmp_path, 1.0)).slice(0, count), tmp_path / "site.parquet")
    limits = (distortion(0.9, 0.9), "kind = 'rocof'\nmax = '9 Hz/s'", "kind = 'undervoltage'\nmin = 0.5")
    outcomes = [limit.outcome for limit in judged(tmp_path, tmp_path / "site.parquet", *limits).limits.values()]
    assert outcomes[:2] == ["INCONCLUSIVE"] * 2
    assert outcomes[2] == ("PASS" if count > 500 else "INCONCLUSIVE")
