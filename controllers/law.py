"""A fast law of one's own: a compiled function, the memory it works in, and how that memory begins.

The binary contract stands in `include/ridethrough_law.h`; docs/laws.md shows laws in C and in numba from end to end.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

VERSION = 1
"""Version of the contract that this testbed speaks."""

CAPSULE = f"ridethrough.law.{VERSION}"
"""Name of a PyCapsule that holds a law."""

SIGNALS = np.dtype(
    [
        ("struct_size", "u4"), ("version", "u4"), ("tick", "i8"), ("time_s", "f8"), ("load_w", "f8"), ("voltage_pu", "f8"),
        ("frequency_hz", "f8"), ("power_w", "f8"), ("setpoint_w", "f8"), ("soc", "f8"), ("rating_va", "f8"),
        ("charge_max_w", "f8"), ("discharge_max_w", "f8"),
    ]
)  # fmt: skip
"""`signals_t`: what a law is given."""

COMMAND = np.dtype([("struct_size", "u4"), ("version", "u4"), ("power_w", "f8")])
"""`command_t`: what it answers."""

PLACEHOLDER = "_nothing"
_NOTHING = np.dtype([(PLACEHOLDER, "f8")])


def include() -> str:
    """Folder of `ridethrough_law.h`, for a C compiler's `-I`."""
    return str(Path(__file__).parent / "include")


def numba_signature(state: Any = _NOTHING, parameters: Any = _NOTHING) -> Any:
    """Signature of a law for `numba.cfunc`, with typed pointers. state, parameters: NumPy dtypes. Needs numba."""
    from numba import from_dtype, types

    def pointer(dtype: Any) -> Any:
        return types.CPointer(from_dtype(np.dtype(dtype)))  # type: ignore[no-untyped-call, unused-ignore]  # numba may not be there

    return types.void(pointer(state), pointer(parameters), pointer(SIGNALS), pointer(COMMAND), types.float64)


@dataclass(frozen=True)
class Law:
    """A fast law and what it needs.

    step: a PyCapsule named `ridethrough.law.1`, or a numba `cfunc` of `numba_signature`. state, parameters: structured NumPy
    dtypes of the memory that the testbed keeps for it, zeroed; a field's name ends in its unit. defaults: parameters that a
    scenario may leave out, by field. version: of the contract; needed for a cfunc, a capsule's name carries it. start: called
    as `start(state, parameters, signals)` with records, before the first tick, to set the state that belongs to a site at
    rest.

    Raises ValueError or TypeError for what the testbed could not call.
    """

    step: Any
    state: Any = _NOTHING
    parameters: Any = _NOTHING
    defaults: Mapping[str, float] = field(default_factory=dict)
    version: int | None = None
    start: Callable[[Any, Any, Any], None] | None = None
    address: int = field(init=False)

    def __post_init__(self) -> None:
        for name in ("state", "parameters"):
            dtype = np.dtype(getattr(self, name))
            if dtype.names is None or dtype.hasobject or dtype.itemsize == 0:
                raise ValueError(f"{name} must be a structured dtype of plain numbers, such as [('grid_w', 'f8')]")
            object.__setattr__(self, name, dtype)
        for name in np.dtype(self.parameters).names or ():
            if np.dtype(self.parameters)[name].kind not in "fiu":
                raise ValueError(f"parameters.{name} must be a number")
        for name, value in self.defaults.items():
            if name not in self.parameters.names:
                raise ValueError(f"defaults.{name}: the parameters have no such field")
            if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
                raise ValueError(f"defaults.{name} must be a finite number")
            if self.parameters[name].kind in "iu" and np.array(value).astype(self.parameters[name]) != value:
                raise ValueError(f"defaults.{name} = {value!r} does not fit its field, {self.parameters[name]}")
        if self.start is not None and not callable(self.start):
            raise TypeError("start must be a function of state, parameters and signals")
        object.__setattr__(self, "address", self._address())

    def _address(self) -> int:
        if type(self.step).__name__ == "PyCapsule":
            return self._of_capsule()
        address = getattr(self.step, "address", None)
        if not isinstance(address, int) or isinstance(address, bool):
            raise TypeError(f"step must be a PyCapsule {CAPSULE!r} or a numba cfunc, is a {type(self.step).__name__}")
        if self.version is None:
            raise ValueError(f"step is a numba cfunc, which carries no version: give version={VERSION}")
        self._check(self.version)
        self._check_cfunc()
        return address

    def _check_cfunc(self) -> None:
        """Hold what a cfunc was compiled for against what the law declares: a mismatch would write where it must not."""
        signature = getattr(self.step, "_sig", None)
        if signature is None:
            return
        mend = "compile it with numba_signature(state, parameters)"
        if len(signature.args) != 5 or str(signature.return_type) != "none" or str(signature.args[4]) != "float64":
            raise ValueError(f"step has the signature {signature}: {mend}")
        from numba.np.numpy_support import as_dtype

        declared = {"state": self.state, "parameters": self.parameters, "signals": SIGNALS, "command": COMMAND}
        for (name, dtype), pointer in zip(declared.items(), signature.args[:4], strict=True):
            record = getattr(pointer, "dtype", None)
            if record is None or getattr(record, "size", None) is None or as_dtype(record) != dtype:
                raise ValueError(f"step was compiled for another dtype of {name} than {dtype}: {mend}")

    def _of_capsule(self) -> int:
        api = ctypes.pythonapi
        api.PyCapsule_GetName.restype = ctypes.c_char_p
        api.PyCapsule_GetName.argtypes = [ctypes.py_object]
        api.PyCapsule_GetPointer.restype = ctypes.c_void_p
        api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
        raw = api.PyCapsule_GetName(self.step)
        name = raw.decode(errors="replace") if raw else ""
        family, _, version = name.rpartition(".")
        if family != CAPSULE.rpartition(".")[0] or not version.isdigit():
            raise ValueError(f"the capsule's name is {name!r}, must be {CAPSULE!r}")
        self._check(int(version))
        return int(api.PyCapsule_GetPointer(self.step, raw))

    def _check(self, version: int) -> None:
        if version != VERSION:
            raise ValueError(f"the law is for version {version} of the contract, this testbed speaks version {VERSION}")
