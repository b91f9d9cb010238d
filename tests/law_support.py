"""Laws for tests: built from C at test time, handed over as capsules; a probe that keeps what it is given."""

from __future__ import annotations

import ctypes
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
from rig import Rig

from controllers.law import SIGNALS, include
from hil.session.run import Options

ALONE = Options(controllers=False)


def compiled(source: Path, name: str, folder: Path, *flags: str) -> Path:
    """A shared library in `folder`."""
    out = folder / name
    headers = [f"-I{sysconfig.get_path('include')}", f"-I{include()}"]
    command = ["cc", "-O2", "-ffp-contract=off", "-shared", "-fPIC", *headers, *flags, str(source), "-o", str(out)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return out


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


BESS = {"rating": "10 MVA", "energy": "10 MWh", "setpoint_ramp": "1 GW/s", "charge": "4 MW", "discharge": "6 MW"}


def probed(law: str, answer: object, **keys: object) -> Rig:
    load_w = 20e6 + np.cumsum(np.random.default_rng(2).normal(0, 1e5, 1_000))
    absorber = {"kind": "law", "device": "bess.x", "law": law, "parameters": {"answer": answer}, "filter": "5 ms", **keys}
    dip = {"kind": "grid_dip", "at": "0.5 s", "duration": "0.1 s", "residual": 0.8}
    return Rig({"bess": {"x": BESS}, "absorber": {"a": absorber}, "events": [dip]}, load_w)
