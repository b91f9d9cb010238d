"""What cannot be used as a law is told in one line: where it is made, or where a scenario names it."""

from __future__ import annotations

import numpy as np
import pytest
from law_support import ALONE, capsule, probed

import hil
from controllers import Law
from controllers.law import CAPSULE
from hil.session.run import run_scenario


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
    for value in ("1 MW", float("nan"), True):
        with pytest.raises(ValueError, match=r"defaults\.x must be a finite number"):
            Law(capsule(probe, good), parameters=[("x", "f8")], defaults={"x": value})
    with pytest.raises(ValueError, match=r"defaults\.x = 300 does not fit its field, uint8"):
        Law(capsule(probe, good), parameters=[("x", "u1")], defaults={"x": 300})
    with pytest.raises(TypeError, match="start must be a function"):
        Law(capsule(probe, good), start=5)


@pytest.mark.peer_package("numba")
def test_a_cfunc_is_checked():
    import numba

    from controllers.law import numba_signature

    step = numba.cfunc(numba_signature())(lambda state, parameters, signals, command, dt: None)
    with pytest.raises(ValueError, match="carries no version: give version=1"):
        Law(step)
    with pytest.raises(ValueError, match="for version 3 of the contract"):
        Law(step, version=3)
    problem = r"step has the signature .* compile it with numba_signature\(state, parameters\)"
    for signature, function in (
        ("void(float64)", lambda dt: None),
        ("float64(float64, float64, float64, float64, float64)", lambda a, b, c, d, e: a),
    ):
        with pytest.raises(ValueError, match=problem):
            Law(numba.cfunc(signature)(function), version=1)
    with pytest.raises(ValueError, match=r"compiled for another dtype of state than \[\('x', '<f4'\)\]"):
        Law(numba.cfunc(numba_signature([("x", "f8")]))(lambda a, b, c, d, e: None), version=1, state=[("x", "f4")])
    assert Law(step, version=1).address == step.address


FILE = """
from controllers import Law
from test_laws_probe import law
other = 5
def late(state, parameters, signals):
    state["nothing"] = 0.0
starts = Law(law.step, state=law.state, start=late)
whole = Law(law.step, state=law.state, parameters=[("count", "u1"), ("gain", "f4"), ("limit_w", "f8"), ("limit_pu", "f8")],
            defaults={"count": 1, "gain": 1.0, "limit_w": 1.0, "limit_pu": 1.0})
def __getattr__(name):
    raise RuntimeError(f"no {name} today")
"""


@pytest.mark.parametrize(
    ("law", "parameters", "line"),
    [
        ("nowhere.py:law", "{}", ".law = 'nowhere.py:law': no such file: nowhere.py"),
        ("laws.py", "{}", ".law = 'laws.py': must be a file or a module and a name in it, such as 'mine.py:hold'"),
        (
            "laws.py:other",
            "{}",
            ".law = '{file}:other': other is of type int; must name a controllers.Law, there are: law, starts, whole",
        ),
        ("laws.py:lau", "{}", ".law = '{file}:lau': cannot be imported: RuntimeError: no lau today (line 11)"),
        ("plain.py:lau", "{}", ".law = '{plain}:lau': there is no such name; must name a controllers.Law, there are: none"),
        ("leaves.py:law", "{}", ".law = '{leaves}:law': cannot be imported: SystemExit: 0 (line 2)"),
        ("typo.py:law", "{}", ".law = '{typo}:law': cannot be imported: SyntaxError: invalid syntax (typo.py, line 1)"),
        ("laws.py:starts", "{}", ".law = '{file}:starts': its start raised ValueError: no field of name nothing (line 6)"),
        ("laws.py:whole", "{count=2.7}", ".parameters.count = 2.7: must be a whole number between 0 and 255"),
        ("laws.py:whole", "{count=300}", ".parameters.count = 300: must be a whole number between 0 and 255"),
        ("laws.py:whole", "{gain=1e300}", ".parameters.gain = 1e+300: must be at most 3.40282e+38"),
        ("laws.py:whole", "{gain=nan}", ".parameters.gain = nan: must be a finite number"),
        ("laws.py:whole", "{gain='x'}", ".parameters.gain = 'x': must be a number"),
        ("laws.py:whole", "{limit=1.0}", ".parameters.limit: unknown parameter; did you mean 'limit_w'?"),
        (
            "laws.py:law",
            "{answer='1 W', answer_w=2.0}",
            ".parameters.answer_w = 2.0: given twice, as answer and as answer_w",
        ),
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
    texts = {
        "laws": FILE, "broken": "\n1 / 0\n", "plain": "x = 1\n", "leaves": "import sys\nsys.exit(0)\n", "typo": "law = = 1\n",
    }  # fmt: skip
    files = {name: tmp_path / f"{name}.py" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    scenario = tmp_path / "mine.toml"
    scenario.write_text(
        'duration = "5 s"\n[grid]\nshort_circuit = "500 MVA"\n[load]\nkind = "training"\npower = "10 MW"\n'
        "[bess.main]\nrating = '1 MVA'\nenergy = '1 MWh'\n"
        f"[absorber.main]\nkind = 'law'\ndevice = 'bess.main'\nlaw = '{law}'\nparameters = {parameters}\n"
    )
    with pytest.raises(hil.ScenarioError) as caught:
        run_scenario(hil.load(scenario), ALONE)
    assert str(caught.value) == f"{scenario}: absorber.main{line.format(file=files['laws'], **files)}"


def test_a_plain_number_is_taken_under_the_full_name(probe_law):
    rig = probed(probe_law, "3 MW", parameters={"answer_w": 2.5e6}).run()
    assert np.all(rig["bess.x.law_w"] == 2.5e6)
