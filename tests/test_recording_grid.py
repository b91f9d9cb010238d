"""The rate of a recording, and its signals on an even grid."""

from __future__ import annotations

import numpy as np
import pytest
from recording_support import made
from scipy.interpolate import interp1d

from hil import recordings
from hil.errors import RecordingError


@pytest.mark.parametrize(
    ("times", "rate_hz", "uniform"),
    [
        ([0], 0, False),
        (np.arange(101) / 60, 60, True),
        (np.round(np.arange(1001) / 60, 3), 60, True),  # written in ms
        (np.delete(np.arange(1000) / 50, slice(400, 420)), 50, False),  # a gap
        (
            np.concatenate([np.arange(900) * 1e-3, 0.9 + np.arange(100)]),
            1,
            False,
        ),  # quick, then slow: a tenth of the intervals
        ([0, 0.1, 0.2, 0.2, 0.3], 10, False),
    ],
)
def test_the_rate_is_one_that_nearly_all_of_a_recording_keeps(tmp_path, times, rate_hz, uniform):
    read = recordings.read(made(tmp_path, "t_s,p\n" + "".join(f"{time!r},1\n" for time in map(float, times))))
    assert read.rate_hz == pytest.approx(rate_hz, rel=1e-3)
    assert read.is_uniform == uniform


def test_a_signal_has_the_rate_of_its_own_samples(tmp_path):
    text = "t_s,quick,slow\n" + "".join(f"{place / 100},{place},{place if place % 10 == 0 else ''}\n" for place in range(500))
    read = recordings.read(made(tmp_path, text))
    assert read.about["quick"].rate_hz == pytest.approx(100)
    assert read.about["slow"].rate_hz == pytest.approx(10)
    assert read.step("quick") == 1
    assert read.step("slow") == 10
    assert recordings.read(made(tmp_path, "t_s,p\n0,1\n1,1\n")).step("p") is None


@pytest.fixture
def uneven(tmp_path):
    """Ten samples a second, jittered, with a hole from 2 to 3 s, and the times and values that count."""
    draw = np.random.default_rng(3)
    time_s = np.arange(0, 50) / 10 + np.concatenate([[0], draw.uniform(-0.02, 0.02, 49)])
    value = draw.normal(size=50)
    hole = (time_s > 2) & (time_s < 3)
    cells = ["" if gone else repr(float(v)) for v, gone in zip(value, hole, strict=True)]
    text = "t_s,p\n" + "".join(f"{float(t)!r},{cell}\n" for t, cell in zip(time_s, cells, strict=True))
    return recordings.read(made(tmp_path, text)), time_s[~hole], value[~hole]


@pytest.mark.parametrize(("by", "kind"), [("hold", "previous"), ("linear", "linear")])
def test_a_grid_is_that_of_scipy_and_says_where_it_invents(uneven, by, kind):
    read, time_s, value = uneven
    grid = read.uniform(0.013, by)
    assert grid.time_s == pytest.approx(np.arange(int(time_s[-1] / 0.013) + 1) * 0.013)
    assert grid.signals["p"] == pytest.approx(interp1d(time_s, value, kind)(grid.time_s))
    before, after = time_s[time_s < 2.5].max(), time_s[time_s > 2.5].min()
    assert grid.invented["p"].tolist() == ((grid.time_s > before) & (grid.time_s < after)).tolist()
    patient = read.uniform(0.013, by, gap_periods=20)
    assert not patient.invented["p"].any()


def test_a_grid_begins_and_ends_with_what_there_is(tmp_path):
    read = recordings.read(made(tmp_path, "t_s,a,b,c\n0,,5,\n1,1,6,\n2,2,,\n3,3,,\n4,4,,\n"))
    held, line = read.uniform(0.5), read.uniform(0.5, "linear")
    assert np.isnan(held.signals["a"][:2]).all()
    assert held.signals["a"][2:].tolist() == [1, 1, 2, 2, 3, 3, 4]
    assert held.invented["a"].tolist() == [True, True] + [False] * 7
    assert held.signals["b"].tolist() == [5, 5] + [6] * 7
    assert held.invented["b"].tolist() == [False] * 5 + [True] * 4  # a sample stands for one period of its own
    assert line.signals["b"][:3].tolist() == [5, 5.5, 6]
    assert np.isnan(line.signals["b"][3:]).all()
    assert line.invented["b"].tolist() == [False] * 3 + [True] * 6
    assert held.invented["c"].all()
    assert np.isnan(held.signals["c"]).all()


def test_samples_out_of_order_do_not_come_onto_a_grid(tmp_path):
    read = recordings.read(made(tmp_path, "t_s,p\n0,1\n1,2\n1,7\n0.5,8\n2,3\n"))
    assert read.uniform(1.0).signals["p"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("period_s", "gaps"), [(0.0, 2.0), (-1.0, 2.0), (float("nan"), 2.0), (1.0, 0.5), (1e-12, 2.0)])
def test_a_grid_must_be_one(tmp_path, period_s, gaps):
    read = recordings.read(made(tmp_path, "t_s,p\n0,1\n1,2\n"))
    with pytest.raises(RecordingError, match=r"site\.csv: a grid of "):
        read.uniform(period_s, gap_periods=gaps)
