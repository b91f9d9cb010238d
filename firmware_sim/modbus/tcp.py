"""A Modbus server on TCP (MODBUS Messaging on TCP/IP Implementation Guide V1.0b): MBAP or RTU frames, in the clear or in TLS.

Every complete frame of a segment is answered, in order. What cannot be an MBAP frame closes the connection, and so does a
partial frame that is not completed in time; RTU frames with a wrong CRC are met with silence, with what came together with
them. A client that does not take its replies is not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal

from firmware_sim.modbus.bank import Bank
from firmware_sim.modbus.connection import Connection
from firmware_sim.modbus.faults import ON_MBAP, ON_RTU_OVER_TCP
from firmware_sim.modbus.security import Security
from firmware_sim.modbus.server import ModbusServer, Refused

PORT = 502  # IANA: mbap
SECURE_PORT = 802  # IANA: mbap-s; MODBUS/TCP Security Protocol Specification V36, section 6
_HANDSHAKE_S = 10.0


class ModbusTcpServer(ModbusServer):
    """Serves one device, or several behind a gateway.

    bank: the device, which answers `unit_id`, 0 and 255; or a device for each unit.
    silent: other units get no answer, instead of exception 0x0B.
    refuses: one client too many is closed; else the one whose last request is the oldest makes room.
    framing: "rtu" is RTU over TCP, with the rules of a serial line for units: 0 is a broadcast, others get no answer.
    idle_timeout_s: None lets silent clients stay. seed, device: what the draws of `faults` are keyed by.
    refused: hears of every request that is answered with an exception.
    """

    def __init__(
        self,
        bank: Bank | Mapping[int, Bank],
        *,
        unit_id: int = 1,
        framing: Literal["mbap", "rtu"] = "mbap",
        silent: bool = False,
        tls: Security | None = None,
        most_connections: int = 16,
        refuses: bool = False,
        partial_timeout_s: float = 1.0,
        idle_timeout_s: float | None = 300.0,
        refused: Refused | None = None,
        seed: int = 0,
        device: str = "",
    ) -> None:
        serial = framing == "rtu"
        faults = (ON_RTU_OVER_TCP if serial else ON_MBAP, seed, device)
        super().__init__(bank, unit_id, serial=serial, silent=silent, refused=refused, faults=faults)
        self.framing = framing
        self.tls = tls
        self.most_connections = most_connections
        self.refuses = refuses
        self.partial_timeout_s = partial_timeout_s
        self.idle_timeout_s = idle_timeout_s
        self.connections: dict[Connection, None] = {}  # the longest without a request first
        self.era: object = None  # a new one with each start; connections belong to one
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int | None = None) -> tuple[str, int]:
        """Listen, on the protocol's own port where none is given; returns the address. Raises OSError where it is taken."""
        loop = asyncio.get_running_loop()
        if port is None:
            port = PORT if self.tls is None else SECURE_PORT
        context = None if self.tls is None else self.tls.context()
        handshake_s = None if self.tls is None else _HANDSHAKE_S
        era = self.era = object()
        self._server = await loop.create_server(
            lambda: Connection(self, era), host, port, ssl=context, ssl_handshake_timeout=handshake_s
        )
        address: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        return address

    async def stop(self) -> None:
        """Stop listening and close every connection, without waiting for clients that do not read.

        Those that have been accepted and are not here yet, in a handshake for one, are closed when they arrive.
        """
        if self._server is None:
            return
        server, self._server = self._server, None
        self.era = None
        loop = asyncio.get_running_loop()
        for sock in server.sockets:
            loop.remove_reader(sock)
        await asyncio.sleep(0)  # what was accepted just now gets its transport, which a closed server would refuse it
        server.close()
        for connection in list(self.connections):
            connection.drop()
        await asyncio.sleep(0)

    def hang(self, *, hung: bool) -> None:
        """Leave clients unread while hung, those that connect meanwhile too; what they sent is answered afterwards."""
        self.hung = hung
        for connection in list(self.connections):
            connection.regulate()
