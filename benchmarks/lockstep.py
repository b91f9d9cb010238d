"""Flagship, controllers and a UPS over Modbus and MQTT, with a wire and without; the flagship against its bare transactions.

Figures: `realtime_factor`, the flagship with a UPS: driver and supervisor at 20 Hz over Modbus TCP, telemetry at 10 Hz and
commands with answers over MQTT on our broker; `direct_factor`, the same without a wire, to the same waveform; `modbus_factor`,
the flagship alone; `wire_ratio`, its wall-clock time over that of its transactions alone (pymodbus client, our server, plain
asyncio loop, registers that cost nothing), in the run's order and mix; `transactions_per_cycle`; `messages_per_s` of MQTT, in
scenario time.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from typing import ClassVar

from bench import interleaved, median_ratio, report

import hil
from controllers.modbus import ModbusConnection
from firmware_sim.modbus.bank import Bank, Table
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.session.run import Options, run_scenario

ROUNDS = 7
DURATION_S = 60.0
DIRECT_S = 600.0  # long enough that setting up does not count
CYCLE_HZ = 20.0


FUNCTIONS = frozenset((3, 4, 6, 16))


class Recorded:
    """A device that also keeps the requests it sees."""

    functions = FUNCTIONS
    identity: ClassVar[dict[int, bytes]] = {}

    def __init__(self, bank: Bank, seen: list[tuple[str, int, object]]) -> None:
        self._bank = bank
        self._seen = seen

    def read(self, table: Table, address: int, count: int) -> bytes:
        """Pass on and remember."""
        self._seen.append(("read", address, count))
        return self._bank.read(table, address, count)

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Pass on and remember."""
        self._seen.append(("write", address, list(values)))
        self._bank.write(table, address, values)


class Bare:
    """Registers that hold zeros."""

    functions = FUNCTIONS
    identity: ClassVar[dict[int, bytes]] = {}

    def read(self, table: Table, address: int, count: int) -> bytes:
        """Zeros."""
        return bytes(2 * count)

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Nothing."""


def scenario() -> hil.Scenario:
    """The flagship, long enough for its windows."""
    return hil.load("training_job", [f"duration='{DURATION_S} s'", "events=[]"])


def with_ups(transport: str, duration_s: float) -> hil.Scenario:
    """The same with a UPS in front of the load, and who leads it."""
    ups = [
        "ups.a={rating='30 MW', mqtt={rate='10 Hz'}}",
        "supervisor.ups={kind='ups_group',devices=['ups.a'],ramp='10 MW/min'}",
    ]
    return hil.load("training_job", [f"duration='{duration_s} s'", "events=[]", f"transport='{transport}'", *ups])


def messages_and_check() -> float:
    """MQTT messages a second of scenario time; refuses to go on where the two transports do not give one waveform."""
    wire, direct = (run_scenario(with_ups(transport, DURATION_S), Options()) for transport in ("wire", "direct"))
    if wire.waveform_hash != direct.waveform_hash:
        raise SystemExit(f"lockstep: {wire.waveform_hash} over the wire, {direct.waveform_hash} without")
    return wire.traffic["messages"] / DURATION_S


def requests_of_a_run() -> list[tuple[str, int, object]]:
    """Every request of one run, in order."""
    seen: list[tuple[str, int, object]] = []
    original = ModbusTcpServer.__init__

    def listening(self: ModbusTcpServer, registers: object, **options: object) -> None:
        original(self, Recorded(registers, seen), **options)  # type: ignore[arg-type]

    ModbusTcpServer.__init__ = listening  # type: ignore[method-assign, assignment]
    try:
        run_scenario(scenario(), Options())
    finally:
        ModbusTcpServer.__init__ = original  # type: ignore[method-assign]
    return seen


async def replay(requests: list[tuple[str, int, object]]) -> float:
    """The same requests on a bare client and server; returns wall-clock seconds."""
    server = ModbusTcpServer(Bare())
    host, port = await server.start("127.0.0.1", 0)
    client = ModbusConnection("bare", host, port, unit_id=1, timeout_s=5.0)
    await client.connect()
    loop = asyncio.get_running_loop()
    began = loop.time()
    for kind, address, what in requests:
        if kind == "read":
            await client.read(address, what)  # type: ignore[arg-type]
        else:
            await client.write(address, what)  # type: ignore[arg-type]
    took = loop.time() - began
    client.close()
    await server.stop()
    return took


def main() -> None:
    """Measure and report."""
    requests = requests_of_a_run()
    messages_per_s = messages_and_check()
    taken = interleaved(
        ROUNDS,
        {
            "ups": lambda: run_scenario(with_ups("wire", DURATION_S), Options()).wall_s,
            "direct": lambda: run_scenario(with_ups("direct", DIRECT_S), Options()).wall_s,
            "run": lambda: run_scenario(scenario(), Options()).wall_s,
            "bare": lambda: asyncio.run(replay(requests)),
        },
    )
    report(
        "lockstep",
        {
            "realtime_factor": DURATION_S / statistics.median(taken["ups"]),
            "direct_factor": DIRECT_S / statistics.median(taken["direct"]),
            "modbus_factor": DURATION_S / statistics.median(taken["run"]),
            "wire_ratio": median_ratio(taken["run"], taken["bare"]),
            "transactions_per_cycle": len(requests) / (DURATION_S * CYCLE_HZ),
            "bare_transactions_per_s": len(requests) / statistics.median(taken["bare"]),
            "messages_per_s": messages_per_s,
        },
        ROUNDS,
    )


if __name__ == "__main__":
    main()
