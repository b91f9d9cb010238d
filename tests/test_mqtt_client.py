"""One client's connection to a broker: what arrives, what becomes of it when the broker or the client dies, on which clock."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
from mqtt_support import in_lockstep, mosquitto

from controllers.modbus import ModbusConnection
from firmware_sim.modbus.bank import Table
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.broker import Broker
from hil.errors import BrokerLost, LockstepStall
from hil.mqtt.address import BrokerAddress, broker_address
from hil.mqtt.client import Message, MqttPort, PortSettings, Will
from hil.mqtt.flight import Flight, matches


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def brokered():
    broker = Broker()
    address = BrokerAddress(*await broker.start("127.0.0.1", 0))
    try:
        yield broker, address
    finally:
        await broker.stop()
        await asyncio.sleep(0.01)


def test_a_message_arrives_at_the_instant_at_which_it_was_sent():
    async def main() -> None:
        seen: list[tuple[float, Message]] = []
        async with brokered() as (_, address):
            async with (
                MqttPort("to", address, subscriptions=["a/#"], received=lambda m: seen.append((now(), m))),
                MqttPort("from", address) as sender,
            ):
                await asyncio.sleep(1.0)
                assert sender.send("a/b", "0")
                await sender.publish("a/c", "1", retain=True)
                await asyncio.sleep(0.5)
            assert now() == 1.5
        assert seen == [(1.0, Message("a/b", b"0", retained=False)), (1.0, Message("a/c", b"1", retained=False))]

    in_lockstep(main)


def test_nothing_waits_for_nagle():
    """TCP_NODELAY at both ends, of Modbus too: without it every exchange waits for a delayed acknowledgement."""
    option = (socket.IPPROTO_TCP, socket.TCP_NODELAY)

    async def main() -> None:
        async with brokered() as (broker, address):
            async with MqttPort("c", address) as port:
                assert port._client is not None
                assert port._client._client.socket().getsockopt(*option)
                (transport,) = broker._open.values()
                assert transport.get_extra_info("socket").getsockopt(*option)
        server = ModbusTcpServer(Nothing())
        connection = ModbusConnection("bess.x", *await server.start("127.0.0.1", 0), unit_id=1, timeout_s=1.0)
        await connection.connect()
        await connection.read(0, 1)
        (served,) = server.connections
        assert served._transport.get_extra_info("socket").getsockopt(*option)
        assert connection._client.ctx.transport.get_extra_info("socket").getsockopt(*option)
        connection.close()
        await server.stop()
        await asyncio.sleep(0.01)

    in_lockstep(main)


class Nothing:
    """Registers that hold zeros."""

    functions = frozenset((3, 4, 6, 16))
    identity: ClassVar[dict[int, bytes]] = {}

    def read(self, table: Table, address: int, count: int) -> bytes:
        return bytes(2 * count)

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        raise AssertionError


def test_what_is_retained_says_so():
    async def main() -> None:
        seen: list[Message] = []
        async with brokered() as (_, address), MqttPort("from", address) as sender:
            await sender.publish("x", "old", retain=True)
            async with MqttPort("to", address, subscriptions=["x"], received=seen.append):
                await sender.publish("x", "new", retain=True)
                await asyncio.sleep(0.1)
        assert seen == [Message("x", b"old", retained=True), Message("x", b"new", retained=False)]

    in_lockstep(main)


def test_a_lost_broker_is_found_again_and_the_client_is_born_again():
    """Attempts at 0.1, 0.3, 0.7, 1.5, 2.5 … s after the loss, in scenario time."""

    async def main() -> None:
        births: list[float] = []
        losses: list[tuple[float, str]] = []

        async def born() -> None:
            births.append(now())

        async with brokered() as (broker, address):
            async with MqttPort("c", address, born=born, lost=lambda why: losses.append((now(), why))) as port:
                await asyncio.sleep(2.0)
                await broker.stop()
                await asyncio.sleep(1.0)
                assert not port.connected
                assert not port.send("t", "lost")
                with pytest.raises(BrokerLost, match="not connected"):
                    await port.publish("t", "lost")
                await broker.start(address.host, address.port)
                await port.wait_connected()
                assert now() == pytest.approx(3.5, abs=2e-3)
        assert births == pytest.approx([0.0, 3.5], abs=2e-3)
        assert losses == [(2.0, f"connection to {address} lost")]

    in_lockstep(main)


def test_no_broker_is_told_at_once():
    async def main() -> None:
        async with brokered() as (_, address):
            pass
        with pytest.raises(BrokerLost, match=f"no connection to {address}"):
            await MqttPort("c", address).__aenter__()
        assert now() < 0.1

    in_lockstep(main)


@pytest.mark.parametrize(("how", "willed"), [("farewell", False), ("killed", True), ("dropped", True)])
def test_the_will_is_published_unless_there_was_a_farewell(how, willed):
    async def main() -> None:
        seen: list[tuple[float, bytes]] = []
        async with brokered() as (broker, address):
            async with MqttPort("watch", address, subscriptions=["s"], received=lambda m: seen.append((now(), m.payload))):
                port = await MqttPort("c", address, will=Will("s", "gone")).__aenter__()
                await asyncio.sleep(1.0)
                if how == "killed":
                    port.kill()
                elif how == "dropped":
                    broker.drop("c")
                await port.__aexit__(None, None, None)
                await asyncio.sleep(1.0)
        assert seen == ([(1.0, b"gone")] if willed else [])

    in_lockstep(main)


def test_a_killed_client_does_not_come_back():
    async def main() -> None:
        async with brokered() as (broker, address):
            port = await MqttPort("c", address).__aenter__()
            port.kill()
            await asyncio.sleep(60.0)
            assert broker.clients == []
            await port.__aexit__(None, None, None)

    in_lockstep(main)


def test_keep_alive_runs_in_scenario_time_at_both_ends():
    """An hour of silence: the client pings in time, and never for the wall clock's sake."""

    async def main() -> None:
        losses: list[str] = []
        async with brokered() as (broker, address):
            async with MqttPort("c", address, settings=PortSettings(keepalive_s=10), lost=losses.append):
                await asyncio.sleep(3600.0)
                assert broker.clients == ["c"]
        assert losses == []

    in_lockstep(main)


def test_a_broker_that_does_not_answer_times_out_in_scenario_time():
    """It takes the bytes and says nothing: no connection after exactly the time-out."""

    async def main() -> None:
        class Silent(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                pass

        server = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0)
        address = BrokerAddress(*server.sockets[0].getsockname())
        with pytest.raises(BrokerLost, match="timed out"):
            await MqttPort("c", address, settings=PortSettings(timeout_s=0.75)).__aenter__()
        assert now() == 0.75
        server.close()
        await asyncio.sleep(0.01)

    in_lockstep(main)


def test_a_cancellation_that_meets_the_acknowledgement_is_not_lost():
    async def main() -> None:
        async with brokered() as (_, address), MqttPort("c", address) as port:

            async def work() -> None:
                for _ in range(10_000):
                    await port.publish("t", "x")

            for steps in range(40):
                task = asyncio.ensure_future(work())
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

    in_lockstep(main)


def test_addresses():
    assert broker_address("mqtt://127.0.0.1") == BrokerAddress("127.0.0.1", 1883)
    assert str(broker_address("mqtt://broker.example:8883")) == "broker.example:8883"
    for url in ("127.0.0.1", "http://h", "mqtt://", "mqtt://h/topic", "mqtt://h:99999", "mqtt://h?x=1", "mqtt://[::1"):
        with pytest.raises(ValueError, match="must be mqtt"):
            broker_address(url)
    with pytest.raises(ValueError, match="RIDETHROUGH_MQTT_PASSWORD"):
        broker_address("mqtt://me:secret@h")


def test_a_password_comes_from_the_environment_and_is_not_shown(monkeypatch):
    monkeypatch.setenv("RIDETHROUGH_MQTT_PASSWORD", "secret")
    address = broker_address("mqtt://me@h")
    assert (address.user, address.password) == ("me", "secret")
    assert "secret" not in repr(address) + str(address)
    assert broker_address("mqtt://h").password is None


@pytest.mark.parametrize(
    ("filter_", "topic", "taken"),
    [
        ("a/b", "a/b", True), ("a/+", "a/b", True), ("a/+", "a/b/c", False), ("a/#", "a", True), ("a/#", "a/b/c", True),
        ("#", "a", True), ("#", "$SYS/x", False), ("+/x", "$SYS/x", False), ("a/b", "a", False), ("+", "a", True),
        ("a/+/c", "a//c", True), ("a", "a/b", False),
    ],
)  # fmt: skip
def test_filters_match_as_the_standard_says(filter_, topic, taken):
    """MQTT 3.1.1, section 4.7."""
    assert matches(filter_, topic) is taken


class Account:
    """Holds by their reasons."""

    def __init__(self) -> None:
        self.open: list[str] = []

    def __call__(self, reason: str):
        self.open.append(reason)
        return lambda: self.open.remove(reason)


def test_a_message_is_in_flight_until_each_subscriber_has_it():
    account = Account()
    flight = Flight(account)
    flight.joins("one", ["a/#"])
    flight.joins("two", ["a/b", "c"])
    flight.published("a/b", retain=False, empty=False)
    assert account.open == ["message a/b for one at the broker", "message a/b for two at the broker"]
    flight.delivered("one", "a/b")
    flight.delivered("one", "a/b")  # a duplicate is nobody's business
    assert account.open == ["message a/b for two at the broker"]
    flight.leaves("two")
    assert account.open == []


def test_what_is_retained_is_in_flight_to_who_subscribes():
    account = Account()
    flight = Flight(account)
    flight.published("a", retain=True, empty=False)
    flight.published("b", retain=True, empty=False)
    flight.published("b", retain=True, empty=True)
    assert account.open == []
    flight.joins("one", ["#"])
    assert account.open == ["message a for one at the broker"]


@pytest.mark.peer("mosquitto")
def test_a_broker_in_another_process_holds_the_clock_until_it_has_delivered(tmp_path):
    async def main() -> None:
        loop = asyncio.get_running_loop()
        flight = Flight(loop.hold_open)
        address = broker_address(server.url)
        for _ in range(50):
            seen: list[float] = []
            async with (
                MqttPort("to", address, subscriptions=["t"], received=lambda _, seen=seen: seen.append(now()), flight=flight),
                MqttPort("from", address, flight=flight) as sender,
            ):
                began = now()
                sender.send("t", "x")
                await sender.publish("t", "y")
                await asyncio.sleep(0.001)
                assert seen == [began, began]

    with mosquitto(tmp_path) as server:
        in_lockstep(main)


@pytest.mark.peer("mosquitto")
def test_a_broker_that_hangs_in_another_process_ends_the_run_by_name(tmp_path):
    async def main() -> None:
        flight = Flight(asyncio.get_running_loop().hold_open)
        async with MqttPort("c", broker_address(server.url), flight=flight) as port:
            server.freeze()
            try:
                await port.publish("t", "x")
            finally:
                server.thaw()

    with mosquitto(tmp_path) as server, pytest.raises(LockstepStall, match="acknowledgement of t for c"):
        in_lockstep(main, patience_s=0.3)
