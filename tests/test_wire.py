"""`placement = "wire"`: the law runs in the tick, its driver samples it and sends law + target every cycle."""

from __future__ import annotations

import numpy as np
import pytest

import hil
from controllers import StorageDevice, Supervisor
from hil.session.run import Options, run_scenario

H = 0.001
CYCLE = 50  # ticks: 20 Hz
WIRE = [
    "absorber.main.placement='wire'", "bess.main.setpoint_ramp='10 GW/s'", "bess.main.slew='10 GW/s'",
    "record.rate='1 kHz'", "duration='30 s'", "events=[]",
]  # fmt: skip


class Bias(Supervisor):
    """A constant target."""

    def __init__(self, power_w: float) -> None:
        self._power_w = power_w

    async def run(self, device: StorageDevice) -> None:
        async for _ in self.every(0.05):
            await device.read()
            await device.set_active_power(self._power_w)


def sampled(result: hil.Result) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Law, set-point in the device, and the law as the last cycle found it: rows state the end of a tick, 1 is the first."""
    _, law_w = result.signal("bess.main.law_w")
    _, setpoint_w = result.signal("bess.main.setpoint_w")
    ticks = np.arange(1, law_w.size + 1)
    cycle = (ticks - 1) // CYCLE * CYCLE  # a cycle at tick n sees row n and acts in the row after it
    return law_w, setpoint_w, np.where(cycle > 0, law_w[np.maximum(cycle - 1, 0)], 0.0)


@pytest.mark.parametrize("bias_w", [0.0, 1.5e6])
def test_the_setpoint_is_the_sampled_law_plus_the_target(bias_w):
    result = hil.run(hil.load("training_job", WIRE), supervisors={"bess.main": Bias(bias_w)})
    law_w, setpoint_w, expected = sampled(result)
    assert np.ptp(law_w) > 10e6
    late = slice(500, None)  # the first target is sent in the second cycle
    assert np.max(np.abs(setpoint_w[late] - (expected[late] + bias_w))) <= 2.0  # WSet is in whole watts, the record in float32
    assert any(event["event"] == "made_safe" for event in result.events)


def test_a_law_needs_no_supervisor():
    result = hil.run(hil.load("training_job", [*WIRE, "supervisor={}"]))
    _, setpoint_w, expected = sampled(result)
    assert np.max(np.abs(setpoint_w[500:] - expected[500:])) <= 2.0
    assert not any("silent" in reason for reason in result.reasons)


def test_what_is_sent_stays_within_the_rating():
    scenario = hil.load("training_job", [*WIRE, "bess.main.discharge='4 MW'", "bess.main.charge='0.2 MW'", "supervisor={}"])
    result = hil.run(scenario)
    law_w, setpoint_w, _ = sampled(result)
    assert law_w.max() > 4e6
    assert (setpoint_w.max(), setpoint_w.min()) == pytest.approx((4e6, -0.2e6), abs=1.0)
    assert not any(event["event"] in ("device_failed", "request_refused") for event in result.events)


def test_the_wire_is_slower_than_the_firmware():
    """The same law, the same device: what a cycle of 50 ms costs shows in the swing that the grid sees."""
    swing = {}
    for placement in ("device", "wire"):
        result = hil.run(hil.load("training_job", [*WIRE, f"absorber.main.placement='{placement}'", "duration='60 s'"]))
        swing[placement] = result.limits["peak-to-peak, 5 s"].worst
    assert swing["wire"] > 1.2 * swing["device"]


def test_a_device_that_stays_away_is_missing_evidence():
    stop = "events=[{kind='server_stop',at='10 s',duration='5 s',device='bess.main'}]"
    result = hil.run(hil.load("training_job", [*WIRE, "supervisor={}", stop]))
    assert any(reason.startswith("absorber.main: silent for 5.") for reason in result.reasons)


def test_a_device_counts_as_safe_when_it_has_come_to_rest():
    """Its own set-point ramp is slower than the driver's: enough to be at megawatts when the enable is cleared."""
    slow = ["bess.main.setpoint_ramp='1.2 MW/s'", "events=[]", "supervisor={}", "duration='27 s'"]
    result = hil.run(hil.load("training_job", [*WIRE, *slow]))
    safe = next(event for event in result.events if event["event"] == "made_safe")
    assert abs(safe["from_w"]) > 5e6
    assert abs(safe["power_w"]) <= 0.01 * 25e6
    assert safe["time_s"] > 27.0 + 2.0 + 1.0


def test_a_device_that_does_not_come_to_rest_is_told():
    slow = ["bess.main.setpoint_ramp='1 MW/min'", "supervisor={}", "load.start='500 s'", "load.start_ramp='20 s'"]
    events = ["events=[{kind='generation_loss',at='1 s',power='1 MW'}]", "duration='130 s'", "load.checkpoint_every='100 s'"]
    scenario = hil.load("training_job", [*WIRE, *slow, *events, "load.start='5 s'"])
    result = hil.run(scenario)
    last = result.events[-1]
    assert last["event"] == "not_made_safe"
    assert "told to give nothing 30 s ago; still gives" in str(last["problem"])


def test_the_kernel_alone_has_no_wire():
    with pytest.raises(hil.ScenarioError) as caught:
        run_scenario(hil.load("training_job", WIRE), Options(controllers=False))
    line = "training_job: absorber.main.placement = 'wire': needs a driver; a run of the kernel alone has none"
    assert str(caught.value) == line
