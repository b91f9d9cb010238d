"""Where emulated devices listen: loopback only."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator


def _loopback(value: str) -> str:
    match = re.fullmatch(r"127\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3}):([0-9]{1,5})", value)
    if match is None or max(map(int, match.groups()[:3])) > 255 or int(match[4]) > 65_535:
        raise ValueError("must be a loopback address and port, such as '127.0.0.1:1502' (port 0: any free one)")
    return value


LoopbackAddress = Annotated[str, AfterValidator(_loopback)]
