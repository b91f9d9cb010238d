"""Every case of conformance against our Modbus server (docs/conformance.md); and the player of the cases sees faults."""

from __future__ import annotations

import asyncio
import importlib
import sys
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "validation"))
servers, verdicts = map(importlib.import_module, ("modbus_servers", "modbus_verdicts"))
OK = "ok"


@pytest.mark.parametrize("case", verdicts.CASES, ids=[case.name for case in verdicts.CASES])
def test_our_server(case):
    assert verdicts.of_ours(case) == OK


def test_the_page_has_these_cases_and_ours_passes_them_all():
    page = (ROOT / "docs" / "conformance.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.split("<!-- cases: ")[1].splitlines() if line.startswith("|")]
    assert rows[0][:3] == ["case", "clause", "ours"]
    assert [row[:3] for row in rows[3:]] == [[case.name, case.clause, OK] for case in verdicts.CASES]
    assert len({case.name for case in verdicts.CASES}) == len(verdicts.CASES) >= 60


def played(server, names):
    cases = {case.name: case for case in verdicts.CASES}
    return asyncio.run(verdicts.of_peer(server, [cases[name] for name in names], patience_s=60.0))


FAULTS = {  # found by hand before there were cases, and none a matter of time
    "FC 3: three registers, high byte first": OK,
    "FC 3: quantity 0": "80 01",
    "FC 5: any other value is refused and changes nothing": "answer 1: 05 00 AB FF 00",
    "FC 23: reads beyond the last register, nothing is written": "answer 2: 03 02 00 07",
    "Unit identifier 2, another one: no such target": "83 04",
}


@pytest.mark.realtime
def test_the_player_sees_the_faults_of_a_server_that_has_some():
    assert played(servers.pymodbus, FAULTS) == list(FAULTS.values())


@pytest.mark.realtime
@pytest.mark.peer("cc")
@pytest.mark.peer_header("modbus/modbus.h", "libmodbus-dev")
def test_a_case_is_not_merely_what_ours_does(tmp_path):
    """All that libmodbus does as we read the specification."""
    names = [case.name for case in verdicts.CASES if case.name.startswith(("FC 1:", "FC 2:", "FC 3:", "FC 4:", "FC 22:"))]
    server = partial(servers.libmodbus, servers.build_libmodbus(tmp_path))
    assert played(server, names) == [OK] * len(names)
