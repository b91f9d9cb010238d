"""The commented scenario that `hil init` writes. Its text stands in files beside this one, with blanks as `@name@`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hil.errors import ScenarioError
from hil.guide.keys import kind_of, models
from hil.scenario.model import Scenario

_HERE = Path(__file__).parent
_TITLES = {
    "training": "A training job, one battery",
    "inference": "Inference requests, one battery",
    "trace": "Recorded power, one battery",
    "sum": "Two training jobs and a fleet, one battery",
}
_PERIOD_S, _LOW_W, _HIGH_W = 8, 12e6, 22e6


def kinds() -> list[str]:
    """Kinds of load for which there is a file to start with."""
    return [kind for kind in map(kind_of, models(Scenario.model_fields["load"].annotation)) if kind in _TITLES]


def write(path: Path, kind: str = "training") -> list[Path]:
    """Write a scenario to start with, and what it needs beside it; never over what is there. Returns the files.

    Raises ScenarioError.
    """
    if kind not in kinds():
        raise ScenarioError("hil init", f"--kind {kind}", f": must be one of {', '.join(kinds())}")
    trace = path.with_name(f"{path.stem}_power.csv")
    texts = {path: text(kind, file=path.name, trace=trace.name)}
    if kind == "trace":
        texts[trace] = "".join(_recording())
    for file in texts:
        if file.exists() or file.is_symlink():
            raise ScenarioError("hil init", str(file), ": is there already; name another file")
    for file, content in texts.items():
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(content)
        except OSError as error:
            raise ScenarioError("hil init", str(file), f": cannot be written: {error.strerror or error}") from None
    return list(texts)


def text(kind: str, *, file: str, trace: str = "") -> str:
    """The scenario, with the names of its file and of the trace beside it."""
    load = (_HERE / f"load_{kind}.toml").read_text(encoding="utf-8")
    filled = (_HERE / "site.toml").read_text(encoding="utf-8").replace("@load@\n", load)
    return filled.replace("@file@", file).replace("@title@", _TITLES[kind]).replace("@trace@", trace)


def _recording() -> Iterator[str]:
    """A made-up recording: phases of low and high power, a second from one to the other."""
    yield "time_s,power_w\n"
    half = _PERIOD_S // 2
    for time_s, power_w in ((0, _LOW_W), (half - 1, _LOW_W), (half, _HIGH_W), (_PERIOD_S - 1, _HIGH_W), (_PERIOD_S, _LOW_W)):
        yield f"{time_s},{power_w:.0f}\n"
