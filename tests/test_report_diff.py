"""What changed between two runs: settings, limits, waveforms; and that nothing did."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command import hil_command
from report_support import SMALL

import hil
from hil.record.memory import MemorySink
from hil.report.settings import Changed
from hil.report.waveforms import compared

DIRECT = [*SMALL, "transport='direct'"]


def ran(*overrides: str, folder: Path | None = None) -> hil.Result:
    return hil.run(hil.load("training_job", [*DIRECT, *overrides]), folder=folder)


@pytest.fixture(scope="module")
def base() -> hil.Result:
    return ran()


def recorded(result: hil.Result, ticks: np.ndarray, **channels: object) -> hil.Result:
    """A result with another record: values by channel, shape (n,)."""
    record = MemorySink(list(channels), 1_000_000)
    record.rows(ticks, np.column_stack([np.broadcast_to(np.asarray(v, np.float32), ticks.shape) for v in channels.values()]))
    record.close()
    digest = f"{hash(tuple(map(str, channels.values()))):x}"
    return replace(result, record=record, channels=list(channels), waveform_hash=digest)


def test_two_runs_of_one_scenario_are_the_same(base):
    found = base.diff(ran())
    assert found.same
    assert (found.settings, found.provenance) == ([], [])
    assert found.waveforms.same
    assert all(limit.same for limit in found.limits)


def test_another_rating_changes_settings_limits_and_waveforms(base):
    found = base.diff(ran("bess.main.rating='5 MVA'"))
    assert not found.same
    assert found.settings == [Changed("bess.main.rating", "25 MVA", "5 MVA")]
    current = next(limit for limit in found.limits if limit.name == "converter current")
    assert not current.same
    assert current.after.worst > current.before.worst
    shares = [deviation.share for deviation in found.waveforms.deviations]
    assert shares == sorted(shares, reverse=True)
    assert max(shares) <= 1.0
    assert 0.0 < found.waveforms.first_s < 4.0
    power = next(deviation for deviation in found.waveforms.deviations if deviation.channel == "bess.main.power_w")
    one, other = (run.signal("bess.main.power_w") for run in (found.before, found.after))
    apart = np.abs(one[1] - other[1])
    assert power.largest == apart.max()
    assert power.at_s == one[0][apart.argmax()]
    assert power.rms == pytest.approx(np.sqrt(np.mean(apart**2)))
    assert power.first_s == one[0][np.flatnonzero(apart)[0]]


def test_another_limit_changes_no_waveform(base):
    found = base.diff(ran("limits.27 undervoltage.min=0.99"))
    assert found.settings == [Changed("limits.27 undervoltage.min", 0.95, 0.99)]
    assert found.waveforms.same
    assert [limit.name for limit in found.limits if not limit.same] == ["27 undervoltage"]
    assert not found.same


def test_another_title_is_a_difference_of_settings_alone(base):
    found = base.diff(ran("title='another'"))
    assert [setting.key for setting in found.settings] == ["title"]
    assert found.waveforms.same
    assert all(limit.same for limit in found.limits)
    assert not found.same


def test_another_seed_changes_the_load(base):
    found = base.diff(ran("seed=8"))
    assert found.settings == [Changed("seed", 7, 8)]
    assert "load.power_w" in [deviation.channel for deviation in found.waveforms.deviations]


def test_keys_and_entries_that_only_one_has(base):
    dips = "events=[{at='1 s', kind='grid_dip', residual=0.9, duration='50 ms'}, {at='3 s', kind='load_crash'}]"
    one = ran(dips)
    other = ran("limits=[{name='27 undervoltage', kind='undervoltage', min=0.95, required=true}]", "absorber.main.kind=none")
    settings = {changed.key: (changed.before, changed.after) for changed in one.diff(other).settings}
    assert settings["events.grid_dip.at"] == ("1 s", None)
    assert settings["events.load_crash.at"] == ("3 s", None)
    assert settings["absorber.main.kind"] == ("ramp_limit", "none")
    assert settings["limits.27 undervoltage.delay"] == ("100 ms", "0 s")
    assert settings["limits.grid ramp.max"] == ("20 MW/min", None)
    limits = {limit.name: limit for limit in one.diff(other).limits}
    assert limits["grid ramp"].after is None
    assert not limits["grid ramp"].same


def test_events_of_a_kind_go_by_their_order():
    def dips(*at_s: int) -> hil.Result:
        entries = ",".join(f"{{at='{at} s', kind='grid_dip', residual=0.9, duration='50 ms'}}" for at in at_s)
        return ran(f"events=[{entries}]", "duration='4 s'")

    assert dips(1, 2).diff(dips(1, 3)).settings == [Changed("events.grid_dip.2.at", "2 s", "3 s")]


def test_records_of_other_rates_and_lengths_are_compared_at_common_times(base):
    found = compared(base, ran("duration='3 s'", "record.rate='20 Hz'"))
    assert found.rows == 60
    assert found.deviations == []
    assert found.unlike == ["400 rows to 4 s at 100 Hz against 60 rows to 3 s at 20 Hz: compared at 60 common times"]


def test_channels_that_only_one_record_has_are_named(base):
    few = ran("record.channels=['pcc.*_w', 'load.power_w']", "bess.main.soc=0.5")
    found = compared(few, base)
    assert found.unlike[0].startswith("only in the second: load.demand_w, cooling.demand_w, ")
    assert found.channels == 3
    none = compared(few, ran("record.channels=['bess.main.soc']"))
    assert none.unlike[-1] == "no channel is in both"
    assert (none.rows, none.deviations) == (0, [])


def test_what_is_no_number_is_only_like_its_kind(base):
    ticks = np.arange(1, 4)
    one = recorded(base, ticks, a=[1.0, np.nan, np.inf], b=[np.nan, 2.0, 3.0], c=[5.0, 5.0, 5.0])
    other = recorded(base, ticks, a=[1.0, np.nan, np.inf], b=[1.0, 2.0, 3.0], c=[5.0, 5.0, 5.5])
    found = compared(one, other)
    b, c = found.deviations
    assert (b.channel, b.largest, b.first_s) == ("b", np.inf, 0.001)
    assert (c.channel, c.largest, c.at_s, c.share) == ("c", 0.5, 0.003, 1.0)
    document = one.diff(other).document()
    assert json.loads(json.dumps(document, allow_nan=False))["waveforms"]["deviations"][0]["largest"] is None


def test_a_difference_between_the_rows_is_said(base, capsys):
    from hil.cli.changes import print_difference

    other = replace(base, waveform_hash="0" * 16)
    found = base.diff(other)
    assert not found.same
    print_difference(found)
    assert (
        "the same in all 400 recorded rows; they differ between them, or in channels not recorded" in capsys.readouterr().out
    )


# --- hil diff ---


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    runs = tmp_path_factory.mktemp("diff") / "runs"
    ran(folder=runs / "before")
    ran("bess.main.rating='5 MVA'", "duration='3 s'", folder=runs / "after")
    return runs / "before", runs / "after"


def test_the_command_prints_what_changed(folders):
    code, out, err = hil_command("diff", *folders)
    assert (code, err) == (1, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == f"- {folders[0]}: INCONCLUSIVE"
    assert "bess.main.rating 25 MVA -> 5 MVA" in lines
    assert "duration 4 s -> 3 s" in lines
    changed = next(line for line in lines if line.startswith("* converter current bess.main"))
    assert " pu -> " in changed
    assert any(line.startswith("400 rows to 4 s at 100 Hz against 300 rows to 3 s at 100 Hz") for line in lines)
    assert any(line.startswith("channel largest of its span at RMS first at") for line in lines)
    assert any(line.endswith("more; --json has them all") for line in lines)
    assert "made with" not in out


def test_the_command_says_that_nothing_changed(folders):
    code, out, err = hil_command("diff", folders[0], folders[0])
    assert (code, err) == (0, "")
    for line in ("settings: the same", "limits: the same", "waveforms: the same to the bit"):
        assert line in out.splitlines()


def test_the_command_takes_the_two_newest(folders, monkeypatch):
    monkeypatch.chdir(folders[0].parents[1])
    code, out, _ = hil_command("diff", "--json")
    assert code == 1
    document = json.loads(out)
    assert document["runs"] == ["runs/before", "runs/after"]
    assert {"key": "bess.main.rating", "before": "25 MVA", "after": "5 MVA"} in document["settings"]
    line = "runs/before: against which run? Name two, or none for the two newest in ./runs\n"
    assert hil_command("diff", "runs/before") == (2, "", line)
    monkeypatch.chdir(folders[0])
    line = "runs: there is no run in it; name two folders\n"
    assert hil_command("diff") == (2, "", line)


def test_other_versions_are_shown_but_are_no_difference(folders, tmp_path):
    later = shutil.copytree(folders[0], tmp_path / "later")
    provenance = json.loads((later / "provenance.json").read_text())
    provenance["versions"]["numpy"] = "99.1"
    (later / "provenance.json").write_text(json.dumps(provenance))
    code, out, _ = hil_command("diff", folders[0], later)
    assert code == 0
    assert "made with" in out
    assert any(line.split()[0] == "versions.numpy" and line.split()[-1] == "99.1" for line in out.splitlines() if line.strip())
    (later / "provenance.json").write_text("[]")
    line = f"{later}: provenance.json: must be an object\n"
    assert hil_command("diff", folders[0], later) == (2, "", line)
    (later / "provenance.json").unlink()
    line = f"{later}: incomplete: there is no provenance.json\n"
    assert hil_command("diff", folders[0], later) == (2, "", line)


def test_copies_of_one_law_are_the_same_setting(folders, tmp_path):
    """A run's folder holds a copy of it, so that its path always differs."""
    opened = []
    for name in ("one", "other"):
        folder = shutil.copytree(folders[0], tmp_path / name)
        text = (
            (folder / "scenario.toml")
            .read_text()
            .replace('kind = "ramp_limit"', 'kind = "law"\nlaw = "own/absorber.main/own.py:hold"')
        )
        text = "\n".join(line for line in text.splitlines() if not line.startswith("ramp = "))
        (folder / "scenario.toml").write_text(text)
        opened.append(hil.open_run(folder))
    assert opened[0].scenario.absorber["main"].law != opened[1].scenario.absorber["main"].law
    assert opened[0].diff(opened[1]).settings == []


@pytest.mark.realtime
def test_the_clock_is_a_setting(base):
    paced = hil.run(hil.load("training_job", DIRECT), clock="wall", speed=50.0)
    settings = base.diff(paced).settings
    assert settings == [Changed("run.clock", "lockstep", "wall"), Changed("run.speed", None, 50.0)]
