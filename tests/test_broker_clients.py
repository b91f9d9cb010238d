"""Clients that others wrote, against our broker: mosquitto's, and aiomqtt."""

from __future__ import annotations

import asyncio
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable

import aiomqtt
import pytest

from hil.broker import Broker

NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def served(talk: Callable[[Broker, int], Awaitable[None]], **options: object) -> None:
    async def main() -> None:
        broker = Broker(**options)
        _, port = await broker.start("127.0.0.1", 0)
        try:
            async with asyncio.timeout(60):
                await talk(broker, port)
        finally:
            await broker.stop()

    asyncio.run(main())


async def program(name: str, port: int, *arguments: str) -> Process:
    command = (name, "-h", "127.0.0.1", "-p", str(port), *arguments)
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)


async def connected(broker: Broker, *names: str) -> None:
    while not set(names) <= set(broker.clients):
        await asyncio.sleep(0.005)


@pytest.mark.peer("mosquitto_sub")
@pytest.mark.peer("mosquitto_pub")
@pytest.mark.parametrize("qos", ["0", "1"])
def test_mosquittos_clients_pass_lines_and_are_greeted_by_what_is_retained(qos):
    async def talk(broker: Broker, port: int) -> None:
        first = await program("mosquitto_pub", port, "-t", "a/b", "-q", qos, "-r", "-m", "kept")
        assert await first.communicate() == (b"", b"")
        reader = await program("mosquitto_sub", port, "-i", "reader", "-t", "a/#", "-q", qos, "-C", "101", "-F", "%r %q %t %p")
        assert await reader.stdout.readline() == f"1 {qos} a/b kept\n".encode()  # subscribed, then
        writer = await program("mosquitto_pub", port, "-t", "a/c", "-q", qos, "-l")
        assert await writer.communicate("".join(f"{number}\n" for number in range(100)).encode()) == (b"", b"")
        out, err = await reader.communicate()
        assert err == b""
        assert out.decode().splitlines() == [f"0 {qos} a/c {number}" for number in range(100)]
        assert (first.returncode, writer.returncode, reader.returncode) == (0, 0, 0)

    served(talk)


@pytest.mark.peer("mosquitto_sub")
def test_mosquittos_client_comes_back_to_its_session_and_its_will_is_published_when_it_is_killed():
    async def talk(broker: Broker, port: int) -> None:
        lasting = ("-i", "reader", "-c", "-q", "1", "-t", "t", "-t", "status")
        reader = await program("mosquitto_sub", port, *lasting, "-E")  # subscribes and leaves
        assert (await reader.communicate())[1] == b""
        will = ("--will-topic", "status", "--will-payload", "offline", "--will-qos", "1", "--will-retain")
        mortal = await program("mosquitto_sub", port, "-i", "mortal", "-t", "x", *will)
        await connected(broker, "mortal")
        mortal.kill()
        await mortal.communicate()
        writer = await program("mosquitto_pub", port, "-t", "t", "-q", "1", "-m", "queued")
        await writer.communicate()
        reader = await program("mosquitto_sub", port, *lasting, "-C", "2", "-F", "%t %p")
        out, _ = await reader.communicate()
        assert sorted(out.decode().splitlines()) == ["status offline", "t queued"]
        assert not broker.clients

    served(talk)


@pytest.mark.peer("mosquitto_pub")
@pytest.mark.parametrize("version", ["31", "5"])
def test_mosquittos_client_of_another_version_is_told(version):
    async def talk(broker: Broker, port: int) -> None:
        writer = await program("mosquitto_pub", port, "-V", f"mqttv{version}", "-t", "t", "-m", "x")
        _, err = await writer.communicate()
        assert writer.returncode != 0
        assert b"protocol" in err.lower() or b"Error" in err, err

    served(talk)


def test_aiomqtt_publishes_subscribes_and_reads_wills():
    async def talk(broker: Broker, port: int) -> None:
        async with aiomqtt.Client("127.0.0.1", port, identifier="reader") as reader:
            await reader.subscribe([("status/#", 1), ("t/+", 0)])
            will = aiomqtt.Will("status/device", b"offline", qos=1, retain=True)
            device = aiomqtt.Client("127.0.0.1", port, identifier="device", will=will, keepalive=5, socket_options=[NO_DELAY])
            await device.__aenter__()
            await device.publish("status/device", b"online", qos=1, retain=True)
            for number in range(50):
                await device.publish("t/x", b"%d" % number, qos=number % 2)
            broker.drop("device")
            with pytest.raises(aiomqtt.MqttError):
                await anext(device.messages)
            got = []
            async for message in reader.messages:
                got.append((str(message.topic), message.payload, message.qos))
                if len(got) == 52:
                    break
        numbers = [("t/x", b"%d" % number, 0) for number in range(50)]
        assert got == [("status/device", b"online", 1), *numbers, ("status/device", b"offline", 1)]

    served(talk)


def test_aiomqtt_comes_back_to_its_session_when_the_broker_was_dead():
    async def talk(broker: Broker, port: int) -> None:
        reader = aiomqtt.Client("127.0.0.1", port, identifier="reader", clean_session=False)
        async with reader:
            await reader.subscribe("t", qos=1)
        async with aiomqtt.Client("127.0.0.1", port, identifier="writer") as writer:
            await writer.publish("t", b"queued", qos=1)
        await broker.stop()
        with pytest.raises(aiomqtt.MqttError):
            await reader.__aenter__()
        await broker.start("127.0.0.1", port)
        async with reader:
            message = await anext(reader.messages)
        assert (message.payload, message.retain) == (b"queued", False)

    served(talk)
