"""Fleets that serve a model: the speeds it sets, against the measured times, and what a request then takes (docs/loads.md)."""

from __future__ import annotations

import pytest

from hil.errors import ScenarioError
from hil.loads.base import LoadFeed
from hil.loads.inference import Fleet
from hil.loads.requests import Request
from hil.scenario.files import from_document
from hil.scenario.load import InferenceLoad
from hil.scenario.load.presets import MODELS

TIMES = [  # of docs/loads.md, ms: a prompt of 1,024 tokens alone, a token while 32 sequences decode
    ("llama-2-70b", "h100", 8, 77.91, 38.62),
    ("llama-2-70b", "h100", 4, 105.61, 36.88),
    ("llama-2-70b", "h100", 2, 157.95, 52.30),
    ("llama-2-70b", "a100", 8, 154.46, 53.02),
    ("llama-2-70b", "a100", 4, 227.08, 52.35),
    ("llama-2-70b", "a100", 2, 377.06, 72.19),
    ("bloom-176b", "h100", 8, 132.62, 45.84),
    ("bloom-176b", "a100", 8, 289.19, 65.38),
]
PERIOD_S = 0.0001


def load_of(**keys: object) -> InferenceLoad:
    return InferenceLoad.model_validate({"kind": "inference", **keys})


def test_each_model_has_its_times() -> None:
    known = {(model, gpu, gpus) for model, of_gpu in MODELS.items() for gpu, of_gpus in of_gpu.items() for gpus in of_gpus}
    assert known == {row[:3] for row in TIMES}


@pytest.mark.parametrize(("model", "gpu", "gpus", "prompt_ms", "token_ms"), TIMES)
def test_speeds_are_those_of_the_times(model: str, gpu: str, gpus: int, prompt_ms: float, token_ms: float) -> None:
    load = load_of(model=model, gpu=gpu, **({} if gpus == 8 else {"gpus_per_replica": gpus}))
    assert load.gpus_per_replica == gpus
    assert load.max_batch == 32
    assert load.prefill_tokens_per_s == pytest.approx(1024.0 / (1e-3 * prompt_ms), rel=1e-12)
    assert load.decode_tokens_per_s == pytest.approx(1.0 / (1e-3 * token_ms), rel=1e-12)


@pytest.mark.parametrize(("model", "gpu", "gpus", "prompt_ms", "token_ms"), TIMES[::7])
def test_a_request_takes_as_long(model: str, gpu: str, gpus: int, prompt_ms: float, token_ms: float) -> None:
    """The measured prompt and 20 tokens: full power for the prompt's time, a sequence's power for 20 tokens' time."""
    load = load_of(model=model, gpu=gpu, replicas=1, edge=0.0)
    wave = LoadFeed(Fleet(load, [Request(0.5, 1024, 20)]).breakpoints(), PERIOD_S).block(30_000) / load.rated_w
    decoding = load.idle_power + (load.decode_power - load.idle_power) / 32
    assert (wave > 0.99).sum() * PERIOD_S == pytest.approx(1e-3 * prompt_ms, abs=2 * PERIOD_S)
    assert (abs(wave - decoding) < 1e-6).sum() * PERIOD_S == pytest.approx(20e-3 * token_ms, abs=2 * PERIOD_S)
    assert wave[0] == pytest.approx(load.idle_power)


def test_the_larger_model_and_the_older_gpu_are_slower() -> None:
    def speeds(model: str, gpu: str) -> tuple[float, float]:
        load = load_of(model=model, gpu=gpu)
        return load.prefill_tokens_per_s, load.decode_tokens_per_s

    for slower, faster in (
        (("bloom-176b", "h100"), ("llama-2-70b", "h100")),
        (("bloom-176b", "a100"), ("llama-2-70b", "a100")),
        (("llama-2-70b", "a100"), ("llama-2-70b", "h100")),
    ):
        assert all(a < b for a, b in zip(speeds(*slower), speeds(*faster), strict=True))


def test_keys_that_are_given_go_before_it() -> None:
    load = load_of(model="llama-2-70b", gpu="h100", max_batch=64, decode_tokens_per_s=19.9, gpu_power=600.0)
    assert (load.max_batch, load.decode_tokens_per_s, load.gpu_power_w, load.gpus_per_replica) == (64, 19.9, 600.0, 8)
    assert load.prefill_tokens_per_s == pytest.approx(13_143, abs=1)


def test_without_one_the_fleet_is_what_it_was() -> None:
    load = load_of(gpu="h100")
    assert (load.prefill_tokens_per_s, load.decode_tokens_per_s, load.max_batch, load.gpus_per_replica) == (10_000, 30, 32, 8)


def test_assigning_another_gpu_takes_its_speeds() -> None:
    load = load_of(model="llama-2-70b", gpu="h100")
    load.gpu = "a100"
    assert (load.gpu_power_w, load.prefill_tokens_per_s) == (400.0, pytest.approx(6_630, abs=1))
    with pytest.raises(ScenarioError, match="gpus_per_replica = 3: must be 2, 4 or 8 with model = 'llama-2-70b'"):
        load.gpus_per_replica = 3
    assert (load.gpus_per_replica, load.prefill_tokens_per_s) == (8, pytest.approx(6_630, abs=1))


def test_a_part_of_a_sum_has_one_too() -> None:
    part = {"kind": "inference", "model": "bloom-176b", "gpu": "l40s"}
    document = {"duration": "10 s", "grid": {"short_circuit": "5 GVA"}, "load": {"kind": "sum", "part": {"chat": part}}}
    with pytest.raises(ScenarioError) as refused:
        from_document(document)
    assert str(refused.value).startswith(
        "scenario: load.part.chat.model = 'bloom-176b': must come with gpu = 'h100' or 'a100': "
    )
    part["gpu"] = "a100"
    assert from_document(document).load.part["chat"].decode_tokens_per_s == pytest.approx(15.3, abs=0.05)


def test_the_resolved_document_reads_as_the_same() -> None:
    load = {"kind": "inference", "model": "llama-2-70b", "gpu": "a100", "gpus_per_replica": 4}
    scenario = from_document({"duration": "10 s", "grid": {"short_circuit": "5 GVA"}, "load": load})
    assert from_document(scenario.document()) == scenario
