"""One load under several remedies: what each variant of a site cost and saved, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.report.variant import LoadFacts, Measured
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from hil.verdict.result import LimitResult


@dataclass(frozen=True)
class Row:
    """A variant. name: the overlays that a plus joins, "none" of the base. title: what people call it.

    limits: by name, as a result has them. held: required limits that held, of `required` that apply. worst: the required limit
    with the least margin, and that margin; None where none has one. load: what the load is without remedies of its own;
    same_load: whether that is the load of the base, tick for tick. drawn_j: what the load has drawn, remedies of its own among
    it. folder: of its run, where that is kept.
    """

    name: str
    title: str
    overlays: tuple[str, ...]
    verdict: Outcome
    reasons: list[str]
    limits: dict[str, LimitResult]
    held: int
    required: int
    worst: tuple[str, float] | None
    load: LoadFacts
    same_load: bool
    drawn_j: float
    measured: Measured
    overhead: float | None
    waveform_hash: str
    folder: Path | None

    @property
    def net_j(self) -> float:
        """Energy from the grid, less what storage holds at the end more than at the start."""
        return self.measured.site_j - self.measured.stored_j

    def share(self, power_w: float) -> float:
        """A power as a share of the load's rated power."""
        return power_w / self.load.rated_w

    def document(self) -> dict[str, Any]:
        """All of it but the limits' own fields, ready for JSON."""
        found = self.measured
        margins = {
            name: {"outcome": str(one.outcome), "required": one.required, "margin": one.margin}
            for name, one in self.limits.items()
        }
        return {
            "name": self.name,
            "title": self.title,
            "overlays": list(self.overlays),
            "verdict": str(self.verdict),
            "reasons": self.reasons,
            "limits_held": self.held,
            "limits_required": self.required,
            "worst_limit": None if self.worst is None else self.worst[0],
            "worst_margin": None if self.worst is None else self.worst[1],
            "limits": margins,
            "same_load": self.same_load,
            "load_energy_j": self.load.energy_j,
            "load_largest_w": self.load.largest_w,
            "load_rated_w": self.load.rated_w,
            "load_drawn_j": self.drawn_j,
            "site_energy_j": found.site_j,
            "stored_j": found.stored_j,
            "net_energy_j": self.net_j,
            "energy_overhead": self.overhead,
            "peak_w": found.peak_w,
            "demand_15_min_w": found.demand_w,
            "swing_5_s_w": found.swing_w,
            "swing_5_s_share": self.share(found.swing_w),
            "usual_swing_5_s_w": found.usual_swing_w,
            "usual_swing_5_s_share": self.share(found.usual_swing_w),
            "storage": {device: use.document() for device, use in found.storage.items()},
            "waveform_hash": self.waveform_hash,
            "folder": None if self.folder is None else str(self.folder),
        }


@dataclass(frozen=True)
class Comparison:
    """The variants of a scenario in the order in which they were asked for, the base first."""

    scenario: str
    title: str
    duration_s: float
    seed: int
    rows: list[Row]

    def __getitem__(self, name: str) -> Row:
        """A variant by its name. Raises KeyError naming those there are."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no variant {name!r}; there are: {', '.join(row.name for row in self.rows)}")

    @property
    def limits(self) -> list[str]:
        """Names of the limits that a variant requires, in order."""
        return list(dict.fromkeys(name for row in self.rows for name, one in row.limits.items() if one.required))

    def document(self) -> dict[str, Any]:
        """All of it, ready for JSON; units are in the names."""
        return {
            "scenario": self.scenario,
            "title": self.title,
            "duration_s": self.duration_s,
            "seed": self.seed,
            "variants": [row.document() for row in self.rows],
        }

    def markdown(self) -> str:
        """The tables as Markdown."""
        from hil.report.comparison_table import markdown

        return markdown(self)

    def plot(self, path: str | Path) -> None:
        """Draw it into a PNG or an SVG file, as its name ends. Needs matplotlib.

        Raises ValueError for another ending; OSError for a file that cannot be written.
        """
        from hil.report.comparison_picture import draw

        draw(self, Path(path))


def overhead(net_j: float, base_j: float, *, same_load: bool) -> float | None:
    """Energy that a variant needs more than the base, as a share; None of another load, or where the base needs none."""
    return net_j / base_j - 1.0 if same_load and base_j > 0.0 else None
