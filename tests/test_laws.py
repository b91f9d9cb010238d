"""Fast laws of one's own: the built-in one rewritten twice is the same to the bit; what cannot be used is refused."""

from __future__ import annotations

import ctypes
import hashlib
import json
import shutil
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from rig import H, Rig

import hil
from controllers import Law
from controllers.law import CAPSULE, SIGNALS, include
from hil.session.run import Options, run_scenario

EXAMPLES = Path(__file__).parents[1] / "examples" / "laws"
ALONE = Options(controllers=False)
ABSORBER = "absorber.main={{kind='law',device='bess.main',filter='10 ms',law='{law}',parameters={{ramp='17 MW/min'}}}}"


def compiled(source: Path, name: str, folder: Path, *flags: str) -> Path:
    """A shared library in `folder`."""
    out = folder / name
    headers = [f"-I{sysconfig.get_path('include')}", f"-I{include()}"]
    command = ["cc", "-O2", "-ffp-contract=off", "-shared", "-fPIC", *headers, *flags, str(source), "-o", str(out)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return out


@pytest.fixture(scope="module")
def in_c(tmp_path_factory) -> str:
    """The C example, built as its own first lines say."""
    folder = tmp_path_factory.mktemp("laws")
    compiled(EXAMPLES / "ramp_limit.c", "_ramp_limit.so", folder)
    shutil.copy(EXAMPLES / "in_c.py", folder)
    return f"{folder}/in_c.py:ramp_limit"


CASES = [
    [],
    ["seed=8", "grid.short_circuit='150 MVA'", "events=[{kind='grid_dip',at='70 s',duration='300 ms',residual=0.6}]"],
    ["tick='100 us'", "duration='20 s'", "events=[]", "absorber.main.update='3 ms'", "absorber.main.delay='7 ms'"],
]


def same_as_built_in(law: str, overrides: list[str]) -> None:
    own = hil.load("training_job", [ABSORBER.format(law=law), *overrides])
    built_in = hil.load("training_job", overrides)
    assert run_scenario(own, ALONE).waveform_hash == run_scenario(built_in, ALONE).waveform_hash


@pytest.mark.parametrize("overrides", CASES, ids=str)
def test_ramp_limit_in_c_is_the_built_in_to_the_bit(in_c, overrides):
    same_as_built_in(in_c, overrides)


@pytest.mark.peer_package("numba")
@pytest.mark.parametrize("overrides", CASES, ids=str)
def test_ramp_limit_in_numba_is_the_built_in_to_the_bit(overrides):
    same_as_built_in(f"{EXAMPLES}/in_numba.py:ramp_limit", overrides)


def test_with_a_controller_too(in_c):
    """A law of one's own under the flagship's supervisor, over Modbus: the same waveforms and the same verdict."""
    own = hil.run(hil.load("training_job", [ABSORBER.format(law=in_c)]))
    built_in = hil.run(hil.load("training_job"))
    assert (own.waveform_hash, own.verdict) == (built_in.waveform_hash, "PASS")


def test_a_run_keeps_the_law_it_ran(in_c, tmp_path):
    scenario = hil.load("training_job", [ABSORBER.format(law=in_c), "duration='2 s'", "events=[]"])
    hil.run(scenario, folder=tmp_path / "run")
    source = Path(in_c.rpartition(":")[0]).read_bytes()
    assert (tmp_path / "run" / "laws" / "main.py").read_bytes() == source
    provenance = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert provenance["laws"] == {"main": hashlib.sha256(source).hexdigest()}


# --- What a law is given ---

PROBE = """
#include "ridethrough_law.h"
#include <string.h>
typedef struct { signals_t seen; double dt; int64_t calls; } state_t;
void probe(void *memory, const void *params, const signals_t *in, command_t *out, double dt)
{
    state_t *state = memory;
    const double *answer = params;
    memcpy(&state->seen, in, sizeof *in);
    state->dt = dt;
    state->calls += 1;
    out->power_w = out->struct_size == sizeof *out && out->version == RIDETHROUGH_LAW_VERSION ? *answer : 0.0 / 0.0;
}
"""
SEEN = np.dtype([("seen", SIGNALS), ("dt_s", "f8"), ("calls", "i8")])


def capsule(function: object, name: bytes):
    make = ctypes.pythonapi.PyCapsule_New
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return make(ctypes.cast(function, ctypes.c_void_p), name, None)


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    source = tmp_path_factory.mktemp("probe") / "probe.c"
    source.write_text(PROBE)
    return ctypes.CDLL(str(compiled(source, "probe.so", source.parent))).probe


@pytest.fixture
def probe_law(probe, monkeypatch):
    """The probe under the name `test_laws_probe:law`."""
    import sys
    import types

    name = CAPSULE.encode()  # the capsule keeps the pointer, so the bytes must live
    module = types.ModuleType("test_laws_probe")
    module.law = Law(capsule(probe, name), state=SEEN, parameters=[("answer_w", "f8")])
    module.name = name
    monkeypatch.setitem(sys.modules, "test_laws_probe", module)
    return "test_laws_probe:law"


BESS = {"rating": "10 MVA", "energy": "10 MWh", "setpoint_ramp": "1 GW/s", "charge": "4 MW", "discharge": "6 MW"}


def probed(law: str, answer: object, **keys: object) -> Rig:
    load_w = 20e6 + np.cumsum(np.random.default_rng(2).normal(0, 1e5, 1_000))
    absorber = {"kind": "law", "device": "bess.x", "law": law, "parameters": {"answer": answer}, "filter": "5 ms", **keys}
    dip = {"kind": "grid_dip", "at": "0.5 s", "duration": "0.1 s", "residual": 0.8}
    return Rig({"bess": {"x": BESS}, "absorber": {"a": absorber}, "events": [dip]}, load_w)


def test_a_law_is_given_what_was_measured_at_the_end_of_the_last_tick(probe_law):
    rig = probed(probe_law, "3 MW")
    seen = rig.engine.states["law_memory.bess.x"]
    names = {
        "load_w": "bess.x.load_measured_w", "voltage_pu": "bus.voltage_measured_pu", "power_w": "bess.x.power_w",
        "frequency_hz": "pcc.frequency_measured_hz", "setpoint_w": "bess.x.setpoint_w", "soc": "bess.x.soc",
    }  # fmt: skip
    rig.engine.command(0, 0, 1e6)
    rig.engine.command(0, 1, 1.0)
    for tick in range(999):
        rig.engine.feed(rig.load_w[tick : tick + 1])
        rig.engine.advance(tick + 1)
        given = seen["seen"][0]
        assert (given["tick"], given["time_s"]) == (tick, tick * H)
        assert (given["struct_size"], given["version"]) == (SIGNALS.itemsize, 1)
        if tick:
            for field, channel in names.items():
                assert given[field] == rig.rows[tick - 1, rig.engine.channels.index(channel)], field
    assert (given["rating_va"], given["charge_max_w"], given["discharge_max_w"]) == (10e6, 4e6, 6e6)
    assert (seen["calls"][0], seen["dt_s"][0]) == (999, H)
    assert np.all(rig["bess.x.law_w"][:999] == 3e6)


def test_a_law_runs_at_its_own_period(probe_law):
    rig = probed(probe_law, "3 MW", update="7 ms").run()
    seen = rig.engine.states["law_memory.bess.x"]
    assert (seen["calls"][0], seen["dt_s"][0]) == (143, 7 * H)


def test_what_is_not_finite_counts_as_zero_and_as_a_fault(probe_law):
    rig = probed(probe_law, "1 MW")
    rig.engine.parameters["law_memory.bess.x"]["answer_w"] = np.nan
    rig.run()
    assert np.all(rig["bess.x.law_w"] == 0.0)
    assert rig.engine.states["law"]["faults"][0] == 1_000
    assert np.all(np.isfinite(rig.rows))


def test_a_faulty_law_blocks_pass(probe_law):
    absorber = f"absorber.main={{kind='law',device='bess.main',law='{probe_law}',parameters={{answer='1 W'}}}}"
    scenario = hil.load("training_job", [absorber, "duration='100 s'", "events=[]", "limits=[]"])

    def broken(tick: int) -> None:
        memory["answer_w"] = np.inf

    import hil.session.run as session

    built = session.build_engine

    def build(*arguments):
        nonlocal memory
        engine = built(*arguments)
        memory = engine.parameters["law_memory.bess.main"]
        return engine

    memory = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "build_engine", build)
        result = run_scenario(scenario, Options(controllers=False, progress=broken))
    assert result.verdict == "INCONCLUSIVE"
    assert any("answers of its law were not finite" in reason for reason in result.reasons)


# --- What cannot be used ---


def test_versions_and_shapes_are_checked(probe):
    for name, problem in (
        (b"ridethrough.law.2", "for version 2 of the contract, this testbed speaks version 1"),
        (b"somebody.law.1", "name is 'somebody.law.1', must be 'ridethrough.law.1'"),
        (b"ridethrough.law.x", "must be 'ridethrough.law.1'"),
    ):
        with pytest.raises(ValueError, match=problem):
            Law(capsule(probe, name))
    good = CAPSULE.encode()
    with pytest.raises(TypeError, match=r"must be a PyCapsule 'ridethrough\.law\.1' or a numba cfunc, is a function"):
        Law(lambda *_: None)
    with pytest.raises(ValueError, match="state must be a structured dtype of plain numbers"):
        Law(capsule(probe, good), state="f8")
    with pytest.raises(ValueError, match="parameters must be a structured dtype of plain numbers"):
        Law(capsule(probe, good), parameters=[("x", "O")])
    with pytest.raises(ValueError, match=r"parameters\.x must be a number"):
        Law(capsule(probe, good), parameters=[("x", "U4")])
    with pytest.raises(ValueError, match=r"defaults\.y: the parameters have no such field"):
        Law(capsule(probe, good), parameters=[("x", "f8")], defaults={"y": 1.0})


@pytest.mark.peer_package("numba")
def test_a_cfunc_is_checked():
    import numba

    from controllers.law import numba_signature

    step = numba.cfunc(numba_signature())(lambda state, parameters, signals, command, dt: None)
    with pytest.raises(ValueError, match="carries no version: give version=1"):
        Law(step)
    with pytest.raises(ValueError, match="for version 3 of the contract"):
        Law(step, version=3)
    with pytest.raises(ValueError, match="takes 1 arguments, must take 5"):
        Law(numba.cfunc("void(float64)")(lambda dt: None), version=1)
    assert Law(step, version=1).address == step.address


FILE = """
from test_laws_probe import law
other = 5
"""


@pytest.mark.parametrize(
    ("law", "parameters", "line"),
    [
        ("nowhere.py:law", "{}", ".law = 'nowhere.py:law': no such file: nowhere.py"),
        ("laws.py", "{}", ".law = 'laws.py': must be a file or a module and a name in it, such as 'laws.py:hold'"),
        ("laws.py:other", "{}", ".law = '{file}:other': other is of type int; must name a controllers.Law, there are: law"),
        ("laws.py:lau", "{}", ".law = '{file}:lau': there is no such name; must name a controllers.Law, there are: law"),
        ("broken.py:law", "{}", ".law = '{broken}:law': cannot be imported: ZeroDivisionError: division by zero (line 2)"),
        ("not.there:law", "{}", ".law = 'not.there:law': cannot be imported: ModuleNotFoundError: No module named 'not'"),
        ("laws.py:law", "{}", ".parameters.answer: missing; the law gives it no default"),
        ("laws.py:law", "{anser='3 W'}", ".parameters.anser: unknown parameter; did you mean 'answer'?"),
        ("laws.py:law", "{answer=3.0}", ".parameters.answer = 3.0: must be a power with its unit, such as '25 MW'"),
        (
            "laws.py:law",
            "{answer='3 kg'}",
            ".parameters.answer = '3 kg': must be a power, such as '25 MW'; units: W, kW, MW, GW",
        ),
        ("laws.py:law", "{answer_w='9e999 W'}", ".parameters.answer_w = '9e999 W': must be a finite number"),
        ("laws.py:law", "{answer=true}", ".parameters.answer = true: must be a number, or a quantity such as '18 MW/min'"),
    ],
)
def test_a_law_that_cannot_be_used_is_told_in_one_line(probe_law, tmp_path, law, parameters, line):
    file, broken = tmp_path / "laws.py", tmp_path / "broken.py"
    file.write_text(FILE)
    broken.write_text("\n1 / 0\n")
    scenario = tmp_path / "mine.toml"
    scenario.write_text(
        'duration = "5 s"\n[grid]\nshort_circuit = "500 MVA"\n[load]\nkind = "training"\npower = "10 MW"\n'
        "[bess.main]\nrating = '1 MVA'\nenergy = '1 MWh'\n"
        f"[absorber.main]\nkind = 'law'\ndevice = 'bess.main'\nlaw = '{law}'\nparameters = {parameters}\n"
    )
    with pytest.raises(hil.ScenarioError) as caught:
        run_scenario(hil.load(scenario), ALONE)
    assert str(caught.value) == f"{scenario}: absorber.main{line.format(file=file, broken=broken)}"


def test_a_plain_number_is_taken_under_the_full_name(probe_law):
    rig = probed(probe_law, "3 MW", parameters={"answer_w": 2.5e6}).run()
    assert np.all(rig["bess.x.law_w"] == 2.5e6)
