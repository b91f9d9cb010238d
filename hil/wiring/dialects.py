"""The dialects that an emulated device speaks on the site's broker, from its section."""

from __future__ import annotations

from collections.abc import Mapping

from firmware_sim.device import EmulatedDevice
from firmware_sim.mqtt.dialect import Dialect
from firmware_sim.mqtt.home_assistant import HomeAssistant
from firmware_sim.mqtt.own import OwnLayout
from firmware_sim.mqtt.victron import Item, VictronFlashMq
from hil.mqtt.layout import DeviceTopics
from hil.scenario.mqtt import MeterMqttSection, UpsMqttSection
from hil.wiring.surroundings import Surroundings


def dialects(
    around: Surroundings,
    name: str,
    device: EmulatedDevice,
    section: UpsMqttSection | MeterMqttSection,
    items: Mapping[str, Item],
) -> list[Dialect]:
    """Our own layout always. name: as in `ups.NAME`; items: what it has on a Victron's D-Bus."""
    topics, event = DeviceTopics(around.scenario.mqtt.site, name), around.event_of(name)
    spoken: list[Dialect] = [OwnLayout(device, topics, section.signals, event=event)]
    if section.home_assistant:
        spoken.append(HomeAssistant(device, topics))
    if section.victron_portal is not None:
        spoken.append(VictronFlashMq(section.victron_portal, device, items, event=event))
    return spoken
