"""A UPS behind a Victron GX as a client sees it that others wrote: PyPI's victron-mqtt."""

from __future__ import annotations

import asyncio

import pytest
from ups_bench import UpsBench

from firmware_sim.mqtt.connection import DeviceMqtt
from firmware_sim.mqtt.victron import VictronFlashMq
from firmware_sim.ups.victron import ups_items
from hil.fleet.images import EngineUpsImage
from hil.mqtt.address import BrokerAddress

PORTAL = "c0619ab4f585"


@pytest.mark.realtime
@pytest.mark.peer_package("victron_mqtt")
def test_victron_mqtt_finds_the_devices_reads_them_and_switches_the_inverter_off():
    from victron_mqtt import Hub

    bench = UpsBench()
    image = EngineUpsImage(bench.engine, bench.scenario, "a")
    gx = VictronFlashMq(PORTAL, bench.device, ups_items(bench.device, image), event=bench.event)

    async def main() -> None:
        host, port = await bench.broker.start("127.0.0.1", 0)
        wire = DeviceMqtt("gx", BrokerAddress(host, port), [gx])
        await wire.start()
        hub = Hub(host, port, None, None, use_ssl=False)  # which finds the portal by itself
        try:
            await hub.connect()
            await hub.wait_for_first_refresh()
            assert hub.installation_id == PORTAL
            assert set(hub.devices) == {"system_0", "vebus_276", "battery_512"}
            inverter, battery, system = (hub.devices[name] for name in ("vebus_276", "battery_512", "system_0"))
            output_w = image.reader("output_w")()
            for phase in ("l1", "l2", "l3"):
                assert inverter.get_metric(f"vebus_inverter_output_power_{phase}").value == pytest.approx(
                    output_w / 3, abs=1.0
                )
                assert system.get_metric(f"system_critical_loads_{phase}").value == pytest.approx(output_w / 3, abs=1.0)
            assert str(inverter.get_metric("vebus_inverter_state").value) == "Float"
            assert str(system.get_metric("system_ac_active_input_source").value) == "Grid"
            assert battery.get_metric("battery_soc").value == pytest.approx(100.0)
            assert battery.get_metric("battery_voltage").value == pytest.approx(image.reader("battery_voltage_v")(), abs=0.1)
            mode = inverter.get_metric("vebus_inverter_mode")
            assert str(mode.value) == "On"
            mode.set("Off")
            while bench.engine.states["run"]["command_head"].item() == 0:
                await asyncio.sleep(0.005)
        finally:
            await hub.disconnect()
            await wire.stop()
            await bench.broker.stop()

    async def within_a_minute() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(within_a_minute())
    bench.engine.advance(1)
    assert bench.firmware["operation"] == 0
    assert bench.told("command_refused") == []
