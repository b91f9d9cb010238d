"""What benchmarks/modbus_server.py measures with: its clients see what is wrong, and it says what it misses."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def benchmarks():
    """The programs in benchmarks/ import each other as they lie there."""
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def programs(benchmarks, tmp_path_factory):
    from modbus_compiled import compiled

    folder = tmp_path_factory.mktemp("modbus")
    return compiled("load", folder), compiled("libmodbus_server", folder, "modbus")


@contextmanager
def serving(program, how):
    with subprocess.Popen([program, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        yield server.stdout.readline().strip()
        server.stdin.close()


def loaded(program, *words):
    return json.loads(subprocess.run([program, *map(str, words)], capture_output=True, check=True).stdout)


@pytest.mark.realtime
@pytest.mark.peer("cc")
@pytest.mark.peer_header("modbus/modbus.h", "libmodbus-dev")
def test_clients_tell_living_registers_from_others_and_answers_from_exceptions(programs):
    load, server = programs
    with serving(server, "live") as port:
        closed = loaded(load, 0.2, 0.0, 0, 40_000, 50, 3, port)
        asked = loaded(load, 0.5, 0.0, 20, 40_000, 50, 2, port, port)
    assert closed["answered"] == closed["all"] > 0
    assert closed["changed"] > 0
    assert 0 < asked["answered"] + asked["missed"] <= 4 * 20 * 0.5 + 4
    assert (closed["wrong"], asked["wrong"]) == (0, 0)
    with serving(server, "fixed") as port:
        still = loaded(load, 0.1, 0.0, 0, 0, 50, 1, port)
        refused = loaded(load, 0.1, 0.0, 0, 40_000, 50, 1, port)
    assert (still["changed"], still["wrong"]) == (1, 0)  # the first, from nothing
    assert (refused["answered"], refused["wrong"]) == (0, 1)


def test_without_libmodbus_it_says_so(monkeypatch, capsys):
    import bench
    import modbus_server
    from modbus_compiled import NEEDS, compiled

    missing = NEEDS | {"modbus_of_nobody": "libmodbus of nobody"}
    monkeypatch.setattr("modbus_compiled.NEEDS", missing)
    monkeypatch.setattr(modbus_server, "compiled", lambda name, folder, *_: compiled(name, folder, "modbus_of_nobody"))
    monkeypatch.setattr(sys, "argv", ["modbus_server.py"])
    with pytest.raises(SystemExit) as ended:
        modbus_server.main()
    assert ended.value.code == bench.CANNOT
    said = capsys.readouterr().err
    assert "libmodbus of nobody" in said or said == "no C compiler\n"
