"""The packaged scenario end to end, and what blocks or breaks its verdict."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from command import HIL, WHOLE
from record_support import put, rows, sink_of

import hil

DIRECT = ("--set", "transport=direct")  # to the bit the same (tests/test_direct.py), and quicker
TWO = {"north": 50 / 3, "south": 25 / 3}
LAW = {"kind": "ramp_limit", "ramp": "17 MW/min", "filter": "10 ms"}


def toml(table: dict[str, object]) -> str:
    """An inline table."""
    return "{" + ", ".join(f"{key}={value!r}" for key, value in table.items()) + "}"


def command(*arguments: str, cwd: Path, hil_command: list[str] = HIL) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*hil_command, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)


def summary(*arguments: str, cwd: Path, hil_command: list[str] = HIL) -> tuple[int, dict[str, object]]:
    run = command("run", "training_job", "--json", *arguments, cwd=cwd, hil_command=hil_command)
    assert run.stderr == ""
    return run.returncode, json.loads(run.stdout)


def named(document: dict, name: str) -> dict:
    return next(limit for limit in document["limits"] if limit["name"] == name)


def test_flagship_passes_with_margins_worth_having(tmp_path):
    code, document = summary(cwd=tmp_path)
    assert code == 0
    assert document["verdict"] == "PASS"
    required = [limit for limit in document["limits"] if limit["required"]]
    assert len(required) >= 5
    for limit in required:
        assert limit["outcome"] == "PASS"
        assert 0.05 <= limit["margin"] <= 0.40, limit
    assert document["traffic"]["requests"] > 4 * 20 * 180  # four transactions a cycle at 20 Hz, and the heartbeat


def test_without_absorber_ramp_and_swing_fail(tmp_path):
    code, document = summary("--set", "absorber.main.kind=none", *DIRECT, cwd=tmp_path)
    assert (code, document["verdict"]) == (1, "FAIL")
    failed = {limit["name"] for limit in document["limits"] if limit["outcome"] == "FAIL"}
    assert failed == {"grid ramp", "peak-to-peak, 5 s"}


@pytest.mark.slow
def test_several_batteries_with_a_law_and_a_supervisor_each():
    """Two thirds of the battery on its own port, one third on another: the verdict and the swing are those of the one."""
    small = {"setpoint_ramp": "0.5 MW/min", "converter_lag": "40 ms", "soc": 0.55}
    sections = [
        *(f"bess.{name}={toml(small | {'rating': f'{mva} MVA', 'energy': f'{mva / 4} MWh'})}" for name, mva in TWO.items()),
        *(f"absorber.{name}={toml(LAW | {'device': f'bess.{name}'})}" for name in TWO),
        *(f"supervisor.{name}={toml({'kind': 'soc_window', 'device': f'bess.{name}', 'rate': '20 Hz'})}" for name in TWO),
    ]
    limits = ["limits.SoC reserve.node='bess.north'", "limits.converter current.node='bess.south'"]
    two = hil.run(hil.load("training_job", ["bess={}", "absorber={}", "supervisor={}", *sections, *limits]))
    one = hil.run(hil.load("training_job", ["transport=direct"]))
    assert two.verdict == one.verdict == "PASS"
    assert two.limits["peak-to-peak, 5 s"].worst == pytest.approx(one.limits["peak-to-peak, 5 s"].worst, rel=0.02)
    assert two.traffic["requests"] > 1.9 * one.traffic["requests"]
    north, south = (two.signal(f"bess.{name}.law_w")[1] for name in TWO)
    assert np.allclose(north, 2.0 * south, atol=2.0)


def test_a_small_battery_fails(tmp_path):
    code, document = summary("--set", 'bess.main.rating="5 MVA"', *DIRECT, cwd=tmp_path)
    assert (code, document["verdict"]) == (1, "FAIL")
    assert named(document, "peak-to-peak, 5 s")["margin"] < 0


@pytest.mark.slow
def test_table_names_what_failed(tmp_path):
    run = command("run", "training_job", "--set", "absorber.main.kind=none", *DIRECT, cwd=tmp_path)
    assert run.returncode == 1
    lines = run.stdout.splitlines()
    assert any("grid ramp" in line and "FAIL" in line for line in lines)
    assert any("peak-to-peak, 5 s" in line and "FAIL" in line for line in lines)
    assert lines[-1].startswith("FAIL  3 of 5 required limits held")


def stop(duration: str) -> list[str]:
    return [f'events=[{{at="100 s", kind="server_stop", device="bess.main", duration="{duration}"}}]', "duration='120 s'"]


@pytest.mark.slow
def test_a_server_away_for_longer_than_stale_after_is_inconclusive(tmp_path):
    arguments = [part for override in stop("3 s") for part in ("--set", override)]
    code, document = summary(*arguments, cwd=tmp_path)
    assert (code, document["verdict"]) == (3, "INCONCLUSIVE")
    assert any("supervisor.energy: silent for" in reason for reason in document["reasons"])


def test_a_server_away_for_less_passes():
    result = hil.run(hil.load("training_job", stop("300 ms")))
    assert (result.verdict, result.exit_code) == ("PASS", 0)
    names = [event["event"] for event in result.events]
    for name in ("server_stopped", "device_failed", "device_back"):
        assert name in names
    back = next(event for event in result.events if event["event"] == "device_back")
    assert 100.3 <= back["time_s"] <= 101.0


def test_a_violation_outranks_missing_evidence():
    result = hil.run(hil.load("training_job", [*stop("3 s"), "absorber.main.kind=none"]))
    assert result.verdict == "FAIL"
    assert result.reasons


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        (
            ["duration='20 s'", "events=[]"],
            "grid ramp: its window, 61 s (window 60 s, mean 1 s), is longer than the run, 20 s",
        ),
        (["grid.short_circuit='70 MVA'", "limits.27 undervoltage.min=0.5"], "short-circuit ratio 2.80 is below"),
    ],
)
def test_what_blocks_pass(override, reason):
    result = hil.run(hil.load("training_job", [*override, "transport=direct"]))
    assert result.verdict == "INCONCLUSIVE"
    assert result.exit_code == 3
    assert any(reason in line for line in result.reasons), result.reasons


def test_a_load_that_ends_early_blocks_pass(tmp_path):
    trace = tmp_path / "short.csv"
    trace.write_text("time_s,power_w\n0,1e6\n70,1e6\n")
    overrides = ["events=[]", "duration='80 s'", "transport=direct", "load={}", "load.kind='trace'", "load.exact=true"]
    overrides += [f"load.trace='{trace}'"]
    result = hil.run(hil.load("training_job", overrides))
    assert result.verdict == "INCONCLUSIVE"
    assert result.reasons == ["load: 10000 ticks without a value (under-run)"]
    whole = hil.run(hil.load("training_job", [*overrides, "load.repeat=true"]))
    assert whole.verdict == "PASS"


def test_a_scripted_dip_is_stimulus_not_failure():
    dip = 'events=[{at="50 s", kind="grid_dip", residual=0.7, duration="150 ms"}]'
    result = hil.run(hil.load("training_job", [dip, "duration='80 s'"]))
    limit = result.limits["27 undervoltage"]
    assert limit.outcome == "PASS"
    assert limit.blanked_s == pytest.approx(0.150 + 0.2 + 0.017, abs=0.002)
    _, voltage = result.signal("pcc.voltage_pu")
    assert voltage.min() < 0.75


def test_a_lasting_undervoltage_after_a_dip_still_fails():
    """The blanking ends: what the site does after the stimulus is judged."""
    dip = 'events=[{at="50 s", kind="grid_dip", residual=0.7, duration="150 ms"}]'
    result = hil.run(hil.load("training_job", [dip, "duration='80 s'", "limits.27 undervoltage.min=0.985"]))
    assert result.limits["27 undervoltage"].outcome == "FAIL"


def test_a_generation_loss_moves_the_frequency():
    loss = 'events=[{at="20 s", kind="generation_loss", power="600 MW", settle="5 s"}]'
    result = hil.run(hil.load("training_job", [loss, "duration='65 s'"]))
    _, frequency = result.signal("pcc.frequency_hz")
    assert frequency.min() < 59.95


def test_run_folder_holds_what_reproduces_the_run(tmp_path):
    code, document = summary("--set", "duration='70 s'", "--set", "events=[]", cwd=tmp_path, hil_command=WHOLE)
    folder = tmp_path / document["folder"]
    assert {path.name for path in folder.iterdir()} == {
        "scenario.toml", "provenance.json", "record.arrow", "record.parquet", "events.jsonl", "summary.json", "picture.png",
    }  # fmt: skip
    again = hil.run(hil.load(folder / "scenario.toml"))
    assert again.waveform_hash == document["waveform_hash"]
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["seed"] == 7
    assert provenance["versions"]["pymodbus"].startswith("3.16")
    assert provenance["overrides"] == ["duration='70 s'", "events=[]"]
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert events[-1]["event"] == "made_safe"
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")
    table = pa.ipc.open_stream(folder / "record.arrow").read_all()
    assert table.num_rows == 7_000
    assert table["time_ns"][0].as_py() == 10_000_000
    time_s, power_w = again.signal("pcc.power_w")
    assert np.array_equal(table["pcc.power_w"].to_numpy(), power_w.astype(np.float32))
    assert time_s[-1] == 70.0
    resolved = tomllib.loads((folder / "scenario.toml").read_text())
    assert resolved["bess"]["main"]["driver"]["reversion"] == "5 s"


def test_record_rate_and_channels_come_from_the_scenario():
    overrides = ["duration='10 s'", "events=[]", "record.rate='20 Hz'", "record.channels=['pcc.*', 'bess.main.soc']"]
    result = hil.run(hil.load("training_job", overrides))
    time_s, soc = result.signal("bess.main.soc")
    assert time_s.shape == soc.shape == (200,)
    assert np.allclose(np.diff(time_s), 0.05)
    with pytest.raises(KeyError, match=r"pcc\.power_w"):
        result.signal("load.power_w")


def test_a_record_that_was_cut_short_reads_to_its_last_batch(tmp_path):
    sink = sink_of(tmp_path)
    for start in (0, 4):
        put(sink, rows(start, 4))
    data = (tmp_path / "record.arrow").read_bytes()  # no end-of-stream mark yet, as after kill -9
    sink.close()
    reader = pa.ipc.open_stream(data[:-10])
    assert reader.read_next_batch()["time_ns"].to_pylist() == [0, 1_000_000, 2_000_000, 3_000_000]
    with pytest.raises((pa.ArrowInvalid, OSError)):
        reader.read_next_batch()


def test_scenarios_are_listed(tmp_path):
    run = command("scenarios", cwd=tmp_path)
    assert run.returncode == 0
    assert {line.split()[0] for line in run.stdout.splitlines()} == set(hil.packaged())
