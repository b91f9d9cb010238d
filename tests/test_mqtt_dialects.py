"""What else devices speak on a broker: Home Assistant's discovery, and a Victron GX's D-Bus, in lock-step time."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from meter_bench import MeterBench
from mqtt_wire import Client, Message
from ups_bench import UpsBench, came, on_bench

from firmware_sim.device import EmulatedDevice
from firmware_sim.meter.victron import meter_items
from firmware_sim.mqtt.home_assistant import HomeAssistant
from firmware_sim.mqtt.victron import VictronFlashMq
from firmware_sim.ups.victron import ups_items
from hil.mqtt.layout import DeviceTopics

PORTAL = "c0619ab4f585"
CONFIG = "homeassistant/device/hall_ups_a/config"

# Home Assistant's documentation: "MQTT", device discovery payload, its shared options and abbreviations; "MQTT Sensor" and
# "MQTT Binary Sensor", configuration variables; "Sensor", device classes with their units, and state classes.
SHARED = {
    "dev", "o", "cmps", "availability", "availability_topic", "availability_mode", "availability_template",
    "payload_available", "payload_not_available", "command_topic", "state_topic", "qos", "encoding",
}  # fmt: skip
DEVICE = {"ids", "cns", "name", "mf", "mdl", "mdl_id", "hw", "sw", "sn", "sa", "cu"}
ORIGIN = {"name", "sw", "url"}
COMPONENT = {"p", "unique_id", "name", "device_class", "value_template", "icon", "entity_category", "expire_after"}
KEYS = {
    "sensor": COMPONENT | {"state_class", "unit_of_measurement", "options", "suggested_display_precision"},
    "binary_sensor": COMPONENT | {"payload_on", "payload_off", "off_delay"},
}
UNITS = {
    "power": {"mW", "W", "kW", "MW", "GW", "TW"}, "reactive_power": {"mvar", "var", "kvar"},
    "apparent_power": {"mVA", "VA", "kVA"},
    "voltage": {"µV", "mV", "V", "kV", "MV"}, "current": {"mA", "A"}, "frequency": {"mHz", "Hz", "kHz", "MHz", "GHz"},
    "duration": {"d", "h", "min", "s", "ms", "µs"}, "energy": {"mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "J", "kJ", "MJ", "GJ"},
    "battery": {"%"}, "power_factor": {None, "%"}, "enum": {None}, None: {None, "pu"},
}  # fmt: skip
BINARY = {"battery", "power", "problem"}


def check_description(description: dict[str, Any], device: EmulatedDevice) -> None:
    """Every key is one that Home Assistant documents, and every template asks for what the state has."""
    assert {"dev", "o", "cmps"} <= set(description) <= SHARED
    assert description["dev"]["ids"]
    assert set(description["dev"]) <= DEVICE
    assert "name" in description["o"]
    assert set(description["o"]) <= ORIGIN
    ids = [component["unique_id"] for component in description["cmps"].values()]
    assert len(set(ids)) == len(ids)
    for component in description["cmps"].values():
        assert set(component) <= KEYS[component["p"]]
        assert set(re.findall(r"value_json\.(\w+)", component["value_template"])) <= set(device.state())
        if component["p"] == "binary_sensor":
            assert component["device_class"] in BINARY
            continue
        kind = component.get("device_class")
        assert component.get("unit_of_measurement") in UNITS[kind]
        assert component.get("state_class") == {"energy": "total_increasing", "enum": None}.get(kind, "measurement")
        assert ("options" in component) == (kind == "enum")


def assistant(bench: UpsBench) -> HomeAssistant:
    return HomeAssistant(bench.device, bench.topics)


def gx(bench: UpsBench) -> VictronFlashMq:
    image = bench.device._image
    return VictronFlashMq(PORTAL, bench.device, ups_items(bench.device, image), event=bench.event)


async def listener(bench: UpsBench, *filters: str) -> Client:
    client = await bench.client("listener")
    await client.subscribed(*((topic, 1) for topic in filters))
    return client


def shown(messages: list[Message]) -> dict[str, Any]:
    """Values by topic without the portal."""
    start = f"N/{PORTAL}/"
    assert all(message.topic.startswith(start) for message in messages)
    values = {message.topic.removeprefix(start): json.loads(message.payload).get("value") for message in messages}
    values.pop("heartbeat", None)
    return values


@on_bench()
async def test_home_assistant_is_told_of_a_ups_by_a_retained_description(bench):
    await bench.start(assistant(bench))
    watch = await listener(bench, "homeassistant/#")
    (config,) = await came(watch)
    assert (config.topic, config.retain) == (CONFIG, True)
    description = json.loads(config.payload)
    check_description(description, bench.device)
    assert {"soc", "mode", "input_power_w", "runtime_s", "line_ok", "low_battery"} < set(description["cmps"])
    states = await listener(bench, description["state_topic"], description["availability_topic"])
    kept = {message.topic: message.payload for message in await came(states)}
    assert kept[description["availability_topic"]].decode() == description["payload_available"]
    state = json.loads(kept[description["state_topic"]])
    assert state["mode"] in description["cmps"]["mode"]["options"]


def test_home_assistant_can_be_told_of_a_meter():
    device = MeterBench().device
    description = HomeAssistant(device, DeviceTopics("hall", "meter.main")).description()
    check_description(description, device)
    assert set(description["cmps"]) == set(device.signals)
    assert description["cmps"]["imported_wh"]["state_class"] == "total_increasing"


@on_bench()
async def test_the_description_comes_again_when_home_assistant_is_back(bench):
    await bench.start(assistant(bench))
    watch = await listener(bench, CONFIG)
    assert len(await came(watch)) == 1
    for payload, again in ((b"offline", 0), (b"online", 1), (b"", 0), (b"\xff", 0), (b"online", 1)):
        await watch.published("homeassistant/status", payload)
        assert len(await came(watch)) == again, payload


@on_bench()
async def test_a_gx_says_who_it_is_and_after_a_keep_alive_everything(bench):
    await bench.start(gx(bench))
    watch = await listener(bench, "N/#")
    await asyncio.sleep(10.0)
    (serial,) = await came(watch)
    assert (serial.topic, serial.retain) == (f"N/{PORTAL}/system/0/Serial", True)
    await watch.published(f"R/{PORTAL}/keepalive", b"")
    heard = await came(watch)
    assert heard[0].topic == f"N/{PORTAL}/heartbeat"
    assert heard[-1].topic == f"N/{PORTAL}/full_publish_completed"
    values = shown(heard)
    assert values["full_publish_completed"] == 10
    assert values["system/0/Serial"] == PORTAL
    image = bench.device._image
    assert values["vebus/276/Ac/Out/P"] == pytest.approx(image.reader("output_w")())
    assert sum(values[f"vebus/276/Ac/ActiveIn/L{n}/P"] for n in (1, 2, 3)) == pytest.approx(image.reader("input_w")())
    assert values["battery/512/Soc"] == pytest.approx(100.0)
    assert values["vebus/276/State"] == 5
    assert values["vebus/276/Mode"] == 3
    late = await listener(bench, f"N/{PORTAL}/#")
    assert set(shown(await came(late))) == {"system/0/Serial"}  # nothing else is retained


@on_bench()
async def test_a_gx_falls_silent_a_minute_after_the_last_keep_alive(bench):
    await bench.start(gx(bench))
    watch = await listener(bench, f"N/{PORTAL}/#")
    await asyncio.sleep(0.1)
    await watch.published(f"R/{PORTAL}/keepalive", b"")
    await came(watch)
    times, beats = [], 0
    for _ in range(160):
        await asyncio.sleep(0.45)
        bench.engine.states["ups_battery"]["soc"] -= 1e-6  # something changes
        heard = await came(watch)
        beats += sum(message.topic.endswith("/heartbeat") for message in heard)
        if shown(heard).get("battery/512/Soc") is not None:
            times.append(bench.device.time_s)
    assert 55 <= len(times) <= 60  # once a second at most
    assert 59.0 <= times[-1] <= 60.6
    assert 18 <= beats <= 20  # every 3 s


@on_bench()
async def test_a_keep_alive_may_ask_for_no_republish_and_for_an_echo(bench):
    await bench.start(gx(bench))
    watch = await listener(bench, f"N/{PORTAL}/#")
    echo = {"full-publish-completed-echo": "me-7"}
    await watch.published(f"R/{PORTAL}/keepalive", json.dumps({"keepalive-options": [echo]}).encode())
    assert json.loads((await came(watch))[-1].payload)["full-publish-completed-echo"] == "me-7"
    await asyncio.sleep(59.0)
    await came(watch)
    quiet = json.dumps({"keepalive-options": ["suppress-republish", echo]}).encode()
    await watch.published(f"R/{PORTAL}/keepalive", quiet)
    assert await came(watch) == []
    await asyncio.sleep(30.0)
    bench.engine.states["ups_battery"]["soc"] -= 0.1
    await asyncio.sleep(1.5)
    assert "battery/512/Soc" in shown(await came(watch))


@on_bench()
async def test_read_requests_are_answered_without_a_keep_alive_for_an_item_or_what_lies_below(bench):
    await bench.start(gx(bench))
    watch = await listener(bench, f"N/{PORTAL}/#")
    asked = {
        "vebus/276/State": {"vebus/276/State"},
        "battery/512/Dc": {f"battery/512/Dc/0/{name}" for name in ("Voltage", "Current", "Power", "Temperature")},
        "system/0/Ac/Grid": {f"system/0/Ac/Grid/{name}" for name in ("NumberOfPhases", "L1/Power", "L2/Power", "L3/Power")},
        "battery/5": set(), "nothing/1/At/All": set(), "": set(),
    }  # fmt: skip
    await came(watch)
    for path, answered in asked.items():
        await watch.published(f"R/{PORTAL}/{path}", b"")
        assert set(shown(await came(watch))) == answered, path


WRITES = [
    pytest.param("vebus/276/Mode", b'{"value": 4}', "operation", 0, id="off"),
    pytest.param("vebus/276/Hub4/DisableCharge", b'{"value": 1}', "recharge_w", 0.0, id="no charge"),
]


@pytest.mark.parametrize(("path", "payload", "field", "becomes"), WRITES)
@on_bench()
async def test_a_write_request_reaches_the_firmware(bench, path, payload, field, becomes):
    await bench.start(gx(bench))
    watch = await listener(bench, f"N/{PORTAL}/#")
    await watch.published(f"W/{PORTAL}/{path}", payload)
    await asyncio.sleep(0.002)
    assert bench.firmware[field] == becomes
    await came(watch)
    await watch.published(f"R/{PORTAL}/{path}", b"")
    assert shown(await came(watch)) == {path: json.loads(payload)["value"]}


@on_bench()
async def test_what_cannot_be_written_is_logged_and_does_no_harm(bench):
    watch = await bench.client("watch")
    await watch.published(f"W/{PORTAL}/vebus/276/Mode", b'{"value": 4}', retain=True)
    await bench.start(gx(bench))
    wrong = [
        ("vebus/276/Mode", b'{"value": 2}'), ("vebus/276/Mode", b'{"value": null}'), ("vebus/276/Mode", b"4"),
        ("vebus/276/Mode", b"\xff"), ("vebus/276/State", b'{"value": 0}'), ("nothing", b'{"value": 0}'),
    ]  # fmt: skip
    for path, payload in wrong:
        await watch.published(f"W/{PORTAL}/{path}", payload)
    await asyncio.sleep(0.01)
    assert len(bench.told("command_refused")) == len(wrong) + 1
    assert bench.firmware["operation"] == 1
    assert bench.told("broker_lost") == []


@on_bench(events=[{"kind": "grid_dip", "at": "1 s", "duration": "5 s", "residual": 0.1}])
async def test_the_states_of_an_inverter_follow_the_ups(bench):
    await bench.start(gx(bench))
    watch = await listener(bench, f"N/{PORTAL}/#")

    async def read() -> dict[str, Any]:
        await came(watch)
        await watch.published(f"R/{PORTAL}/vebus/276", b"")
        return shown(await came(watch))

    await asyncio.sleep(2.0)
    on_battery = await read()
    assert (on_battery["vebus/276/State"], on_battery["vebus/276/Ac/ActiveIn/ActiveInput"]) == (9, 240)
    assert on_battery["vebus/276/Alarms/GridLost"] == 2
    assert on_battery["vebus/276/Dc/0/Power"] < 0.0
    await asyncio.sleep(10.0)
    charging = await read()
    assert (charging["vebus/276/State"], charging["vebus/276/Alarms/GridLost"]) == (3, 0)
    assert charging["vebus/276/Dc/0/Power"] > 0.0


@on_bench()
async def test_who_listens_is_told_that_a_device_behind_a_gx_is_gone(bench):
    wire = await bench.start(gx(bench))
    watch = await listener(bench, f"N/{PORTAL}/#")
    await watch.published(f"R/{PORTAL}/keepalive", b"")
    told = {message.topic for message in await came(watch)}
    await wire.stop()
    gone = await came(watch)
    assert {message.payload for message in gone} == {b""}
    assert {message.topic for message in gone} == told - {
        f"N/{PORTAL}/{said}" for said in ("full_publish_completed", "heartbeat")
    }
    late = await listener(bench, "N/#")
    assert await came(late) == []  # the serial number is retained no more


def test_a_meter_behind_a_gx_imports_in_kilowatt_hours():
    bench = MeterBench()
    bench.state["imported_j"], bench.state["exported_j"] = 3.6e9, 7.2e9
    items = meter_items(bench.device)
    values = {path: item.value() for path, item in items.items()}
    assert values["grid/30/Ac/Energy/Forward"] == pytest.approx(1000.0)
    assert values["grid/30/Ac/Energy/Reverse"] == pytest.approx(2000.0)
    assert values["grid/30/Ac/Power"] == pytest.approx(bench.channel("pcc.power_measured_w"))
    assert values["grid/30/Ac/L2/Voltage"] == pytest.approx(34_500 / 3**0.5 * bench.channel("pcc.voltage_pu"))
