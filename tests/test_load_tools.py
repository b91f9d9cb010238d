"""`hil load plot` and `hil load fit`: spectra against closed forms, parameters against the jobs that powers came from."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from command import hil_command

from hil.loads.analysis import spectrum, stretch
from hil.loads.base import LoadFeed
from hil.loads.fit import Fitted, fit
from hil.loads.fitted_text import text
from hil.loads.training import TrainingBreakpoints
from hil.scenario.load import TrainingLoad

JOB = {
    "kind": "training",
    "power": 25e6,
    "iteration": 4.0,
    "edge": 0.25,
    "compute_share": 0.8,
    "communication_power": 0.35,
    "idle_power": 0.1,
}


def sampled(seconds: float, rate_hz: float, *, seed: int = 0, noise_w: float = 0.0, **keys: object) -> tuple[np.ndarray, ...]:
    """Samples of a job, each the mean since the last, as boxcar meters give them."""
    load = TrainingLoad.model_validate({**JOB, **keys})
    feed = LoadFeed(TrainingBreakpoints(load, seed), 1.0 / rate_hz)
    power_w = feed.block(round(seconds * rate_hz))
    power_w = power_w + noise_w * np.random.default_rng(seed).standard_normal(power_w.size)
    return (np.arange(power_w.size) + 0.5) / rate_hz, power_w


# --- Spectra ---


@pytest.mark.parametrize("offset", [0.0, 0.2, 0.5, 0.77])
def test_a_lone_sine_keeps_frequency_and_amplitude(offset):
    """Whether it falls on a bin or between two."""
    n, period_s = 20_000, 0.001
    hz = (300 + offset) / (n * period_s)
    found = spectrum(5e6 + 2e6 * np.sin(2 * np.pi * hz * np.arange(n) * period_s + 1.0), period_s)
    ((line_hz, amplitude_w), *_) = found.lines()
    assert line_hz == pytest.approx(hz, abs=1e-3 * found.resolution_hz)
    assert amplitude_w == pytest.approx(2e6, rel=1e-3)
    assert len(found.lines()) == 1
    assert found.band_w(5.0, 55.0) == pytest.approx(2e6, rel=1e-3)
    assert found.band_w(0.1, 5.0) < 1e3


@pytest.mark.parametrize("duty", [0.5, 0.7, 0.8])
def test_lines_of_a_square_wave(duty):
    """n-th harmonic (2ΔP/πn)·|sin(πnd)|, and in a band the root of the sum of their squares."""
    load = TrainingLoad.model_validate(
        {**JOB, "edge": 0.0, "iteration": 2.0, "compute_share": duty, "communication_power": 0.0}
    )
    of = stretch(LoadFeed(TrainingBreakpoints(load, 0), 0.001), 0.001, 0.0, 200.0)
    found = spectrum(of.power_w, 0.001)
    exact = {n: 2 * 25e6 / (math.pi * n) * abs(math.sin(math.pi * n * duty)) for n in range(1, 11)}
    for hz, amplitude_w in found.lines():
        assert amplitude_w == pytest.approx(exact[round(2 * hz)], rel=2e-3)
    assert found.lines()[0][0] == pytest.approx(0.5, abs=1e-4)
    assert found.band_w(0.1, 5.25) == pytest.approx(math.sqrt(sum(a * a for a in exact.values())), rel=2e-3)
    assert of.largest_ramp_w(1.0) == pytest.approx(25e6)
    assert of.largest_ramp_w(1e4) is None


def test_a_stretch_begins_where_it_is_asked_to():
    load = TrainingLoad.model_validate({**JOB, "jitter": 0.05})
    whole = stretch(LoadFeed(TrainingBreakpoints(load, 3), 0.01), 0.01, 0.0, 400.0)
    part = stretch(LoadFeed(TrainingBreakpoints(load, 3), 0.01), 0.01, 200.0, 300.0)
    assert part.power_w == pytest.approx(whole.power_w[20_000:30_000])
    assert part.time_s[0] == pytest.approx(200.005)
    with pytest.raises(ValueError, match="at most 8,000,000"):
        stretch(LoadFeed(TrainingBreakpoints(load, 3), 0.001), 0.001, 0.0, 1e5)


# --- Fits: tolerances are those of docs/loads.md ---


@pytest.mark.parametrize("rate_hz", [20.0, 50.0, 200.0])
@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"iteration": 2.0, "compute_share": 0.6, "communication_power": 0.5, "edge": 0.2},
        {"iteration": 7.3, "compute_share": 0.9, "communication_power": 0.2, "edge": 0.3},
    ],
)
def test_a_plain_job_comes_back(rate_hz, keys):
    job = {**JOB, **keys}
    found = fit(*sampled(300.0, rate_hz, **keys))
    assert found.power_w == pytest.approx(25e6, rel=1e-3)
    assert found.iteration_s == pytest.approx(job["iteration"], rel=1e-3)
    assert found.compute_share == pytest.approx(job["compute_share"], abs=0.01)
    assert found.communication_power == pytest.approx(job["communication_power"], abs=0.01)
    assert found.edge_s == pytest.approx(job["edge"], rel=0.10, abs=0.1 / rate_hz)
    assert found.jitter is None
    assert found.checkpoints == 0
    assert set(found.open) <= {"idle_power"}


def test_ten_samples_a_second_do_not_resolve_an_edge():
    """Of 150 ms, under two samples: it is said, and everything else still comes back."""
    found = fit(*sampled(300.0, 10.0, edge=0.15))
    assert found.edge_s is None
    assert found.open["edge"] == "shorter than two samples, 0.2 s"
    assert found.iteration_s == pytest.approx(4.0, rel=2e-3)
    assert found.compute_share == pytest.approx(0.8, abs=0.02)
    assert found.communication_power == pytest.approx(0.35, abs=0.01)
    assert "# edge not resolved, shorter than two samples, 0.2 s" in text(found, "x.csv")


def test_a_slow_meter_does_not_see_the_low_phase():
    found = fit(*sampled(600.0, 4.0, iteration=2.0, compute_share=0.8, edge=0.05))
    assert "communication_power" in found.open
    assert found.iteration_s == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_jitter_comes_back(seed):
    found = fit(*sampled(2000.0, 50.0, seed=seed, jitter=0.03))
    assert found.jitter == pytest.approx(0.03, rel=0.15)
    assert found.iteration_s == pytest.approx(4.0, rel=0.005)


@pytest.mark.parametrize("power", [0.1, 0.35, 0.6])
def test_checkpoints_come_back(power):
    """Below, at and above the level of communication."""
    keys = {"checkpoint_every": 60.0, "checkpoint_duration": 5.0, "checkpoint_power": power}
    found = fit(*sampled(1200.0, 50.0, **keys))
    assert found.checkpoints == pytest.approx(19, abs=1)
    assert found.checkpoint_every_s == pytest.approx(60.0, abs=4.0 / 18)
    assert found.checkpoint_power == pytest.approx(power, abs=0.01)
    assert found.checkpoint_duration_s == pytest.approx(5.0, abs=0.3)
    assert found.iteration_s == pytest.approx(4.0, rel=2e-3)
    assert found.compute_share == pytest.approx(0.8, abs=0.01)


def test_idle_start_and_stop_come_back():
    found = fit(*sampled(400.0, 50.0, start=40.0, stop=350.0))
    assert found.idle_power == pytest.approx(0.1, abs=0.005)
    assert found.start_s == pytest.approx(40.0, abs=0.3)
    assert found.stop_s == pytest.approx(350.0, abs=4.0)


def test_noise_makes_no_iterations():
    found = fit(*sampled(600.0, 50.0, noise_w=0.5e6))
    assert found.iteration_s == pytest.approx(4.0, rel=2e-3)
    assert found.iterations == pytest.approx(149, abs=1)
    assert found.compute_share == pytest.approx(0.8, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_any_job_comes_back_from_any_meter(seed):
    """Random jobs with and without checkpoints, jitter and noise, at 10 to 100 samples a second."""
    rng = np.random.default_rng(seed)
    iteration_s, share = rng.uniform(1.5, 10.0), rng.uniform(0.5, 0.9)
    edge_s = min(rng.uniform(0.02, 0.25), 0.3 * iteration_s * (1.0 - share))
    keys = {
        "iteration": iteration_s,
        "compute_share": share,
        "communication_power": rng.uniform(0.15, 0.75),
        "edge": edge_s,
        "jitter": float(rng.choice([0.0, 0.01, 0.03])),
    }
    checkpoints = {}
    if rng.random() < 0.5:
        checkpoints = {
            "checkpoint_every": rng.uniform(40.0, 120.0),
            "checkpoint_duration": rng.uniform(3.0, 10.0),
            "checkpoint_power": rng.uniform(0.1, 0.4),
        }
    rate_hz = float(rng.choice([10.0, 20.0, 50.0, 100.0]))
    found = fit(*sampled(900.0, rate_hz, seed=seed, noise_w=float(rng.choice([0.0, 1e5])), **keys, **checkpoints))
    assert found.iteration_s == pytest.approx(iteration_s, rel=0.015)
    assert found.compute_share == pytest.approx(share, abs=0.02)
    if "communication_power" not in found.open:
        assert found.communication_power == pytest.approx(keys["communication_power"], abs=0.02)
    if edge_s > 2.3 / rate_hz:
        assert found.edge_s == pytest.approx(edge_s, rel=0.15)
    elif found.edge_s is not None:
        assert found.edge_s == pytest.approx(edge_s, rel=0.2)
    if checkpoints:
        assert found.checkpoint_every_s == pytest.approx(checkpoints["checkpoint_every"], rel=0.08)
        assert found.checkpoint_duration_s == pytest.approx(checkpoints["checkpoint_duration"], abs=0.4)
        assert found.checkpoint_power == pytest.approx(checkpoints["checkpoint_power"], abs=0.02)
    else:
        assert found.checkpoints == 0


def test_a_flat_power_has_no_phases():
    found = fit(np.arange(100.0), np.full(100, 5e6))
    assert found.iteration_s is None
    assert found.power_w == 5e6
    assert "no phases" in found.open["iteration"]
    with pytest.raises(ValueError, match="16 or more"):
        fit(np.arange(3.0), np.ones(3))


@pytest.mark.parametrize(
    ("low_w", "high_w", "why"), [(0.0, 0.0, "never above 0"), (-3e6, -1e6, "never above 0"), (-1e6, 5e6, "below 0 at 1.5 s")]
)
def test_what_no_job_can_be_is_not_fitted(low_w, high_w, why):
    time_s = 0.5 * np.arange(400)
    with pytest.raises(ValueError, match=why):
        fit(time_s, np.where(np.arange(400) % 8 < 3, high_w, low_w))


def test_what_it_prints_is_a_load():
    """The section is taken by the models as it stands, and gives the power back."""
    found = fit(*sampled(1200.0, 50.0, checkpoint_every=60.0, jitter=0.02, seed=4))
    section = tomllib.loads(text(found, "x.csv"))["load"]
    load = TrainingLoad.model_validate(section, context={"file": True}, by_alias=True, by_name=False)
    again = fit(
        *sampled(1200.0, 50.0, seed=4, **{key: value for key, value in section.items() if key not in ("kind", "power")})
    )
    assert load.iteration_s == pytest.approx(4.0, rel=0.01)
    assert again.iteration_s == pytest.approx(found.iteration_s, rel=0.01)
    assert isinstance(found, Fitted)


# --- Commands ---


def test_plot_draws_and_tells(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("job.toml").write_text('[load]\nkind = "training"\npower = "25 MW"\n')
    code, out, said = hil_command("load", "plot", "job.toml", "--to", "100 s", "--set", "load.iteration='2 s'")
    assert (code, said) == (0, "")
    assert Path("load.png").read_bytes().startswith(b"\x89PNG")
    assert "line at 0.5 Hz" in out
    # 25·(0.8 + 0.2·0.35) and the first edge, which is not there: 25·0.65·0.25/2 MJ over 100 s
    assert out.splitlines()[1].split() == ["mean", "21.77", "MW"]
    code, out, said = hil_command("load", "plot", "training_job", "--to", "60 s", "--json", "--out", "drawn.svg")
    figures = json.loads(out)
    assert code == 0
    assert {tuple(band["band_hz"]) for band in figures["bands"]} >= {(0.1, 5.0), (5.0, 55.0)}
    assert "<svg" in Path("drawn.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plot", "nowhere"], "nowhere: no such scenario"),
        (["plot", "training_job", "--from", "9"], "--from '9': "),
        (["plot", "training_job", "--from", "900 s"], "--from 900 s: must be before the end, 180 s"),
        (["plot", "training_job", "--out", "x.pdf", "--to", "9 s"], "--out x.pdf: must end in .png or .svg"),
        (["plot", "training_job", "--to", "1 ms"], "must be 8 or more"),
        (["plot", "training_job", "--set", "load.powr=1"], "load.powr: unknown key"),
        (["fit", "nowhere.csv"], "nowhere.csv: load.trace = 'nowhere.csv': no such file"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    code, out, said = hil_command("load", *arguments)
    assert (code, out) == (2, "")
    assert said.count("\n") == 1
    assert told in said


def test_fit_prints_a_section(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{t!r},{1e-3 * p!r}\n" for t, p in zip(*(column.tolist() for column in sampled(120.0, 50.0)), strict=True))
    Path("log.csv").write_text(f"t,power [kW]\n{rows}")
    keys = ["--set", "time_column=t", "--set", "power_column='power [kW]'"]
    code, out, said = hil_command("load", "fit", "log.csv", *keys)
    assert (code, said) == (0, "")
    assert out.startswith("# Fitted to log.csv: 6,000 samples, one every 0.02 s; 28 iterations, 0 checkpoints.\n[load]\n")
    assert tomllib.loads(out)["load"]["power"] == "25 MW"
    code, out, _ = hil_command("load", "fit", "log.csv", *keys, "--json")
    assert json.loads(out)["iteration_s"] == pytest.approx(4.0, rel=1e-3)
    Path("load.toml").write_text(hil_command("load", "fit", "log.csv", *keys)[1])
    assert hil_command("load", "plot", "load.toml", "--to", "40 s")[0] == 0
