"""Relays that trip in whole runs: what is told of it, how it is judged, and that every way out leaves the devices safe."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
import tomli_w
from command import hil_command

import hil
from controllers import StorageDevice, Supervisor
from hil.check.api import check
from hil.limits.facts import facts_of
from hil.report.saved import open_run
from hil.report.words import bounds
from hil.report.words import told as told_of
from hil.serve.commands import event_of
from hil.session.run import Options, run_scenario
from hil.verdict.outcome import Outcome

DIP = "{kind='grid_dip',at='5 s',duration='500 ms',residual=0.5}"
RESET = "{kind='reset_lockout',at='9 s',breaker='pcc'}"
RIDE = "{name='ride',kind='ride_through',below=[['0.9 pu','1 s']],recovery='1 s',required=true}"
RELAY = "{name='27',kind='undervoltage',min=0.8,delay='100 ms',action='trip',breaker_time='60 ms'}"
MORE = (
    "{name='ramp',kind='ramp',max='1 GW/min',window='1 s',required=true},"
    "{name='27 bus',kind='undervoltage',node='bus',min=0.5},"
    "{name='SoC',kind='soc_window',node='bess.main',window=[0.1,0.9],required=true}"
)
KINDS = ("relay_tripped", "breaker_locked_out", "breaker_opened", "lockout_reset", "breaker_closed", "breaker_not_open")


def load(*overrides: str, events: str = f"[{DIP},{RESET}]", limits: str = f"[{RELAY},{RIDE},{MORE}]") -> hil.Scenario:
    own = [f"events={events}", f"limits={limits}", "duration='14 s'", "load.start='0 s'", "load.start_ramp='1 s'"]
    return hil.load("training_job", [*own, *overrides])


def told(events: list[dict]) -> list[tuple[float, str]]:
    return [(event["time_s"], event["event"]) for event in events if event["event"] in KINDS]


def test_a_run_tells_what_tripped_and_when_to_the_tick(tmp_path):
    """In its log, its limits, its summary and its words; a run from its folder is equal."""
    result = run_scenario(load(), Options(folder=tmp_path))
    at = told(result.events)
    tripped_s = at[0][0]
    assert at == [
        (tripped_s, "relay_tripped"),
        (tripped_s, "breaker_locked_out"),
        (pytest.approx(tripped_s + 0.060, abs=1e-9), "breaker_opened"),
        (9.0, "lockout_reset"),
        (9.0, "breaker_closed"),
    ]
    assert 5.1 < tripped_s < 5.12  # the delay, and a measuring window
    first = next(event for event in result.events if event["event"] == "relay_tripped")
    assert {key: first[key] for key in ("breaker", "limit")} == {"breaker": "pcc", "limit": "27"}
    assert result.limits["27"].trips == "pcc"
    assert result.limits["27"].tripped_s == result.limits["27"].first_violation_s == pytest.approx(tripped_s, abs=1e-9)
    (limit,) = (one for one in json.loads((tmp_path / "summary.json").read_text())["limits"] if one["name"] == "27")
    assert (limit["trips"], limit["tripped_s"]) == ("pcc", result.limits["27"].tripped_s)
    assert open_run(tmp_path).limits == result.limits
    log = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert told(log) == at


def test_the_verdict_after_a_trip_inside_the_must_ride_region():
    """The relay and who had to ride through have failed; what nothing was connected to is neither held nor violated."""
    result = hil.run(load())
    limits = result.limits
    opened_s = next(at_s for at_s, event in told(result.events) if event == "breaker_opened")
    assert result.verdict is Outcome.FAIL
    assert limits["27"].outcome is Outcome.FAIL
    assert (limits["ride"].outcome, limits["ride"].first_violation_s) == (Outcome.FAIL, pytest.approx(opened_s + 0.001))
    for name in ("ramp", "27 bus"):
        assert limits[name].outcome is Outcome.INCONCLUSIVE
        assert limits[name].excursions == 0
        assert limits[name].disconnected_s > 3.0
        assert limits[name].reasons[-1] == (
            f"{limits[name].disconnected_s:g} s not judged: pcc breaker open from {opened_s:g} s"
        )
    assert limits["SoC"].outcome is Outcome.PASS
    assert limits["SoC"].disconnected_s == 0.0


def test_a_ups_that_is_taken_off_the_bus_in_a_dip_has_let_go():
    """Its envelope goes by the breaker at its input, although its battery holds the load."""
    relay = RELAY.replace("action='trip'", "action='trip',trips='ups.a'")
    ride = RIDE.replace("kind=", "node='ups.a',kind=")
    result = hil.run(
        load("ups.a.rating='30 MW'", "transport=direct", "supervisor={}", limits=f"[{relay},{ride}]", events=f"[{DIP}]")
    )
    opened_s = next(at_s for at_s, event in told(result.events) if event == "breaker_opened")
    assert result.limits["ride"].outcome is Outcome.FAIL
    assert result.limits["ride"].first_violation_s == pytest.approx(opened_s + 0.001)
    assert result.limits["27"].disconnected_s == 0.0  # the PCC is where it was


def test_a_relay_that_only_logs_rides_through_and_the_run_passes():
    """The same site, the relay out of service: its dip is a stimulus again, and nothing trips."""
    result = hil.run(load(limits=f"[{RELAY.replace('trip', 'log', 1)},{RIDE},{MORE}]", events=f"[{DIP}]"))
    assert told(result.events) == []
    assert result.limits["27"].blanked_s > 0.0
    assert result.limits["ride"].outcome is Outcome.PASS
    assert result.verdict is Outcome.PASS


def test_a_trip_in_the_warm_up_is_told_and_not_held():
    """The lowest setting that a start does not bear: the relay acts, the verdict cannot PASS."""
    relay = "{name='37',kind='underpower',min='20 MW',action='trip',required=true}"
    result = hil.run(load("warm_up='1 s'", limits=f"[{relay}]", events="[]"))
    limit = result.limits["37"]
    assert limit.tripped_s < 1.0
    assert (limit.outcome, limit.excursions) == (Outcome.INCONCLUSIVE, 0)
    assert any(reason == f"tripped the pcc breaker at {limit.tripped_s:g} s, in the warm-up" for reason in limit.reasons)
    assert result.verdict is Outcome.INCONCLUSIVE


def test_over_a_wire_and_without_one_it_is_the_same_run_twice():
    """Trips are in the hash."""
    hashes = {hil.run(load(f"transport={transport}")).waveform_hash for transport in ("wire", "wire", "direct", "direct")}
    logs = hil.run(load("transport=direct", "limits.27.action=log", events=f"[{DIP}]"))
    assert len(hashes) == 1
    assert logs.waveform_hash not in hashes


class Fails(Supervisor):
    """Commands 3 MW, and fails while the breaker is open."""

    async def run(self, device: StorageDevice) -> None:
        async for now in self.every(0.1):
            await device.set_active_power(3e6)
            if now > 7.0:
                raise ZeroDivisionError("a mistake in a supervisor")


BESS_RELAY = "{name='50',kind='converter_current',node='bess.main',max=0.03,action='trip'}"


@pytest.mark.parametrize("transport", ["wire", "direct"])
@pytest.mark.parametrize("limits", [RELAY, BESS_RELAY], ids=["pcc", "bess"])
@pytest.mark.parametrize("ends", ["at its end", "by an exception"])
def test_every_way_out_leaves_a_device_safe_behind_an_open_breaker(tmp_path, transport, limits, ends):
    """Set-point 0 W, disabled, read back, within the driver's own time: it waits for no grid."""
    scenario = load(f"transport={transport}", events=f"[{DIP}]", limits=f"[{limits}]")
    options = Options(folder=tmp_path)
    if ends == "by an exception":
        with pytest.raises(ZeroDivisionError):
            hil.run(scenario, supervisors={"bess.main": Fails()}, folder=tmp_path)
    else:
        run_scenario(scenario, options)
    log = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert "breaker_opened" in [event["event"] for event in log]
    assert "breaker_closed" not in [event["event"] for event in log]
    (safe,) = (event for event in log if event["event"] == "made_safe")
    assert (safe["setpoint_w"], safe["enabled"], safe["power_w"]) == (0.0, False, 0.0)
    left_s = 14.0 if ends == "at its end" else 7.1
    assert left_s <= safe["time_s"] < left_s + 2.5  # its ramp down takes 2 s


def test_a_law_on_the_wire_comes_to_rest_behind_an_open_breaker(tmp_path):
    """Its driver waits until the device gives nothing, which it does."""
    result = hil.run(load("absorber.main.placement=wire", limits=f"[{RELAY}]", events=f"[{DIP}]"), folder=tmp_path)
    safe = next(event for event in result.events if event["event"] == "made_safe")
    assert abs(safe["power_w"]) < 1.0
    assert safe["time_s"] < 16.5


@pytest.mark.realtime
def test_on_the_wall_clock_a_breaker_opens_too():
    result = hil.run(load("duration='7 s'", events=f"[{DIP}]"), clock="wall", speed=4.0)
    kinds = [event for _, event in told(result.events)]
    assert kinds[:3] == ["relay_tripped", "breaker_locked_out", "breaker_opened"]
    times_s = [at_s for at_s, _ in told(result.events)]
    assert times_s[2] - times_s[0] == pytest.approx(0.060, abs=1e-9)  # in scenario time, to the tick


def test_a_lock_out_can_be_reset_by_hand():
    """`hil serve`: the command is one of those that events make, refused where nothing trips."""
    event = event_of("reset_lockout pcc", load(events="[]"))
    assert (event.kind, event.breaker) == ("reset_lockout", "pcc")
    with pytest.raises(hil.HilError, match=r"no limit trips it; tripped are: 'pcc'"):
        event_of("reset_lockout bess.main", load(events="[]"))


def test_a_reset_given_to_the_running_plant_acts_at_its_next_tick():
    from hil.site.events import stimulate

    run = hil.KernelRun(load("supervisor={}", events=f"[{DIP}]"))
    run.advance(6.0)
    assert run["breakers.pcc.closed"] == 0.0
    stimulate(run._engine, run.scenario, event_of("reset_lockout pcc", run.scenario))
    assert run.rows(6.002)[:, run.channels.index("breakers.pcc.closed")].tolist() == [1.0, 1.0]


def test_the_log_of_breakers_keeps_its_order():
    """Two reclosings and more: what stands in the log of one breaker goes on in time."""
    relay = RELAY.replace("breaker_time='60 ms'", "breaker_time='10 ms',lockout=false,reclose_after='100 ms'")
    events = (
        "[{kind='grid_dip',at='5 s',duration='500 ms',residual=0.5},{kind='grid_dip',at='7 s',duration='500 ms',residual=0.5}]"
    )
    at = told(hil.run(load(limits=f"[{relay}]", events=events)).events)
    assert [event for _, event in at] == ["relay_tripped", "breaker_opened", "breaker_closed"] * 2
    assert all(before[0] < after[0] for before, after in pairwise(at))


def test_words_tell_of_a_trip(tmp_path):
    """What is tripped, how fast, and how it is closed again: before a run, while it runs, and after it."""
    scenario = load()
    facts = facts_of(scenario)
    assert bounds(scenario.limits[0], facts) == "at least 0.800 pu, trips the pcc breaker in 60 ms, locked out (86)"
    again = load(limits=f"[{RELAY.replace('60 ms', '0 s')[:-1]},lockout=false,reclose_after='2 s'}}]", events="[]")
    assert bounds(again.limits[0], facts).endswith(" in 0 ms, recloses after 2 s")
    assert "trips" not in bounds(scenario.limits[2], facts)
    limits = hil.run(load("transport=direct", "supervisor={}")).limits
    assert f"tripped pcc at {limits['27'].tripped_s:.3f} s" in told_of(limits["27"])
    assert f"disconnected {limits['ramp'].disconnected_s:.3f} s" in told_of(limits["ramp"])
    assert "tripped" not in told_of(limits["ramp"])
    file = tmp_path / "s.toml"
    file.write_text(tomli_w.dumps(scenario.document()))
    assert "5 limits, 3 required, 1 trips pcc" in hil_command("validate", file).out
    assert "it opens a breaker" in " ".join(hil_command("explain", "limits.undervoltage.action").out.split())


@pytest.mark.draws
def test_a_picture_shows_when_a_breaker_opened_and_closed(tmp_path):
    from hil.report.picture import draw

    result = hil.run(load("transport=direct", "supervisor={}"))
    draw(result, tmp_path / "trip.svg")
    drawn = (tmp_path / "trip.svg").read_text()
    for text in ("breaker opened pcc", "breaker closed pcc", "reset lockout pcc"):
        assert text in drawn


def test_recordings_have_no_plant(tmp_path):
    """`hil check` judges a relay that trips as one that logs."""
    folder = tmp_path / "run"
    run_scenario(load(limits=f"[{RELAY}]", events=f"[{DIP}]"), Options(folder=folder, controllers=False))
    checked = check(folder)
    assert checked.limits["27"].outcome is Outcome.FAIL
    assert checked.limits["27"].trips == ""
