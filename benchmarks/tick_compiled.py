"""The C twin of the frozen site: compiled as the product's extension is, and driven through ctypes."""

from __future__ import annotations

import ast
import ctypes
import shlex
import subprocess
import sysconfig
from pathlib import Path
from typing import Any, Self

import numpy as np
from tick_site import LIMITS, FrozenSite, Parameters, mirror, parameters

HERE = Path(__file__).parent
SOURCE = HERE / "tick_c" / "site.c"

LimitResult = mirror(
    "LimitResult",
    **dict.fromkeys(("valid_ticks", "blank_ticks", "beyond_ticks", "excursions", "first_tick"), ctypes.c_int64),
    **dict.fromkeys(("highest_tick", "lowest_tick"), ctypes.c_int64),
    **dict.fromkeys(("highest", "lowest"), ctypes.c_double),
)
Results = mirror(
    "Results",
    real="energy_j largest_demand_w",
    waveform_hash=ctypes.c_uint64,
    **dict.fromkeys(("collapsed_ticks", "starved_ticks", "heartbeats"), ctypes.c_int64),
    limits=LimitResult * len(LIMITS),
)


def flags() -> list[str]:
    """Compiler and flags of the extension: Python's own, then FLAGS of setup.py."""
    tree = ast.parse((HERE.parent / "setup.py").read_text(encoding="utf-8"))
    (own,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FLAGS"
    ]
    return [part for name in ("CC", "CFLAGS", "CCSHARED") for part in shlex.split(sysconfig.get_config_var(name))] + own


def compiled(folder: Path) -> ctypes.CDLL:
    """The shared library, made anew in a folder."""
    target = folder / "site.so"
    subprocess.run([*flags(), "-shared", str(SOURCE), "-o", str(target), "-lm"], check=True)
    library = ctypes.CDLL(str(target))
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    library.site_create.restype = pointer
    library.site_create.argtypes = [pointer]
    library.site_destroy.argtypes = [pointer]
    library.site_destroy.restype = library.site_run.restype = library.site_run_rows.restype = None
    library.site_results.restype = None
    library.site_run.argtypes = [pointer, pointer, count]
    library.site_run_rows.argtypes = [pointer, pointer, count, pointer]
    library.site_results.argtypes = [pointer, pointer]
    library.site_parameters_size.restype = library.site_results_size.restype = count
    assert library.site_parameters_size() == ctypes.sizeof(Parameters)
    assert library.site_results_size() == ctypes.sizeof(Results)
    return library


class CSite:
    """One site in C; frees itself at the end of a `with`."""

    def __init__(self, library: ctypes.CDLL, site: FrozenSite) -> None:
        self._library = library
        self._load_w = np.ascontiguousarray(site.load_w)
        self._handle = library.site_create(ctypes.byref(parameters(site)))
        if not self._handle:
            raise MemoryError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.site_destroy(self._handle)

    def run(self, begin: int, end: int) -> None:
        """Ticks `begin` to `end`, in order."""
        self._library.site_run(self._handle, self._load_w.ctypes.data + 8 * begin, end - begin)

    def rows(self, channels: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """All ticks, with every row."""
        rows = np.empty((self._load_w.size, channels))
        self._library.site_run_rows(self._handle, self._load_w.ctypes.data, self._load_w.size, rows.ctypes.data)
        return rows

    def results(self) -> Any:
        """What the run came to."""
        out = Results()
        self._library.site_results(self._handle, ctypes.byref(out))
        return out
