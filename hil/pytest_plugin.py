"""The pytest plugin `ridethrough`: fixtures that run scenarios and serve devices, and failures that tell limits (docs/ci.md).

It costs a suite that does not use it the import of this file: everything of the testbed is imported when a fixture is used.
Only pytest imports it, and what needs no pytest stands in `hil.testing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hil.scenario.model import Scenario
    from hil.testing.bench import Target
    from hil.testing.runs import Run, Runs
    from hil.testing.serving import Devices

_MARKER = "hil_target(*names): on these targets alone; skipped on others, and where none is chosen"
_LONGEST_NAME = 80
_bench = pytest.StashKey[dict[str, "Target"]]()
_targets = pytest.StashKey[list["Target"]]()
_shared = pytest.StashKey[list["Run"]]()  # of the session
_item = pytest.StashKey["pytest.Item | None"]()  # which is being run
_runs = pytest.StashKey[list["Run"]]()  # of a test


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options, in a group of their own."""
    group = parser.getgroup("ridethrough", "hardware-in-the-loop scenarios")
    group.addoption("--hil-bench", metavar="FILE", type=Path, help="targets, in TOML, that the tests can be run on")
    group.addoption(
        "--hil-target",
        metavar="NAME",
        action="append",
        default=[],
        help="a target of the bench, or 'all'; several in turn; left out: all of them",
    )
    group.addoption("--hil-runs", metavar="DIR", type=Path, help="keep the folders of runs there, not with the test's files")


def pytest_configure(config: pytest.Config) -> None:
    """Read the bench. Raises pytest.UsageError, one line, for what is wrong with it."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_item] = None
    config.stash[_shared] = []
    file, names = config.getoption("--hil-bench"), config.getoption("--hil-target")
    if file is None:
        if names:
            raise pytest.UsageError(f"--hil-target {names[0]}: needs --hil-bench FILE, which says what that is")
        return
    from hil.errors import HilError
    from hil.testing.bench import chosen, read_bench

    try:
        config.stash[_bench] = read_bench(file)
        config.stash[_targets] = chosen(config.stash[_bench], names, str(file))
    except HilError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that uses a target, on all of those chosen."""
    targets = metafunc.config.stash.get(_targets, None)
    if targets is not None and "hil_target" in metafunc.fixturenames:
        metafunc.parametrize("hil_target", targets, indirect=True, ids=str, scope="session")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember which test is run; skip what is for other targets."""
    item.stash[_runs] = []
    item.config.stash[_item] = item
    names = [name for marker in item.iter_markers("hil_target") for name in marker.args]
    if not names:
        return
    known = item.config.stash.get(_bench, None)
    unknown = [name for name in names if known is not None and name not in known]
    if unknown:
        pytest.fail(f"hil_target: no target {unknown[0]!r} in the bench; there are: {', '.join(known or ())}", pytrace=False)
    callspec = getattr(item, "callspec", None)
    target = None if callspec is None else callspec.params.get("hil_target")
    on = {target.name} if target is not None else {one.name for one in item.config.stash.get(_targets, [])}
    if not on & set(names):
        pytest.skip(f"for the target {' or '.join(names)}")


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:  # noqa: ARG001  # of a hook
    """Nothing is run any more."""
    item.config.stash[_item] = None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Name the runs of a test that failed, with their tables, and draw them."""
    report = (yield).get_result()
    if report.failed:
        for run in _runs_of(item):
            report.sections.append(("ridethrough run", run.report()))
            run.draw()


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Say which limit a comparison was about, with its margin and time."""
    item = config.stash.get(_item, None)
    runs = [] if item is None else _runs_of(item)
    if not runs:
        return None
    from hil.testing.explain import explain

    return explain(op, left, right, runs)


@pytest.fixture(scope="session")
def hil_target(request: pytest.FixtureRequest) -> Target:
    """The target of `--hil-bench` that the test is run on; without a bench one that changes nothing."""
    from hil.testing.bench import Target

    target: Target = getattr(request, "param", None) or Target()
    return target


@pytest.fixture
def hil_run(request: pytest.FixtureRequest, hil_target: Target, tmp_path: Path) -> Runs:
    """Runs a scenario and returns its `hil.Result`: `hil_run("training_job", set=["bess.main.rating='5 MVA'"])`."""
    from hil.testing.runs import Runs

    node, path = request.node, request.path.parent

    def keep(run: Run) -> None:
        _name(run, node.stash[_runs])
        node.user_properties.extend(run.properties())

    return Runs(hil_target, lambda: _folder(request.config, node.nodeid, tmp_path / "runs"), lambda: path, keep)


@pytest.fixture(scope="session")
def hil_run_shared(request: pytest.FixtureRequest, hil_target: Target, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """As `hil_run`, for a fixture of a module or a session whose result several tests look at."""
    from hil.testing.runs import Runs

    config = request.config

    def where() -> Path:
        return _folder(config, "shared", tmp_path_factory.getbasetemp() / "hil-shared")

    def beside() -> Path | None:
        item = config.stash[_item]
        return None if item is None else item.path.parent

    return Runs(hil_target, where, beside, lambda run: _name(run, config.stash[_shared]))


@pytest.fixture
def hil_devices(request: pytest.FixtureRequest, hil_target: Target) -> Iterator[Callable[..., Devices]]:
    """Serves the devices of a scenario in real time until the test ends: `hil_devices("hall")["ups.a"].port`."""
    from hil.testing.scenarios import listed, scenario_for
    from hil.testing.serving import Devices

    with ExitStack() as stack:

        def start(
            scenario: str | Path | Scenario,
            *,
            set: Iterable[str] = (),  # noqa: A002  # as on the command line
            again: bool = True,
            **single: Any,
        ) -> Devices:
            """Serve a scenario, or one device: "bess", "ups" or "meter" with what `hil serve` takes (map, rating, soc …)."""
            __tracebackhide__ = True
            from hil.errors import ScenarioError
            from hil.testing.serving import one_device

            try:
                what = one_device(scenario, single) if isinstance(scenario, str) else scenario
                chosen = scenario_for(what, listed(set), hil_target, request.path.parent)
                return stack.enter_context(Devices(chosen, again=again))
            except ScenarioError as error:
                raise error.with_traceback(None) from None  # its line says all

        yield start


@pytest.fixture(scope="session")
def assert_limits() -> Callable[..., None]:
    """Asserts that a run has the verdict PASS, or that the named limits held: `assert_limits(result, "grid ramp")`."""
    from hil.testing.runs import assert_limits

    return assert_limits


def _runs_of(item: pytest.Item) -> list[Run]:
    shared = item.config.stash[_shared] if "hil_run_shared" in getattr(item, "fixturenames", ()) else []
    return [*shared, *item.stash.get(_runs, [])]


def _name(run: Run, others: list[Run]) -> None:
    """Keep a run with the others; the second of a scenario is `NAME.2`."""
    before = sum(re.sub(r"\.\d+$", "", other.name) == run.name for other in others)
    run.name += f".{before + 1}" if before else ""
    others.append(run)


def _folder(config: pytest.Config, node: str, otherwise: Path) -> Path:
    """Where the folders of a test's runs are made."""
    runs: Path | None = config.getoption("--hil-runs")
    if runs is None:
        return otherwise
    return runs / re.sub(r"[^A-Za-z0-9._-]+", "-", node).strip("-.")[-_LONGEST_NAME:]
