"""One server of benchmarks/modbus_server.py: emulated inverters behind our Modbus server, of a site that runs in real time.

Prints the devices' ports on a line, and serves until a signal ends it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import hil
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.scenario.files import from_document
from hil.session.run import Options, run_scenario

POWER_W = 20e6
MOST_CONNECTIONS = 128  # more than an inverter's
MOVING_S = 4.0  # by then the devices give power, and what they show changes with every tick


def site(devices: int) -> hil.Scenario:
    """A load that always rises or falls, which all devices absorb together: what they show changes with every tick."""
    names = [f"b{number:03}" for number in range(devices)]
    ramp = {"kind": "ramp_limit", "ramp": f"{17 / devices} MW/min", "filter": "10 ms"}
    return from_document(
        {
            "duration": "3600 s",
            "grid": {"short_circuit": "220 MVA"},
            "load": {
                "kind": "training",
                "power": f"{POWER_W} W",
                "iteration": "400 ms",
                "compute_share": 0.5,
                "edge": "200 ms",
            },
            "bess": {name: {"rating": f"{25 / devices} MVA", "energy": f"{6.25 / devices} MWh"} for name in names},
            "absorber": {name: {"device": f"bess.{name}", **ramp} for name in names},
            "limits": [{"name": "27", "kind": "undervoltage", "min": 0.9}],
            "record": {"rate": "1 Hz", "channels": ["pcc.power_w"]},
            "clock": {"spin": "0 s"},  # the core is the server's
        }
    )


def admit_all() -> None:
    """Have servers take as many clients as the benchmark has."""
    original = ModbusTcpServer.__init__

    def admitting(self: ModbusTcpServer, *device: Any, **options: Any) -> None:
        original(self, *device, **options | {"most_connections": MOST_CONNECTIONS})

    ModbusTcpServer.__init__ = admitting  # type: ignore[method-assign]


def main() -> None:
    """Run and tell."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--devices", type=int, default=1)
    given = options.parse_args()
    admit_all()
    told = False
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "run"

        scenario = site(given.devices)

        def tell(tick: int) -> None:
            nonlocal told
            if told or tick * scenario.tick_s < MOVING_S:
                return
            events = map(json.loads, (folder / "events.jsonl").read_text(encoding="utf-8").splitlines())
            ports = [event["port"] for event in events if event["event"] == "server_started"]
            if len(ports) == given.devices:
                told = True
                print(*ports, flush=True)

        run_scenario(scenario, Options(clock="wall", folder=folder, progress=tell))


if __name__ == "__main__":
    main()
