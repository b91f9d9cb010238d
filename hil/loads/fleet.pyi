from typing import Any, TypeAlias

import numpy as np

_Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
_Wholes: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

REACHED: int
NEEDS_REQUESTS: int
NEEDS_NODES: int
FULL: int

class Replicas:
    def __init__(self, replicas: int, decode_w: _Floats, prefill_tokens_per_s: float, decode_tokens_per_s: float) -> None: ...
    def offer(self, arrival_s: _Floats, context: _Wholes, generated: _Wholes, prefill_w: _Floats) -> None: ...
    def end(self) -> None: ...
    def grow(self) -> None: ...
    @property
    def power_w(self) -> float: ...
    def serve(
        self, until_s: float, step_s: _Floats, step_w: _Floats, done_s: _Floats, done: _Wholes
    ) -> tuple[int, int, int]: ...

def ramped(
    begin_s: _Floats, size_w: _Floats, edge_s: float, start_s: float, end_s: float, level_w: float
) -> tuple[_Floats, _Floats]: ...
