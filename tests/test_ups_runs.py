"""Whole runs with UPSs: equal without a wire, and one hash on a busy machine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence

import pytest
from ups_site import LATCHES, SUPPORTS, direct, site, told, zero_links
from ups_support import dip

import hil
from controllers import StorageDevice, Supervisor, UpsDevice, UpsMode, UpsSample, UpsSupervisor

pytestmark = pytest.mark.usefixtures("nothing_unseen")

# Equal.

LOSS = {"kind": "generation_loss", "at": "6 s", "power": "40 MW", "duration": "6 s"}
SCENARIOS = {
    "hall": lambda: hil.load("hall", ["duration='42 s'"]),
    "a dip": lambda: site(dip(5.0, 0.2, 0.4)),
    "support": lambda: site(
        LOSS, supervisor={"ups": {"kind": "ups_group", "devices": ["ups.a"], "ramp": "20 MW/min"} | SUPPORTS}
    ),
    "latched": lambda: site(dip(5.0, 0.2, 0.4), dip(9.0, 0.2, 0.4), ups=LATCHES),
}

LONG = ("hall", "latched")


@pytest.mark.parametrize("which", [pytest.param(which, marks=[pytest.mark.slow] * (which in LONG)) for which in SCENARIOS])
def test_without_a_wire_and_through_links_of_no_latency_it_is_the_same_to_the_bit(which, engines):
    scenario = SCENARIOS[which]()
    wire, linked, without = (hil.run(given) for given in (scenario, zero_links(scenario), direct(scenario)))
    assert wire.waveform_hash == without.waveform_hash == linked.waveform_hash
    for name, state in engines[0].states.items():
        if name != "commands":  # a queue: several devices that are left at one instant stand in it in some order
            assert state.tobytes() == engines[1].states[name].tobytes() == engines[2].states[name].tobytes(), name
    assert told(without) == told(wire) == told(linked)
    assert without.verdict == wire.verdict == linked.verdict
    assert wire.traffic["messages"] > 100
    assert without.traffic["messages"] == 0
    firmware = engines[0].states["ups"][0]
    if which == "support":
        assert wire.signal("ups.a.support_w")[1].max() == 2e6
    elif which == "latched":
        assert firmware["latched"] == 1
    else:
        assert firmware["walk_in_s"] > 1.0  # the supervisor's
        assert firmware["disturbances_total"] > 0


class Hand(UpsSupervisor):
    """Reads, sets, waits, changes its mind, supports and stops, releases what has latched."""

    def __init__(self) -> None:
        self.samples: list[UpsSample] = []
        self.resets: list[float] = []

    async def run(self, devices: Sequence[UpsDevice]) -> None:
        (device,) = devices
        device.set_walk_in(0.0, 3.0)
        async for now in self.every(0.173):
            sample = await device.read()
            self.samples.append(sample)
            device.set_recharge_power(1e3 * round(now) if now < 12.0 else 5e4)
            if 2.0 < now < 4.0:
                device.set_support(1.5e6)
            if sample.latched and now > 12.0:
                await device.reset_disturbances()
                self.resets.append(asyncio.get_running_loop().time())
                await asyncio.to_thread(lambda: None)


class Restless(Supervisor):
    async def run(self, device: StorageDevice) -> None:
        async for now in self.every(0.11):
            await device.read()
            await device.set_active_power(1e5 * (round(now) % 5))


def test_supervisors_of_ones_own_see_and_do_the_same(engines):
    scenario = site(dip(5.0, 0.2, 0.4), dip(9.0, 0.2, 0.4), ups=LATCHES)
    seen = []
    hashes = set()
    for given in (scenario, zero_links(scenario), direct(scenario)):
        hand = Hand()
        # A link is that of the scenario's supervisor; one's own takes its place.
        result = hil.run(given, supervisors={"ups": hand, "bess.main": Restless()})
        seen.append((hand.samples, hand.resets, told(result)))
        hashes.add(result.waveform_hash)
    assert seen[0] == seen[1] == seen[2]
    assert len(hashes) == 1
    samples, resets, _ = seen[0]
    assert len(samples) > 100
    assert any(sample.latched for sample in samples)
    assert len(resets) == 1 or max(resets) - min(resets) < 1.0
    assert samples[-1].mode is UpsMode.NORMAL
    assert not samples[-1].latched
    assert engines[0].states["ups"].tobytes() == engines[2].states["ups"].tobytes()


# Deterministic.


def busy(count: int = 4) -> list[subprocess.Popen]:
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["own", pytest.param("mosquitto", marks=pytest.mark.peer("mosquitto"))])
def test_one_hash_idle_and_busy_and_another_for_another_command(broker, request):
    url = "own" if broker == "own" else "mqtt://{}:{}".format(*request.getfixturevalue("mosquitto"))
    over = ["duration='5 s'", "events=[{at='2 s',kind='grid_dip',duration='150 ms',residual=0.4}]", f"mqtt.broker={url!r}"]
    over += ["mqtt.site='determinism'", "limits=[]", *(f"ups.{name}.qualify='500 ms'" for name in "abcd")]
    over += ["ups.a.soc=0.5"]
    runs = [hil.run(hil.load("hall", over))]
    hogs = busy()
    try:
        runs += [hil.run(hil.load("hall", over)) for _ in range(2)]
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    assert len({result.waveform_hash for result in runs}) == 1
    # What four drivers hear at one instant from another process comes in its order; it is the same all the same.
    order = list if broker == "own" else sorted
    assert all(order(told(result)) == order(told(runs[0])) for result in runs)

    class Recharges(UpsSupervisor):
        def __init__(self, power_w: float) -> None:
            self.power_w = power_w

        async def run(self, devices: Sequence[UpsDevice]) -> None:
            for device in devices:
                device.set_recharge_power(self.power_w)
            await asyncio.sleep(1e6)

    one, same, other = (
        hil.run(hil.load("hall", over), supervisors={"ups": Recharges(power_w)}).waveform_hash for power_w in (2e5, 2e5, 2.5e5)
    )
    assert one == same
    assert other != one
