"""Recorded power: shapes of files that tools write, what lies between samples, and what samples leave open."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hil
from hil.check.api import check
from hil.errors import ScenarioError
from hil.loads.base import LoadFeed
from hil.loads.trace import TraceBreakpoints
from hil.scenario.load import TraceLoad
from hil.session.prepare import prepare
from hil.session.run import Options, run_scenario
from hil.verdict.foreseen import foreseen

NVIDIA = """index, timestamp, power.draw [W]
0, 2025/04/09 08:59:06.356, 60.00 W
1, 2025/04/09 08:59:06.360, 50.00 W
2, 2025/04/09 08:59:06.362, 40.00 W
0, 2025/04/09 08:59:07.356, 160.00 W
1, 2025/04/09 08:59:07.360, 150.00 W
2, 2025/04/09 08:59:07.362, 140.00 W
0, 2025/04/09 08:59:08.356, 60.00 W
1, 2025/04/09 08:59:08.360, 50.00 W
"""
DMON = """#Entity   POWER    SMCLK
ID        W        MHz
GPU 0     60.0     1410
GPU 1     50.0     1400
GPU 0     160.0    1410
GPU 1     150.0    1400
#Entity   POWER    SMCLK
ID        W        MHz
GPU 0     61.0     1410
GPU 1     51.0     1400
"""


def points(path: Path, **keys: object) -> list[tuple[float, float]]:
    """All samples of a file as time and power."""
    load = TraceLoad.model_validate({"kind": "trace", "trace": str(path), **keys})
    return [(round(float(t), 9), float(p)) for piece in TraceBreakpoints(load, "s") for t, p in zip(*piece, strict=True)]


def written(folder: Path, text: str, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_nvidia_smi_sums_its_gpus(tmp_path):
    """Each round of rows is a sample, at the time of its first; the last round, cut off, is none."""
    assert points(written(tmp_path, NVIDIA), format="nvidia_smi") == [(0.0, 150.0), (1.0, 450.0)]


def test_nvidia_smi_of_many_gpus_without_an_index(tmp_path):
    text = "\n".join(line.partition(", ")[2] for line in NVIDIA.splitlines()) + "\n"
    assert points(written(tmp_path, text), format="nvidia_smi", devices=3) == [(0.0, 150.0), (1.0, 450.0)]


def test_dcgmi_dmon_has_the_period_that_it_was_given(tmp_path):
    path = written(tmp_path, DMON)
    assert points(path, format="dcgmi_dmon", period="100 ms") == [(0.0, 110.0), (0.1, 310.0), (0.2, 112.0)]


def test_zeus_has_no_header(tmp_path):
    path = written(tmp_path, "1700000000.5,100.0,120.0\n1700000000.6,200.0,220.0\n")
    found = points(path, format="zeus")
    assert [power for _, power in found] == [220.0, 420.0]
    assert found[1][0] == pytest.approx(0.1, abs=1e-6)


def test_rows_of_devices_as_prometheus_has_them(tmp_path):
    text = "timestamp,gpu,DCGM_FI_DEV_POWER_USAGE\n" + "".join(
        f"{1_700_000_000 + second},{gpu},{100 * gpu + second}\n" for second in range(3) for gpu in range(4)
    )
    keys = {"time_column": "timestamp", "power_column": "DCGM_FI_DEV_POWER_USAGE", "device_column": "gpu"}
    assert points(written(tmp_path, text), **keys) == [(0.0, 600.0), (1.0, 604.0), (2.0, 608.0)]


def test_units_of_headers_and_of_cells(tmp_path):
    text = "t [ms],psu1 [mW],psu2 [mW],fan [kW]\n0,1000,2000,0.5\n500,3000,4000 mW,1 kW\n"
    keys = {"time_column": "t [ms]", "power_columns": ["psu* [mW]", "fan [kW]"], "scale": 2}
    assert points(written(tmp_path, text), **keys) == [(0.0, 1006.0), (0.5, 2014.0)]


def test_dates_with_zones_and_nvidia_smi_of_today(tmp_path):
    """Summer time ends in between; the average is taken where the older name is not there."""
    text = "timestamp, power.draw.average [W], power.draw.instant [W]\n2026-10-25T02:59:59.5+02:00, 1 W, 9 W\n"
    text += "2026-10-25T02:00:00.25+01:00, 2 W, 9 W\n2026-10-25 01:00:01Z, 3 W, 9 W\n"
    assert points(written(tmp_path, text), format="nvidia_smi") == [(0.0, 1.0), (0.75, 2.0), (1.5, 3.0)]


def test_parquet_is_what_csv_is(tmp_path):
    moments = [datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(milliseconds=20 * n) for n in range(40_000)]
    power_w = np.random.default_rng(1).uniform(0, 1e6, 40_000)
    pq.write_table(pa.table({"when": moments, "a": power_w, "b": power_w}), tmp_path / "log.parquet")
    text = "when,a,b\n" + "".join(f"{at.isoformat()},{p!r},{p!r}\n" for at, p in zip(moments, power_w.tolist(), strict=True))
    keys = {"time_column": "when", "power_columns": ["a", "b"]}
    ours = points(tmp_path / "log.parquet", **keys)
    assert ours == points(written(tmp_path, text), **keys)
    assert ours[-1] == (pytest.approx(799.98), 2 * power_w[-1])


@pytest.mark.parametrize("between", ["line", "hold"])
def test_the_energy_of_a_trace_is_kept(tmp_path, between):
    """Uneven samples: the sum over ticks is the integral of lines, or of steps."""
    rng = np.random.default_rng(2)
    time_s = np.concatenate([[0.0], np.cumsum(rng.uniform(0.003, 0.2, 300))])
    time_s = time_s / time_s[-1] * 30.0
    power_w = rng.uniform(0, 1e6, time_s.size)
    text = "time_s,power_w\n" + "".join(f"{t!r},{p!r}\n" for t, p in zip(time_s.tolist(), power_w.tolist(), strict=True))
    load = TraceLoad.model_validate({"kind": "trace", "trace": str(written(tmp_path, text)), "between": between})
    wave = LoadFeed(TraceBreakpoints(load, "s"), 0.001).block(40_000)
    exact_j = np.trapezoid(power_w, time_s) if between == "line" else np.sum(power_w[:-1] * np.diff(time_s))
    assert wave.size == 30_000
    assert wave.sum() * 0.001 == pytest.approx(exact_j, rel=1e-12)
    if between == "hold":
        inside = np.flatnonzero(np.diff(wave) == 0.0)
        assert set(np.round(wave[inside], 6)) <= set(np.round(power_w, 6))


def test_copied_in_mid_stream_both_go_on_alike(tmp_path):
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"time_s": np.arange(20_000) / 50.0, "power_w": np.arange(20_000.0)}), path)
    load = TraceLoad.model_validate({"kind": "trace", "trace": str(path), "between": "hold", "repeat": True})
    pieces = TraceBreakpoints(load, "s")
    next(pieces)
    again = copy.deepcopy(pieces)
    for _ in range(8):
        for one, other in zip(next(pieces), next(again), strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("text", "keys", "told"),
    [
        (NVIDIA.replace("150.00 W", "[N/A]"), {"format": "nvidia_smi"}, "line 6: time and power must be numbers"),
        (NVIDIA.replace("1, 2025/04/09 08:59:07.360, 150.00 W\n", ""), {"format": "nvidia_smi"}, "device 1 is missing"),
        (NVIDIA.replace("power.draw [W]", "power.limit [W]"), {"format": "nvidia_smi"}, r"no column 'power.draw \[W\]'"),
        (DMON.replace("160.0", "x"), {"format": "dcgmi_dmon", "period": 0.1}, "line 5: time and power must be numbers"),
        (DMON.replace("POWER", "GPUTL"), {"format": "dcgmi_dmon", "period": 0.1}, "line 1: no column 'POWER'"),
        ("1,2\n2,x\n", {"format": "zeus"}, "line 2: time and power must be numbers"),
        ("time_s,power_w\n0,1\n2026-01-01 00:00:00,1\n", {}, "line 3: times must all be numbers, or all dates"),
        ("time_s,a\n0,1\n", {"power_columns": ["p*"]}, r"no column 'p\*'; it has: time_s, a"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path, text, keys, told):
    with pytest.raises(ScenarioError, match=told) as raised:
        points(written(tmp_path, text), **keys)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_parquet(tmp_path):
    with pytest.raises(ScenarioError, match="not Parquet"):
        points(written(tmp_path, "time_s,power_w\n0,1\n", "log.parquet"))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"format": "dcgmi_dmon"}, "whose log has no times"),
        ({"period": 1.0}, "and with no other"),
        ({"format": "zeus", "power_column": "p"}, "which has its own"),
        ({"power_column": "p", "power_columns": ["a"]}, "beside power_column"),
        ({"devices": 2, "device_column": "gpu"}, "tell whose they are"),
    ],
)
def test_keys_that_do_not_agree(keys, told):
    with pytest.raises(ValueError, match=told):
        TraceLoad.model_validate({"kind": "trace", "trace": __file__, **keys})


# --- What samples leave open ---


def site(tmp_path: Path, rate_hz: float, *keys: str) -> list[str]:
    """A flat load of that many samples a second under three limits."""
    count = int(20 * rate_hz) + 2
    rows = "".join(f"{n / rate_hz!r},1e6\n" for n in range(count))
    path = written(tmp_path, f"time_s,power_w\n{rows}")
    limits = (
        "[{name='variation', kind='variation', band=['0.1 Hz', '55 Hz'], max='1 MW', window='1 s', required=true},"
        "{name='swing', kind='peak_to_peak', max='1 MW', window='150 ms', required=true},"
        "{name='ramp', kind='ramp', max='20 MW/min', window='5 s', required=true}]"
    )
    return ["duration='15 s'", "events=[]", "load={}", "load.kind='trace'", f"load.trace='{path}'", f"limits={limits}", *keys]


def test_a_trace_that_is_too_slow_for_a_limit_blocks_its_pass(tmp_path):
    overrides = site(tmp_path, 10.0)
    scenario = hil.load("training_job", overrides)
    notes = list(foreseen(scenario, prepare(scenario).source.sampled_s))
    assert notes == [
        "variation: its band reaches to 55 Hz, and the load's 10 samples a second show 4 Hz at most: it cannot PASS",
        "swing: its window, 0.15 s, is shorter than two samples of the load, 0.2 s: it cannot PASS",
    ]
    result = run_scenario(
        hil.load("training_job", overrides), Options(controllers=False, folder=tmp_path / "run", picture=False)
    )
    assert result.verdict == "INCONCLUSIVE"
    assert {name: limit.outcome for name, limit in result.limits.items()} == {
        "variation": "INCONCLUSIVE",
        "swing": "INCONCLUSIVE",
        "ramp": "PASS",
    }
    assert [f"{reason}: it cannot PASS" for reason in result.reasons] == notes
    assert result.load["sampled_s"] == pytest.approx(0.1)
    told = [event["limit"] for event in result.events if event["event"] == "load_too_slow"]
    assert told == ["variation", "swing"]
    checked = check(tmp_path / "run")  # judged again from its record
    assert any("shorter than two samples of the load" in reason for reason in checked.limits["swing"].reasons)


def test_of_a_sum_the_slowest_trace_counts(tmp_path):
    keys = site(tmp_path, 10.0)
    trace = keys[4].removeprefix("load.trace=")
    keys[2:5] = [f"load={{kind='sum', part={{a={{kind='training', power='1 MW'}}, b={{kind='trace', trace={trace}}}}}}}"]
    options = Options(controllers=False, folder=tmp_path / "run", picture=False)
    result = run_scenario(hil.load("training_job", keys), options)
    assert any("two samples of the load" in reason for reason in result.limits["swing"].reasons)
    checked = check(tmp_path / "run")
    assert any("two samples of the load" in reason for reason in checked.limits["swing"].reasons)


@pytest.mark.parametrize(("rate_hz", "keys"), [(200.0, ()), (10.0, ("load.exact=true",))])
def test_what_samples_show_and_what_is_exact_passes(tmp_path, rate_hz, keys):
    result = run_scenario(hil.load("training_job", site(tmp_path, rate_hz, *keys)), Options(controllers=False))
    assert result.verdict == "PASS", result.reasons


def test_a_violation_outranks_what_is_not_known(tmp_path):
    overrides = site(tmp_path, 10.0)
    path = tmp_path / "log.csv"
    path.write_text(path.read_text().replace("\n10.0,1e6", "\n10.0,9e6"))
    result = run_scenario(hil.load("training_job", overrides), Options(controllers=False))
    assert result.limits["variation"].outcome == "FAIL"
