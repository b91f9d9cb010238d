"""What the Modbus servers of devices stand on: TCP, RTU on a serial line or over TCP, TLS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from firmware_sim.modbus.line import Line
from firmware_sim.modbus.security import Security
from firmware_sim.modbus.serial_server import ModbusSerialServer
from firmware_sim.modbus.server import Refused
from firmware_sim.modbus.tcp import ModbusTcpServer
from firmware_sim.registers.register_map import RegisterMap
from hil.errors import ScenarioError

WireKind = Literal["tcp", "rtu", "rtu-over-tcp", "tls"]


@dataclass(frozen=True)
class Wire:
    """kind: "rtu" is a serial line, on which `line` holds, at a device (`serial`) or at the pseudo-terminal of a name (`pty`).

    tls: who is let in; of the kind "tls" alone.
    """

    kind: WireKind = "tcp"
    serial: str | None = None
    pty: Path | None = None
    line: Line = field(default_factory=Line)
    tls: Security | None = None

    @property
    def protocol(self) -> str:
        """As endpoints name it: `modbus_tcp`, `modbus_rtu_over_tcp` ..."""
        return f"modbus_{self.kind.replace('-', '_')}"

    def server(
        self, maps: Mapping[int, RegisterMap], *, most_connections: int, refused: Refused, seed: int, device: str
    ) -> ModbusTcpServer | ModbusSerialServer:
        """A server of register maps by unit. device: its name, by which its faults are drawn."""
        unit_id, registers = next(iter(maps.items()))
        bank = maps if len(maps) > 1 else registers
        if self.kind == "rtu":
            return ModbusSerialServer(bank, unit_id=unit_id, line=self.line, refused=refused, seed=seed, device=device)
        return ModbusTcpServer(
            bank,
            unit_id=unit_id,
            framing="rtu" if self.kind == "rtu-over-tcp" else "mbap",
            tls=self.tls,
            most_connections=most_connections,
            refuses=most_connections == 1,
            refused=refused,
            seed=seed,
            device=device,
        )

    async def attach(self, server: ModbusSerialServer, source: str) -> str:
        """Serve a serial line; returns what clients open. Raises ScenarioError, in the name of `source`."""
        try:
            if self.serial is not None:
                return await server.start(self.serial)
            return await server.start_pty(self.pty)
        except (OSError, ValueError) as error:
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            option, path = ("--pty", self.pty) if self.serial is None else ("--serial", self.serial)
            raise ScenarioError(source, option, f" = '{path}': cannot be served ({why})") from None
