"""Fixtures and the rules for tests that need something from outside the project."""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

# Debian's places for servers, mosquitto for one, and for NUT's drivers; not on everybody's path.
os.environ["PATH"] += os.pathsep + "/usr/sbin" + os.pathsep + "/lib/nut"
_PACKAGES = {  # where they are not named alike
    "mosquitto_pub": "mosquitto-clients",
    "mosquitto_sub": "mosquitto-clients",
    "generic_modbus": "nut-modbus",
    "huawei-ups2000": "nut-modbus",
    "upsc": "nut-client",
}
PEERS_REQUIRED = os.environ.get("RIDETHROUGH_REQUIRE_PEERS") == "1"
# What shows that the checks of a checked build fire needs that build: scripts/checked_build.sh, scripts/thread_sanitizer.sh.
_CHECKS = {"1": "test_checked_build.py", "threads": "test_thread_sanitizer.py"}
collect_ignore = [name for build, name in _CHECKS.items() if os.environ.get("RIDETHROUGH_CHECKED") != build]
_SHARED = Path(os.environ.get("RIDETHROUGH_SHARED", Path(__file__).parents[2] / "shared"))
TRACES = _SHARED / "data" / "azure_llm_2023"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker more than cores: some tests wait for the wall clock."""
    return (os.cpu_count() or 1) + 1


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what has no peer here, or fail where the run requires them all."""
    missing = [
        *(
            f"the program {name}: apt-get install {_PACKAGES.get(name, name)}"
            for name in _named(item, "peer")
            if shutil.which(name) is None
        ),
        *(
            f"the package {name}: pip install -e '.[peers]'"
            for name in _named(item, "peer_package")
            if importlib.util.find_spec(name) is None
        ),
        *(
            f"the header {marker.args[0]}: apt-get install {marker.args[1]}"
            for marker in item.iter_markers("peer_header")
            if not (Path("/usr/include") / marker.args[0]).is_file()
        ),
    ]
    for message in missing:
        if PEERS_REQUIRED:
            pytest.fail(f"needs {message}")
        pytest.skip(f"needs {message}")
    if item.get_closest_marker("shared") and not TRACES.is_dir():
        pytest.skip(f"needs the Azure LLM inference trace 2023 in {TRACES}")


def _named(item: pytest.Item, marker: str) -> list[str]:
    return [name for found in item.iter_markers(marker) for name in found.args]


@pytest.fixture(autouse=True)
def _draws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is not marked `draws` is without pictures, as where matplotlib is not installed: they cost a second each."""
    if request.node.get_closest_marker("draws") is None:
        monkeypatch.setitem(sys.modules, "hil.report.picture", None)  # type: ignore[arg-type]


@pytest.fixture
def code_trace() -> Path:
    """The hour of coding requests."""
    return TRACES / "AzureLLMInferenceTrace_code.csv"


@pytest.fixture
def conversation_trace() -> Path:
    """The hour of conversation requests."""
    return TRACES / "AzureLLMInferenceTrace_conv.csv"


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Address of one mosquitto for all, which keeps nothing on disk; a test keeps to topics of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    folder = tmp_path_factory.mktemp("mosquitto")
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"listener {address[1]} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(["mosquitto", "-c", configuration], stdout=log, stderr=log) as server,
    ):
        try:
            for _ in range(600):
                assert server.poll() is None, (folder / "log").read_text()
                with socket.socket() as caller:
                    if caller.connect_ex(address) == 0:
                        break
                time.sleep(0.05)
            yield address
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    """The probe's function, built from C."""
    from law_support import PROBE, compiled

    source = tmp_path_factory.mktemp("probe") / "probe.c"
    source.write_text(PROBE)
    return ctypes.CDLL(str(compiled(source, "probe.so", source.parent))).probe


@pytest.fixture
def probe_law(probe, monkeypatch):
    """The probe as a law, under the name `test_laws_probe:law`."""
    from law_support import SEEN, capsule

    from controllers.law import CAPSULE, Law

    module = types.ModuleType("test_laws_probe")
    module.name = CAPSULE.encode()  # the capsule keeps the pointer, so the bytes must live
    module.law = Law(capsule(probe, module.name), state=SEEN, parameters=[("answer_w", "f8")])
    monkeypatch.setitem(sys.modules, "test_laws_probe", module)
    return "test_laws_probe:law"


@pytest.fixture
def engines(monkeypatch):
    """Engines of the runs of a test."""
    from hil.site.build import build_engine

    built = []

    def keep(*given, **options):
        built.append(build_engine(*given, **options))
        return built[-1]

    monkeypatch.setattr("hil.session.prepare.build_engine", keep)
    return built


@pytest.fixture
def nothing_unseen(caplog):
    """Nobody's exception may be lost in a loop's log."""
    yield
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
