"""When requests come: formats of files, many streams as one, larger rates, and the course of a day."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest

from hil.errors import ScenarioError
from hil.loads.arrivals import DAY_S, OverDay, Superposed, requests_of
from hil.loads.requests import RequestFile
from hil.loads.synthetic import synthetic_batches, synthetic_requests
from hil.scenario.load import InferenceLoad

SPAN_S = {"azure_code": 3436.0, "azure_conversation": 3502.0}


def load_of(**keys: object) -> InferenceLoad:
    return InferenceLoad.model_validate({"kind": "inference", **keys})


def arrivals_of(load: InferenceLoad, until_s: float, seed: int = 5) -> np.ndarray:
    found = []
    for arrival_s, context, generated in requests_of(load, seed, "s"):
        assert arrival_s.size == context.size == generated.size
        found.append(arrival_s)
        if arrival_s.size and arrival_s[-1] >= until_s:
            break
    arrival_s = np.concatenate(found)
    assert np.all(np.diff(arrival_s) >= 0)
    return arrival_s[arrival_s < until_s]


def statistics(arrival_s: np.ndarray) -> dict[str, float]:
    """CV of the waits, and the most arrivals in 1 s and 10 s over the mean."""
    waits_s = np.diff(arrival_s)
    rate = arrival_s.size / (arrival_s[-1] - arrival_s[0])
    most = {
        window_s: np.max(np.arange(1, arrival_s.size + 1) - np.searchsorted(arrival_s, arrival_s - window_s))
        for window_s in (1.0, 10.0)
    }
    return {"cv": waits_s.std() / waits_s.mean(), **{f"peak {w:g} s": most[w] / (rate * w) for w in most}}


# --- Larger fleets ---


def test_one_stream_is_what_the_fit_deals():
    batches = requests_of(load_of(arrivals="azure_code"), 3, "s")
    single = [
        (r.arrival_s, r.context_tokens, r.generated_tokens)
        for r in itertools.islice(synthetic_requests("azure_code", 3), 9000)
    ]
    columns = [np.concatenate(column) for column in zip(*itertools.islice(batches, 200), strict=True)]
    assert list(zip(*(column[:9000].tolist() for column in columns), strict=True)) == single


@pytest.mark.parametrize("arrivals", SPAN_S)
def test_a_larger_rate_keeps_the_bursts_where_they_are(arrivals):
    """In the first deck the counts of each minute grow in proportion; the peak over 10 s keeps its share of the mean."""
    span_s = SPAN_S[arrivals]
    one, ten = (arrivals_of(load_of(arrivals=arrivals, rate=rate), span_s) for rate in (1.0, 10.0))
    assert ten.size == pytest.approx(10 * one.size, rel=0.01)
    edges = np.arange(0.0, span_s, 60.0)
    counts = [np.histogram(arrival_s, edges)[0] for arrival_s in (one, ten)]
    assert np.corrcoef(counts)[0, 1] > 0.97
    assert statistics(ten)["peak 10 s"] == pytest.approx(statistics(one)["peak 10 s"], rel=0.2)


@pytest.mark.parametrize("arrivals", SPAN_S)
def test_independent_streams_even_each_other_out(arrivals):
    """Of n the rate is n times as large; over 10 s the relative spread of counts falls as 1/sqrt(n)."""
    span_s, n = 2 * SPAN_S[arrivals], 16
    alone, together = (arrivals_of(load_of(arrivals=arrivals, streams=streams), span_s) for streams in (1, n))
    assert together.size == pytest.approx(n * alone.size, rel=0.02)
    edges = np.arange(0.0, span_s, 10.0)
    spread = [np.std(counts) / np.mean(counts) for counts in (np.histogram(a, edges)[0] for a in (alone, together))]
    assert spread[1] == pytest.approx(spread[0] / np.sqrt(n), rel=0.3)
    assert statistics(together)["cv"] < statistics(alone)["cv"]


def test_each_stream_of_many_stays_within_the_bounds_of_the_fit():
    """Rate, CV and peaks of single streams against those of the first: the bounds of validation/arrivals.py."""
    first = statistics(arrivals_of(load_of(), SPAN_S["azure_conversation"]))
    for stream in (1, 7, 40):
        found = []
        for arrival_s, _, _ in synthetic_batches("azure_conversation", 5, 1.0, stream):
            found.append(arrival_s)
            if arrival_s[-1] > SPAN_S["azure_conversation"]:
                break
        of_stream = statistics(np.concatenate(found))
        assert of_stream["cv"] == pytest.approx(first["cv"], rel=0.20)
        assert of_stream["peak 1 s"] == pytest.approx(first["peak 1 s"], rel=0.30)
        assert of_stream["peak 10 s"] == pytest.approx(first["peak 10 s"], rel=0.20)


@pytest.mark.parametrize("keys", [{}, {"streams": 5, "diurnal": 0.4, "rate": 2.0}])
def test_copied_in_mid_stream_both_go_on_alike(keys):
    batches = requests_of(load_of(**keys), 1, "s")
    list(itertools.islice(batches, 7))
    again = copy.deepcopy(batches)
    for one, other in itertools.islice(zip(batches, again, strict=True), 30):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# --- A day ---


def test_hours_follow_the_cosine_and_keep_their_statistics():
    """Mean counts of each hour against the integral of the rate; CV and peaks within an hour as those of an even one."""
    even, day = (arrivals_of(load_of(diurnal=diurnal, peak_at="15 h", streams=2), DAY_S, seed=2) for diurnal in (0.0, 0.3))
    assert day.size == pytest.approx(even.size, rel=0.002)
    hours = np.arange(25) * 3600.0
    turn = 2 * np.pi / DAY_S
    passed_s = hours + 0.3 / turn * (np.sin(turn * (hours - 54_000.0)) + np.sin(turn * 54_000.0))
    # The very requests of the even day, at warped times: exact up to the steps of 10 s.
    assert np.histogram(day, hours)[0] == pytest.approx(np.histogram(even, passed_s)[0], abs=6)
    shape = np.histogram(day, hours)[0] / day.size * 24
    assert shape == pytest.approx(np.diff(passed_s) / 3600.0, abs=0.15)
    evens = [statistics(even[(even > hours[hour]) & (even < hours[hour + 1])]) for hour in (3, 9, 15, 21)]
    of_even = {key: np.mean([one[key] for one in evens]) for key in evens[0]}
    for hour in (3, 9, 15, 21):
        found = statistics(day[(day >= hours[hour]) & (day < hours[hour + 1])])
        assert found["cv"] == pytest.approx(of_even["cv"], rel=0.20)
        assert found["peak 1 s"] == pytest.approx(of_even["peak 1 s"], rel=0.30)
        assert found["peak 10 s"] == pytest.approx(of_even["peak 10 s"], rel=0.20)


def test_a_second_day_is_like_the_first():
    even_s = np.arange(0.0, 3 * DAY_S, 60.0)
    ((arrival_s, _, _),) = OverDay(iter([(even_s, even_s, even_s)]), 0.6, 3600.0)
    assert arrival_s[1440:2880] == pytest.approx(arrival_s[:1440] + DAY_S, abs=1e-6)
    assert np.diff(arrival_s).min() == pytest.approx(60.0 / 1.6, rel=1e-3)
    assert np.diff(arrival_s).max() == pytest.approx(60.0 / 0.4, rel=1e-3)


def test_streams_do_not_begin_together():
    streams = Superposed([synthetic_batches("azure_code", 1, 1.0, stream) for stream in range(3)], 1)
    assert streams._skipped_s[0] == 0.0
    assert len(set(streams._skipped_s)) == 3


def test_a_trace_takes_no_synthetic_keys(tmp_path):
    for keys in ({"rate": 2.0}, {"streams": 2}, {"diurnal": 0.1}):
        with pytest.raises(ValueError, match="of synthetic requests"):
            load_of(trace=__file__, **keys)


# --- Files ---

BURSTGPT = (
    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    "5,,1.2,ChatGPT,472,18,490,Conversation log\n"
    "45,7,2,ChatGPT,1087,230,1317,API log\n"
    "118.25,,1,GPT-4,417,0,417,Conversation log\n"
    "118.5,,1,GPT-4,1360,285,1645,Conversation log\n"
)


def test_burstgpt_is_known_by_its_header(tmp_path):
    path = tmp_path / "burst.csv"
    path.write_text(BURSTGPT)
    found = [(r.arrival_s, r.context_tokens, r.generated_tokens) for r in RequestFile(path)]
    assert found == [(0.0, 472, 18), (40.0, 1087, 230), (113.5, 1360, 285)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BURSTGPT.replace("118.5,", "44,"), "line 5: arrives before the request above it"),
        (BURSTGPT.replace("1087", "x"), "line 3: must be a number of seconds and two whole numbers"),
        (BURSTGPT.replace("Response tokens", "Answer"), "no column 'Response tokens'"),
        (BURSTGPT.replace("472,18", "472,0").split("45,")[0], "no requests"),
        ("a,b\n1,2\n", "no column 'TIMESTAMP'"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_a_line(tmp_path, text, told):
    path = tmp_path / "requests.csv"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=told) as raised:
        list(RequestFile(path))
    assert "\n" not in str(raised.value)
