"""The virtual clock: what happens depends on scenario time alone."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import pytest

import hil
from controllers import StorageDevice, Supervisor
from controllers.modbus import ModbusConnection
from hil.clock.lockstep import LockstepLoop
from hil.clock.participants import acting_as
from hil.errors import DeviceLost, DeviceTimeout, LockstepStall
from hil.session.run import Options, run_scenario

SHORT = ["duration='12 s'", "events=[]", "load.start='0 s'", "load.start_ramp='0 s'"]


class Clockwork:
    """A plant that only counts, and remembers every jump."""

    def __init__(self, period_ns: int = 1_000_000) -> None:
        self.tick = 0
        self.period_ns = period_ns
        self.jumps: list[int] = []

    def advance(self, until_tick: int) -> None:
        assert until_tick > self.tick
        self.tick = until_tick
        self.jumps.append(until_tick)


def in_lockstep(main: Callable[[], Awaitable[None]], **options: float) -> Clockwork:
    plant = Clockwork()
    with asyncio.Runner(loop_factory=lambda: LockstepLoop(plant, **options)) as runner:
        runner.run(main())
    return plant


def now() -> float:
    return asyncio.get_running_loop().time()


def test_sleep_rounds_up_to_a_tick_and_costs_no_wall_time():
    async def main() -> None:
        await asyncio.sleep(0.0101)
        assert now() == 0.011
        await asyncio.sleep(3600.0)
        assert now() == 3600.011

    began = time.monotonic()
    in_lockstep(main)
    assert time.monotonic() - began < 60.0  # an hour of scenario time


def test_one_instant_releases_one_participant_at_a_time_in_order():
    order: list[str] = []

    async def worker(name: str) -> None:
        await asyncio.sleep(0.5)
        order.append(f"{name} wakes")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        await reader.read(1)  # a round trip over a socket, which no other wake-up may overtake
        order.append(f"{name} done")
        writer.close()
        await writer.wait_closed()

    port = 0

    async def main() -> None:
        nonlocal port

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(1))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        tasks = []
        for rank, name in ((3, "c"), (1, "a"), (2, "b")):  # created in another order than their rank
            with acting_as(rank, name):
                tasks.append(asyncio.create_task(worker(name)))
        await asyncio.gather(*tasks)
        server.close()
        await server.wait_closed()

    in_lockstep(main)
    assert order == [f"{name} {what}" for name in "abc" for what in ("wakes", "done")]


def test_cancelled_timers_move_nothing():
    async def main() -> None:
        handle = asyncio.get_running_loop().call_later(5.0, lambda: None)
        handle.cancel()
        await asyncio.sleep(1.0)

    assert in_lockstep(main).jumps == [1000]


def test_a_signal_is_noticed_between_jumps():
    """With no socket to watch, the loop asks the outside only now and then; it does ask."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LockstepLoop)
        woken = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, woken.set)
        await asyncio.sleep(1.0)
        jumps = loop.jumps
        signal.raise_signal(signal.SIGUSR1)
        while not woken.is_set():
            await asyncio.sleep(0.001)
        assert loop.jumps - jumps <= 32
        loop.remove_signal_handler(signal.SIGUSR1)

    in_lockstep(main)


def test_executor_jobs_hold_the_clock():
    async def main() -> None:
        async def background() -> None:
            while True:
                await asyncio.sleep(0.001)

        task = asyncio.create_task(background())
        await asyncio.to_thread(time.sleep, 0.05)
        assert now() == 0.0
        task.cancel()

    in_lockstep(main)


def test_hold_names_itself_when_nothing_comes():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LockstepLoop)
        with loop.hold("an answer from the bench"):
            await asyncio.sleep(1.0)

    with pytest.raises(LockstepStall, match="an answer from the bench"):
        in_lockstep(main, patience_s=0.2)


def test_a_reader_that_is_watched_and_takes_nothing_is_named():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LockstepLoop)
        listener = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.0)
        client = writer.get_extra_info("socket")._sock
        client.ends[1].sent(5)  # as if five bytes had been sent and the network had swallowed them
        try:
            await asyncio.sleep(1.0)
        finally:
            writer.close()
            listener.close()
            await asyncio.sleep(0.01)  # after a stall the loop still runs, so that one can clean up

    with pytest.raises(LockstepStall, match=r"5 bytes for 127\.0\.0\.1:\d+ from 127\.0\.0\.1:\d+"):
        in_lockstep(main, patience_s=0.2)


def test_a_paused_reader_does_not_hold_the_clock():
    """A hung device: its bytes wait in the kernel, and the client's time-out fires in scenario time."""

    async def main() -> None:
        hung: list[asyncio.Transport] = []

        class Hung(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport)
                transport.pause_reading()
                hung.append(transport)

        server = await asyncio.get_running_loop().create_server(Hung, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.25)
        assert now() == 0.25
        hung[0].abort()
        writer.close()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)

    in_lockstep(main)


def test_third_party_time_out_and_reconnect_run_in_scenario_time():
    """pymodbus against a silent server, then against none, then against one that is back."""

    async def main() -> None:
        class Silent(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                pass

        loop = asyncio.get_running_loop()
        server = await loop.create_server(Silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = ModbusConnection("bess.x", "127.0.0.1", port, unit_id=1, timeout_s=0.2)
        await connection.connect()
        await asyncio.sleep(10.0)
        with pytest.raises(DeviceTimeout):
            await connection.read(0, 2)
        assert now() == pytest.approx(10.2, abs=1e-9)
        connection.close()
        server.close()
        await server.wait_closed()
        lost = ModbusConnection("bess.x", "127.0.0.1", port, unit_id=1, timeout_s=0.2)
        with pytest.raises(DeviceLost):
            await lost.connect()
        lost.close()
        await asyncio.sleep(0.01)  # closes finish

    in_lockstep(main)


def test_large_transfers_survive_back_pressure():
    """More than the socket buffers hold, through flow control, is accounted for to the last byte."""
    total = 8_000_000

    async def main() -> None:
        received = 0
        done = asyncio.Event()

        async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal received
            while data := await reader.read(65_536):
                received += len(data)
                await asyncio.sleep(0.001)
            done.set()
            writer.close()

        server = await asyncio.start_server(sink, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        writer.write(b"x" * total)
        writer.write_eof()
        await done.wait()
        assert received == total
        writer.close()
        server.close()
        await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LockstepLoop)
        assert loop.ledger.waiting_for() == []

    in_lockstep(main)


def test_two_runs_have_one_hash():
    scenario = hil.load("training_job", SHORT)
    assert hil.run(scenario).waveform_hash == hil.run(scenario).waveform_hash


def test_another_seed_has_another_hash():
    first, second = (hil.run(hil.load("training_job", [*SHORT, f"seed={seed}"])).waveform_hash for seed in (1, 2))
    assert first != second


def test_hash_is_the_same_with_all_cores_busy():
    scenario = hil.load("training_job", SHORT)
    quiet = hil.run(scenario).waveform_hash
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        assert hil.run(scenario).waveform_hash == quiet
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


class ThinksInAThread(Supervisor):
    """Hands its decision to a worker thread, as an optimiser would; how long that takes is the machine's affair."""

    async def run(self, device: StorageDevice) -> None:
        chance = random.Random()  # wall-clock effort differs from run to run on purpose
        async for _ in self.every(0.1):
            battery = await device.read()
            await asyncio.to_thread(time.sleep, chance.uniform(0.0005, 0.003))
            await device.set_active_power((battery.soc - 0.2) * 1e6 + 1e5 * (now() % 1.0))


def test_without_accounting_hashes_differ():
    """The same code with the account of what is in flight switched off: scenario time runs away from the worker thread."""
    # Without the ramp of the set-point every decision shows in the waveform, so that no two runs can agree by luck.
    scenario = hil.load("training_job", [*SHORT, "duration='6 s'", "bess.main.setpoint_ramp='1 GW/s'"])

    def waveform(accounting: bool) -> str:
        return run_scenario(
            scenario, Options(supervisors={"bess.main": ThinksInAThread()}, accounting=accounting)
        ).waveform_hash

    accounted = {waveform(accounting=True) for _ in range(3)}
    assert len(accounted) == 1
    naive = {waveform(accounting=False) for _ in range(3)}
    assert not naive & accounted
