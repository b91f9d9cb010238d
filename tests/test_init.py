"""The commented scenario of `hil init`: it runs, and so does each block of it that is taken in."""

from __future__ import annotations

import re
import tomllib

import pytest
from command import hil_command
from guide_support import problems

import hil
from hil.guide import starter

BLOCK = re.compile(r"(?:^#\S.*\n)+", re.MULTILINE)


@pytest.mark.parametrize("kind", starter.kinds())
def test_the_scenario_to_start_with_holds(kind, tmp_path):
    files = starter.write(tmp_path / "mine.toml", kind)
    document = tomllib.loads(files[0].read_text(encoding="utf-8"))
    assert problems(document) == []
    result = hil.run(hil.load(files[0], ["transport=direct"]))
    assert result.verdict == hil.Outcome.PASS


@pytest.mark.parametrize("kind", starter.kinds())
def test_each_block_of_it_can_be_taken_in(kind, tmp_path):
    for name in ("my_law.py", "my_supervisor.py"):
        (tmp_path / name).write_text("")
    path = starter.write(tmp_path / "mine.toml", kind)[0]
    text = path.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) > 10
    plain = hil.load(path).document()
    for block in blocks:
        path.write_text(text[: block.start()] + _taken_in(block) + text[block.end() :], encoding="utf-8")
        changed = hil.load(path).document()
        assert changed != plain or "[record]" in block[0]
        assert problems(tomllib.loads(path.read_text(encoding="utf-8"))) == []
    path.write_text(BLOCK.sub(_taken_in, text.replace('#transport = "direct"', '# transport = "direct"')), encoding="utf-8")
    everything = hil.load(path)
    assert everything.ups
    assert everything.link


def test_each_other_law_that_it_names_can_be_taken(tmp_path):
    path = starter.write(tmp_path / "mine.toml", "training")[0]
    text = path.read_text(encoding="utf-8")
    others = re.findall(r"^#   (kind = .*?): ", text, re.MULTILINE)
    assert [re.match('kind = "(.*?)"', other)[1] for other in others] == ["high_pass", "droop"]
    for other in others:
        there = re.compile(r"(?<=^\[absorber\.main\]\n)kind = .*\n(device = .*\n)ramp = .*\n", re.MULTILINE)
        changed, count = there.subn(rf"\1{other.replace(', ', chr(10))}\n", text)
        assert count == 1
        if "droop" in other:  # it has no filter of its own, as its line says
            assert "takes no filter" in text
            changed = re.sub(r"^filter = .*\n", "", changed, count=1, flags=re.MULTILINE)
        path.write_text(changed, encoding="utf-8")
        assert hil.load(path).absorber["main"].kind in other
        assert problems(tomllib.loads(changed)) == []


def _taken_in(block: re.Match[str]) -> str:
    return re.sub("^#", "", block[0], flags=re.MULTILINE)


def test_every_line_of_it_says_what_it_is():
    """Each setting has a comment beside it, where its key comes for the first time."""
    for kind in starter.kinds():
        text = starter.text(kind, file="mine.toml", trace="power.csv")
        assert len(text.splitlines()) < 200
        assert max(map(len, text.splitlines())) <= 127
        assert "@" not in text
        explained = set()
        for key, comment in re.findall(r"^#?([a-z_]+) = [^#\n]*(#.*)?$", text, re.MULTILINE):
            explained |= {key} if comment else set()
            assert key in explained, key


def test_the_command_never_writes_over_a_file(tmp_path):
    run = hil_command("init", cwd=tmp_path)
    assert (run.code, run.err) == (0, "")
    assert run.out == "scenario.toml written; next: hil run scenario.toml\n"
    before = (tmp_path / "scenario.toml").read_bytes()
    run = hil_command("init", "--kind", "inference", cwd=tmp_path)
    assert (run.code, run.out) == (2, "")
    assert run.err == "hil init: scenario.toml: is there already; name another file\n"
    assert (tmp_path / "scenario.toml").read_bytes() == before
    (tmp_path / "other_power.csv").write_text("mine")
    run = hil_command("init", "other.toml", "--kind", "trace", cwd=tmp_path)
    assert run.err == "hil init: other_power.csv: is there already; name another file\n"
    assert not (tmp_path / "other.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere/mine.toml"], "hil init: nowhere/mine.toml: cannot be written: No such file or directory"),
        (["--kind", "traning"], "hil init: --kind traning: must be one of training, inference, trace, sum"),
    ],
)
def test_what_cannot_be_written(arguments, line, tmp_path):
    run = hil_command("init", *arguments, cwd=tmp_path)
    assert (run.code, run.out, run.err) == (2, "", f"{line}\n")
    assert list(tmp_path.iterdir()) == []
