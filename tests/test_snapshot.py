"""A run of the kernel goes back to a snapshot and on from there to the bit, whatever it was in the middle of."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import hil
from hil.clock.lockstep import LockstepLoop
from hil.kernel.layout import state_dtypes
from hil.session import run as session
from hil.session.kernel_run import take_states

DURATION_S = 40.0
DIP, CHECKPOINT = (9.0, 9.5), (16.8, 18.5)  # well inside both
EVENTS = """
[[events]]
kind = "grid_dip"
at = "8.9 s"
duration = "700 ms"
residual = 0.55
fault = "bcg"

[[events]]
kind = "generation_loss"
at = "20 s"
power = "900 MW"
"""
SITE = """
duration = "40 s"
seed = 11
limits = [
  {name = "27", kind = "undervoltage", min = 0.95, delay = "200 ms"},
  {name = "ramp", kind = "ramp", max = "20 MW/min", window = "7 s"},
  {name = "slope", kind = "ramp", form = "slope", max = "20 MW/min", window = "3 s"},
  {name = "blocks", kind = "ramp", form = "block_average", block_start = "300 ms", max = "20 MW/min", window = "700 ms"},
  {name = "swing", kind = "peak_to_peak", max = "10 MW", window = "5 s"},
  {name = "variation", kind = "variation", band = ["0.1 Hz", "55 Hz"], max = "10 MW", window = "5 s"},
  {name = "oscillation", kind = "oscillation", band = ["0.5 Hz", "20 Hz"], window = "4 s", max = "1 MW"},
  {name = "flicker", kind = "flicker", lamp = "120 V", max = 1.0},
  {name = "51", kind = "overcurrent", base = "15 MVA", pickup = 1.0, curve = "iec_very_inverse", reset = "definite"},
  {name = "49", kind = "thermal_overload", base = "20 MVA", time_constant = "100 s"},
  {name = "47", kind = "negative_sequence_voltage", max = 0.02, timer = "cumulative", delay = "1 s", timer_window = "9 s"},
  {name = "81R", kind = "rocof", max = "0.5 Hz/s", dropout = "0.3 Hz/s", delay = "100 ms"},
  {name = "ride", kind = "ride_through", below = [["0.9 pu", "2 s"]], recovery = "1 s", window = "10 s"},
]
[grid]
short_circuit = "300 MVA"
[transformer]
rating = "60 MVA"
[cooling]
base = "1 MW"
drop_below = 0.8
restart_after = "4 s"
restart_ramp = "3 s"
lag = "10 s"
[measurement]
delay = "30 ms"
[bess.a]
rating = "15 MVA"
energy = "1 MWh"
[bess.b]
rating = "10 MVA"
energy = "2 MWh"
[absorber.a]
kind = "ramp_limit"
device = "bess.a"
ramp = "20 MW/min"
filter = "20 ms"
delay = "13 ms"
update = "3 ms"
[absorber.b]
kind = "ramp_limit"
device = "bess.b"
ramp = "15 MW/min"
"""
LOADS = {
    "training": 'kind = "training"\npower = "20 MW"\njitter = 0.02\ncheckpoint_every = "15 s"\ncheckpoint_duration = "3 s"\n',
    "synthetic": 'kind = "inference"\narrivals = "azure_code"\nscale = 200\n',
    "file": 'kind = "inference"\ntrace = "requests.csv"\nscale = 200\n',
    "trace": 'kind = "trace"\ntrace = "power.csv"\nrepeat = true\n',
}


@pytest.fixture(params=LOADS)
def scenario(request, tmp_path) -> hil.Scenario:
    rng = np.random.default_rng(4)
    arrival_s = np.cumsum(rng.exponential(0.05, 900))
    tokens = rng.integers(1, (4000, 200), (900, 2))
    rows = [f"2023-11-16 18:{int(t // 60):02d}:{t % 60:010.7f},{c},{g}" for t, (c, g) in zip(arrival_s, tokens, strict=True)]
    (tmp_path / "requests.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + "\n".join(rows) + "\n")
    power_w = 15e6 + np.cumsum(rng.normal(0, 3e5, 700))
    samples = [f"{0.01 * k:.2f},{p:.0f}" for k, p in enumerate(power_w)]
    (tmp_path / "power.csv").write_text("time_s,power_w\n" + "\n".join(samples) + "\n")
    path = tmp_path / "site.toml"
    path.write_text(SITE + "[load]\n" + LOADS[request.param] + EVENTS)
    return hil.load(path)


def moments() -> list[float]:
    """20 random times, two of them in the dip and in the checkpoint, to the tick."""
    rng = np.random.default_rng(20)
    times = [*rng.uniform(0.0, DURATION_S, 18), rng.uniform(*DIP), rng.uniform(*CHECKPOINT)]
    return sorted(np.round(times, 3).tolist())


def bytes_of(run: hil.KernelRun) -> dict[str, bytes]:
    return {name: run.states[name].tobytes() for name in state_dtypes()}


@pytest.mark.slow
def test_a_run_goes_on_from_twenty_moments_to_the_bit(scenario):
    whole = hil.KernelRun(scenario)
    rows = whole.rows(DURATION_S)
    end = bytes_of(whole)
    assert np.ptp(rows[:, whole.channels.index("bess.a.law_w")]) > 1e6
    run = hil.KernelRun(scenario)
    snapshots = []
    for moment in moments():
        run.advance(moment)
        snapshots.append(run.snapshot())
    run.advance(DURATION_S)
    assert bytes_of(run) == end
    for k, snapshot in enumerate(reversed(snapshots)):
        other = run if k % 2 else hil.KernelRun(scenario)  # back in the same run, or into a new one
        other.restore(snapshot)
        assert other.tick == snapshot.tick
        again = other.rows(DURATION_S)
        assert np.array_equal(again, rows[snapshot.tick :], equal_nan=True)
        assert bytes_of(other) == end
        assert other.waveform_hash == whole.waveform_hash


def test_a_snapshot_is_not_moved_by_the_run_it_came_from(scenario):
    run = hil.KernelRun(scenario)
    run.advance(9.123)
    snapshot = run.snapshot()
    ends = set()
    for _ in range(3):
        run.restore(snapshot)
        run.advance(25.0)
        ends.add(run.waveform_hash)
    assert len(ends) == 1


@pytest.mark.parametrize("scenario", ["training"], indirect=True)
def test_moments_lie_in_dip_and_checkpoint(scenario):
    run = hil.KernelRun(scenario)
    rows = run.rows(DURATION_S)
    ticks = [round(moment * 1000) - 1 for moment in moments()]
    column = {name: rows[ticks, index] for index, name in enumerate(run.channels)}
    it_w = column["load.demand_w"] - column["cooling.demand_w"]
    assert len(ticks) == 20
    assert np.any(column["pcc.voltage_b_pu"] < 0.7 * column["pcc.voltage_a_pu"])
    assert np.any(np.abs(it_w - 0.1 * 20e6) < 1.0)


@pytest.mark.parametrize("law", ["in_numba.py:ramp_limit"])
@pytest.mark.peer_package("numba")
def test_the_memory_of_a_users_law_is_part_of_it(law):
    path = Path(__file__).parents[1] / "examples" / "laws" / law
    absorber = f"absorber.main={{kind='law',device='bess.main',law='{path}',parameters={{ramp='17 MW/min'}}}}"
    run = hil.KernelRun(hil.load("training_job", [absorber]), leave_out_controllers=True)
    run.advance(70.0)
    snapshot = run.snapshot()
    before = run.states["law_memory.bess.main"].copy()
    run.advance(100.0)
    end = run.waveform_hash
    assert run.states["law_memory.bess.main"] != before
    run.restore(snapshot)
    assert run.states["law_memory.bess.main"] == before
    run.advance(100.0)
    assert run.waveform_hash == end


def test_a_snapshot_survives_a_file(scenario, tmp_path):
    """What a snapshot holds is plain data."""
    run = hil.KernelRun(scenario)
    run.advance(16.0)
    stored = pickle.dumps(run.snapshot())
    run.advance(30.0)
    end = run.waveform_hash
    other = hil.KernelRun(scenario)
    other.restore(pickle.loads(stored))
    other.advance(30.0)
    assert other.waveform_hash == end


def test_queued_commands_are_part_of_it():
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    run.advance(1.0)
    run.command("bess.main", "set_w", 3e6)
    run.command("bess.main", "set_enable", 1.0)
    snapshot = run.snapshot()
    run.advance(30.0)
    assert run.states["pcs"]["set_w"][0] == 3e6
    end = run.waveform_hash
    run.restore(snapshot)
    run.advance(30.0)
    assert run.waveform_hash == end


def test_parameters_stay_as_they_are():
    """A snapshot is a place to start variants from."""
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    run.advance(30.0)
    snapshot = run.snapshot()
    swings = []
    for rise in (17e6 / 60, 2 * 17e6 / 60):
        run.restore(snapshot)
        run.parameters["law"]["rise_w_per_s"] = run.parameters["law"]["fall_w_per_s"] = rise
        swings.append(np.ptp(run.rows(60.0)[:, run.channels.index("pcc.power_w")]))
    assert swings[1] > swings[0]


def test_states_are_structured_arrays():
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    run.advance(50.0)
    assert run.states["battery"]["soc"][0] == run["bess.main.soc"]
    assert run.states["network"]["voltage_pu"][0] == run["pcc.voltage_pu"]
    run.states["battery"]["soc"] = 0.2
    run.advance(50.001)
    assert run["bess.main.soc"] == pytest.approx(0.2, abs=1e-4)


# --- What is refused ---


def test_another_scenario_is_refused():
    one = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    other = hil.KernelRun(hil.load("training_job", ["limits.grid ramp.window='50 s'"]), leave_out_controllers=True)
    with pytest.raises(hil.SnapshotRefused) as caught:
        other.restore(one.snapshot())
    assert str(caught.value) == "the snapshot is of another scenario: limits differs"
    other = hil.KernelRun(hil.load("training_job", ["grid.x_over_r=10"]), leave_out_controllers=True)
    with pytest.raises(hil.SnapshotRefused, match=r"grid\.x_over_r differs"):
        other.restore(one.snapshot())


def test_a_scenario_with_controllers_is_not_run_without_them_by_accident():
    with pytest.raises(hil.ScenarioError) as caught:
        hil.KernelRun(hil.load("training_job"))
    assert str(caught.value) == (
        "training_job: supervisor.energy: a run of the kernel alone has no controllers; "
        "leave_out_controllers=True runs without them"
    )


def test_a_snapshot_under_controllers_is_refused():
    """In the middle of a real run, with its server and driver at work."""
    refused = []

    def look(tick: int) -> None:
        with pytest.raises(hil.SnapshotRefused) as caught:
            take_states(engines[0])
        refused.append(str(caught.value))

    engines = []

    class Watched(LockstepLoop):
        def __init__(self, plant, **options) -> None:
            engines.append(plant.engine)
            super().__init__(plant, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "LockstepLoop", Watched)
        session.run_scenario(hil.load("training_job", ["duration='2 s'", "events=[]"]), session.Options(progress=look))
    assert len(refused) > 10
    assert refused[5].endswith(
        "controllers act on this run, and their connections and tasks cannot be copied; "
        "snapshots are for runs of the kernel alone (hil.KernelRun)"
    )


def test_a_snapshot_of_another_law_changes_nothing(tmp_path, monkeypatch):
    """The law's file was edited between: told before anything is touched."""
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    run.advance(2.0)
    snapshot = run.snapshot()
    snapshot.layout["law_memory"] = ((999,), np.dtype("u1"))
    run.advance(3.0)
    before = run.waveform_hash
    with pytest.raises(hil.SnapshotRefused, match="of another law or build: law_memory differs"):
        run.restore(snapshot)
    assert (run.tick, run.waveform_hash) == (3_000, before)
    run.advance(4.0)


def test_an_interrupt_while_load_is_made_is_not_passed_over():
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    run.advance(1.0)
    snapshot = run.snapshot()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hil.session.kernel_run.top_up", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.advance(60.0)
    with pytest.raises(RuntimeError, match="interrupted while its load was made: restore a snapshot"):
        run.advance(60.0)
    run.restore(snapshot)
    run.advance(60.0)
    whole = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    whole.advance(60.0)
    assert run.waveform_hash == whole.waveform_hash


@pytest.mark.parametrize(
    ("kind", "array", "field", "value", "problem"),
    [
        ("parameters", "law", "update_ticks", 0, "law: update_ticks must be positive"),
        ("parameters", "law", "kind", 4, "law: kind, the device has no law of one's own"),
        ("parameters", "law", "kind", 7, "law: kind"),
        ("parameters", "pcs", "ticks_per_second", 0, "pcs: ticks_per_second must be positive"),
        ("parameters", "limits", "channel", 10**6, "limits: channel or voltage"),
        ("parameters", "limits", "voltage", -1, "limits: channel or voltage"),
        ("parameters", "limits", "blank", -1, "limits: blank"),
        ("parameters", "limits", "delay_ticks", 5, "limits: kind or a number of ticks, without a window"),
        ("parameters", "limits", "kind", 1, "limits: kind or a number of ticks, without a window"),
        ("parameters", "limits", "kind", 2, "limits: kind or a number of ticks, without a window"),
        ("parameters", "limits", "kind", 4, "limits: kind or a number of ticks, without a window"),
        ("parameters", "limits", "kind", 5, "limits: kind or a number of ticks, without a window"),
        ("parameters", "limits", "kind", 6, "limits: kind or a number of ticks, without a window"),
        ("states", "run", "command_head", 10**9, "run: command_head or command_tail"),
        ("states", "run", "command_tail", 10**9, "run: command_head or command_tail"),
        ("states", "run", "tick", -5, "run: tick"),
    ],
)
def test_what_a_script_spoils_is_told_and_does_not_end_the_process(kind, array, field, value, problem):
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    run.advance(1.0)
    getattr(run, kind)[array][field] = value
    with pytest.raises(ValueError, match=problem):
        run._engine.advance(1_001)


def test_a_queued_command_for_no_device_is_told():
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    run.command("bess.main", "set_w", 1.0)
    run.states["commands"]["device"] = 99
    with pytest.raises(ValueError, match="commands: device"):
        run.advance(0.001)


@pytest.mark.parametrize("array", ["measured", "meters", "revenue_meters", "limits"])
def test_windows_out_of_the_arena_are_told(array):
    late = ["measurement.delay='9 ms'", "absorber.main.delay='9 ms'", "meter.a.rating='50 MVA'"]  # no delay line is empty
    run = hil.KernelRun(hil.load("training_job", late), leave_out_controllers=True)
    state = run.states[array]
    for name in state.dtype.names:
        for inner in ("offset", "index", "length", "head", "ring", "span"):
            if state.dtype[name].names and inner in state.dtype[name].names:
                kept = state[name][inner].copy()
                state[name][inner] = 10**12
                with pytest.raises(ValueError, match=f"{array}: "):
                    run._engine.advance(1)
                state[name][inner] = kept
    run._engine.advance(1)


def test_arrays_cannot_be_swapped_by_accident():
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    with pytest.raises(TypeError, match="does not support item assignment"):
        run.states["battery"] = run.states["battery"].copy()


def test_times_and_values_must_be_numbers():
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    for until in (float("nan"), float("inf"), "60 s"):
        with pytest.raises(ValueError, match="must be a time in seconds"):
            run.advance(until)
    with pytest.raises(ValueError, match="must be a finite number"):
        run.command("bess.main", "set_w", float("nan"))
    with pytest.raises(hil.ScenarioError, match=r"record\.channels = 'x\*': no such channel"):
        hil.KernelRun(hil.load("training_job", ["record.channels=['x*']"]), leave_out_controllers=True)


def test_the_past_and_the_unknown_are_refused():
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    run.advance(2.0)
    with pytest.raises(ValueError, match=r"1 s is in the past of 2 s"):
        run.advance(1.0)
    with pytest.raises(KeyError, match="no channel 'pcc'"):
        run["pcc"]
    with pytest.raises(KeyError, match=r"no device 'bess\.b'; there are: bess\.main"):
        run.command("bess.b", "set_w", 0.0)
    with pytest.raises(KeyError, match="no point 'w'; there are: set_w"):
        run.command("bess.main", "w", 0.0)
