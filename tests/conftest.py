"""Fixtures and the rules for tests that need something from outside the project."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PEERS_REQUIRED = os.environ.get("RIDETHROUGH_REQUIRE_PEERS") == "1"
_SHARED = Path(os.environ.get("RIDETHROUGH_SHARED", Path(__file__).parents[2] / "shared"))
TRACES = _SHARED / "data" / "azure_llm_2023"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what has no peer here, or fail where the run requires them all."""
    for marker in item.iter_markers("peer"):
        for program in marker.args:
            if shutil.which(program) is None:
                message = f"needs the program {program}: apt-get install {program}"
                if PEERS_REQUIRED:
                    pytest.fail(message)
                pytest.skip(message)
    if item.get_closest_marker("shared") and not TRACES.is_dir():
        pytest.skip(f"needs the Azure LLM inference trace 2023 in {TRACES}")


@pytest.fixture
def code_trace() -> Path:
    """The hour of coding requests."""
    return TRACES / "AzureLLMInferenceTrace_code.csv"


@pytest.fixture
def conversation_trace() -> Path:
    """The hour of conversation requests."""
    return TRACES / "AzureLLMInferenceTrace_conv.csv"
