"""A site with one battery and one UPS, both supervised, and what tests of whole runs with UPSs share."""

from __future__ import annotations

import json
import re

import hil
from hil.scenario.files import from_document
from hil.scenario.model import Scenario

LATCHES = {"counter": True, "counter_disturbances": 2, "counter_window": "30 s"}
SUPPORTS = {"support": "2 MW", "support_below": "59.98 Hz", "support_full": "59.9 Hz"}


def site(*scripted: dict, ups: dict | None = None, duration: str = "20 s", **sections: object) -> Scenario:
    """One BESS with a law and a supervisor, one UPS with a supervisor, each on its wire."""
    document = {
        "duration": duration,
        "grid": {"short_circuit": "300 MVA", "area": "1 GVA"},
        "load": {"kind": "training", "power": "4 MW", "start": "0 s", "start_ramp": "0 s"},
        "bess": {"main": {"rating": "3 MVA", "energy": "1 MWh", "setpoint_ramp": "5 MW/s"}},
        "absorber": {"main": {"kind": "ramp_limit", "device": "bess.main", "ramp": "10 MW/min"}},
        "ups": {"a": {"rating": "6 MW", "autonomy": "60 s", "qualify": "500 ms", "walk_in": "1 s"} | (ups or {})},
        "supervisor": {
            "energy": {"kind": "soc_window", "device": "bess.main"},
            "ups": {"kind": "ups_group", "devices": ["ups.a"], "ramp": "20 MW/min"},
        },
        "events": list(scripted),
    }
    return from_document(document | sections)


def zero_links(scenario: Scenario) -> Scenario:
    """The same through relays that delay nothing."""
    document = scenario.document()
    leads = {device: name for name, section in scenario.supervisor.items() for device in section.led}
    document["link"] = {
        device.replace(".", "-"): {"between": [f"supervisor.{name}", device], "latency": "0 s"}
        for device, name in leads.items()
    }
    return from_document(document)


def direct(scenario: Scenario) -> Scenario:
    return from_document(scenario.document() | {"transport": "direct"})


def told(result: hil.Result) -> list[str]:
    """What happened, but for what only a wire has, and for the ports, which the machine gives."""
    kept = [event for event in result.events if event["event"] not in ("server_started", "broker_started")]
    return [re.sub(r"127\.0\.0\.1:\d+", "PORT", json.dumps(event)) for event in kept]
