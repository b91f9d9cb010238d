"""The commands of `hil load`: what a load looks like, and the load that a measured power is like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hil.cli.runs import time_of
from hil.cli.trouble import can_draw, fail

if TYPE_CHECKING:
    from hil.loads.analysis import Spectrum, Stretch
    from hil.scenario.model import Scenario

load_commands = typer.Typer(help="Draw a load with its spectrum; fit one to measured power.", no_args_is_help=True)

_Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as load.power='5 MW'.")
]


@load_commands.command()
def plot(
    scenario: Annotated[str, typer.Argument(help="A scenario, or a .toml file with no more than its load.")],
    set_: _Set = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Where it begins, such as '100 s'.")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="TIME", help="Where it ends; left out: an hour later, or at the end.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .png or .svg file; left out: load.png in the working directory.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON; draw only with --out.")] = False,
) -> None:
    """Draw what a load draws, and its spectrum with the bands in which limits look; print mean, peak, ramps and lines.

    Exit code: 0 once it is drawn; 2 wrong usage, a bad scenario, or no matplotlib.
    """
    from hil.errors import ScenarioError
    from hil.loads.analysis import document, spectrum, stretch
    from hil.loads.source import LoadSource
    from hil.scenario.files import load

    from_s, to_s = time_of("--from", from_) or 0.0, time_of("--to", to)
    try:
        found = load(scenario, set_ or [], load_alone=True)
        end_s = min(float(found.duration_s), from_s + 3600.0) if to_s is None else to_s
        if not 0.0 <= from_s < end_s:
            fail(f"--from {from_ or '0 s'}: must be before {'the end' if to is None else '--to'}, {end_s:g} s")
        of = stretch(LoadSource(found).feed, float(found.tick_s), from_s, end_s)
    except ScenarioError as error:
        fail(str(error))
    except ValueError as error:
        fail(f"--from, --to: {error}")
    if of.power_w.size < 8:
        fail(f"{scenario}: its load has {of.power_w.size} ticks between {from_s:g} s and {end_s:g} s; must be 8 or more")
    lines = spectrum(of.power_w, of.period_s)
    bands = _bands(found)
    figures = document(of, lines, bands.values())
    path = Path("load.png") if out is None and not as_json else out
    if path is not None:
        _draw(path, found, of, lines, bands)
    if as_json:
        print(json.dumps(figures, indent=2))  # noqa: T201
        return
    for line in _table(figures, {(low, high): name for name, (low, high) in bands.items()}):
        print(line)  # noqa: T201
    print(path)  # noqa: T201


@load_commands.command()
def fit(
    trace: Annotated[Path, typer.Argument(help="A file of measured power, as kind = 'trace' reads it.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="How it is read, such as format=nvidia_smi or power_column=p."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the parameters as JSON, SI, and what was not resolved.")
    ] = False,
) -> None:
    """Print the load section of a training job that a measured power is like, ready for a scenario.

    What its samples do not resolve is left out, and said. Exit code: 0 once it is printed; 2 wrong usage, or no readable file.
    """
    import dataclasses

    from hil.errors import ScenarioError
    from hil.loads.fit import fit as fitted
    from hil.loads.fitted_text import text
    from hil.loads.trace import read_samples
    from hil.scenario.files import load_of

    keys = [f"load.{key.strip()}" for key in set_ or []]
    try:
        section = load_of({"kind": "trace", "trace": str(trace)}, keys, source=str(trace))
        found = fitted(*read_samples(section, str(trace)))
    except ScenarioError as error:
        fail(str(error))
    except ValueError as error:
        fail(f"{trace}: {error}")
    if as_json:
        print(json.dumps(dataclasses.asdict(found), indent=2))  # noqa: T201
        return
    print(text(found, trace.name), end="")  # noqa: T201


def _bands(scenario: Scenario) -> dict[str, tuple[float, float]]:
    """Bands of the scenario's limits, by their names; those of any load where it has none."""
    from hil.loads.analysis import BANDS_HZ

    of_limits = {
        limit.name: (float(band[0]), float(band[1]))
        for limit in scenario.limits
        if (band := getattr(limit, "band_hz", None)) is not None
    }
    return of_limits or {f"band {number}": band for number, band in enumerate(BANDS_HZ, 1)}


def _draw(path: Path, scenario: Scenario, of: Stretch, lines: Spectrum, bands: dict[str, tuple[float, float]]) -> None:
    can_draw("--out", path, "load_picture")
    from hil.report.load_picture import Drawn, draw_load

    title = f"{scenario.name}: load, {scenario.load.kind}"
    try:
        draw_load(Drawn(title, of.time_s, of.power_w, lines.frequency_hz, lines.amplitude_w, bands), path)
    except OSError as error:
        fail(f"{path}: cannot be written ({error.strerror or error})")


def _table(figures: dict[str, Any], names: dict[tuple[float, float], str]) -> list[str]:
    """The figures in lines of two columns."""

    def watts(value: float | None) -> str:
        if value is None:
            return "not there"
        for unit, name in ((1e6, "MW"), (1e3, "kW")):
            if abs(value) >= unit:
                return f"{value / unit:.4g} {name}"
        return f"{value:.4g} W"

    rows = [
        ("from, to", f"{figures['from_s']:g} s, {figures['to_s']:g} s"),
        ("mean", watts(figures["mean_w"])),
        ("peak", watts(figures["peak_w"])),
        ("min", watts(figures["min_w"])),
        *((f"largest ramp over {ramp['over_s']:g} s", watts(ramp["largest_w"])) for ramp in figures["ramps"]),
        *((f"line at {line['frequency_hz']:.4g} Hz", watts(line["amplitude_w"])) for line in figures["lines"]),
    ]
    for band in figures["bands"]:
        low, high = band["band_hz"]
        name = names.get((low, high), "")
        of = f" ({name})" if name and not name.startswith("band ") else ""
        rows.append((f"{low:g} to {high:g} Hz{of}", watts(band["amplitude_w"])))
    width = max(len(name) for name, _ in rows)
    return [f"{name:{width}}  {value}" for name, value in rows]
