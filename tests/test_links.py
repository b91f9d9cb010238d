"""Links: exact times through real sockets in lock-step."""

from __future__ import annotations

import asyncio
import math
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

import pytest
from link_rig import LATENCY, Far, frame, through
from test_lockstep import in_lockstep, now

from controllers.modbus import ModbusConnection
from firmware_sim.modbus.bank import Table
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.clock.participants import acting_as, current
from hil.errors import DeviceLost, DeviceTimeout
from hil.links import Link, LinkModel


class Bank:
    """Registers that hold their address."""

    functions = frozenset((3, 4, 6, 16))
    identity: ClassVar[dict[int, bytes]] = {}

    def __init__(self) -> None:
        self.written: list[tuple[float, int]] = []

    def read(self, table: Table, address: int, count: int) -> bytes:
        return struct.pack(f">{count}H", *range(address, address + count))

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        self.written.append((now(), values[0]))


# Through our server and the driver's client.


def modbus(model: LinkModel, talk: Callable[[Link, ModbusConnection, Bank], Awaitable[None]]) -> Link:
    links: list[Link] = []

    async def main() -> None:
        bank = Bank()
        server = ModbusTcpServer(bank)
        async with Link(model, *await server.start("127.0.0.1", 0), "modbus_tcp") as link:
            links.append(link)
            connection = ModbusConnection("bess.x", *link.address, unit_id=1, timeout_s=0.25)
            await connection.connect()
            await talk(link, connection, bank)
            connection.close()
        await server.stop()
        await asyncio.sleep(0.01)

    in_lockstep(main)
    return links[0]


@pytest.mark.parametrize("latency_s", [0.0, 0.001, 0.015, 0.12])
def test_a_read_takes_twice_the_latency(latency_s):
    async def talk(link: Link, connection: ModbusConnection, bank: Bank) -> None:
        assert now() == 0.0  # connecting is free
        for count in range(1, 4):
            assert await connection.read(10, 2) == [10, 11]
            assert now() == pytest.approx(count * 2 * latency_s, abs=1e-12)
        await connection.write(5, [77])
        assert bank.written == [(pytest.approx(7 * latency_s, abs=1e-12), 77)]

    link = modbus(LinkModel(latency_s), talk)
    assert (link.to_device.messages, link.to_controller.messages, link.connections) == (4, 4, 1)
    assert link.to_device.largest_delay_s == pytest.approx(latency_s, abs=1e-12)
    assert link.to_device.retransmissions == 0


def test_a_zero_link_moves_no_time_and_makes_no_timer():
    async def talk(link: Link, connection: ModbusConnection, bank: Bank) -> None:
        loop = asyncio.get_running_loop()
        made = []
        call_at = loop.call_at
        loop.call_at = lambda when, callback, *args, **more: (  # type: ignore[method-assign]
            made.append(callback) or call_at(when, callback, *args, **more)
        )
        for _ in range(20):
            await connection.read(0, 10)
        del loop.call_at
        assert now() == 0.0
        assert not [callback for callback in made if "Flow" in callback.__qualname__]

    link = modbus(LinkModel(), talk)
    assert (link.to_device.messages, link.to_device.largest_delay_s) == (20, 0.0)


def test_between_ticks_a_message_waits_for_the_next():
    async def talk(link: Link, connection: ModbusConnection, bank: Bank) -> None:
        await connection.read(0, 1)
        assert now() == pytest.approx(0.004, abs=1e-12)

    modbus(LinkModel(0.0014), talk)


def test_the_clients_time_out_fires_at_its_exact_time_while_cut():
    async def talk(link: Link, connection: ModbusConnection, bank: Bank) -> None:
        await asyncio.sleep(1.0)
        link.cut()
        assert link.silent
        with pytest.raises(DeviceTimeout):
            await connection.read(0, 2)
        assert now() == pytest.approx(1.25, abs=1e-12)
        with pytest.raises(DeviceTimeout):
            await connection.write(0, [1])
        assert bank.written == []
        await asyncio.sleep(0.5)
        link.mend()
        assert not link.silent
        await asyncio.sleep(0.1)
        assert bank.written == [(pytest.approx(2.0 + LATENCY, abs=1e-12), 1)]  # TCP keeps what it could not deliver
        before = now()
        assert await connection.read(0, 2) == [0, 1]
        assert now() - before == pytest.approx(2 * LATENCY, abs=1e-12)

    modbus(LinkModel(LATENCY), talk)


def test_a_connection_made_while_cut_goes_through_when_mended():
    async def talk(link: Link, connection: ModbusConnection, bank: Bank) -> None:
        link.cut()
        other = ModbusConnection("bess.y", *link.address, unit_id=1, timeout_s=5.0)
        await other.connect()
        asyncio.get_running_loop().call_later(2.0, link.mend)
        await other.read(0, 1)
        assert now() == pytest.approx(2.0 + 2 * LATENCY, abs=1e-12)
        other.close()

    assert modbus(LinkModel(LATENCY), talk).connections == 2


def test_a_device_that_stops_and_comes_back_behind_a_link():
    async def main() -> None:
        server = ModbusTcpServer(Bank())
        address = await server.start("127.0.0.1", 0)
        async with Link(LinkModel(LATENCY), *address, "modbus_tcp") as link:
            connection = ModbusConnection("bess.x", *link.address, unit_id=1, timeout_s=0.25)
            await connection.connect()
            await connection.read(0, 1)
            await server.stop()
            await asyncio.sleep(2.0)
            with pytest.raises(DeviceLost):
                await connection.read(0, 1)
            await server.start(*address)
            await asyncio.sleep(2.0)
            assert await connection.read(3, 1) == [3]  # pymodbus has connected again by itself
            connection.close()
        await server.stop()
        await asyncio.sleep(0.01)

    in_lockstep(main)


@pytest.mark.parametrize("reached", [True, False])
def test_stop_ends_what_is_under_way(reached):
    """Also the opening of a connection that has not gone on to the device yet."""

    async def main() -> None:
        server = ModbusTcpServer(Bank())
        link = Link(LinkModel(1.0), *await server.start("127.0.0.1", 0), "modbus_tcp")
        address = await link.start()
        if not reached:
            link.cut()
        _, client = await asyncio.get_running_loop().create_connection(lambda: Far([]), *address)
        client.transport.write(frame(1))
        await asyncio.sleep(0.5)
        await link.stop()
        assert now() == 0.5
        await asyncio.sleep(0.01)
        assert client.ended == [(0.5, "eof")]
        assert len(server.connections) == 0
        await link.stop()  # and again is no harm
        client.transport.abort()
        await server.stop()
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    in_lockstep(main)


def test_stop_at_the_instant_of_a_connect():
    async def main() -> None:
        for turns in range(8):
            link = Link(LinkModel(), "127.0.0.1", 1, "modbus_tcp")
            address = await link.start()
            connecting = asyncio.ensure_future(asyncio.open_connection(*address))
            for _ in range(turns):
                await asyncio.sleep(0)
            await asyncio.wait_for(link.stop(), 1.0)
            try:
                _, writer = await connecting
            except OSError:
                continue
            writer.close()
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    in_lockstep(main)


def test_wake_ups_of_a_link_belong_to_who_started_it_whoever_mends_it():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ends: list[Far] = []
        server = await loop.create_server(lambda: Far(ends, echo=True), "127.0.0.1", 0)
        link = Link(LinkModel(LATENCY), *server.sockets[0].getsockname(), "stream")
        with acting_as(3, "link.x"):
            await link.start()
        with acting_as(7, "supervisor.x"):
            _, client = await loop.create_connection(lambda: Far([]), *link.address)
        client.transport.write(b"a")
        await asyncio.sleep(0.1)
        link.cut()
        client.transport.write(b"b")
        await asyncio.sleep(0.1)
        with acting_as(1, "events"):
            link.mend()
        timers = [handle._context[current] for *_, handle in loop._timers if not handle.cancelled()]
        assert [timer.name for timer in timers] == ["link.x"]
        await asyncio.sleep(0.1)
        assert client.bytes == b"ab"
        await link.stop()
        client.transport.abort()
        ends[0].transport.abort()
        server.close()
        await asyncio.sleep(0.01)

    in_lockstep(main)


# Byte by byte.


def test_what_is_due_together_goes_out_in_one_write():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        client.transport.write(frame(1) + frame(2) + frame(3)[:4])
        await asyncio.sleep(0.005)
        client.transport.write(frame(3)[4:])
        await asyncio.sleep(0.1)
        assert ends[0].heard == [
            (pytest.approx(0.015, abs=1e-12), frame(1) + frame(2)),
            (pytest.approx(0.020, abs=1e-12), frame(3)),
        ]

    assert through(LinkModel(LATENCY), talk).to_device.messages == 3


def arrivals(model: LinkModel, sends: Sequence[tuple[float, bytes]], *, piece: int = 10_000) -> list[tuple[int, float]]:
    """(transaction, when its last byte arrived) for frames sent at set times, cut into pieces."""
    came: list[tuple[int, float]] = []

    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        for at_s, data in sends:
            await asyncio.sleep(at_s - now())
            for start in range(0, len(data), piece):
                client.transport.write(data[start : start + piece])
                await asyncio.sleep(0)
        await asyncio.sleep(60.0)
        stream = b""
        for at_s, data in ends[0].heard:
            stream += data
            while len(stream) >= 8:
                came.append((struct.unpack_from(">H", stream)[0], at_s))
                stream = stream[8:]

    through(model, talk)
    return came


def test_order_is_kept_and_a_message_waits_for_those_ahead():
    model = LinkModel(0.010, 0.010, loss=0.1, seed=3, name="x")
    sends = [(0.002 * n, frame(n)) for n in range(200)]
    came = arrivals(model, sends)
    assert [tid for tid, _ in came] == list(range(200))
    release_s = 0.0
    overtaken = 0
    for (tid, at_s), (sent_s, _) in zip(came, sends, strict=True):
        own_s = sent_s + model.delay("to_device", 0, tid).seconds
        overtaken += own_s < release_s
        release_s = max(release_s, own_s)
        assert at_s == pytest.approx(math.ceil(release_s * 1000 - 1e-6) / 1000, abs=1e-9)
    assert overtaken > 50


@pytest.mark.parametrize("piece", [1, 3, 8, 13])
def test_segmentation_changes_nothing(piece):
    model = LinkModel(0.050, 0.050, loss=0.2, seed=1)
    sends = [(0.5 * burst, b"".join(frame(10 * burst + n) for n in range(10))) for burst in range(3)]
    assert arrivals(model, sends, piece=piece) == arrivals(model, sends)


def test_a_delay_is_the_same_whenever_the_message_is_sent():
    model = LinkModel(0.050, 0.050, seed=1)
    early, late = (arrivals(model, [(at_s + n, frame(n)) for n in range(5)]) for at_s in (0.0, 7.0))
    assert [at_s + 7.0 for _, at_s in early] == pytest.approx([at_s for _, at_s in late], abs=1e-9)


def test_connections_and_directions_draw_apart():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        _, other = await asyncio.get_running_loop().create_connection(lambda: Far([]), *link.address)
        for one in (client, other):
            one.transport.write(frame(1))
        await asyncio.sleep(1.0)
        for number, one in enumerate((client, other)):
            there, back = (link.model.delay(way, number, 0).seconds for way in ("to_device", "to_controller"))
            assert ends[number].heard[0][0] == pytest.approx(there, abs=0.001)
            assert one.heard[0][0] == pytest.approx(there + back, abs=0.002)
        assert abs(ends[0].heard[0][0] - ends[1].heard[0][0]) > 0.002
        other.transport.abort()

    through(LinkModel(0.1, 0.1, seed=5), talk, echo=True)


def test_mqtt_packets_are_messages():
    publish = bytes((0x30, 0x05, 0, 1)) + b"a12"

    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        client.transport.write(publish * 2 + publish[:3])
        await asyncio.sleep(0.1)
        assert ends[0].bytes == publish * 2
        client.transport.write(publish[3:])
        await asyncio.sleep(0.1)
        assert ends[0].bytes == publish * 3

    assert through(LinkModel(LATENCY), talk, protocol="mqtt").to_device.messages == 3


def test_what_is_no_frame_is_carried_as_it_comes():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        client.transport.write(frame(1) + b"GET / HTTP/1.1\r\n")
        await asyncio.sleep(0.1)
        assert ends[0].heard == [(pytest.approx(LATENCY, abs=1e-12), frame(1) + b"GET / HTTP/1.1\r\n")]
        client.transport.write(frame(2)[:3])
        await asyncio.sleep(0.1)
        assert ends[0].heard[1] == (pytest.approx(0.115, abs=1e-12), frame(2)[:3])

    through(LinkModel(LATENCY), talk)


@pytest.mark.realtime
def test_on_a_wall_clock_a_round_trip_takes_no_less():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        await asyncio.sleep(0.05)
        began = time.monotonic()
        client.transport.write(frame(1))
        while not client.heard:
            await asyncio.sleep(0.005)
        assert time.monotonic() - began >= 0.098
        link.cut()
        client.transport.write(frame(2))
        await asyncio.sleep(0.2)
        assert client.bytes == frame(1)
        link.mend()
        while client.bytes != frame(1) + frame(2):
            await asyncio.sleep(0.005)
        assert time.monotonic() - began >= 0.396

    link = through(LinkModel(0.050), talk, echo=True, on=lambda main: asyncio.run(main()))
    assert link.to_device.messages == link.to_controller.messages == 2
    assert link.to_device.largest_delay_s >= 0.24


def test_a_retransmission_holds_up_its_own_connection_alone():
    model = LinkModel(LATENCY, loss=0.5, seed=2)
    lost = [model.delay("to_device", number, 0).retransmissions for number in range(20)]
    assert 0 in lost
    assert max(lost) > 1

    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        loop = asyncio.get_running_loop()
        clients = [client, *[(await loop.create_connection(lambda: Far([]), *link.address))[1] for _ in range(19)]]
        for number, one in enumerate(clients):
            one.transport.write(frame(number))
        await asyncio.sleep(60.0)
        for number in range(20):
            waited_s = 0.2 * (2 ** lost[number] - 1)
            assert ends[number].heard == [(pytest.approx(LATENCY + waited_s, abs=1e-9), frame(number))]
        for one in clients[1:]:
            one.transport.abort()

    assert through(model, talk).to_device.retransmissions == sum(lost)
