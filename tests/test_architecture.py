"""Who may import whom (docs/architecture.md), and how big a room may grow."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("hil", "firmware_sim", "controllers")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
GENERATED = {path.with_suffix(".c") for package in PACKAGES for path in (ROOT / package).rglob("*.pyx")}
WRITTEN = sorted(
    path
    for folder in (*PACKAGES, "benchmarks", "examples", "scripts", "tests", "validation")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".pyi", ".pyx", ".pxd", ".c", ".h") and path not in GENERATED
)
CYTHON = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.p[yx][xd]"))

WHOLE_SITE = (
    "site.pxd", "tick.pxd", "batches.pxd", "supervision.pxd", "sound.pxd", "ups_unit.pxd", "ups_fleet.pxd",
    "binding.pyx", "engine.pyx", "layout.pyx",
)  # fmt: skip

SHARED = ("hil.coroutines", "hil.draws", "hil.errors", "hil.mqtt", "hil.standards")
# What each room may import of ours, besides itself.
RULES = {
    "firmware_sim": SHARED,
    "controllers": SHARED,
    "hil.coroutines": (),
    "hil.draws": (),
    "hil.errors": (),
    "hil.whole": (),
    "hil.mqtt": ("hil.coroutines", "hil.errors"),
    "hil.standards": (),
    "hil.broker": ("hil.errors", "hil.mqtt.packets"),
    "hil.clock": ("hil.errors",),
    "hil.links": ("hil.draws", "hil.errors"),
    "hil.limits": ("hil.errors", "hil.kernel", "hil.scenario"),
    "hil.scenario": ("hil.draws", "hil.errors", "hil.mqtt.address", "hil.mqtt.signals"),
    "hil.guide": ("hil.errors", "hil.scenario"),
    "hil.loads": ("hil.draws", "hil.errors", "hil.recordings", "hil.scenario"),
    "hil.own": ("hil.errors", "hil.scenario.quantity"),
    "hil.kernel": (),
    "hil.site": ("hil.errors", "hil.kernel", "hil.limits", "hil.own", "hil.record.streams", "hil.scenario", "controllers.law"),
    "hil.check": ("hil.errors", "hil.kernel", "hil.limits", "hil.recordings", "hil.scenario", "hil.verdict", "hil.waves"),
    "hil.realtime": ("hil.errors", "hil.kernel"),
    "hil.verdict": ("hil.kernel", "hil.limits", "hil.realtime.evidence", "hil.scenario", "hil.site"),
    "hil.verify": ("hil.kernel", "hil.limits", "hil.scenario"),
    "hil.waves": (),
    "hil.wiring": (
        "hil.errors",
        "hil.broker",
        "hil.clock.participants",
        "hil.kernel",
        "hil.mqtt",
        "hil.scenario",
        "hil.verdict.liveness",
        "firmware_sim",
    ),
    "hil.fleet": (
        "hil.coroutines",
        "hil.draws",
        "hil.errors",
        "hil.broker",
        "hil.clock.participants",
        "hil.kernel",
        "hil.links",
        "hil.mqtt",
        "hil.own",
        "hil.scenario",
        "hil.verdict.liveness",
        "hil.wiring",
        "firmware_sim",
        "controllers",
    ),
    "hil.doctor": ("hil.whole", "hil.realtime", "hil.scenario", "hil.site"),
    "hil.record": ("hil.kernel", "hil.whole"),
    "hil.recordings": ("hil.errors", "hil.record", "hil.scenario.quantity"),
    "hil.report": (
        "hil.errors",
        "hil.limits",
        "hil.realtime.evidence",
        "hil.record",
        "hil.scenario",
        "hil.verdict",
        "hil.whole",
    ),
    "hil.session": (
        "hil.clock",
        "hil.doctor",
        "hil.errors",
        "hil.fleet",
        "hil.kernel",
        "hil.limits",
        "hil.loads",
        "hil.own",
        "hil.realtime",
        "hil.record",
        "hil.report",
        "hil.scenario",
        "hil.site",
        "hil.verdict",
        "hil.whole",
        "hil.wiring",
        "firmware_sim",
        "controllers",
    ),
    "hil.serve": (
        "hil.clock",
        "hil.errors",
        "hil.fleet",
        "hil.kernel",
        "hil.limits",
        "hil.loads",
        "hil.record",
        "hil.scenario",
        "hil.session",
        "hil.site",
        "hil.wiring",
        "firmware_sim",
    ),
    "hil.api": ("hil.report", "hil.session", "hil.scenario", "controllers.supervisor", "controllers.ups_supervisor"),
    "hil.testing": (
        "hil.api",
        "hil.errors",
        "hil.report",
        "hil.scenario",
        "hil.serve",
        "hil.session",
        "hil.verdict",
        "controllers.supervisor",
        "controllers.ups_supervisor",
    ),
    "hil.pytest_plugin": ("hil.errors", "hil.scenario.model", "hil.testing"),
    "hil.packages": ("hil.errors",),
    "hil.cli": (
        "hil.check",
        "hil.doctor",
        "hil.errors",
        "hil.guide",
        "hil.limits",
        "hil.loads",
        "hil.own",
        "hil.packages",
        "hil.realtime.evidence",
        "hil.record",
        "hil.report",
        "hil.scenario",
        "hil.serve",
        "hil.session",
        "hil.verdict",
        "hil.verify",
    ),
}
OUTSIDE = {
    "aiomqtt": ("hil/mqtt/wire.py",),
    "paho": ("hil/mqtt/wire.py",),
    "pymodbus": ("controllers/modbus.py",),
    "matplotlib": (
        "hil/report/comparison_picture.py",
        "hil/report/figures.py",
        "hil/report/load_picture.py",
        "hil/report/picture.py",
    ),
    "pyarrow": ("hil/record", "hil/recordings"),
    "pytest": ("hil/pytest_plugin.py",),
}


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module if node.module != "hil" else f"hil.{alias.name}" for alias in node.names}
    return found


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


@pytest.mark.parametrize("path", FILES, ids=module)
def test_imports_follow_the_rules(path):
    own = module(path)
    rooms = [room for room in RULES if within(own, room)]
    if not rooms:
        assert own in ("hil", "hil.scenarios")  # the public names, given on first use; and a folder of data
        return
    room = max(rooms, key=len)
    for name in imports(path):
        if name.split(".")[0] in PACKAGES:
            assert within(name, room) or any(within(name, allowed) for allowed in RULES[room]), f"{own} imports {name}"


@pytest.mark.parametrize(("library", "only"), OUTSIDE.items())
def test_one_room_adapts_each_library(library, only):
    users = [str(path.relative_to(ROOT)) for path in FILES if any(within(name, library) for name in imports(path))]
    assert users
    assert all(any(user == room or user.startswith(f"{room}/") for room in only) for user in users), users


def test_only_what_sees_a_whole_site_joins_the_packages():
    for path in CYTHON:
        own = path.relative_to(ROOT).parts[0]
        joined = {name.split(".")[0] for name in re.findall(r"^from ([\w.]+) cimport", path.read_text(), re.MULTILINE)}
        others = joined & set(PACKAGES) - {own}
        assert not others or path.name in WHOLE_SITE, f"{path.name} cimports {others}"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_a_room(path):
    """One subject, which its first lines name, and under 400 lines."""
    text = path.read_text()
    assert len(text.splitlines()) < 400
    if path.suffix == ".py" and text:
        assert ast.get_docstring(ast.parse(text)), "says what lives there"


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "__init__.py"], ids=module)
def test_a_package_says_what_must_not_live_there(path):
    said = ast.get_docstring(ast.parse(path.read_text()))
    assert said is not None
    assert re.search(r"\b([Nn]othing|[Nn]o|not|only|alone)\b", said)


def test_rooms_do_not_go_round_in_circles():
    def rooms(name: str) -> set[str]:
        return {room for room in RULES if within(name, room) or within(room, name)}

    known = {room: set().union(*(rooms(name) for name in allowed)) - {room} for room, allowed in RULES.items()}
    while known:
        free = {room for room, others in known.items() if not others}
        assert free, f"they know each other: {known}"
        known = {room: others - free for room, others in known.items() if room not in free}


def test_the_public_interface_is_small_and_there():
    import hil

    assert len(hil.__all__) <= 30
    for name in hil.__all__:
        assert getattr(hil, name) is not None
    assert set(hil.__all__) == set(hil._HOMES)


def test_packages_and_their_data_are_listed():
    import tomllib

    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    there = {module(path) for path in FILES if path.name == "__init__.py"}
    assert listed == there


def test_python_and_the_kernel_agree_on_the_points_of_a_device():
    from firmware_sim.image import FaultPoint, PcsCondition, PcsPoint, UpsMode, UpsPoint, UpsTest
    from hil.kernel.layout import CODES

    kinds = {
        "point.": PcsPoint,
        "pcs.": PcsCondition,
        "ups_point.": UpsPoint,
        "ups_mode.": UpsMode,
        "ups_test.": UpsTest,
        "fault_point.": FaultPoint,
    }
    for kind, points in kinds.items():
        coded = {name.removeprefix(kind): value for name, value in CODES.items() if name.startswith(kind)}
        assert coded == {point.name.lower(): point.value for point in points}


def test_python_and_the_kernel_agree_on_the_contract_of_a_law():
    """One header, described twice: the dtypes that Python hands to numba are those that the C compiler sees."""
    from controllers import law
    from hil.kernel.layout import CODES, law_dtypes

    assert law_dtypes() == (law.SIGNALS, law.COMMAND)
    assert CODES["law.version"] == law.VERSION
    header = (Path(law.include()) / "ridethrough_law.h").read_text()
    assert f'#define RIDETHROUGH_LAW_CAPSULE "{law.CAPSULE}"' in header
