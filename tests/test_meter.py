"""The revenue meter at the PCC: what it measures and counts, and what a foreign SunSpec client reads of it."""

from __future__ import annotations

import asyncio
import cmath
import json
import math

import numpy as np
import pytest
from meter_bench import MeterBench
from rig import BESS, ENABLE, SET_W, H, Rig
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

import hil
from firmware_sim.modbus.bank import ModbusFault, Table

METER = {"meter": {"main": {"rating": "25 MVA"}}}
STIFF = {"short_circuit": "500 GVA"}
AT_ONCE = {"window": "1 ms", "frequency_window": "1 ms"}


def metered(rig: Rig) -> np.ndarray:
    return rig.engine.states["revenue_meters"][0]


def test_pysunspec2_reads_what_the_plant_does():
    bench = MeterBench()

    async def main(port: int) -> None:
        await asyncio.sleep(20.0)

        def foreign() -> None:
            client = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=20)
            try:
                client.scan()
                check(client)
            finally:
                client.close()

        await asyncio.to_thread(foreign)

    def check(client: SunSpecModbusClientDeviceTCP) -> None:
        assert {number for number in client.models if isinstance(number, int)} == {1, 203}
        points = client.models[203][0].points

        def close(names: str, value: float) -> None:
            for name in names.split():
                shown, step = points[name].cvalue, 10.0 ** (points[name].sf_value or 0)
                assert shown == pytest.approx(value, abs=0.51 * step), name
                assert step <= max(1e-2, 4e-3 * abs(value)), name

        watts, var = bench.channel("pcc.power_measured_w"), bench.channel("pcc.reactive_var")  # at rest
        phase_v = 34_500 / math.sqrt(3.0) * bench.channel("pcc.voltage_pu")
        apparent = math.hypot(watts, var)
        assert watts > 5e6
        close("W", watts)
        close("VAR", var)
        close("VA", apparent)
        close("PF", 100.0 * watts / apparent)
        close("PhV PhVphA PhVphB PhVphC", phase_v)
        close("PPV PhVphAB PhVphBC PhVphCA", math.sqrt(3.0) * phase_v)
        close("AphA AphB AphC", apparent / (3.0 * phase_v))
        close("A", apparent / phase_v)
        close("Hz", bench.channel("pcc.frequency_measured_hz"))
        assert points["TotWhImp"].cvalue * 3600.0 == pytest.approx(bench.state["imported_j"], abs=3600.0 * 100.0)
        assert points["TotWhImp"].cvalue > 5e4
        assert points["TotWhExp"].value is None  # an accumulator at 0 reads as "not accumulated"
        assert points["Evt"].cvalue == 0
        assert points["WphA"].value is None
        assert client.models[1][0].points["SN"].cvalue == "main-0001"

    bench.serve(main)


def test_energies_are_the_integral_of_measured_power_each_way():
    load_w = np.full(4000, 2e6)
    rig = Rig({**METER, "bess": {"main": BESS}}, load_w)
    rig.run([(1000, SET_W, 8e6), (1000, ENABLE, 1.0), (3000, ENABLE, 0.0)])
    seen_w = rig["pcc.power_measured_w"]
    assert seen_w.min() < -5e6 < 1e6 < seen_w.max()
    assert metered(rig)["imported_j"] == pytest.approx(H * seen_w[seen_w > 0.0].sum(), rel=1e-12)
    assert metered(rig)["exported_j"] == pytest.approx(-H * seen_w[seen_w < 0.0].sum(), rel=1e-12)


def phasors(fault: str, residual: float) -> list[complex]:
    """Phase voltages of a dip, from its description in docs/model.md: what is left between or to ground."""
    a, b, c = (cmath.rect(1.0, math.radians(degrees)) for degrees in (0.0, -120.0, 120.0))
    if fault == "ag":
        return [residual * a, b, c]
    if fault == "bc":
        middle, half = (b + c) / 2.0, residual * (b - c) / 2.0
        return [a, middle + half, middle - half]
    return [a, residual * b, residual * c]


@pytest.mark.parametrize("fault", ["ag", "bc", "bcg"])
def test_voltages_of_an_unbalanced_dip_are_those_of_its_phasors(fault):
    dip = {"kind": "grid_dip", "at": "0.5 s", "duration": "1 s", "residual": 0.4, "fault": fault}
    rig = Rig({**METER, "grid": STIFF, "measurement": AT_ONCE, "events": [dip]}, np.full(1000, 1e6)).run()
    phases = phasors(fault, 0.4)
    lines = [phases[0] - phases[1], phases[1] - phases[2], phases[2] - phases[0]]
    assert metered(rig)["phase_pu"] == pytest.approx([abs(phase) for phase in phases], abs=1e-4)
    assert metered(rig)["line_pu"] == pytest.approx([abs(line) / math.sqrt(3.0) for line in lines], abs=1e-4)


def test_it_measures_with_the_window_and_the_delay_of_the_site():
    dip = {"kind": "grid_dip", "at": "0.5 s", "duration": "1 s", "residual": 0.5}
    seen = {"window": "20 ms", "delay": "30 ms"}
    sections = {**METER, "grid": STIFF, "measurement": seen, "events": [dip]}
    for ticks, mean_square in ((530, 1.0), (540, 0.5 * (1.0 + 0.25)), (550, 0.25)):
        state = metered(Rig(sections, np.full(ticks, 1e6)).run())
        assert state["phase_pu"] == pytest.approx([math.sqrt(mean_square)] * 3, abs=1e-4), ticks
        assert state["line_pu"] == pytest.approx(state["phase_pu"], abs=1e-9)


def test_a_counter_that_is_full_begins_anew():
    bench = MeterBench()
    bench.state["imported_j"] = 3600.0 * (2**32 + 7.9) * 100.0  # its unit is 100 Wh
    assert bench.registers.reader(203, "TotWh_SF")() == 2
    assert bench.registers.reader(203, "TotWhImp")() == 700.0


def test_beyond_what_its_registers_hold_a_value_is_absent():
    bench = MeterBench(meter={"main": {"rating": "1.6 MVA"}})
    assert bench.channel("pcc.power_measured_w") > 8e6
    assert bench.registers.reader(203, "W")() is None


def test_nothing_of_it_can_be_written():
    registers = MeterBench().registers
    for address in range(40_000, 40_000 + 180):
        with pytest.raises(ModbusFault):
            registers.write(Table.HOLDING, address, [1])


def test_a_run_serves_its_meters_and_nobody_need_read_them(tmp_path):
    quick = ["duration='2 s'", "events=[]"]
    without = hil.run(hil.load("training_job", quick))
    meters = ["meter.a.rating='50 MVA'", "meter.b.rating='50 MVA'", "meter.b.mqtt.rate='10 Hz'"]
    result = hil.run(hil.load("training_job", [*quick, *meters]), folder=tmp_path / "run")
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    assert [event["device"] for event in events if event["event"] == "server_started"] == ["bess.main", "meter.a", "meter.b"]
    assert result.traffic["messages"] > 19 * 6
    assert result.waveform_hash == without.waveform_hash
