"""Network UPS Tools, unmodified, see an emulated UPS go on battery and run low, and switch its load off."""

from __future__ import annotations

import asyncio

import pytest
from nut import nut
from ups_maps import MapBench

from firmware_sim.modbus.serial_server import ModbusSerialServer

pytestmark = pytest.mark.realtime


@pytest.mark.peer("upsc", "generic_modbus")
def test_generic_modbus_over_tcp(tmp_path):
    """Contacts: OL, OB, OB LB, and `load.off`, which pulses the coil."""
    bench = MapBench("contacts")

    async def main():
        async with bench.client() as client:
            host, port = client.plain.comm_params.host, client.plain.comm_params.port
            contacts = {
                f"{name}_{key}": value
                for place, name in enumerate(("OB", "LB", "HB", "RB"))
                for key, value in (("addr", place), ("regtype", 1))
            }
            coil = {"FSD_addr": 0, "FSD_regtype": 0, "FSD_pulse_duration": 150}
            settings = {"port": f"{host}:{port}", "rio_slave_id": 1, "pollinterval": 1, **contacts, **coil}
            async with nut(tmp_path, "generic_modbus", **settings) as ups:
                await ups.shows("OL")
                bench.until(lambda: bench.firmware["mode"] == 3)
                assert "LB" not in (await ups.shows("OB"))["ups.status"]
                bench.until(lambda: bench.firmware["low_battery"] == 1)
                await ups.shows("OB", "LB")
                await ups.command("load.off")
                await ups.until(lambda _: bench.moves() and bench.firmware["mode"] == 0)

    asyncio.run(main())


@pytest.mark.peer("upsc", "huawei-ups2000")
def test_huawei_ups2000_over_a_serial_line(tmp_path):
    """The identification by function 43, then OL, OB, OB LB, with the values of the plant; and `load.off`."""
    bench = MapBench("huawei-ups2000")
    server = ModbusSerialServer(bench.modbus.registers)  # 9600 8N1, as the driver has it

    async def main():
        port = await server.start_pty(tmp_path / "ttyUPS2000")
        try:
            async with nut(tmp_path, "huawei-ups2000", port=port, pollinterval=1) as ups:
                shown = await ups.shows("OL")
                assert shown["device.model"] == "UPS2000A"
                assert shown["device.serial"] == "a-0001"
                assert float(shown["input.voltage"]) == pytest.approx(
                    400.0 / 3**0.5 * bench.channel("bus.voltage_measured_pu"), abs=0.1
                )
                bench.until(lambda: bench.firmware["mode"] == 3 and bench.channel("battery_w") > 0)
                charge = f"{100 * bench.channel('soc'):.1f}"
                shown = await ups.shows("OB", "DISCHRG", also=lambda now: now["battery.charge"] == charge)
                assert "LB" not in shown["ups.status"]
                bench.until(lambda: bench.firmware["low_battery"] == 1)
                left_s = pytest.approx(bench.channel("runtime_s"), abs=0.51)
                await ups.shows("OB", "LB", "DISCHRG", also=lambda now: float(now["battery.runtime"]) == left_s)
                await ups.command("load.off")
                await ups.until(lambda _: bench.moves() and bench.firmware["mode"] == 0)
                await ups.shows("OFF")
        finally:
            await server.stop()

    asyncio.run(main())
