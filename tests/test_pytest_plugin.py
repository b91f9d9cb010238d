"""The pytest plugin, in suites of a user's own that pytest runs inside these."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib

import pytest
from ci_support import NO_LAW, short
from doc_blocks import ROOT
from lxml import etree

import hil.testing.explain  # the inner pytest would import it anew, compiled modules too
import hil.testing.serving  # noqa: F401
from hil.cli.app import app  # noqa: F401

TABLE = (
    r"E +limit +node +worst +bound +margin +first beyond +beyond for +outcome",
    r"E +swing +pcc +8\.96 MW +5\.00 MW +-79\.2 % +0\.765 s +2\.842 s +FAIL",
)
BENCH = """
[target.strong]
set = ["grid.short_circuit='400 MVA'"]

[target.no_law]
set = ["absorber.main.kind='none'"]

[target.paced]
clock = "wall"
speed = 20
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """Runs pytest, with this plugin alone, on the text of a test file beside the scenario `short.toml`."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    short(pytester.path)
    (pytester.path / "bench.toml").write_text(BENCH)

    def run(text, *arguments):
        pytester.makepyfile(test_own=text)
        return pytester.runpytest_inprocess("-p", "hil.pytest_plugin", "-p", "no:cacheprovider", *arguments)

    return run


def test_a_run_that_holds_passes_and_leaves_its_folder(suite, pytester):
    text = """
        import hil

        def test_it(hil_run, assert_limits, tmp_path):
            result = hil_run("short.toml", set=["seed=5"], duration=3)
            assert isinstance(result, hil.Result)
            assert (result.scenario.seed, result.duration_s) == (5, 3.0)
            assert result.folder.parent == tmp_path / "runs"
            assert not (result.folder / "picture.png").exists()
            assert hil.open_run(result.folder).verdict is result.verdict
            assert_limits(result)
            assert_limits(result, "swing")
            assert_limits(hil_run(hil.load("short.toml"), duration="2 s"))
    """
    suite(text).assert_outcomes(passed=1)


def test_a_limit_that_does_not_hold_is_told_as_a_table(suite):
    text = f"""
        def test_it(hil_run, assert_limits):
            assert_limits(hil_run("short.toml", set=[{NO_LAW!r}]))
    """
    ended = suite(text)
    ended.assert_outcomes(failed=1)
    ended.stdout.re_match_lines(["E +AssertionError: short: FAIL, 0 of 1 required limits held", *TABLE], consecutive=True)
    ended.stdout.re_match_lines([r"E +slow ramp: its window, 61 s .*, is longer than the run, 4 s", r"E +/.*/runs/short-.*"])
    ended.stdout.re_match_lines([r"-+ ridethrough run -+", r"short: FAIL, .* held, waveform .*", r"/.*/runs/short-.*"])


def test_a_named_limit_is_looked_at_though_not_required(suite):
    text = """
        def test_it(hil_run, assert_limits):
            assert_limits(hil_run("short.toml"), "swing", "slow ramp")

        def test_no_such_limit(hil_run, assert_limits):
            assert_limits(hil_run("short.toml"), "swng")
    """
    ended = suite(text)
    ended.assert_outcomes(failed=2)
    ended.stdout.fnmatch_lines(["E * short: 1 of 2 limits held", "E * INCONCLUSIVE (not required)"])
    ended.stdout.fnmatch_lines(["E * ValueError: no limit 'swng' in short; there are: swing, slow ramp"])


def test_a_plain_comparison_tells_the_limit(suite):
    told = {
        'result.limits["swing"].outcome == "PASS"': "FAIL == 'PASS'",
        "result.verdict is hil.Outcome.PASS": "FAIL is PASS",
        "hil.Outcome.PASS == result.verdict": "PASS == FAIL",
        'result.limits["swing"].margin > 0.1': r"-0\.79\d+ > 0\.1",
        'result.limits["swing"].first_violation_s is None': r"0\.765 is None",
        'result.limits["swing"] in []': r"the limit 'swing' in \[\]",
        "result == 3": "the run of short == 3",
    }
    run = f"hil_run('short.toml', set=[{NO_LAW!r}])"
    tests = [f"def test_{n}(hil_run):\n    result = {run}\n    assert {one}\n" for n, one in enumerate(told)]
    ended = suite("import hil\n" + "".join(tests))
    ended.assert_outcomes(failed=len(told))
    for words in told.values():
        ended.stdout.re_match_lines([rf"E +(AssertionError: )?assert {words}", *TABLE])


def test_comparisons_of_other_things_are_pytests(suite):
    text = """
        import hil

        def test_number(hil_run):
            hil_run("short.toml")
            assert 1.5 == 2.5

        def test_without_a_run():
            assert hil.Outcome.FAIL == "PASS"
    """
    ended = suite(text)
    ended.assert_outcomes(failed=2)
    ended.stdout.no_re_match_line(r"E +limit +node")


def test_junit_of_pytest_has_verdict_and_limits(suite, pytester):
    text = """
        def test_it(hil_run):
            hil_run("short.toml")
            hil_run("short.toml", set=["absorber.main.kind='none'"])
    """
    suite(text, "--junitxml", "report.xml").assert_outcomes(passed=1)
    told = {one.get("name"): one.get("value") for one in etree.parse(pytester.path / "report.xml").iter("property")}
    assert (told["short.verdict"], told["short.2.verdict"]) == ("PASS", "FAIL")
    assert told["short.2.limit.swing"].startswith("FAIL · margin -79.2 % · worst 8.96 of 5.00 MW at ")
    assert told["short.limit.slow ramp"].startswith("INCONCLUSIVE")
    for name in ("short", "short.2"):
        summary = json.loads((pytester.path / told[f"{name}.folder"] / "summary.json").read_text())
        assert (summary["verdict"], summary["waveform_hash"]) == (told[f"{name}.verdict"], told[f"{name}.waveform_hash"])


def test_wrong_input_is_one_line_and_leaves_no_run(suite):
    text = """
        import pytest, hil

        def test_it(hil_run):
            hil_run("short.toml", set=["seeds=3"])

        def test_it_can_be_caught(hil_run, tmp_path):
            with pytest.raises(hil.ScenarioError, match="supervisors"):
                hil_run("short.toml", supervisors={"bess.other": None})
            assert not [*tmp_path.glob("runs/*")]

        def test_set_is_a_list(hil_run):
            with pytest.raises(TypeError, match="must be a list"):
                hil_run("short.toml", set="seed=3")
    """
    ended = suite(text)
    ended.assert_outcomes(failed=1, passed=2)
    line = r"E +hil\.errors\.ScenarioError: /.*/short\.toml: seeds: unknown key; did you mean 'seed'\?"
    ended.stdout.re_match_lines([r"> +hil_run\(.*", line, "", r"test_own\.py:4: ScenarioError"], consecutive=True)


def test_a_run_that_something_ended_is_named(suite):
    text = """
        from controllers import Supervisor

        class Breaks(Supervisor):
            async def run(self, device):
                async for _ in self.every(0.1):
                    raise RuntimeError("out of luck")

        def test_it(hil_run):
            hil_run("short.toml", supervisors={"bess.main": Breaks()})
    """
    ended = suite(text, "--hil-runs", "kept")
    ended.assert_outcomes(failed=1)
    ended.stdout.re_match_lines(
        [r"E +RuntimeError: out of luck", r"short: not finished", r"kept/test_own\.py-test_it/short-\d.*"]
    )


def test_runs_are_kept_where_they_are_asked_for(suite, pytester):
    text = """
        import pytest

        @pytest.mark.parametrize("n", ["a/b", "c d"])
        def test_it(hil_run, n):
            hil_run("short.toml")
    """
    suite(text, "--hil-runs", "kept").assert_outcomes(passed=2)
    tests = sorted((pytester.path / "kept").iterdir())
    assert [test.name for test in tests] == ["test_own.py-test_it-a-b", "test_own.py-test_it-c-d"]
    assert all((run / "summary.json").exists() for test in tests for run in test.iterdir())


@pytest.mark.draws
def test_a_run_of_a_test_that_failed_is_drawn(suite, pytester):
    text = """
        def test_it(hil_run):
            hil_run("short.toml")
            assert False
    """
    suite(text, "--hil-runs", "kept").assert_outcomes(failed=1)
    assert [*(pytester.path / "kept").glob("*/short-*/picture.png")]


def test_one_run_for_many_tests(suite):
    text = """
        import pytest

        @pytest.fixture(scope="module")
        def result(hil_run_shared):
            return hil_run_shared("short.toml", set=["absorber.main.kind='none'"])

        def test_swing(result):
            assert result.limits["swing"].outcome == "PASS"

        def test_the_same(result):
            assert result.scenario.name == "short"

        def test_folder(result, hil_run):
            assert result.folder.is_dir()
    """
    ended = suite(text)
    ended.assert_outcomes(failed=1, passed=2)
    ended.stdout.re_match_lines([*TABLE, r"-+ ridethrough run -+", r"/.*/hil-shared/short-\d.*"])


def test_a_suite_goes_over_targets(suite):
    text = """
        import pytest

        def test_target(hil_target, hil_run):
            result = hil_run("short.toml")
            assert result.clock == ("wall" if hil_target.name == "paced" else "lockstep")
            assert (result.verdict == "FAIL") is (hil_target.name == "no_law")
            assert result.scenario.grid.short_circuit_va == (400e6 if hil_target.name == "strong" else 200e6)

        @pytest.mark.hil_target("strong")
        def test_of_one_target(hil_run, hil_target):
            assert hil_target.name == "strong"

        @pytest.mark.hil_target("strong")
        def test_without_a_run():
            pass

        def test_of_its_own():
            pass
    """
    suite(text).assert_outcomes(skipped=2, passed=2)  # without a bench there is one target, which changes nothing
    ended = suite(text, "--hil-bench", "bench.toml", "-rs", "-v", "--hil-target", "strong", "--hil-target", "no_law")
    ended.assert_outcomes(passed=5, skipped=1)
    ended.stdout.fnmatch_lines(
        [f"*{test} PASSED*" for test in ("test_target?strong?", "test_of_one_target?strong?", "test_target?no_law?")]
    )
    ended.stdout.fnmatch_lines(["SKIPPED*for the target strong*"])


@pytest.mark.realtime
def test_without_a_target_it_goes_over_all_of_them(suite):
    text = """
        def test_target(hil_run, hil_target):
            assert hil_run("short.toml", duration=2).clock == hil_target.clock
    """
    suite(text, "--hil-bench", "bench.toml").assert_outcomes(passed=3)


def test_a_marker_with_the_name_of_no_target_fails(suite):
    text = """
        import pytest

        @pytest.mark.hil_target("strang")
        def test_it(hil_run):
            pass
    """
    ended = suite(text, "--hil-bench", "bench.toml", "--hil-target", "strong")
    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["hil_target: no target 'strang' in the bench; there are: strong, no_law, paced"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--hil-target", "strong"], "--hil-target strong: needs --hil-bench FILE, which says what that is"),
        (["--hil-bench", "gone.toml"], "gone.toml: cannot be read: No such file or directory"),
        (["--hil-bench", "short.toml"], "short.toml: target: missing; it has no default"),
        (
            ["--hil-bench", "bench.toml", "--hil-target", "strnog"],
            "bench.toml: target 'strnog': there is none; did you mean 'strong'?",
        ),
    ],
)
def test_a_bench_that_cannot_be_is_one_line(suite, arguments, line):
    ended = suite("def test_it(): pass", *arguments)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    assert [text for text in ended.errlines if text] == [f"ERROR: {line}"]


@pytest.mark.realtime
def test_devices_are_served_while_a_test_goes_on(suite):
    text = """
        import socket, pytest, hil

        kept = {}

        def reached(place):
            with socket.socket() as client:
                return client.connect_ex((place.host, place.port)) == 0

        def test_it(hil_devices):
            devices = kept["devices"] = hil_devices("short.toml", set=["bess.main.rating='2 MVA'"])
            place = devices["bess.main"]
            assert (place.host, place.unit, place.protocol) == ("127.0.0.1", 1, "modbus_tcp")
            assert reached(place)
            assert devices.scenario.bess["main"].rating_va == 2e6
            ups = hil_devices("ups", map="apc-smart-ups")
            assert [end.protocol for end in ups.endpoints("ups.main")] == ["mqtt", "modbus_tcp"]
            assert ups["ups.main"].topic == "hil/v1/site/ups.main"
            with pytest.raises(hil.ScenarioError, match="^bess: maps: unknown; there are: map, rating, energy"):
                hil_devices("bess", maps="x")
            with pytest.raises(hil.ScenarioError, match="^short.toml: rating: unknown; only one device"):
                hil_devices("short.toml", rating="x")
            raise SystemError("in the middle")

        def test_they_are_gone():
            assert not reached(kept["devices"]["bess.main"])
            with pytest.raises(hil.HilError, match="not served any more"):
                kept["devices"].rows()
    """
    ended = suite(text)
    ended.assert_outcomes(failed=1, passed=1)
    ended.stdout.fnmatch_lines(["E *SystemError: in the middle"])


def test_a_suite_without_it_pays_next_to_nothing():
    heavy = "{'numpy', 'pydantic', 'pyarrow', 'asyncio', 'hil.errors', 'hil.testing'}"
    code = f"import sys, pytest; old = {{*sys.modules}}; import hil.pytest_plugin; assert not {heavy} & {{*sys.modules}} - old"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_pytest_finds_it_where_it_is_installed():
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert points == {"pytest11": {"ridethrough": "hil.pytest_plugin"}}


def test_its_options_fixtures_and_marker_are_told(suite):
    asked = {
        "--help": r" +--hil-bench=FILE +targets",
        "--fixtures": r"hil_run -- .*",
        "--markers": r"@pytest\.mark\.hil_target",
    }
    for option, line in asked.items():
        told = suite("", option).stdout.str()
        assert re.search(line, told), option
