"""The C that benchmarks/limits.py measures against is the product's equal, and its site has every kind; nothing is timed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import pytest

import hil
from hil.scenario.limit import Limit

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TICKS = 65_000  # past the dip


@pytest.fixture(scope="module", autouse=True)
def benchmarks():
    """The programs in benchmarks/ import each other as they lie there."""
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def site(benchmarks):
    from limits_site import limited_site

    return limited_site(TICKS)


@pytest.fixture(scope="module")
def library(benchmarks, tmp_path_factory):
    from limits_compiled import compiled

    return compiled(tmp_path_factory.mktemp("limits"))


def test_the_site_has_every_kind(benchmarks):
    from limits_site import FILE

    kinds = {kind.model_fields["kind"].default for kind in get_args(get_args(Limit)[0])}
    of_waveforms = {"voltage_distortion", "current_distortion", "transient_overvoltage"}  # which no site has
    assert {limit.kind for limit in hil.load(FILE).limits} == kinds - of_waveforms


def test_the_c_is_the_product(site, library):
    from limits import TOLERANCE, deviation
    from limits_compiled import CLimits
    from limits_site import rows_of, selection

    rows = rows_of(site)
    with CLimits(library, selection(site, short=True)) as c:
        assert deviation(selection(site, short=True), c, rows) <= TOLERANCE


def test_the_comparison_sees_another_setting(site, library):
    from limits import deviation
    from limits_compiled import CLimits
    from limits_site import rows_of, selection

    rows = rows_of(site)
    other = selection(site, short=True)
    other.parameters["thermals"]["heating"] *= 1.0 + 1e-7
    other.parameters["thermals"]["cooling"] *= 1.0 + 1e-7
    with CLimits(library, selection(site, short=True)) as c, pytest.raises(AssertionError, match="differ"):
        deviation(other, c, rows)
