"""The Modbus server of a device of a run: where it listens, what goes wrong on its wire, what it logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from firmware_sim.modbus.bank import ModbusFault
from firmware_sim.modbus.faults import Fault, Kind
from firmware_sim.modbus.serial_server import ModbusSerialServer
from firmware_sim.registers.register_map import RegisterMap
from hil.wiring.listening import cannot_listen
from hil.wiring.surroundings import Surroundings


class DeviceServer:
    """Serves the registers of one device, on the wire of its surroundings.

    name: of the device; maps: its register maps by unit; key: of `listen` in the scenario; listen: its value.
    most_connections: more push out the longest idle; a device that takes one client only refuses others.
    address: where it listens; path: what clients open, on a serial line, and "" elsewhere.
    """

    def __init__(
        self,
        around: Surroundings,
        name: str,
        maps: Mapping[int, RegisterMap],
        *,
        key: str,
        listen: str,
        most_connections: int = 16,
    ) -> None:
        self._maps = maps
        self.address = ("", 0)
        self.path = ""
        self.wire = around.wire
        self._around = around
        self._name = name
        self._key = key
        self._listen = listen
        self._struck: Counter[str] = Counter()
        self._server = self.wire.server(
            maps, most_connections=most_connections, refused=self._refused, seed=around.scenario.seed, device=name
        )
        self._server.faults.struck = self._strikes

    @property
    def requests(self) -> int:
        """Requests answered."""
        return self._server.requests

    @property
    def clients(self) -> int | None:
        """How many are connected; None on a serial line, which does not tell."""
        return None if isinstance(self._server, ModbusSerialServer) else len(self._server.connections)

    @property
    def unit_id(self) -> int:
        """Unit of the first of its maps."""
        return next(iter(self._maps))

    @property
    def possible(self) -> frozenset[Kind]:
        """Faults that its wire can have."""
        return self._server.faults.possible

    async def start(self) -> None:
        """Listen, where it did before if it did. Raises ScenarioError where that cannot be."""
        if isinstance(self._server, ModbusSerialServer):
            self.path = await self.wire.attach(self._server, self._around.scenario.source)
            self._around.event("server_started", {"device": self._name, "path": self.path})
            return
        host, _, port = self._listen.rpartition(":")
        address = self._around.host or host, self.address[1] or int(port)
        try:
            self.address = await self._server.start(*address)
        except OSError as error:
            raise cannot_listen(self._around.scenario.source, self._key, address, error) from None
        self._around.event("server_started", {"device": self._name, "port": self.address[1]})

    async def stop(self) -> None:
        """Stop listening, as a server that dies."""
        await self._server.stop()

    def hang(self, *, hung: bool) -> None:
        """Leave clients without an answer."""
        self._server.hang(hung=hung)

    def disturb(self, fault: Fault) -> None:
        """Begin a fault of the wire, in place of one of its kind."""
        self._struck[fault.kind] = 0
        self._server.faults.set(fault)

    def calm(self, fault: Fault) -> int:
        """End it; returns how many requests have met it."""
        self._server.faults.clear(fault.kind)
        return self._struck[fault.kind]

    def show(self, fault: str, *, so: bool) -> None:
        """Begin or end what is wrong with the values that are shown. fault: a property of the register maps."""
        for registers in self._maps.values():
            setattr(registers, fault, so)

    def _strikes(self, kind: Kind, _unit: int, _number: int) -> None:
        self._struck[kind] += 1

    def _refused(self, request: bytes, fault: ModbusFault) -> None:
        details: dict[str, object] = {"device": self._name, "request": request.hex(), "code": int(fault.code)}
        self._around.event("request_refused", {**details, "reason": str(fault)})
