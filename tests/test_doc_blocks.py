"""Every command and every example of the documentation runs."""

from __future__ import annotations

import pytest
from doc_blocks import KINDS, PAGES, ROOT, Block, blocks, furnish, run_command, run_python, scenario_of
from doc_checks import CHECKS

from hil.scenario.files import from_document, written
from hil.scenario.overlay import lay, read_overlay
from hil.scenario.profiles import expand_profiles
from hil.session.prepare import prepare

BLOCKS = blocks()


def of_kind(kind: str) -> list[object]:
    return [pytest.param(block, id=str(block), marks=marks(block.text)) for block in BLOCKS if block.kind == kind]


def marks(text: str) -> list[pytest.MarkDecorator]:
    needed = [pytest.mark.peer_package("numba")] if "numba" in text else []
    paced = any(sign in text for sign in ("--clock wall", "hil serve", '"serve"', "test_client.py"))
    return [*needed, pytest.mark.realtime] if paced else needed


def pages_with_python() -> list[object]:
    texts = {page: [block.text for block in BLOCKS if block.page == page and block.kind == "python"] for page in PAGES}
    return [
        pytest.param(page, id=str(page.relative_to(ROOT)), marks=marks("".join(text))) for page, text in texts.items() if text
    ]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_says_what_it_is(block: Block):
    """`text` is what is shown: output, drawings."""
    assert block.kind in KINDS
    assert block.kind != "text" or not block.text.startswith(("hil ", "make ", "python ", "pip "))


def commands() -> list[object]:
    return [
        pytest.param(block, command, remark, id=f"{block} {command}", marks=marks(command))
        for block in BLOCKS
        if block.kind == "console"
        for command, remark in block.commands
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("block", "command", "remark"), commands())
def test_commands_run(block: Block, command, remark, tmp_path):
    furnish(tmp_path, block.page)
    run_command(command, remark, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("block", of_kind("console session"))
def test_sessions_run(block: Block, tmp_path):
    furnish(tmp_path, block.page)
    for command, remark in block.commands:
        run_command(command, remark, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with_python())
def test_python_runs(page, tmp_path):
    furnish(tmp_path, page)
    printed = run_python([block for block in BLOCKS if block.page == page and block.kind == "python"], tmp_path)
    CHECKS.get(str(page.relative_to(ROOT)), lambda *_: None)(printed, tmp_path)


@pytest.mark.parametrize("block", of_kind("toml"))
def test_scenarios_can_be_run_as_written(block: Block, tmp_path):
    furnish(tmp_path, block.page)
    if block.page.name == "compare.md":  # which shows overlays
        lay(written("training_job"), (read_overlay(tmp_path / str(block.file_name)),)).scenario()
        return
    document = scenario_of(block)
    expand_profiles(document, tmp_path, str(block))
    prepare(from_document(document, source=str(block), folder=tmp_path))
