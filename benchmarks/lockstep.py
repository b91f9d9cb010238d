"""The flagship with its controller over TCP at 20 Hz, against the same transactions on a bare client and server.

Figures: `realtime_factor`; `wire_ratio`, wall-clock time of the run over that of its transactions alone (pymodbus client, our
server, plain asyncio loop, registers that cost nothing), in the run's order and mix; `transactions_per_cycle`.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence

from harness import interleaved, median_ratio, report

import hil
from controllers.modbus import ModbusConnection
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.session.run import Options, run_scenario

ROUNDS = 7
DURATION_S = 60.0
CYCLE_HZ = 20.0


class Recorded:
    """A device's registers that also keeps the requests it sees."""

    def __init__(self, registers: object, seen: list[tuple[str, int, object]]) -> None:
        self._registers = registers
        self._seen = seen

    def read(self, address: int, count: int) -> Sequence[int]:
        """Pass on and remember."""
        self._seen.append(("read", address, count))
        return self._registers.read(address, count)  # type: ignore[attr-defined, no-any-return]

    def write(self, address: int, values: Sequence[int]) -> None:
        """Pass on and remember."""
        self._seen.append(("write", address, list(values)))
        self._registers.write(address, values)  # type: ignore[attr-defined]


class Bare:
    """Registers that hold zeros."""

    _ZEROS = (0,) * 125

    def read(self, address: int, count: int) -> Sequence[int]:
        """Zeros."""
        return self._ZEROS[:count]

    def write(self, address: int, values: Sequence[int]) -> None:
        """Nothing."""


def scenario() -> hil.Scenario:
    """The flagship, long enough for its windows."""
    return hil.load("training_job", [f"duration='{DURATION_S} s'", "events=[]"])


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
    taken = interleaved(
        ROUNDS,
        {"run": lambda: run_scenario(scenario(), Options()).wall_s, "bare": lambda: asyncio.run(replay(requests))},
    )
    report(
        "lockstep",
        {
            "realtime_factor": DURATION_S / statistics.median(taken["run"]),
            "wire_ratio": median_ratio(taken["run"], taken["bare"]),
            "transactions_per_cycle": len(requests) / (DURATION_S * CYCLE_HZ),
            "bare_transactions_per_s": len(requests) / statistics.median(taken["bare"]),
        },
        ROUNDS,
    )


if __name__ == "__main__":
    main()
