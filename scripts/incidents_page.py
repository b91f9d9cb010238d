"""Runs every incident and every perturbation of it, and writes what came out into docs/incidents.md, with a picture of each.

`--check` runs nothing: it says whether the page and the pictures are of the incidents as they are now. Exit code 1 where an
incident does not show what it must, a perturbation breaks other expectations than it names, or the page is not up to date.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

import hil
from hil.report.words import told
from hil.scenario.files import INCIDENTS, incidents, load
from hil.scenario.incident import Incident
from hil.scenario.model import Scenario
from hil.verdict.expectations import ExpectationResult
from hil.verdict.outcome import Outcome

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "incidents.md"
PICTURES = ROOT / "docs" / "pictures" / "incidents"
_BEGIN, _END = "<!-- incidents: begin -->", "<!-- incidents: end -->"
_COLOURS = 96
"""Of a picture: lines and letters need no more."""

PARTS = {"osc_23": (5.0, 45.0), "osc_14_8": (15.0, 15.5), "polca_race": (8.0, 22.0), "job_collapse": (0.0, 1500.0)}
"""From when to when an incident is drawn, where that is not the whole run."""

RAMPS_MW_PER_MIN = (8.0, 20.0, 30.0, 300.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these are run, and nothing is written")
    parser.add_argument("--check", action="store_true", help="run nothing, only compare")
    options = parser.parse_args()
    problems = list(outdated()) if options.check else write(options.names)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def write(names: list[str]) -> list[str]:
    """Run them, and all of them into the page where none is named; returns what did not come out as it must."""
    sections, problems = [], []
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in names or incidents():
        started_s = time.perf_counter()
        section, wrong = _section(name, draw=not names)
        print(f"{name}: {time.perf_counter() - started_s:.1f} s", flush=True)
        sections.append(section)
        problems += wrong
    if not names:
        head, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
        sections.append(_energies())
        PAGE.write_text(f"{head}{_BEGIN}\n\n{chr(10).join(sections)}\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")
    return problems


def outdated() -> Iterator[str]:
    """What page and pictures lack of the incidents as they are."""
    text = PAGE.read_text(encoding="utf-8").partition(_BEGIN)[2].partition(_END)[0]
    found = dict(re.findall(r"^### `(\w+)`.*?^<!-- of a file with SHA-256 (\w+) -->$", text, re.MULTILINE | re.DOTALL))
    for name in incidents():
        if name not in found:
            yield f"{PAGE.name}: no section of {name}"
        elif found[name] != digest(name):
            yield f"{PAGE.name}: {name} has changed since; make incidents"
        if not (PICTURES / f"{name}.png").is_file():
            yield f"{PICTURES.name}: no picture of {name}"
    for name in sorted(found.keys() - incidents().keys()):
        yield f"{PAGE.name}: there is no incident {name}"
    for path in sorted(PICTURES.glob("*.png")):
        if path.stem not in incidents():
            yield f"{PICTURES.name}: {path.name} is of no incident"


def digest(name: str) -> str:
    """What tells one version of an incident's file from another."""
    return hashlib.sha256((INCIDENTS / f"{name}.toml").read_bytes()).hexdigest()[:16]


def missed(result: hil.Result) -> list[str]:
    """Names of the expectations that a run does not meet."""
    return [one.name for one in result.expectations.values() if one.outcome is not Outcome.PASS]


def _section(name: str, *, draw: bool) -> tuple[str, list[str]]:
    """Of one incident: its part of the page, and what did not come out as it must."""
    scenario, incident = _told(name)
    with tempfile.TemporaryDirectory() as folder:
        result = hil.run(scenario, folder=Path(folder) / name)
        if draw:
            _draw(result, PICTURES / f"{name}.png", PARTS.get(name))
    problems = [f"{name}: {one.name}: {one.shown}" for one in result.expectations.values() if one.outcome is not Outcome.PASS]
    problems += [f"{name}: {reason}" for reason in result.reasons]
    rows = []
    for perturbation in incident.perturbations:
        changed = hil.run(load(name, perturbation.set), folder=None)
        broken = missed(changed)
        if sorted(broken) != sorted(perturbation.breaks):
            problems.append(f"{name}: {perturbation.title}: breaks {broken}, not {perturbation.breaks}")
        shown = "; ".join(f"{what}: {changed.expectations[what].shown}" for what in broken)
        rows.append(f"| {perturbation.title} | {'<br>'.join(f'`{one}`' for one in perturbation.set)} | {shown} |")
    lines = [
        f"### `{name}`",
        f"**{scenario.title}.**",
        incident.narrative.strip(),
        f"![{scenario.title}](pictures/incidents/{name}.png)",
        f"Source: {incident.source}. Evidence: {incident.evidence}. Assumed:",
        "\n".join(f"- {one}" for one in incident.assumptions),
        "\n".join(["| it must show | expected | shown | |", "|---|---|---|---|", *map(_row, result.expectations.values())]),
    ]
    if result.limits:
        lines.append("\n".join(f"- `{one.name}`: {told(one)}" for one in result.limits.values()))
    lines += [
        "\n".join(["| perturbation | what is changed | not met then, and shown |", "|---|---|---|", *rows]),
        f"<!-- of a file with SHA-256 {digest(name)} -->",
    ]
    return "\n\n".join(lines) + "\n", problems


def _told(name: str) -> tuple[Scenario, Incident]:
    scenario = load(name)
    if scenario.incident is None:
        raise SystemExit(f"{name}: has no section [incident]")
    return scenario, scenario.incident


def _row(one: ExpectationResult) -> str:
    return f"| {one.name} | {one.expected} | {one.shown} | {one.outcome} |"


def _draw(result: hil.Result, path: Path, part: tuple[float, float] | None) -> None:
    """The run's own picture, with as few colours as it needs."""
    from_s, to_s = part or (None, None)
    result.plot(path, from_s=from_s, to_s=to_s)
    with Image.open(path) as image:
        fewer = image.convert("RGB").quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    fewer.save(path, optimize=True)


def collapse_wh(ramp_mw_per_min: float) -> tuple[float, float]:
    """Energy that holds a ramp when 450 MW collapse to 40 MW within 36 s, Wh: of a run of job_collapse, and in closed form."""
    changes = [f"absorber.main.ramp='{ramp_mw_per_min:g} MW/min'", "expect=[]", "limits=[]", "incident.perturbations=[]"]
    result = hil.run(load("job_collapse", changes), folder=None)
    time_s, power_w = result.signal("bess.main.power_w")
    run_up_wh = (power_w * (time_s[1] - time_s[0])).cumsum() / 3600.0
    closed_wh = 0.5 * 410e6 * (410.0 / ramp_mw_per_min * 60.0 - 36.0) / 3600.0
    return float(max(run_up_wh.max(), 0.0) - min(run_up_wh.min(), 0.0)), closed_wh


def _energies() -> str:
    """The table of energies for the ramps that operators ask for."""
    rows = []
    for ramp in RAMPS_MW_PER_MIN:
        run_wh, closed_wh = collapse_wh(ramp)
        off = run_wh / closed_wh - 1.0
        rows.append(f"| {ramp:g} MW/min | {run_wh / 1e6:.2f} MWh | {closed_wh / 1e6:.2f} MWh | {off:+.3%} |")
    return "\n".join(
        [
            "### Energies of the collapse",
            "",
            "`job_collapse` with other ramps of its storage; lossless, held at 40 MW, an instantaneous slope, on the AC side.",
            "",
            "| ramp that the grid sees | of a run | ½·410 MW·(410 MW/ramp − 36 s) | |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
