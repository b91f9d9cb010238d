"""What tests of JUnit files and of the pytest plugin share: a scenario of four seconds, and the schema."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doc_blocks import ROOT
from lxml import etree

EXAMPLES = ROOT / "examples"
NO_LAW = "absorber.main.kind=none"  # with it the required limit is violated
SHORT = """
title = "Four seconds of a training job"
duration = "4 s"
transport = "direct"
seed = 3

[grid]
short_circuit = "200 MVA"

[load]
kind = "training"
power = "10 MW"
start = "0.2 s"
start_ramp = "1 s"
iteration = "1 s"
edge = "50 ms"

[bess.main]
rating = "10 MVA"
energy = "5 MWh"

[absorber.main]
kind = "ramp_limit"
device = "bess.main"
ramp = "60 MW/min"

[[limits]]
name = "swing"
kind = "peak_to_peak"
max = "5 MW"
window = "1 s"
required = true

[[limits]]
name = "slow ramp"                      # longer than the run: INCONCLUSIVE, but not required
kind = "ramp"
max = "5 MW/min"
window = "60 s"
"""
# The file of Jenkins' xUnit plugin as it stands there, with its licence (MIT) in it.
_SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent / "data" / "junit-10.xsd"))


def short(folder: Path) -> Path:
    """The scenario's file."""
    file = folder / "short.toml"
    file.write_text(SHORT)
    return file


def junit(document: bytes) -> etree._Element:
    """The test suite of a file of one run, which the schema must allow."""
    root = etree.fromstring(document)
    _SCHEMA.assertValid(root)
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite[0].tag == "properties"
    for counted, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(counted)) == len(list(suite.iter(tag)))
        assert root.get(counted) in (suite.get(counted), None)
    return suite


def cases(suite: etree._Element) -> dict[str, Any]:
    """By its name what each test case holds: an element `failure`, `error`, `skipped`, or `system-out`."""
    found = {case.get("name"): case[0] for case in suite.iter("testcase")}
    assert len(found) == int(suite.get("tests"))
    return found


def properties(suite: etree._Element) -> dict[str, str]:
    """Of the suite, by name, each once."""
    listed = [(one.get("name"), one.get("value")) for one in suite.iter("property")]
    assert len(listed) == len(dict(listed))
    return dict(listed)


def red(elements: Iterable[Any]) -> bool:
    """Whether a CI server shows any of them as one that did not pass."""
    return any(element.tag in ("failure", "error") for element in elements)
