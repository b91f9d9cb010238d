"""Scenarios as a person writes them: quantities, overrides, documents, the packaged ones, changes in Python."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

import hil
from hil.scenario import quantity
from hil.scenario.files import PACKAGED, checked, from_document

FILE = SimpleNamespace(context={"file": True})
PYTHON = SimpleNamespace(context=None)
DIMENSIONS = [item for item in vars(quantity).values() if isinstance(item, quantity.Dimension)]
FINITE = st.floats(allow_nan=False, allow_infinity=False, max_value=1e9)


@pytest.mark.parametrize(
    ("dimension", "text", "value"),
    [
        (quantity.TIME, "40 ms", 0.04),
        (quantity.TIME, "40ms", 0.04),
        (quantity.TIME, "0.1 ms", 0.0001),
        (quantity.TIME, "3 µs", 3e-6),
        (quantity.TIME, "3 us", 3e-6),
        (quantity.TIME, "7 ns", 7e-9),
        (quantity.TIME, "2.5 min", 150.0),
        (quantity.TIME, "1 h", 3600.0),
        (quantity.TIME, "1 d", 86400.0),
        (quantity.TIME, "-2 s", -2.0),
        (quantity.TIME, " +2e-3  s ", 0.002),
        (quantity.FREQUENCY, "59.5 Hz", 59.5),
        (quantity.FREQUENCY, "36 mHz", 0.036),
        (quantity.POWER, "25 MW", 25e6),
        (quantity.POWER, "1_000_000 W", 1e6),
        (quantity.POWER, ".5 GW", 5e8),
        (quantity.POWER, "5. kW", 5000.0),
        (quantity.APPARENT, "25 MVA", 25e6),
        (quantity.REACTIVE, "-5 Mvar", -5e6),
        (quantity.ENERGY, "6.25 MWh", 6.25e6),
        (quantity.VOLTAGE, "34.5 kV", 34500.0),
        (quantity.RAMP, "18 MW/min", 18e6 / 60),
        (quantity.RAMP, "17 MW/min", 17e6 / 60),
        (quantity.RAMP, "0.5 kW/h", 500 / 3600),
        (quantity.RAMP, "1 GW/s", 1e9),
        (quantity.TEMPERATURE, "-12.5 °C", -12.5),
        (quantity.PER_UNIT, "0.95 pu", 0.95),
        (quantity.PER_UNIT, "0.95", 0.95),
        (quantity.PER_UNIT, 1, 1.0),
        (quantity.TIME, "1e-999999999 s", 0.0),  # and at once
        (quantity.POWER, "1e999999999 W", math.inf),
    ],
)
def test_quantities_are_the_nearest_float(dimension, text, value):
    assert dimension.parse(text, FILE) == value


@pytest.mark.parametrize(
    "text", ["", "ms", "40", "4 0 ms", "40 MS", "40 m s", "1__0 s", "1_ s", "_1 s", "0x10 s", "1,5 s", "∞ s"]
)
def test_what_is_no_quantity(text):
    with pytest.raises(ValueError, match="must be a time"):
        quantity.TIME.parse(text, FILE)


@given(st.integers(-(10**15), 10**15), st.integers(0, 12), st.sampled_from(sorted(quantity.RAMP.units)))
def test_any_decimal_number_is_read_to_the_last_bit(digits, places, unit):
    text = f"{digits // 10**places}.{digits % 10**places:0{places}d}" if places and digits >= 0 else str(digits)
    prefix = {"k": 3, "M": 6, "G": 9}.get(unit[0], 0)
    seconds = {"s": 1, "min": 60, "h": 3600}[unit.partition("/")[2]]
    assert quantity.RAMP.parse(f"{text} {unit}", FILE) == float(Fraction(text) * 10**prefix / seconds)


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda dimension: dimension.name)
@given(value=FINITE)
def test_text_comes_back_to_the_bit(dimension, value):
    written = tomli_w.dumps({"x": dimension.text(value)})
    back = dimension.parse(dimension.text(value), FILE)
    assert math.copysign(1.0, back) == math.copysign(1.0, value)
    assert back == value
    assert "\n" not in written.strip()


def test_a_bare_number_is_si_in_python_only():
    assert quantity.POWER.parse(5e6, PYTHON) == 5e6
    assert type(quantity.POWER.parse(np.float32(5), PYTHON)) is float
    assert type(quantity.POWER.parse(np.int64(5), PYTHON)) is float
    assert quantity.POWER.parse(10**400, PYTHON) == math.inf
    with pytest.raises(ValueError, match="with its unit, such as '25 MW'"):
        quantity.POWER.parse(5e6, FILE)


def reloaded(scenario: hil.Scenario, tmp_path: Path) -> hil.Scenario:
    path = tmp_path / "again.toml"
    path.write_text(tomli_w.dumps(scenario.document()), encoding="utf-8")
    return hil.load(path)


@pytest.fixture
def requests(tmp_path) -> Path:
    rows = [f"2023-11-16 18:17:{second:02d}.9799600,{100 + second},{second + 1}" for second in range(30)]
    path = tmp_path / "requests.csv"
    path.write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *rows]) + "\n")
    return path


def test_packaged_scenarios_load_and_reload(tmp_path, requests):
    assert set(hil.packaged()) == {"hall", "inference_replay", "mitigation", "training_job", "training_job_wire"}
    assert all(hil.packaged().values())
    for name in hil.packaged():
        overrides = [f"load.trace={requests}"] if name == "inference_replay" else []
        scenario = hil.load(name, overrides)
        assert scenario.name == scenario.source == name
        assert scenario.title == hil.packaged()[name]
        assert reloaded(scenario, tmp_path).document() == scenario.document()
        assert checked(scenario).document() == scenario.document()


def test_the_flagship_says_what_its_file_says():
    scenario = hil.load("training_job")
    assert (scenario.duration_s, scenario.tick_s, scenario.seed) == (180.0, 0.001, 7)
    assert (scenario.period_ns, scenario.ticks) == (1_000_000, 180_000)
    assert scenario.bess["main"].rating_va == 25e6
    assert scenario.absorber["main"].ramp_w_per_s == 17e6 / 60
    assert scenario.limits[0].max_w_per_s == 20e6 / 60
    assert scenario.supervisor["energy"].window == (0.3, 0.8)
    assert [event.kind for event in scenario.events] == ["load_crash"]


@settings(max_examples=50, deadline=None)
@given(
    rating=st.floats(1.0, 2e9),
    soc=st.floats(0.0, 1.0),
    ramp=st.floats(1e-3, 1e12),
    ambient=st.floats(-50.0, 80.0),
    least=st.floats(0.01, 0.99),
    x_over_r=st.floats(0.0, 1e6),
    reversion=st.integers(0, 86_400),
)
def test_any_values_reload_equal(tmp_path_factory, rating, soc, ramp, ambient, least, x_over_r, reversion):
    scenario = hil.load("training_job")
    bess = scenario.bess["main"]
    bess.over_temperature_degc = 100.0  # above all of the ambients
    bess.rating_va, bess.soc, bess.ambient_degc = rating, soc, ambient
    bess.driver.reversion_s = reversion
    scenario.absorber["main"].ramp_w_per_s = ramp
    scenario.limits[2].min = least
    scenario.grid.x_over_r = x_over_r
    again = reloaded(scenario, tmp_path_factory.getbasetemp())
    assert again == scenario.named("again", again.source)
    assert again.bess["main"].rating_va == rating
    assert again.absorber["main"].ramp_w_per_s == ramp


@pytest.mark.parametrize(
    ("override", "look", "value"),
    [
        ("duration='200 s'", lambda s: s.duration_s, 200.0),  # a TOML value
        ("duration=200 s", lambda s: s.duration_s, 200.0),  # a bare string
        (" duration = 200 s ", lambda s: s.duration_s, 200.0),
        ("seed=8", lambda s: s.seed, 8),
        ("title=8 MW, one = two", lambda s: s.title, "8 MW, one = two"),
        ('title="8"', lambda s: s.title, "8"),
        ("title=", lambda s: s.title, ""),
        ("title=1\nseed=2", lambda s: (s.title, s.seed), ("1\nseed=2", 7)),  # one value, not more of the file
        ("bess.main.driver.rate=5 Hz", lambda s: s.bess["main"].driver.rate_hz, 5.0),  # a table that the file lacks
        ("bess.b={rating='1 MVA', energy='2 MWh'}", lambda s: list(s.bess), ["main", "b"]),
        ("supervisor.energy.window=[0.4, 0.6]", lambda s: s.supervisor["energy"].window, (0.4, 0.6)),
        ("supervisor.energy.window.1=0.6", lambda s: s.supervisor["energy"].window, (0.3, 0.6)),
        ("limits.grid ramp.max=30 MW/min", lambda s: s.limits[0].max_w_per_s, 5e5),  # an entry by its name
        ("limits.0.max='30 MW/min'", lambda s: s.limits[0].max_w_per_s, 5e5),  # and by its index
        ("limits.1.required=false", lambda s: s.limits[1].required, False),
        ("limits=[]", lambda s: s.limits, []),
        ("link.a.between=['supervisor.energy', 'bess.main']", lambda s: s.link_of("bess.main")[0], "a"),
        ("events.0.at=100 s", lambda s: s.events[0].at_s, 100.0),
        ("record.channels=['pcc.*']", lambda s: s.record.channels, ["pcc.*"]),
    ],
)
def test_overrides(override, look, value):
    assert look(hil.load("training_job", [override])) == value


def test_later_overrides_win():
    assert hil.load("training_job", ["seed=1", "seed=2"]).seed == 2


def test_a_file_is_found_by_path_and_finds_its_trace(tmp_path, requests, monkeypatch):
    folder = tmp_path / "deep"
    folder.mkdir()
    for name in ("mine.toml", "mine"):  # by any name, if it is there
        path = folder / name
        text = (PACKAGED / "inference_replay.toml").read_text()
        path.write_text(text.replace('arrivals = "azure_code"', 'trace = "requests.csv"'))
        (folder / "requests.csv").write_bytes(requests.read_bytes())
        scenario = hil.load(path)
        assert (scenario.name, scenario.source) == ("mine", str(path))
        assert scenario.load.trace == folder / "requests.csv"  # beside the file that names it
    (folder / "requests.csv").unlink()
    monkeypatch.chdir(tmp_path)
    assert hil.load(path).load.trace == requests  # or else where one stands
    assert hil.load(str(path)).document() == hil.load(path).document()


def test_changes_in_python():
    scenario = hil.load("training_job")
    bess = scenario.bess["main"]
    bess.rating_va = 5e6
    assert bess.rating_va == 5e6
    bess.rating_va = "6 MVA"
    assert bess.rating_va == 6e6
    bess.unit_id = np.int64(3)
    bess.soc = np.float64(0.5)
    assert (type(bess.unit_id), type(bess.soc)) == (int, float)
    scenario.limits.append({"name": "more", "kind": "overvoltage", "max": 1.2})
    again = checked(scenario)
    assert again.bess["main"].rating_va == 6e6
    assert again.limits[-1].max == 1.2


def test_a_link_in_python(tmp_path):
    scenario = hil.load("training_job")
    assert scenario.link_of("bess.main") is None
    between = ["absorber.main", "bess.main"]
    scenario.absorber["main"].placement = "wire"
    scenario.link = {"energy": {"between": between, "latency": "15 ms", "jitter": "5 ms", "loss": 0.01}}
    scenario.events.append({"kind": "link_cut", "at": "10 s", "link": "link.energy", "duration": "2 s"})
    again = checked(scenario)
    link = again.link["energy"]
    assert (link.controller, link.device) == ("absorber.main", "bess.main")
    assert (link.latency_s, link.jitter_s, link.loss, link.retransmit_s) == (0.015, 0.005, 0.01, 0.2)
    assert again.events[-1].link == "link.energy"
    assert reloaded(again, tmp_path).document() == again.document()
    with pytest.raises(hil.ScenarioError, match=r"Link: jitter_s = 0\.02: must be at most latency = 0\.015 s"):
        link.jitter_s = 0.02
    assert link.jitter_s == 0.005


def test_two_scenarios_share_nothing():
    one, other = hil.load("training_job"), hil.load("training_job")
    one.bess["main"].driver.rate_hz = 5.0
    one.record.channels.append("pcc.*")
    assert other.bess["main"].driver.rate_hz == 20.0
    assert other.record.channels == ["*"]


def test_a_document_needs_no_file():
    document = {"duration": "1 s", "grid": {"short_circuit": "1 GVA"}, "load": {"kind": "training", "power": "1 MW"}}
    scenario = from_document(document)
    assert (scenario.name, scenario.ticks, scenario.bess) == ("scenario", 1000, {})
