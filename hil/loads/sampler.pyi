from typing import Any, TypeAlias

import numpy as np

_Vector: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]

def fill(time_s: _Vector, power_w: _Vector, start_s: float, period_s: float, out: Any) -> int: ...
