"""A run as JUnit XML: valid by the schema of Jenkins' xUnit plugin, and red exactly where the verdict is not PASS."""

from __future__ import annotations

import errno
import json
import re
from dataclasses import replace

import pytest
from ci_support import NO_LAW, cases, junit, properties, red, short
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import hil
from hil.cli.app import app
from hil.report.junit import document, unfinished
from hil.verdict.foreseen import NO_LIMIT
from hil.verdict.outcome import Outcome

RAISES = """
from controllers import Supervisor


class Breaks(Supervisor):
    async def run(self, device):
        async for _ in self.every(0.1):
            raise RuntimeError("out of \\x1b[31mluck")
"""


@pytest.fixture(scope="module")
def passed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("passed")
    return hil.run(hil.load(short(folder)), folder=folder / "run")


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    return hil.run(hil.load(short(tmp_path_factory.mktemp("failed")), [NO_LAW]))


def run(*arguments):
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


def test_a_run_that_passed_has_nothing_red(passed):
    suite = junit(document(passed))
    found = cases(suite)
    assert list(found) == ["swing (pcc)", "slow ramp (pcc)", "verdict"]
    assert [element.tag for element in found.values()] == ["system-out", "skipped", "system-out"]
    assert found["slow ramp (pcc)"].get("message").startswith("INCONCLUSIVE, not required: slow ramp (pcc): its window, 61 s")
    assert {case.get("classname") for case in suite.iter("testcase")} == {"short"} == {suite.get("name")}


def test_a_violated_limit_is_a_failure_with_its_figures(failed):
    found = cases(junit(document(failed)))
    limit, element = failed.limits["swing"], found["swing (pcc)"]
    assert (element.tag, element.get("type")) == ("failure", "FAIL")
    told = re.fullmatch(
        r"swing \(pcc\): worst (\S+) MW, limit (\S+) MW, margin (\S+) %, first violated at (\S+) s, (\S+) s beyond in all",
        element.get("message"),
    )
    figures = (limit.worst / 1e6, limit.limit / 1e6, 100 * limit.margin, limit.first_violation_s, limit.time_beyond_s)
    assert tuple(map(float, told.groups())) == pytest.approx(figures, abs=0.06)
    assert found["verdict"].tag == "failure"
    assert found["verdict"].get("message") == "FAIL: 0 of 1 required limits held"
    assert "5.00 MW" in found["verdict"].text


def test_what_keeps_a_run_from_pass_is_an_error_and_the_rest_skipped(passed):
    slow = replace(passed.limits["slow ramp"], required=True)
    reason = f"slow ramp: {', '.join(slow.reasons)}"
    undecided = replace(
        passed,
        verdict=Outcome.INCONCLUSIVE,
        limits=passed.limits | {"slow ramp": slow},
        reasons=["record: 3 rows lost", reason],
    )
    found = cases(junit(document(undecided)))
    assert (found["slow ramp (pcc)"].tag, found["slow ramp (pcc)"].get("type")) == ("error", "INCONCLUSIVE")
    assert found["slow ramp (pcc)"].get("message") == reason.replace("slow ramp:", "slow ramp (pcc):")
    assert found["verdict"].tag == "error"
    assert found["verdict"].get("message") == f"INCONCLUSIVE: 1 of 2 required limits held; record: 3 rows lost; {reason}"


def test_a_violated_limit_that_is_not_required_is_told_and_not_red(passed):
    beyond = replace(passed.limits["slow ramp"], outcome=Outcome.FAIL, first_violation_s=1.5, time_beyond_s=0.25)
    found = cases(junit(document(replace(passed, limits=passed.limits | {"slow ramp": beyond}))))
    element = found["slow ramp (pcc)"]
    assert (element.tag, element.get("type")) == ("skipped", "FAIL")
    assert element.get("message").endswith("first violated at 1.500 s, 0.250 s beyond in all")
    assert not red(found.values())


@pytest.mark.parametrize(("blocks", "tag"), [(True, "error"), (False, "skipped")])
def test_a_limit_that_does_not_apply_is_red_where_the_verdict_says_so(passed, blocks, tag):
    does_not = replace(
        passed.limits["slow ramp"], required=True, outcome=Outcome.NOT_APPLICABLE, worst=None, reasons=["no UPS"]
    )
    verdict = {"verdict": Outcome.INCONCLUSIVE, "reasons": ["slow ramp: no UPS"]} if blocks else {}
    found = cases(junit(document(replace(passed, limits=passed.limits | {"slow ramp": does_not}, **verdict))))
    assert found["slow ramp (pcc)"].tag == tag
    assert red(found.values()) is blocks


@settings(max_examples=40)
@given(
    limits=st.lists(st.tuples(st.sampled_from([*Outcome]), st.booleans()), max_size=4),
    missing=st.lists(st.sampled_from(["load: 3 ticks without a value (under-run)", "grid: no solution"]), max_size=2),
)
def test_a_file_is_red_exactly_where_the_verdict_is_not_pass(passed, limits, missing):
    """Judged as docs/verdict.md says: what of the required limits is undecided blocks PASS, FAIL outranks all."""
    one = passed.limits["swing"]
    made = {f"l{n}": replace(one, name=f"l{n}", outcome=outcome, required=must) for n, (outcome, must) in enumerate(limits)}
    required = [limit for limit in made.values() if limit.required]
    open_ones = [f"{limit.name}: {limit.outcome}" for limit in required if limit.outcome not in (Outcome.PASS, Outcome.FAIL)]
    reasons = [*missing, *open_ones, *([] if required else [NO_LIMIT])]
    failed = any(limit.outcome is Outcome.FAIL for limit in required)
    verdict = Outcome.FAIL if failed else Outcome.INCONCLUSIVE if reasons else Outcome.PASS
    found = cases(junit(document(replace(passed, verdict=verdict, limits=made, reasons=reasons))))
    assert red(found.values()) is (verdict is not Outcome.PASS)
    assert red([found["verdict"]]) is (verdict is not Outcome.PASS)
    for limit in made.values():
        keeps = limit.required and limit.outcome is not Outcome.PASS
        assert red([found[f"{limit.name} (pcc)"]]) is keeps


@settings(max_examples=40)
@given(text=st.text(st.characters(codec=None), max_size=30))
def test_whatever_a_name_holds_the_file_can_be_read(passed, text):
    named = replace(passed.limits["swing"], name=f"a{text}", reasons=[text])
    (case, *_) = junit(document(replace(passed, limits={named.name: named}))).iter("testcase")
    kept = re.sub("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", lambda sign: repr(sign[0])[1:-1], named.name)
    assert case.get("name") == f"{kept} (pcc)"


def test_it_says_where_a_run_comes_from(passed, failed):
    suite = junit(document(passed))
    told, known = properties(suite), json.loads((passed.folder / "provenance.json").read_text())
    assert known == passed.provenance
    assert told["version.ridethrough"] == known["versions"]["ridethrough"]
    assert told["version.python"] == known["python"]
    assert told.get("commit") == known["commit"]
    assert told["host.system"] == known["host"]["system"]
    assert (told["seed"], told["tick_s"], told["duration_s"], told["transport"]) == ("3", "0.001", "4", "direct")
    assert (told["clock"], told["verdict"], told["waveform_hash"]) == ("lockstep", "PASS", passed.waveform_hash)
    assert told["folder"] == str(passed.folder)
    assert told["scenario_file"] == passed.scenario.source
    assert told["scenario_sha256"] != properties(junit(document(failed)))["scenario_sha256"]
    assert told["scenario_file_sha256"] == properties(junit(document(failed)))["scenario_file_sha256"]
    assert suite.get("timestamp") == known["started"].removesuffix("+00:00")
    assert float(suite.get("time")) == pytest.approx(passed.wall_s, abs=1e-3)


def test_the_hash_of_the_file_is_that_of_what_stands_in_it(passed):
    import hashlib

    file = passed.folder.parent / "short.toml"
    assert passed.provenance["scenario_file"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (
        hil.run(hil.load("training_job", ["duration='1 s'", "events=[]"])).provenance["scenario_file"]["path"]
        == "training_job"
    )
    made = hil.Scenario(duration_s=0.1, load=passed.scenario.load, grid=passed.scenario.grid)
    assert hil.run(made).provenance["scenario_file"] is None


def test_a_saved_run_gives_the_same_file(passed, tmp_path):
    hil.open_run(passed.folder).junit(tmp_path / "in" / "a" / "folder.xml")
    assert (tmp_path / "in" / "a" / "folder.xml").read_bytes() == document(passed)
    assert [file.name for file in (tmp_path / "in" / "a").iterdir()] == ["folder.xml"]


@pytest.mark.parametrize(("override", "code", "verdict"), [("seed=3", 0, "PASS"), (NO_LAW, 1, "FAIL")])
def test_the_command_writes_it(tmp_path, override, code, verdict):
    file = tmp_path / "reports" / "run.xml"
    ended = run(short(tmp_path), "--runs", tmp_path / "runs", "--set", override, "--junit", file)
    assert (ended.exit_code, ended.stderr) == (code, "")
    told = properties(junit(file.read_bytes()))
    assert (told["verdict"], told["set.1"]) == (verdict, override)
    assert verdict in ended.stdout


def test_a_place_that_cannot_be_is_told_before_anything_runs(tmp_path):
    (tmp_path / "file").touch()
    for place, why in ((tmp_path, "it is a folder"), (tmp_path / "file" / "x.xml", "File exists")):
        ended = run(short(tmp_path), "--runs", tmp_path / "runs", "--junit", place)
        assert (ended.exit_code, ended.stderr) == (2, f"--junit {place}: cannot be written ({why})\n")
    assert not (tmp_path / "runs").exists()


def test_the_scenario_itself_is_not_written_over(tmp_path):
    scenario = short(tmp_path)
    text = scenario.read_bytes()
    ended = run(scenario, "--runs", tmp_path / "runs", "--junit", scenario)
    assert (ended.exit_code, ended.stderr) == (2, f"--junit {scenario}: is what is read, which is not written over\n")
    assert scenario.read_bytes() == text
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("override", "code"), [("seed=3", 4), (NO_LAW, 1)])
def test_a_disk_that_fails_later_does_not_lose_the_verdict(tmp_path, monkeypatch, override, code):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hil.report.junit.write", full)
    file = tmp_path / "run.xml"
    ended = run(short(tmp_path), "--runs", tmp_path / "runs", "--set", override, "--junit", file)
    assert (ended.exit_code, ended.stderr) == (code, f"--junit {file}: cannot be written (No space left on device)\n")
    assert "required limits held" in ended.stdout
    (summary,) = (tmp_path / "runs").glob("*/summary.json")
    assert json.loads(summary.read_text())["verdict"] == ("FAIL" if code == 1 else "PASS")


def test_the_file_is_there_though_nobody_reads_the_table(tmp_path, monkeypatch):
    def closed(_):
        raise BrokenPipeError

    monkeypatch.setattr("hil.cli.table.print_result", closed)
    run(short(tmp_path), "--runs", tmp_path / "runs", "--junit", tmp_path / "run.xml")
    assert properties(junit((tmp_path / "run.xml").read_bytes()))["verdict"] == "PASS"


def test_wrong_input_and_runs_that_break_are_in_the_file_too(tmp_path):
    file = tmp_path / "run.xml"
    file.write_text("of an earlier run")
    ended = run(short(tmp_path), "--runs", tmp_path / "runs", "--set", "seeds=3", "--junit", file)
    (element,) = cases(junit(file.read_bytes())).values()
    assert (ended.exit_code, element.tag, element.get("type")) == (2, "error", "wrong input")
    assert element.text == ended.stderr.rstrip("\n") == f"{tmp_path / 'short.toml'}: seeds: unknown key; did you mean 'seed'?"
    (tmp_path / "breaks.py").write_text(RAISES)
    own = "supervisor.energy={kind='own', class='breaks.py:Breaks', device='bess.main'}"
    ended = run(short(tmp_path), "--runs", tmp_path / "runs", "--set", own, "--junit", file)
    (folder,) = (tmp_path / "runs").iterdir()
    suite = junit(file.read_bytes())
    (element,) = cases(suite).values()
    assert (ended.exit_code, element.tag, element.get("type")) == (4, "error", "unfinished")
    assert r"RuntimeError: out of \x1b[31mluck" in element.get("message")
    assert (properties(suite)["folder"], suite.get("name")) == (str(folder), "short")


def test_of_a_run_without_a_verdict_as_much_is_told_as_is_known(tmp_path):
    assert properties(junit(unfinished("x", "broke", "unfinished", tmp_path / "gone"))) == {"folder": str(tmp_path / "gone")}
