"""The group supervisor against the contract alone: what it sets, when, and what it leaves."""

from __future__ import annotations

import asyncio
import itertools
import math
from dataclasses import replace

import pytest
from mqtt_support import in_lockstep

from controllers import UpsDevice, UpsGroupSettings, UpsGroupSupervisor, UpsMode, UpsSample
from hil.errors import DeviceLost

RAMP = 10e6 / 60.0


class Contract:
    """A UPS that keeps what it is told."""

    rating_w = 5e6
    energy_wh = 4e5
    input_limit_w = 6e6
    recharge_max_w = 5e5
    walk_in_max_s = 3600.0

    def __init__(self, name: str, load_w: float = 4e6, runtime_s: float = 300.0) -> None:
        self.name = name
        self.sample = UpsSample(0.0, UpsMode.NORMAL, load_w, load_w, 0.0, 0.9, input_frequency_hz=60.0, runtime_s=runtime_s)
        self.walk_ins: list[tuple[float, float]] = []
        self.recharges: list[float] = []
        self.supports: list[float] = []
        self.gone = False

    async def read(self) -> UpsSample:
        if self.gone:
            raise DeviceLost(self.name, "is offline")
        return replace(self.sample, time_s=asyncio.get_running_loop().time())

    def set_recharge_power(self, power_w: float) -> None:
        self.recharges.append(power_w)

    def set_walk_in(self, delay_s: float, duration_s: float) -> None:
        self.walk_ins.append((delay_s, duration_s))

    def set_support(self, power_w: float) -> None:
        self.supports.append(power_w)

    async def reset_disturbances(self) -> None:
        raise AssertionError("nobody asked for it")

    def becomes(self, **changes) -> None:
        self.sample = replace(self.sample, **changes)


def supervised(devices, *script, settings: UpsGroupSettings | None = None) -> None:
    """Run a supervisor; script: (time, what happens then), in order; it ends after the last."""

    async def main() -> None:
        supervisor = UpsGroupSupervisor(settings or UpsGroupSettings(RAMP))
        task = asyncio.ensure_future(supervisor.run(devices))
        for time_s, happens in script:
            await asyncio.sleep(time_s - asyncio.get_running_loop().time())
            happens()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    in_lockstep(main)


def nothing() -> None:
    pass


def test_it_is_a_contract():
    assert isinstance(Contract("ups.a"), UpsDevice)


def test_walk_ins_follow_each_other_along_the_ramp():
    """4 MW at 10 MW/min are 24 s each, and 36 s to the rectifier's limit: the group rises along the ramp and no faster."""
    devices = [Contract(f"ups.{name}") for name in "abc"]
    supervised(devices, (3.0, nothing))
    assert [device.walk_ins for device in devices] == [[(0.0, 36.0)], [(24.0, 36.0)], [(48.0, 36.0)]]
    total_w = [sum(min(4e6, max(0.0, t - d.walk_ins[0][0]) / d.walk_ins[0][1] * 6e6) for d in devices) for t in range(90)]
    assert max(later - earlier for earlier, later in itertools.pairwise(total_w)) == pytest.approx(RAMP)
    assert total_w[72] == 12e6


def test_the_least_autonomy_goes_first():
    devices = [Contract("ups.a", runtime_s=300.0), Contract("ups.b", runtime_s=120.0), Contract("ups.c", runtime_s=math.inf)]
    supervised(devices, (1.0, nothing))
    assert [device.walk_ins[0][0] for device in devices] == [24.0, 0.0, 48.0]


def test_the_ramp_gives_way_to_autonomy():
    """The last would be on battery for 48 + 12 s; 80 % of 45 s of runtime is 36 s."""
    devices = [Contract(f"ups.{name}", runtime_s=45.0) for name in "abc"]
    supervised(devices, (1.0, nothing))
    delays = [device.walk_ins[0][0] for device in devices]
    durations = [device.walk_ins[0][1] for device in devices]
    assert durations == [math.ceil(36.0 * 0.6)] * 3
    assert delays == [0.0, math.ceil(24.0 * 0.6), math.ceil(48.0 * 0.6)]


def test_a_swinging_load_counts_with_its_peak_and_is_not_planned_anew():
    device = Contract("ups.a")
    swing = [(0.5 * step, lambda w=4e6 if step % 8 < 6 else 1e6: device.becomes(output_power_w=w, input_power_w=w))
             for step in range(1, 120)]  # fmt: skip
    supervised([device], *swing)
    assert device.walk_ins == [(0.0, 36.0)]


def test_a_lasting_change_of_load_is_planned_anew():
    devices = [Contract("ups.a"), Contract("ups.b")]
    change = [lambda device=device: device.becomes(output_power_w=2e6, input_power_w=2e6) for device in devices]
    supervised(devices, (5.0, change[0]), (5.1, change[1]), (300.0, nothing))
    assert devices[1].walk_ins[0] == (24.0, 36.0)
    assert devices[1].walk_ins[-1][0] == pytest.approx(12.0, abs=2.5)


def test_the_plan_is_left_alone_during_an_outage():
    devices = [Contract("ups.a"), Contract("ups.b")]

    def outage() -> None:
        for device in devices:
            device.becomes(mode=UpsMode.BATTERY, input_power_w=0.0, output_power_w=1e6)

    supervised(devices, (2.0, outage), (200.0, nothing))
    assert [len(device.walk_ins) for device in devices] == [1, 1]


def test_recharge_waits_until_all_are_back_and_then_rises_with_its_share_of_the_ramp():
    devices = [Contract("ups.a"), Contract("ups.b")]
    share = 0.25
    supervised(
        devices,
        (1.9, lambda: devices[1].becomes(mode=UpsMode.BATTERY)),
        (10.1, lambda: devices[1].becomes(mode=UpsMode.NORMAL)),
        (30.1, nothing),
    )
    during = devices[0].recharges[4:20]
    assert set(during) == {0.0}
    after = [sum(pair) for pair in zip(devices[0].recharges[21:], devices[1].recharges[21:], strict=False)]
    steps = [later - earlier for earlier, later in itertools.pairwise(after)]
    assert all(0.0 <= step <= share * RAMP * 0.5 + 2 * 5e5 / 100 for step in steps)
    assert after[-1] == pytest.approx(share * RAMP * 20.0, abs=2e4)
    assert max(devices[0].recharges) <= devices[0].recharge_max_w


def test_recharge_stays_within_what_is_allowed():
    device = Contract("ups.a")
    supervised([device], (600.0, nothing), settings=UpsGroupSettings(RAMP, recharge_w=2e5))
    assert device.recharges[-1] == 2e5
    other = Contract("ups.b")
    supervised([other], (600.0, nothing))
    assert other.recharges[-1] == other.recharge_max_w


def test_support_follows_the_frequency_and_ends_with_it():
    settings = UpsGroupSettings(RAMP, support_w=1e6, support_below_hz=59.9, support_full_hz=59.5)
    device = Contract("ups.a")
    supervised(
        [device],
        (2.1, lambda: device.becomes(input_frequency_hz=59.7)),
        (4.1, lambda: device.becomes(input_frequency_hz=59.0)),
        (6.1, lambda: device.becomes(mode=UpsMode.BATTERY)),
        (8.1, lambda: device.becomes(mode=UpsMode.NORMAL, input_frequency_hz=60.0)),
        (9.9, nothing),
        settings=settings,
    )
    assert device.supports[:5] == [0.0] * 5
    assert device.supports[5:9] == pytest.approx([5e5] * 4)
    assert device.supports[9:13] == [1e6] * 4
    assert set(device.supports[13:]) == {0.0}


def test_without_support_nothing_is_said_of_it():
    device = Contract("ups.a")
    supervised([device], (5.0, nothing))
    assert device.supports == []


def test_not_staged_leaves_walk_ins_alone():
    device = Contract("ups.a")
    supervised([device], (5.0, nothing), settings=UpsGroupSettings(RAMP, staged=False))
    assert device.walk_ins == []


def test_a_device_that_is_away_stops_neither_the_others_nor_the_supervisor():
    devices = [Contract("ups.a"), Contract("ups.b")]
    supervised(devices, (2.1, lambda: setattr(devices[0], "gone", True)), (6.0, nothing))
    assert len(devices[1].recharges) > len(devices[0].recharges)
    assert devices[1].recharges[-1] == 0.0  # who knows what the other is doing


def test_when_all_are_away_it_says_so():
    async def main() -> None:
        device = Contract("ups.a")
        device.gone = True
        with pytest.raises(DeviceLost):
            await UpsGroupSupervisor(UpsGroupSettings(RAMP)).run([device])

    in_lockstep(main)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ramp_w_per_s": 0.0}, {"ramp_w_per_s": 1.0, "rate_hz": 0.0}, {"ramp_w_per_s": 1.0, "recharge_share": 0.0},
        {"ramp_w_per_s": 1.0, "support_w": 1.0},
        {"ramp_w_per_s": 1.0, "support_w": 1.0, "support_below_hz": 59.0, "support_full_hz": 60.0},
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must be|needs"):
        UpsGroupSupervisor(UpsGroupSettings(**wrong))
