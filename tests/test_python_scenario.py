"""A scenario made in Python is the one of a file, and its mistakes are told in the words of Python."""

from __future__ import annotations

import inspect

import pytest

import hil
from hil import scenario as sections
from hil.scenario import (
    Bess,
    ConverterCurrent,
    Grid,
    LoadCrash,
    Overfrequency,
    Overvoltage,
    PeakToPeak,
    RampLimit,
    RampRate,
    Scenario,
    SocRange,
    SocWindow,
    TrainingLoad,
    Underfrequency,
    Undervoltage,
    Ups,
)
from hil.scenario.base import Section
from hil.scenario.load.sum import PartSection

ENERGY = "Bess: energy_wh = '1 MW': must be an energy, such as '12.5 MWh'; units: Wh, kWh, MWh, GWh"


def flagship() -> Scenario:
    """The packaged training job, written in Python."""
    return Scenario(
        title="25 MW training job, one battery",
        duration_s=180.0,
        seed=7,
        grid=Grid(short_circuit_va=220e6),
        load=TrainingLoad(
            power_w=25e6,
            jitter=0.01,
            start_s=5.0,
            start_ramp_s=20.0,
            checkpoint_every_s=60.0,
            checkpoint_duration_s=6.0,
            checkpoint_power=0.12,
        ),
        bess={
            "main": Bess(rating_va=25e6, energy_wh=6.25e6, soc=0.55, converter_lag_s=0.040, setpoint_ramp_w_per_s=1e6 / 60.0)
        },
        absorber={"main": RampLimit(device="bess.main", ramp_w_per_s=17e6 / 60.0, filter_s=0.010)},
        supervisor={"energy": SocWindow(device="bess.main", rate_hz=20.0)},
        limits=[
            RampRate(name="grid ramp", max_w_per_s=20e6 / 60.0, window_s=60.0, required=True),
            PeakToPeak(name="peak-to-peak, 5 s", max_w=10e6, window_s=5.0, required=True),
            Undervoltage(name="27 undervoltage", min=0.95, delay_s=0.1, required=True),
            Overvoltage(name="59 overvoltage", max=1.10, delay_s=0.1),
            Underfrequency(name="81U underfrequency", min_hz=59.5, delay_s=0.1),
            Overfrequency(name="81O overfrequency", max_hz=60.5, delay_s=0.1),
            SocRange(name="SoC reserve", node="bess.main", window=(0.51, 0.59), required=True),
            ConverterCurrent(name="converter current", node="bess.main", max=1.0, delay_s=0.1, required=True),
        ],
        events=[LoadCrash(at_s=114.0)],
    )


def test_it_equals_the_one_of_the_file_and_runs_the_same():
    made, loaded = flagship(), hil.load("training_job")
    assert made == loaded
    made.transport = loaded.transport = "direct"
    assert hil.run(made).waveform_hash == hil.run(loaded).waveform_hash
    made.bess["main"].soc = 0.551
    assert made != loaded


@pytest.mark.parametrize("name", hil.packaged())
def test_every_packaged_scenario_can_be_made_by_name(name):
    loaded = hil.load(name)
    assert Scenario(**loaded.model_dump()) == loaded
    assert Scenario(**dict(loaded)) == loaded  # from its sections
    assert loaded != "a scenario"


def _is_last(section: type) -> bool:
    """Whether nothing but parts of a sum is made of it."""
    return all(issubclass(other, PartSection) and section is not PartSection for other in section.__subclasses__())


def test_every_section_is_public():
    import pkgutil
    from importlib import import_module

    made = {
        thing
        for module in pkgutil.iter_modules(sections.__path__, "hil.scenario.")
        for thing in vars(import_module(module.name)).values()
        if inspect.isclass(thing) and issubclass(thing, Section) and thing is not Section and _is_last(thing)
    }
    assert made == {getattr(sections, name) for name in sections.__all__}


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Grid(short_circuit_va=-1.0), "Grid: short_circuit_va = -1.0: must be above 0 VA"),
        (Grid, "Grid: short_circuit_va: missing; it has no default"),
        (
            lambda: Grid(short_circut_va=1e6),
            "Grid: short_circut_va: no such attribute; did you mean 'short_circuit_va'?",
        ),
        (lambda: Grid(short_circuit_va=1e6, q=1), "Grid: q: no such attribute; there are: " + ", ".join(Grid.model_fields)),
        (lambda: Bess(rating_va=1e6, energy_wh="1 MW"), ENERGY),
        (
            lambda: Bess(rating_va=1e6, energy_wh=1e6, soc_min=0.9, soc_max=0.5),
            "Bess: soc_min = 0.9: must be below soc_max = 0.5",
        ),
        (lambda: Ups(rating_w=1e6, share=2.0), "Ups: share = 2.0: must be between 0 and 1"),
        (
            lambda: Scenario(duration_s=1.0, grid=Grid(short_circuit_va=1e9), load=TrainingLoad(power_w=1e6), bess={"a": {}}),
            "Scenario: bess.a.rating: missing; it has no default",
        ),
        (
            lambda: Scenario(
                duration_s=1.0,
                grid=Grid(short_circuit_va=1e9),
                load=TrainingLoad(power_w=1e6),
                absorber={"x": RampLimit(device="bess.x", ramp_w_per_s=1.0)},
            ),
            "Scenario: absorber.x.device: no such device; the scenario has: none",
        ),
    ],
)
def test_mistakes_are_one_line_in_the_words_of_python(make, line):
    with pytest.raises(hil.ScenarioError) as caught:
        make()
    assert str(caught.value) == line


def test_a_file_has_its_own_spelling_alone(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("duration_s = '5 s'\n[grid]\nshort_circuit = '1 GVA'\n[load]\nkind = 'training'\npower = '1 MW'\n")
    with pytest.raises(hil.ScenarioError) as caught:
        hil.load(path)
    assert str(caught.value) == f"{path}: duration_s: unknown key; did you mean 'duration'?"
