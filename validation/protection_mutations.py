"""The mistakes themselves: changed parameters, changed constants, changed text of the compiled functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

RELAY = ("relay", "stages")
SLOPE, BLOCKS = ("slope",), ("block_average",)
LIMIT = ("level", "ramp", "peak_to_peak", "variation", "rocof", "recovery")


def times(family: str, field: str, factor: float) -> Callable[[Any, Any], None]:
    """Multiply a parameter."""

    def change(parameters: Any, _states: Any) -> None:
        if family in parameters:
            parameters[family][field] *= factor

    return change


def plus(family: str, field: str, ticks: int) -> Callable[[Any, Any], None]:
    """Add to a parameter that is above 0."""

    def change(parameters: Any, _states: Any) -> None:
        if family in parameters:
            values = parameters[family][field]
            values[values > 0] += ticks

    return change


def step(family: str, field: str, way: float) -> Callable[[Any, Any], None]:
    """Move a parameter by one step of the floating point."""
    import numpy as np

    def change(parameters: Any, _states: Any) -> None:
        if family in parameters:
            parameters[family][field] = np.nextafter(parameters[family][field], way)

    return change


def flip(family: str, field: str) -> Callable[[Any, Any], None]:
    """Make a 1 a 0 and a 0 a 1."""

    def change(parameters: Any, _states: Any) -> None:
        if family in parameters:
            parameters[family][field] = 1 - parameters[family][field]

    return change


def put(family: str, field: str, value: float, *, state: bool = False) -> Callable[[Any, Any], None]:
    """Set a parameter, or a state."""

    def change(parameters: Any, states: Any) -> None:
        if family in parameters:
            (states if state else parameters)[family][field] = value

    return change


PARAMETERS: tuple[tuple[str, tuple[str, ...], Callable[[Any, Any], None]], ...] = (
    ("relay: pick-up x 1.01", RELAY, times("relays", "pickup", 1.01)),
    ("relay: pick-up x 0.99", RELAY, times("relays", "pickup", 0.99)),
    ("relay: pick-up one step up", RELAY, step("relays", "pickup", math.inf)),
    ("relay: pick-up one step down", RELAY, step("relays", "pickup", -math.inf)),
    ("relay: delay + 1 tick", RELAY, plus("relays", "delay_ticks", 1)),
    ("relay: delay - 1 tick", RELAY, plus("relays", "delay_ticks", -1)),
    ("relay: reset time + 1 tick", RELAY, plus("relays", "reset_ticks", 1)),
    ("relay: reset time - 1 tick", RELAY, plus("relays", "reset_ticks", -1)),
    ("relay: window + 1 tick", RELAY, plus("relays", "window_ticks", 1)),
    ("relay: window - 1 tick", RELAY, plus("relays", "window_ticks", -1)),
    ("relay: with its sign for without", RELAY, flip("relays", "magnitude")),
    ("rate: x 1.01", ("rate",), times("rates", "per_second", 1.01)),
    ("rate: never blanked", ("rate",), put("rates", "blank", 0)),
    ("relay: below for above", RELAY, flip("relays", "under")),
    ("relay: at for beyond", RELAY, flip("relays", "inclusive")),
    ("relay: drop-out one step up", RELAY, step("relays", "dropout", math.inf)),
    ("relay: never resets", RELAY, put("relays", "reset", 3)),
    ("relay: resets at once", RELAY, put("relays", "reset", 0)),
    ("relay: dial x 1.001", RELAY, times("relays", "dial", 1.001)),
    ("relay: never flat", RELAY, put("relays", "most", math.inf)),
    ("thermal: k x 1.001", ("thermal",), times("thermals", "per_square", 1 / 1.001**2)),
    ("thermal: time constant x 1.001", ("thermal",), times("thermals", "heating", 1 / 1.001)),
    ("thermal: cooling x 1.001", ("thermal",), times("thermals", "cooling", 1.001)),
    ("thermal: begins cold", ("thermal",), put("thermals", "level", 0.0, state=True)),
    ("counter: bound one step up", ("counter",), step("counters", "bound", math.inf)),
    ("counter: bound one step down", ("counter",), step("counters", "bound", -math.inf)),
    ("counter: window + 1 tick", ("counter",), plus("counters", "window_ticks", 1)),
    ("counter: window - 1 tick", ("counter",), plus("counters", "window_ticks", -1)),
    ("counter: above for below", ("counter",), flip("counters", "under")),
    ("envelope: levels one step up", ("envelope",), step("envelopes", "level", math.inf)),
    ("envelope: levels one step down", ("envelope",), step("envelopes", "level", -math.inf)),
    ("envelope: allowed times + 1 tick", ("envelope",), plus("envelopes", "allowed_ticks", 1)),
    ("envelope: allowed times - 1 tick", ("envelope",), plus("envelopes", "allowed_ticks", -1)),
    ("envelope: at for beyond", ("envelope",), flip("envelopes", "inclusive")),
    ("envelope: window - 1 tick", ("envelope",), plus("envelopes", "window_ticks", -1)),
    ("envelope: line x 1.01", ("envelope",), times("envelopes", "slope", 1.01)),
    ("envelope: no end of the line", ("envelope",), put("envelopes", "least_ticks", 0)),
    ("envelope: recovery + 1 tick", ("envelope",), plus("envelopes", "recovery_ticks", 1)),
    ("envelope: recovery - 1 tick", ("envelope",), plus("envelopes", "recovery_ticks", -1)),
    ("envelope: share one step up", ("envelope",), step("envelopes", "stays", math.inf)),
    ("ratio: scale x 1.01", ("ratio",), times("ratios", "scale", 1.01)),
    ("ratio: least one step up", ("ratio",), step("ratios", "least", math.inf)),
    ("limit: high one step up", LIMIT, step("limits", "high", math.inf)),
    ("limit: low one step up", LIMIT, step("limits", "low", math.inf)),
    ("limit: delay - 1 tick", LIMIT, plus("limits", "delay_ticks", -1)),
    ("slope: window - 1 tick", SLOPE, plus("slopes", "length", -1)),
    ("slope: x 1.000001", SLOPE, times("slopes", "per_second", 1.000001)),
    ("slope: begins at zero", SLOPE, put("slopes", "origin", 0.0, state=True)),
    ("blocks: length + 1 tick", BLOCKS, plus("blocks", "length", 1)),
    ("blocks: length - 1 tick", BLOCKS, plus("blocks", "length", -1)),
    ("blocks: x 1.000001", BLOCKS, times("blocks", "per_second", 1.000001)),
    ("blocks: every block begins at 0 s", BLOCKS, put("blocks", "count", 0, state=True)),
)


@contextmanager
def mutate_constants(where: tuple[str, str], change: Callable[[Any], Any]) -> Iterator[None]:
    """Change an entry of a table of curves or profiles for a while."""
    from hil.limits import relays
    from hil.limits.kinds import HOW
    from hil.verify import published

    tables: dict[str, Any] = {"curve": relays.CURVES, "envelope": published.ENVELOPES, "stages": published.STAGES, "kind": HOW}
    table = tables[where[0]]
    entry = table[where[1]]
    table[where[1]] = change(entry)
    try:
        yield
    finally:
        table[where[1]] = entry


def threshold(at_level: float, **changed: float) -> Callable[[Any], Any]:
    """Change the threshold at a level of a profile."""

    def change(profile: Any) -> Any:
        envelopes = tuple(
            replace(one, thresholds=tuple(replace(at, **changed) if at.level == at_level else at for at in one.thresholds))
            for one in profile.envelopes
        )
        return replace(profile, envelopes=envelopes)

    return change


def windows(factor: float) -> Callable[[Any], Any]:
    """Change the windows of a profile."""
    return lambda profile: replace(
        profile, envelopes=tuple(replace(one, window_s=one.window_s * factor) for one in profile.envelopes)
    )


def stage(name: str, **changed: float) -> Callable[[Any], Any]:
    """Change a stage of a profile."""
    return lambda profile: replace(profile, stages=profile.stages | {name: replace(profile.stages[name], **changed)})


CONSTANTS: tuple[tuple[str, tuple[str, ...], tuple[str, str], Callable[[Any], Any]], ...] = (
    ("IEEE VI: A = 19.6", ("relay",), ("curve", "ieee_vi"), lambda curve: replace(curve, a_s=19.6)),
    ("IEEE VI: tr = 21.4", ("relay",), ("curve", "ieee_vi"), lambda curve: replace(curve, tr_s=21.4)),
    ("IEEE MI: p = 0.0201", ("relay",), ("curve", "ieee_mi"), lambda curve: replace(curve, exponent=0.0201)),
    ("IEEE EI: B = 0.1127", ("relay",), ("curve", "ieee_ei"), lambda curve: replace(curve, b_s=0.1127)),
    ("IEC SI: k = 0.1401", ("relay",), ("curve", "iec_si"), lambda curve: replace(curve, a_s=0.1401)),
    ("IEC LTI: k = 120.1", ("relay",), ("curve", "iec_lti"), lambda curve: replace(curve, a_s=120.1)),
    ("GE curve B: tr = 47.3", ("relay",), ("curve", "ge_iec_b"), lambda curve: replace(curve, tr_s=47.3)),
    ("ITIC: 5 s for 0.5 s at 0.80", ("envelope",), ("envelope", "itic"), threshold(0.80, allowed_s=5.0)),
    ("NOGRR282: 0.79 for 0.80", ("envelope",), ("envelope", "ercot_nogrr282.voltage"), threshold(0.80, level=0.79)),
    ("NOGRR282: 0.26 s for 0.25 s", ("envelope",), ("envelope", "ercot_nogrr282.voltage"), threshold(0.50, allowed_s=0.26)),
    ("PRC-029: window of 9.999 s", ("envelope",), ("envelope", "nerc_prc_029.other"), windows(0.9999)),
    ("PRC-029, wind: 1.10 inside", ("envelope",), ("envelope", "nerc_prc_029.wind"), threshold(1.10, inclusive=False)),
    ("PRC-024: 1.15 for 1.175", ("envelope",), ("envelope", "nerc_prc_024.voltage"), threshold(1.175, level=1.16)),
    ("IEEE 1547 II: 8.6 s a unit", ("envelope",), ("envelope", "ieee_1547.cat_ii"), threshold(0.88, slope_s=8.6)),
    ("IEEE 1547 I: foot of 0.6 s", ("envelope",), ("envelope", "ieee_1547.cat_i"), threshold(0.88, allowed_s=1.32)),
    ("IEEE 1547 III, UV1: 20 s", ("stages",), ("stages", "ieee_1547.trip_cat_iii"), stage("UV1", delay_s=20.0)),
    ("cell, warning: clears at 3.53 V", ("stages",), ("stages", "lfp_cell"), stage("overvoltage warning", dropout=3.53)),
    ("Riello: 1.03 for 1.02", ("stages",), ("stages", "overload.riello"), stage("to_109", pickup=1.03)),
)


class Text(NamedTuple):
    """An expression that is written in place of another, wherever that stands in a file of the kernel; None: the line is left out."""

    name: str
    functions: tuple[str, ...]
    file: str
    right: str
    wrong: str | None


_RELAYS = "protection/relays.pxd"
_ENVELOPES = "protection/envelopes.pxd"
_COUNTERS = "protection/counters.pxd"
_THERMALS = "protection/thermals.pxd"
_FLICKER = "protection/flicker.pxd"
_OSCILLATION = "protection/oscillation.pxd"
_SLOPES = "protection/slopes.pxd"
_BLOCKS = "protection/blocks.pxd"
_LIMITS = "limits.pxd"
_JUDGING = "judging.pxd"
TEXTS = (
    Text("relay: > for <", RELAY, _RELAYS, "value < p.pickup", "value > p.pickup"),
    Text("relay: >= for >", RELAY, _RELAYS, "value > p.pickup", "value >= p.pickup"),
    Text("relay: inclusive ignored", RELAY, _RELAYS, "value == p.pickup", "value != value"),
    Text("relay: drop-out itself not inside", RELAY, _RELAYS, "value == p.dropout", "value != value"),
    Text("relay: ticks not reset", RELAY, _RELAYS, "s.picked = s.ticks = s.inside_ticks = 0", None),
    Text("relay: curve not reset", RELAY, _RELAYS, "s.share = s.rate = 0.0", None),
    Text("relay: reset a tick late", RELAY, _RELAYS, "s.inside_ticks > p.reset_ticks", "s.inside_ticks > p.reset_ticks + 1"),
    Text("relay: disc without the square", RELAY, _RELAYS, "(1.0 - multiple * multiple)", "(1.0 - multiple)"),
    Text("relay: disc ignores the dial", RELAY, _RELAYS, "(p.dial * p.tr)", "p.tr"),
    Text("relay: disc turns on beyond its stop", RELAY, _RELAYS, "s.share = 1.0", None),
    Text("relay: curve without B", RELAY, _RELAYS, "p.a / above + p.b", "p.a / above"),
    Text("relay: curve without - 1, exponents 1 and 2", RELAY, _RELAYS, "multiple - 1.0", "multiple"),
    Text("relay: curve without - 1, other exponents", RELAY, _RELAYS, "expm1(p.exponent * log(multiple))",
         "1.0 + expm1(p.exponent * log(multiple))"),
    Text("relay: exponent 2 for all", RELAY, _RELAYS, "expm1(p.exponent * log(multiple))", "multiple * multiple - 1.0"),
    Text("relay: exponent 2 without + 1", RELAY, _RELAYS, "(multiple + 1.0)", "multiple"),
    Text("relay: not flat", RELAY, _RELAYS, "multiple > p.most", "multiple < 0.0"),
    Text("relay: least time ignored", RELAY, _RELAYS, "s.share * <double>p.delay_ticks > <double>s.ticks", "s.share < 0.0"),
    Text("relay: operated for as long as it keeps", RELAY, _RELAYS, "s.operated = share >= 1.0", None),
    Text("relay: the sign counts", RELAY, _RELAYS, "value = fabs(value)", None),
    Text("relay: cumulative time a tick ahead", RELAY, _RELAYS, "<double>(s.ticks - 1) / <double>p.delay_ticks",
         "<double>s.ticks / <double>p.delay_ticks"),
    Text("relay: a window never forgets", RELAY, _RELAYS, "s.ticks -= 1", None),
    Text("relay: a disturbance never ends", RELAY, _RELAYS, "p.window_ticks < 1", "p.window_ticks < 0"),
    Text("relay: cumulative time not counted", RELAY, _RELAYS, "s.ticks += beyond", None),
    Text("rate: not per second", ("rate",), "protection/rates.pxd", "change * p.per_second", "change"),
    Text("rate: known a tick early", ("rate",), "protection/rates.pxd", "s.void_ticks > 0", "s.void_ticks > 1"),
    Text("thermal: current not squared", ("thermal",), _THERMALS, "current * current * p.per_square", "current * p.per_square"),
    Text("thermal: cools as it heats", ("thermal",), _THERMALS, "s.towards > s.level", "s.level == s.level"),
    Text("counter: >= for >", ("counter",), _COUNTERS, "value > p.bound", "value >= p.bound"),
    Text("counter: <= for <", ("counter",), _COUNTERS, "value < p.bound", "value <= p.bound"),
    Text("counter: counts samples", ("counter",), _COUNTERS, "beyond and not s.beyond", "beyond"),
    Text("counter: window open", ("counter",), _COUNTERS, "arena[p.offset + s.head % p.ring] < <double>(tick - p.window_ticks)",
         "arena[p.offset + s.head % p.ring] <= <double>(tick - p.window_ticks)"),
    Text("envelope: inclusive ignored", ("envelope",), _ENVELOPES, "p.inclusive[i]", "0 * p.inclusive[i]"),
    Text("envelope: >= for >", ("envelope",), _ENVELOPES, "used > 1.0", "used >= 1.0"),
    Text("envelope: times not reset", ("envelope",), _ENVELOPES, "s.count[i] = 0", None),
    Text("envelope: window never forgets", ("envelope",), _ENVELOPES, "(then >> i & 1)", "0 * then"),
    Text("envelope: line not rounded", ("envelope",), _ENVELOPES, "floor(most + p.slope[i] * (value - p.level[i]) + 0.5)",
         "most + p.slope[i] * (value - p.level[i])"),
    Text("envelope: line ignored", ("envelope",), _ENVELOPES, "p.slope[i] == 0.0", "p.slope[i] == p.slope[i]"),
    Text("envelope: power judged a tick late", ("envelope",), _ENVELOPES, "s.disturbed == 2 and s.ticks >= p.recovery_ticks",
         "s.disturbed == 2 and s.ticks > p.recovery_ticks"),
    Text("envelope: power judged from the return on", ("envelope",), _ENVELOPES,
         "s.disturbed == 2 and s.ticks >= p.recovery_ticks", "s.disturbed == 2"),
    Text("envelope: power judged in the dip", ("envelope",), _ENVELOPES, "s.disturbed == 2 and s.ticks >= p.recovery_ticks", "True"),
    Text("envelope: every subject is a power", ("envelope",), _ENVELOPES, "not p.relative", "p.relative > 1"),
    Text("envelope: a failure forgotten", ("envelope",), _ENVELOPES, "<double>s.failed if asked or s.failed else NAN",
         "<double>s.failed if asked else NAN"),
    Text("envelope: recovery without a return", ("envelope",), _ENVELOPES, "s.ticks >= p.recovery_ticks and stays",
         "s.ticks >= p.recovery_ticks"),
    Text("envelope: recovery a tick short", ("envelope",), _ENVELOPES, "s.ticks >= p.recovery_ticks and stays",
         "s.ticks + 1 >= p.recovery_ticks and stays"),
    Text("envelope: no disturbance in a recovery", ("envelope",), _ENVELOPES, "s.disturbed != 1", "s.disturbed == 0"),
    Text("envelope: share of nothing", ("envelope",), _ENVELOPES, "p.stays * s.before", "p.stays"),
    Text("envelope: what is fed in has let go", ("envelope",), _ENVELOPES, "s.before < 0.0", "s.before != s.before"),
    Text("envelope: who may trip fails", ("envelope",), _ENVELOPES, "s.may_trip = 1", None),
    Text("ratio: >= for >", ("ratio",), "protection/ratios.pxd", "by >= p.least", "by > p.least"),
    Text("ratio: no root", ("ratio",), "protection/ratios.pxd", "sqrt(row[p.channel] * row[p.channel] + row[p.second] * row[p.second])",
         "(row[p.channel] + row[p.second])"),
    Text("ratio: sign lost", ("ratio",), "protection/ratios.pxd", "p.scale * row[p.channel] / by", "p.scale * fabs(row[p.channel]) / by"),
    Text("ratio: scaled without its sign", ("ratio", "kind"), "protection/ratios.pxd", "p.scale * row[p.channel]",
         "p.scale * fabs(row[p.channel])"),
    Text("ratio: gate open", ("kind",), "protection/ratios.pxd", "row[p.second] >= p.least", "row[p.second] == row[p.second]"),
    Text("filter: one term of a section", ("variation",), "protection/filters.pxd", "section[2] * x - section[4] * y", "section[2] * x"),
    Text("filter: one section fewer", ("variation",), "protection/filters.pxd", "cascade_push(arena + p.offset, p.sections, s.held)",
         "cascade_push(arena + p.offset, p.sections - 1, s.held)"),
    Text("flicker: voltage not squared", ("flicker",), _FLICKER, "ratio * ratio - 1.0", "ratio - 1.0"),
    Text("flicker: no carrier", ("flicker",), _FLICKER, "(1.0 - re)", "1.0"),
    Text("flicker: answer not squared", ("flicker",), _FLICKER, "y * y * p.scale", "fabs(y) * p.scale"),
    Text("flicker: smoothed half as long", ("flicker",), _FLICKER, "p.smooth_gain", "2.0 * p.smooth_gain"),
    Text("oscillation: frequency of the bin", ("oscillation",), _OSCILLATION, "(<double>(p.first + found) + offset)",
         "<double>(p.first + found)"),
    Text("oscillation: amplitude of the bin", ("oscillation",), _OSCILLATION, "(1.0 - offset * offset) / re", "1.0"),
    Text("oscillation: share of the amplitude's half", ("oscillation",), _OSCILLATION, "2.0 * band", "band"),
    Text("slope: what leaves stays", SLOPE, _SLOPES, "s.total - slot[0]", "s.total"),
    Text("slope: places not moved up", SLOPE, _SLOPES, "s.moment - rest", "s.moment"),
    Text("slope: the newest a place too high", SLOPE, _SLOPES, "<double>(p.length - 1) * x", "<double>p.length * x"),
    Text("slope: about the oldest", SLOPE, _SLOPES, "0.5 * <double>(p.length - 1) * s.total", "0.0"),
    Text("slope: sums forget their wrap", SLOPE, _SLOPES, "s.fresh_total = s.fresh_moment = 0.0", None),
    Text("slope: places of the wrap all 0", SLOPE, _SLOPES, "<double>s.index * x", "0.0"),
    Text("blocks: change since the first", BLOCKS, _BLOCKS, "s.mean = mean", None),
    Text("blocks: sum not begun anew", BLOCKS, _BLOCKS, "s.total = 0.0", None),
    Text("blocks: a tick short", BLOCKS, _BLOCKS, "s.count == p.length", "s.count + 1 == p.length"),
    Text("oscillation: damping of two windows", ("oscillation",), _OSCILLATION, "0.5 * log(now / then)", "0.25 * log(now / then)"),
    Text("limit: >= for > high", LIMIT, _JUDGING, "upper[i] > p.high", "upper[i] >= p.high"),
    Text("limit: <= for < low", LIMIT, _JUDGING, "lower[i] < p.low", "lower[i] <= p.low"),
    Text("limit: high looked for above what was worst alone", LIMIT, _JUDGING, "min(s.highest, p.high)", "s.highest"),
    Text("limit: low looked for below what was worst alone", LIMIT, _JUDGING, "max(s.lowest, p.low)", "s.lowest"),
    Text("limit: what is beyond forgotten between batches", LIMIT, _JUDGING, "s.beyond != 0", "False"),
    Text("limit: its time does not run", LIMIT, _JUDGING, "s.run_ticks += count", None),
    Text("limit: samples not counted", LIMIT, _JUDGING, "s.valid_ticks += count", None),
    Text("limit: what is not judged is judged with its batch", ("kind",), _JUDGING, "how[end] == how[first]", "True"),
    Text("limit: delay a tick short", LIMIT, _JUDGING, "p.delay_ticks - s.run_ticks", "p.delay_ticks - s.run_ticks - 1"),
    Text("limit: ramp not per second", LIMIT, _LIMITS, "(x - delay_push(&past, arena, x)) * p.per_second",
         "(x - delay_push(&past, arena, x))"),
    Text("limit: range of the top alone", LIMIT, _LIMITS, "value[i] += opposite[i]", None),
    Text("window: what is largest forgotten between batches", LIMIT, "windows.pxd", "w.newest = newest", None),
    Text("limit: a watt more than nine tenths", LIMIT, _LIMITS, "power_w < least_w - p.slack", "power_w < least_w + 1.0"),
    Text("window: a block short", LIMIT, "windows.pxd", "w.number - whole", "w.number - whole + 1"),
    Text("window: a sample short", LIMIT, "windows.pxd", "older + rest - 1", "older + rest"),
    Text("window: an end not carried back", LIMIT, "windows.pxd", "carry_back(partial, w.block)", None),
    Text("window: carried back by halves", LIMIT, "windows.pxd", "raise_to(second, second, quarter, third[0])", None),
    Text("limit: times of stretches apart add up", ("kind",), _LIMITS, "not p.total", "p.total > 1"),
    Text("limit: another value counts", ("kind",), _LIMITS, "value == p.counted", "value != p.counted"),
    Text("window: mean forgets its wrap", LIMIT, "windows.pxd", "total / <double>w.length", "total"),
)  # fmt: skip

_SWITCH = '''"""Which mistake is in force; 0: none."""

cdef extern from *:
    """
    static int mutant = 0;
    static void set_mutant_to(int k) { mutant = k; }
    """
    int mutant
    void set_mutant_to(int k)
'''
_IMPORT = "from hil.kernel.protection.mutant cimport mutant\n"


def mutated(copy: Path) -> None:
    """Write every mistake into a copy of the packages, each behind the switch. Raises ValueError for one that has no place any more."""
    kernel = copy / "hil" / "kernel"
    (kernel / "protection" / "mutant.pxd").write_text(_SWITCH)
    for file in sorted({text.file for text in TEXTS}):
        source = (kernel / file).read_text()
        for k, text in enumerate(TEXTS, 1):
            if text.file == file:
                source = _with(source, k, text)
        head, first, rest = source.partition("from libc.stdint cimport int64_t\n")
        (kernel / file).write_text(head + first + _IMPORT + rest)
    replay = kernel / "protection" / "replay.pyx"
    replay.write_text(replay.read_text() + "\n\n" + _SETTER)


_SETTER = """from hil.kernel.protection.mutant cimport set_mutant_to


def set_mutant(int k):
    set_mutant_to(k)
"""


def _with(source: str, k: int, text: Text) -> str:
    if text.right not in source:
        raise ValueError(f"{text.file}: {text.name}: {text.right!r} stands there no more")
    if text.wrong is not None:
        return source.replace(text.right, f"({text.wrong} if mutant == {k} else {text.right})")
    lines = []
    for line in source.splitlines(keepends=True):
        if line.strip() == text.right:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}if mutant != {k}:\n    {line}")
        else:
            lines.append(line)
    return "".join(lines)
