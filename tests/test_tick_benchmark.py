"""The twins that benchmarks/tick.py measures against are the product's equal; nothing is timed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import xxhash

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SHORT = [
    "load.start='0.2 s'",
    "load.start_ramp='0.5 s'",
    "load.iteration='1 s'",
    "load.edge='50 ms'",
]  # full load before the dips


@pytest.fixture(scope="module", autouse=True)
def benchmarks():
    """The programs in benchmarks/ import each other as they lie there."""
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def run(benchmarks):
    """Five seconds with every dip of the benchmark: the site, its engine at the end, its rows."""
    from tick_site import frozen_site, product_rows

    site = frozen_site(5_000, dips=True, overrides=SHORT)
    return site, *product_rows(site)


@pytest.fixture(scope="module")
def library(benchmarks, tmp_path_factory):
    from tick_compiled import compiled

    return compiled(tmp_path_factory.mktemp("tick"))


def test_the_run_goes_through_every_branch(run):
    site, engine, rows = run
    at = {name: rows[:, index] for index, name in enumerate(engine.channels)}
    assert engine.states["network"][0]["collapsed_ticks"] > 0
    assert engine.states["limits"]["excursions"].any()
    assert engine.states["limits"]["blank_ticks"].any()
    phases = np.array([at[f"pcc.voltage_{phase}_pu"] for phase in "abc"])
    assert (np.ptp(phases, axis=0) > 0.1).any()
    assert np.ptp(at["bess.main.law_w"]) > 10e6


def test_the_c_is_the_product(run, library):
    from tick_compiled import CSite
    from tick_site import TOLERANCE, check_same

    site, engine, rows = run
    with CSite(library, site) as c:
        others = c.rows(rows.shape[1])
        results = c.results()
    assert check_same(engine, rows, others, results) <= TOLERANCE
    padded = np.pad(others, ((0, 0), (0, -rows.shape[1] % 4)))
    assert f"{results.waveform_hash:016x}" == xxhash.xxh64(padded.tobytes()).hexdigest()


def test_the_timed_call_of_the_c_is_the_one_compared(run, library):
    from tick_compiled import CSite

    site, _, rows = run
    with CSite(library, site) as plain, CSite(library, site) as copied:
        plain.run(0, 1_234)
        plain.run(1_234, site.load_w.size)
        copied.rows(rows.shape[1])
        assert bytes(plain.results()) == bytes(copied.results())


def test_the_python_is_the_product(run):
    from tick_python import PythonSite
    from tick_site import TOLERANCE, check_same

    site, engine, rows = run
    python = PythonSite(site)
    assert check_same(engine, rows, python.rows(), python.results()) <= TOLERANCE


def test_the_comparison_sees_what_is_off(run):
    from tick_site import TOLERANCE, deviation

    _, _, rows = run
    off = rows.copy()
    off[2_000, 5] *= 1.0 + 1e-11
    assert deviation(rows, off) > TOLERANCE


def test_the_flags_are_those_of_the_extension(benchmarks):
    from tick_compiled import flags

    assert {"-O3", "-ffp-contract=off", "-fno-math-errno"} <= set(flags())
