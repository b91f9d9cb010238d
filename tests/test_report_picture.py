"""The picture of a run: what it shows and where, that no text lies on another, that no peak is lost."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from command import hil_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from report_support import SMALL

import hil
from hil.record.memory import MemorySink
from hil.report.envelope import Envelope
from hil.report.event_strip import lanes
from hil.scenario.event import LoadCrash

pytestmark = pytest.mark.draws

LEFT_PT, INNER_PT = 72 * 0.85, 72 * (10.0 - 0.85 - 0.2)  # of the panels in a picture 10 inches wide


@pytest.fixture(scope="module")
def failed() -> hil.Result:
    return hil.run(hil.load("training_job", [*SMALL, "absorber.main.kind=none", "limits.27 undervoltage.min=0.99"]))


@pytest.fixture(scope="module")
def crowded() -> hil.Result:
    """UPSs and batteries beyond number, events beyond room, names beyond sense."""
    ups = [f"ups.u{number}={{rating='2 MW'}}" for number in range(10)]
    bess = [f"bess.b{number}={{rating='1 MVA', energy='1 MWh'}}" for number in range(12)]
    dips = ",".join(f"{{at='{0.5 + 0.1 * n} s', kind='grid_dip', residual=0.5, duration='50 ms'}}" for n in range(12))
    late = "{at='3.9 s', kind='generation_loss', power='900 MW', settle='100 ms', judged=true}"
    names = ["$x$ " * 30, "<&>\\n\\u0007" + "w" * 80, "日本"]
    windows = ["ups.u3", "ups.u4", "bess.b7"]
    named = zip(names, windows, strict=True)
    window = "kind='soc_window', window=[0.4999, 0.9999], required=true"
    limits = [
        *(f"{{name=\"{name}\", node='{node}', {window}}}" for name, node in named),
        "{name='81O', kind='overfrequency', max='60.0001 Hz', required=true}",
        "{name='supply', kind='undervoltage', node='ups.u1', min=0.9}",
        "{name='bus', kind='undervoltage', node='bus', min=0.9}",
        "{name='ramp', kind='ramp', max='1 kW/min', window='100 ms', mean='10 ms'}",
    ]  # fmt: skip
    sections = ["ups={}", "bess={}", "absorber={}", "supervisor={}", *ups, *bess, "transport='direct'"]
    overrides = [
        "duration='4 s'",
        *sections,
        f"limits=[{','.join(limits)}]",
        f"events=[{dips},{late}]",
        "title='" + "T " * 99 + "'",
    ]
    return hil.run(hil.load("hall", overrides))


def drawn(result: hil.Result, path: Path, **part: float) -> ET.Element:
    result.plot(path, **part)
    return ET.fromstring(re.sub(r' xmlns="[^"]+"', "", path.read_text(encoding="utf-8"), count=1))


def texts(picture: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in picture.iter("text")]


def mark_pt(picture: ET.Element, gid: str) -> float | None:
    """Where a mark stands, from the left."""
    use = picture.find(f".//g[@id='{gid}']//use")
    return None if use is None else float(use.get("x", "nan"))


def place_pt(time_s: float, from_s: float, to_s: float) -> float:
    return LEFT_PT + INNER_PT * (time_s - from_s) / (to_s - from_s)


def test_it_names_what_it_shows(failed, tmp_path):
    shown = texts(drawn(failed, tmp_path / "run.svg"))
    for text in (
        "25 MW training job, one battery",
        "load",
        "grid",
        "bess.main (+ discharges)",
        "bess.main SoC",
        "first violation",
    ):
        assert text in shown
    assert any(text.startswith("FAIL · ") and "required limits held" in text for text in shown)
    for limit in failed.limits.values():
        assert f"{limit.name} · {limit.node}{'' if limit.required else ' (not required)'}" in shown
        assert any(text.startswith(f"{limit.outcome} · margin {100 * limit.margin:.1f} %") for text in shown)


@pytest.mark.parametrize("part", [(0.0, 4.0), (1.0, 3.0)])
def test_first_violations_are_marked_where_they_were(failed, tmp_path, part):
    picture = drawn(failed, tmp_path / "run.svg", from_s=part[0], to_s=part[1])
    violated = [limit for limit in failed.limits.values() if limit.first_violation_s is not None]
    assert {limit.name for limit in violated} == {"peak-to-peak, 5 s", "27 undervoltage"}
    for limit in failed.limits.values():
        name = re.sub(r"\W", "-", limit.name)
        marks = [mark_pt(picture, f"{where}first-violation-{name}") for where in ("", "on-signal-")]
        at_s = limit.first_violation_s
        if at_s is None or not part[0] <= at_s <= part[1]:
            assert marks == [None, None]
        else:
            assert marks == pytest.approx([place_pt(at_s, *part)] * 2, abs=0.01)
        worst = mark_pt(picture, f"worst-{name}")
        if part[0] <= limit.at_s <= part[1]:
            assert worst == pytest.approx(place_pt(limit.at_s, *part), abs=0.01)
        else:
            assert worst is None


def test_a_relay_shows_as_the_bound_that_it_picks_up_on(failed, tmp_path):
    """Its threshold, and the violation on the voltage, where those of the limit stand."""
    overrides = [*SMALL, "absorber.main.kind=none", "limits.27 undervoltage.min=0.99", "limits.27 undervoltage.acts_as=relay"]
    relay = drawn(hil.run(hil.load("training_job", overrides)), tmp_path / "relay.svg")
    limit = drawn(failed, tmp_path / "limit.svg")
    assert all("27 undervoltage, 0.99" in texts(picture) for picture in (relay, limit))
    gid = ".//g[@id='on-signal-first-violation-27-undervoltage']//use"
    marks = [picture.find(gid) for picture in (relay, limit)]
    assert [mark.get("y") for mark in marks] == [marks[1].get("y")] * 2
    assert marks[0].get("x") == marks[1].get("x")


@pytest.mark.slow
def test_the_same_run_gives_the_same_file(failed, tmp_path):
    for path in (tmp_path / "a.svg", tmp_path / "b.svg", tmp_path / "a.png", tmp_path / "b.png"):
        failed.plot(path)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "a.svg").read_bytes()


def test_a_png_is_not_blank(failed, tmp_path):
    from matplotlib.image import imread

    failed.plot(tmp_path / "run.png")
    pixels = imread(tmp_path / "run.png")
    assert pixels.shape[1] == 1100
    assert 600 < pixels.shape[0] < 1400
    red = (pixels[..., 0] > 0.7) & (pixels[..., 1] < 0.1) & (pixels[..., 2] < 0.1)
    assert red.sum() > 200  # crosses
    assert 0.01 < (pixels[..., :3].min(axis=2) < 0.5).mean() < 0.5


@pytest.mark.parametrize("which", ["failed", "crowded"])
def test_no_text_lies_on_another_or_leaves_the_picture(which, request, monkeypatch):
    import warnings

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    from hil.report.picture import _Picture

    result = request.getfixturevalue(which)
    figure = _Picture(result, (0.0, 4.0)).figure
    canvas = FigureCanvasAgg(figure)
    seen: list[Text] = []
    draw = Text.draw
    monkeypatch.setattr(Text, "draw", lambda text, *given: (seen.append(text), draw(text, *given)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        canvas.draw()
        boxes = [
            (text.get_text(), text.get_window_extent(canvas.get_renderer()).padded(-1.0))
            for text in seen
            if text.get_visible()
        ]
    boxes = [(text, box) for text, box in boxes if text.strip() and box.width > 0]
    assert len(boxes) > 30
    for text, box in boxes:
        assert figure.bbox.x0 <= box.x0, text
        assert box.x1 <= figure.bbox.x1, text
    for (one, box), (other, beside) in itertools.combinations(boxes, 2):
        assert not box.overlaps(beside), (one, other)


def test_a_crowded_run_is_drawn(crowded, tmp_path):
    shown = texts(drawn(crowded, tmp_path / "run.svg"))
    assert "10 UPS, lowest to highest input" in shown
    assert "12 BESS, sum (+ discharges)" in shown
    assert any("more events have no name above" in text for text in shown)
    assert any(text.startswith("$x$ $x$") and text.endswith("…") for text in shown)
    assert "frequency" in shown


def test_a_run_ended_before_its_first_tick_has_a_picture(failed, tmp_path):
    empty = MemorySink(failed.channels, 1_000_000)
    empty.close()
    replace(failed, duration_s=0.0, record=empty, limits={}).plot(tmp_path / "run.svg")
    assert "the scenario has no limits" in (tmp_path / "run.svg").read_text()


def test_a_record_of_few_channels_has_few_panels(failed, tmp_path):
    picture = drawn(replace(failed, channels=["bess.main.soc"]), tmp_path / "run.svg")
    assert {"SoC / %"} == {text for text in texts(picture) if " / " in text} - {"time / s"}


def test_an_hour_with_a_spike_of_one_sample_is_small_and_shows_it(failed, tmp_path):
    rows, spike = 360_000, 123_457
    rng = np.random.default_rng(7)
    values = rng.normal(20e6, 1e6, (rows, len(failed.channels))).astype(np.float32)
    values[spike, failed.channels.index("load.power_w")] = 99e6
    record = MemorySink(failed.channels, 10_000_000)
    record.rows(np.arange(1, rows + 1), values)
    record.close()
    picture = drawn(replace(failed, duration_s=3600.0, record=record), tmp_path / "hour.svg")
    assert (tmp_path / "hour.svg").stat().st_size < 2e6
    path = picture.find(".//g[@id='signal-load.power_w']/path")
    points = np.array([float(number) for number in re.findall(r"-?[\d.]+", path.get("d"))]).reshape(-1, 2)
    highest = points[points[:, 1].argmin()]
    assert highest[0] == pytest.approx(place_pt((spike + 1) / 100, 0.0, 3600.0), abs=0.5)
    others = np.delete(points[:, 1], points[:, 1].argmin())
    assert others.min() - highest[1] > 50.0


def enveloped(time_s, values, columns, view, cuts=()):
    gathered = Envelope(view, columns)
    for part in np.split(np.arange(time_s.size), sorted(cuts)):
        gathered.add(time_s[part], values[part], values[part])
    return gathered.points()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of a machine that has other things to do
@given(
    values=arrays.arrays(
        np.float64, st.integers(0, 300), elements=st.floats(-1e9, 1e9, width=32) | st.sampled_from([np.nan, np.inf])
    ),
    columns=st.integers(1, 20),
    cuts=st.lists(st.integers(0, 300), max_size=4),
)
def test_an_envelope_keeps_lowest_and_highest_of_every_column(values, columns, cuts):
    time_s = np.arange(values.size, dtype=np.float64)
    view = (0.0, max(1.0, values.size - 1.0))
    points = enveloped(time_s, values, columns, view, [cut for cut in cuts if cut < values.size])
    assert points.time_s.size <= 2 * columns + 2
    assert (np.diff(points.time_s) > 0).all()
    assert np.array_equal(points.low, values[points.time_s.astype(int)])
    assert np.isfinite(points.low).all()
    if values.size <= 2 * columns:
        assert points.time_s.size == np.isfinite(values).sum()
        return
    for column in range(columns):
        place = np.minimum(time_s / view[1] * columns, columns - 1).astype(int) == column
        kept = points.low[np.isin(points.time_s, time_s[place])]
        known = values[place][np.isfinite(values[place])]
        if known.size:
            assert (kept.min(), kept.max()) == (known.min(), known.max())
        else:
            assert kept.size == 0


@pytest.mark.parametrize("rows", [50, 5000])
def test_an_envelope_has_a_gap_where_rows_are_missing(rows):
    """However it is cut; and it reaches to both sides of the gap, and one sample beyond the view."""
    time_s = np.concatenate([np.linspace(0.0, 4.0, rows), np.linspace(6.0, 10.0, rows)])
    values = np.sin(time_s)
    whole = enveloped(time_s, values, 100, (1.0, 9.0))
    gap = np.flatnonzero(np.isnan(whole.low))
    assert whole.time_s[gap] == pytest.approx([5.0])
    assert list(whole.time_s[[gap[0] - 1, gap[0] + 1]]) == [4.0, 6.0]
    assert time_s[time_s < 1.0].max() == whole.time_s[0]
    assert time_s[time_s > 9.0].min() == whole.time_s[-1]
    for cuts in ([rows], [rows - 1], [rows + 1], range(7, 2 * rows, 13)):
        for one, other in zip(whole, enveloped(time_s, values, 100, (1.0, 9.0), cuts), strict=True):
            assert np.array_equal(one, other, equal_nan=True)


@given(st.lists(st.floats(0.0, 100.0), max_size=30))
def test_names_of_events_never_cross(times_s):
    events = [LoadCrash(at=at_s, kind="load_crash") for at_s in times_s]
    named, left_out = lanes(events, (0.0, 100.0), 8.0)
    assert len(named) + left_out == len(events)
    assert all(one.leaves_free(other) for one, other in itertools.combinations(named, 2))
    assert all(one.span_in[0] >= 0.0 and one.span_in[1] <= 8.0 for one in named)


# --- hil plot ---


@pytest.mark.slow
def test_plot_writes_into_the_runs_folder_or_where_it_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hil.run(hil.load("training_job", SMALL), folder="runs/one")
    whole = (tmp_path / "runs/one/picture.png").read_bytes()
    (tmp_path / "runs/one/picture.png").unlink()
    assert hil_command("plot") == (0, "runs/one/picture.png\n", "")
    assert (tmp_path / "runs/one/picture.png").read_bytes() == whole
    assert hil_command("plot", "runs/one", "--to", "2 s")[:2] == (0, "runs/one/picture-start-2s.png\n")
    assert (tmp_path / "runs/one/picture.png").read_bytes() == whole
    assert hil_command("plot", "--out", "a.SVG", "--from", "500 ms")[:2] == (0, "a.SVG\n")
    assert (tmp_path / "a.SVG").read_text().startswith("<?xml")


WRONG = {
    "--out x.pdf": "--out x.pdf: must end in .png or .svg\n",
    "--out nowhere/x.png": "nowhere/x.png: cannot be written (No such file or directory)\n",
    "--from 1": "--from '1': must be a time, such as '40 ms'; units: s, ms, us, ns, µs, min, h, d\n",
    "--to soon": "--to 'soon': must be a time, such as '40 ms'\n",
    "--to 9s": "from 0 s to 9 s: must be a part of the run, 0 s to 4 s\n",
    "--from 2s --to 2s": "from 2 s to 2 s: must be a part of the run, 0 s to 4 s\n",
    "--from -1s": "from -1 s to 4 s: must be a part of the run, 0 s to 4 s\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    hil.run(hil.load("training_job", SMALL), folder=tmp_path_factory.getbasetemp() / "plotted")
    return tmp_path_factory.getbasetemp() / "plotted"


@pytest.mark.parametrize("arguments", WRONG)
def test_what_cannot_be_drawn_is_told_in_one_line(arguments, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert hil_command("plot", folder, *arguments.split()) == (2, "", WRONG[arguments])
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_extra_is_named(folder, monkeypatch):
    import sys

    for module in ("hil.report.picture", "hil.report.figures"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    line = "no matplotlib, which draws: pip install 'ridethrough[plot]'\n"
    assert hil_command("plot", folder) == (2, "", line)
