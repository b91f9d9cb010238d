"""Fast laws of one's own: the built-in one rewritten twice is the same to the bit; what cannot be used is refused."""

from __future__ import annotations

import ctypes
import hashlib
import json
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from law_support import ALONE, capsule, compiled, probed
from rig import H

import hil
from controllers import Law
from controllers.law import CAPSULE, SIGNALS
from hil.session.run import Options, run_scenario

EXAMPLES = Path(__file__).parents[1] / "examples" / "laws"
ABSORBER = "absorber.main={{kind='law',device='bess.main',filter='10 ms',law='{law}',parameters={{ramp='17 MW/min'}}}}"


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
    short = ["duration='70 s'", "events=[]"]  # longer than the longest window
    own = hil.run(hil.load("training_job", [ABSORBER.format(law=in_c), *short]))
    built_in = hil.run(hil.load("training_job", short))
    assert (own.waveform_hash, own.verdict) == (built_in.waveform_hash, "PASS")


def test_a_run_keeps_the_law_it_ran(in_c, tmp_path):
    scenario = hil.load("training_job", [ABSORBER.format(law=in_c), "duration='2 s'", "events=[]"])
    hil.run(scenario, folder=tmp_path / "run")
    source = Path(in_c.rpartition(":")[0]).read_bytes()
    copies = tmp_path / "run" / "own" / "absorber.main"
    assert (copies / "in_c.py").read_bytes() == source
    provenance = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert provenance["own"]["absorber.main"]["in_c.py"] == hashlib.sha256(source).hexdigest()
    assert set(provenance["own"]["absorber.main"]) == {"in_c.py", "_ramp_limit.so"} == {file.name for file in copies.iterdir()}
    again = hil.load(tmp_path / "run" / "scenario.toml")  # runs the copy
    assert again.absorber["main"].law == f"{copies / 'in_c.py'}:ramp_limit"
    assert hil.run(again).waveform_hash == hil.run(scenario).waveform_hash


# --- What a law is given ---


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

    import hil.session.prepare as session

    built = session.build_engine

    def build(*arguments, **options):
        nonlocal memory
        engine = built(*arguments, **options)
        memory = engine.parameters["law_memory.bess.main"]
        return engine

    memory = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "build_engine", build)
        result = run_scenario(scenario, Options(controllers=False, progress=broken))
    assert result.verdict == "INCONCLUSIVE"
    assert any("answers of its law were not finite" in reason for reason in result.reasons)


def test_memory_is_aligned_as_the_header_says(probe_law):
    """A law may use vector instructions on its state."""
    for _ in range(8):
        engine = probed(probe_law, "3 MW").engine
        for memory in (engine.states["law_memory.bess.x"], engine.parameters["law_memory.bess.x"]):
            assert memory.ctypes.data % 64 == 0


SILENT = """
#include "ridethrough_law.h"
void probe(void *memory, const void *params, const signals_t *in, command_t *out, double dt) {}
"""


def test_a_law_that_gives_no_answer_is_a_fault(tmp_path, monkeypatch):
    source = tmp_path / "silent.c"
    source.write_text(SILENT)
    name = CAPSULE.encode()
    module = types.ModuleType("test_laws_silent")
    module.name, module.library = name, ctypes.CDLL(str(compiled(source, "silent.so", tmp_path)))
    module.law = Law(capsule(module.library.probe, name), parameters=[("answer_w", "f8")])
    monkeypatch.setitem(sys.modules, "test_laws_silent", module)
    rig = probed("test_laws_silent:law", "3 MW").run()
    assert rig.engine.states["law"]["faults"][0] == 1_000


DIVIDES = """
from numba import carray, cfunc
from controllers import Law
from controllers.law import numba_signature

@cfunc(numba_signature())
def step(state, parameters, signals, command, dt):
    given, answer = carray(signals, 1)[0], carray(command, 1)[0]
    answer.power_w = 0.0
    answer.power_w = 1.0 / (given.tick % 500)

law = Law(step, version=1)
"""


@pytest.mark.peer_package("numba")
def test_a_law_that_raises_blocks_pass_and_is_told_once(tmp_path, capfd):
    (tmp_path / "divides.py").write_text(DIVIDES)
    absorber = f"absorber.main={{kind='law',device='bess.main',law='{tmp_path}/divides.py:law'}}"
    result = run_scenario(hil.load("training_job", [absorber, "duration='5 s'", "events=[]"]), ALONE)
    told = "absorber: a law of one's own raised 10 errors, first ZeroDivisionError: division by zero"
    assert told in result.reasons
    assert capfd.readouterr().err == ""


@pytest.mark.peer_package("numba")
def test_a_law_that_raises_is_told_once_in_a_run_of_the_kernel_too(tmp_path, capfd):
    (tmp_path / "divides.py").write_text(DIVIDES)
    absorber = f"absorber.main={{kind='law',device='bess.main',law='{tmp_path}/divides.py:law'}}"
    run = hil.KernelRun(hil.load("training_job", [absorber]), leave_out_controllers=True)
    with pytest.warns(RuntimeWarning, match="raised 10 errors, first ZeroDivisionError: division by zero") as told:
        run.advance(5.0)
    assert len(told) == 1
    assert capfd.readouterr().err == ""


def test_what_a_law_takes_in_is_kept_and_runs_again(probe_law, tmp_path):
    """A package with a file of the same name as one beside the law, and an environment that lies in the law's folder."""
    texts = {
        "law.py": "import gains, pkg.gains, thing\nfrom controllers import Law\nimport test_laws_probe as probe\n"
        "law = Law(probe.law.step, state=probe.law.state, parameters=[('answer_w', 'f8')],\n"
        "          defaults={'answer_w': gains.GAIN * pkg.gains.GAIN})\n",
        "gains.py": "GAIN = 2.0\n",
        "pkg/__init__.py": "",
        "pkg/gains.py": "GAIN = 3e6\n",
        "env/site-packages/thing.py": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "gains.py").write_text("GAIN = 99.0\n")
    absorber = f"absorber.main={{kind='law',device='bess.main',law='{tmp_path}/law.py:law'}}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(elsewhere), *sys.path, str(tmp_path / "env" / "site-packages")])
        import gains  # a script's own, of the same name

        result = hil.run(hil.load("training_job", [absorber, "duration='2 s'", "events=[]"]), folder=tmp_path / "run")
        assert gains.GAIN == 99.0
        assert sys.modules.pop("gains") is gains
        assert result.signal("bess.main.law_w")[1][-1] == 6e6
        copies = tmp_path / "run" / "own" / "absorber.main"
        kept = {str(path.relative_to(copies)) for path in copies.rglob("*") if path.is_file()}
        assert kept == {"law.py", "gains.py", "pkg/__init__.py", "pkg/gains.py"}
        assert set(json.loads((tmp_path / "run" / "provenance.json").read_text())["own"]["absorber.main"]) == kept
        again = hil.run(hil.load(tmp_path / "run" / "scenario.toml"))
    assert again.waveform_hash == result.waveform_hash


def test_files_beside_a_law_are_its_own(probe_law, tmp_path):
    """Two folders with a helper of one name each."""
    text = "import numpy as np\nfrom controllers import Law\nfrom helper import GAIN\nimport test_laws_probe as probe\n"
    made = "law = Law(probe.law.step, state=probe.law.state, parameters=[('answer_w', 'f8')], defaults={'answer_w': GAIN})\n"
    found = []
    for number in (1, 2, 1):
        folder = tmp_path / str(number)
        folder.mkdir(exist_ok=True)
        (folder / "law.py").write_text(text + made)
        (folder / "helper.py").write_text(f"GAIN = {number}e6\n")
        rig = probed(f"{folder}/law.py:law", None, parameters={}).run()
        found.append(rig["bess.x.law_w"][-1])
    assert found == [1e6, 2e6, 1e6]
    assert "helper" not in sys.modules
