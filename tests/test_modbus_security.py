"""Modbus/TCP Security with real certificates: who is let in, and what a role may do."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from unittest.mock import Mock

import pytest
from certificates import Certificates, closed
from modbus_support import Bank, Client, frame, read, read_write, write_one
from pymodbus.client import AsyncModbusTlsClient

from firmware_sim.modbus.security import Rights, Security, role_of
from firmware_sim.modbus.tcp import SECURE_PORT, ModbusTcpServer
from hil.clock.lockstep import LockstepLoop

ROLES = {"Operator": Rights(write=True), "Viewer": Rights(), "Blind": Rights(read=False, write=True), None: Rights()}
pytestmark = pytest.mark.peer("openssl")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def in_lockstep(certificates, talk, roles=ROLES) -> None:
    async def main() -> None:
        server = ModbusTcpServer(Bank(), tls=Security(*certificates("server"), certificates("authority")[0], roles))
        address = await server.start("127.0.0.1", 0)
        try:
            await asyncio.wait_for(talk(server, address), 60)
        finally:
            await server.stop()

    with asyncio.Runner(loop_factory=lambda: LockstepLoop(Mock(tick=0, period_ns=1_000_000))) as runner:
        runner.run(main())


def context(certificates, *own: Path) -> ssl.SSLContext:
    """A client's."""
    made = ssl.create_default_context(cafile=certificates("authority")[0])
    if own:
        made.load_cert_chain(*own)
    return made


@pytest.mark.parametrize(("role", "answers"), [
    ("UTF8String:Operator", "03 06 17"),
    ("UTF8String:Viewer", "03 86 97"),
    ("UTF8String:Blind", "83 06 97"),
    ("UTF8String:Nobody", "83 86 97"),
    ("IA5String:Operator", "03 86 97"),  # no role, as it is no UTF8String
    ("", "03 86 97"),
])  # fmt: skip
def test_what_a_role_may_do(certificates, role, answers):
    """Reading, writing, and both at once; what is refused is refused with exception 01, and told."""

    async def talk(server, address) -> None:
        own = certificates("client" + role.replace(":", ""), role)
        streams = await asyncio.open_connection(*address, ssl=context(certificates, *own))
        heard = []
        server.refused = lambda request, fault: heard.append((request[0], int(fault.code)))
        client = Client(server, streams)
        client.send(frame(1, read(1, 1)), frame(2, write_one(1, 1)), frame(3, read_write(1, 1, 1, [1])))
        replies = [(await client.reply())[2] for _ in range(3)]
        assert bytes(reply[0] for reply in replies).hex(" ") == answers
        refused = [reply for reply in replies if reply[0] & 0x80]
        assert all(reply[1] == 1 for reply in refused)
        assert heard == [(reply[0] & 0x7F, 1) for reply in refused]
        client.writer.close()
        await client.writer.wait_closed()

    in_lockstep(certificates, talk)


async def said(server, address, wanted) -> None:
    """In TLS 1.3 a client learns after its handshake what became of it."""
    client = Client(server, await asyncio.open_connection(*address, ssl=wanted))
    try:
        client.send(frame(1, write_one(7, 70)))
        await client.reply()
    finally:
        client.writer.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("stranger", ["no certificate", "another authority's"])
def test_strangers_stay_outside(certificates, stranger, version):
    async def talk(server, address) -> None:
        own = certificates("stranger", "UTF8String:Operator", "other_authority") if "another" in stranger else ()
        wanted = context(certificates, *own)
        wanted.maximum_version = version
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await said(server, address, wanted)
        assert not server.connections
        assert server.requests == 0

    in_lockstep(certificates, talk)


def test_the_port_and_the_version(certificates):
    security = Security(*certificates("server"), certificates("authority")[0], ROLES)
    assert security.context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert security.context().verify_mode == ssl.CERT_REQUIRED
    assert SECURE_PORT == 802
    with pytest.raises(OSError):
        Security(certificates("server")[0], certificates("authority")[1], certificates("authority")[0], ROLES).context()


def test_a_client_that_never_begins_does_not_hold_up_the_end(certificates):
    async def talk(server, address) -> None:
        reader, writer = await asyncio.open_connection(*address)
        await asyncio.sleep(0.1)
        await server.stop()
        assert await reader.read() == b""  # at the latest when the time for its handshake is over
        writer.close()

    in_lockstep(certificates, talk)


@pytest.mark.realtime
def test_pymodbus_over_tls(certificates):
    async def main() -> None:
        server = ModbusTcpServer(Bank(), tls=Security(*certificates("server"), certificates("authority")[0], ROLES))
        host, port = await server.start("127.0.0.1", 0)
        client = AsyncModbusTlsClient(
            host, port=port, sslctx=context(certificates, *certificates("pymodbus", "UTF8String:Viewer")), timeout=10
        )
        assert await client.connect()
        assert (await client.read_holding_registers(5, count=2)).registers == [5, 6]
        assert (await client.write_register(5, 1)).exception_code == 1
        await closed(client)
        await server.stop()

    asyncio.run(main())


def der(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    length = bytes((len(content),)) if len(content) < 0x80 else b"\x82" + len(content).to_bytes(2, "big")
    return bytes((tag,)) + length + content


def certificate(*extensions: bytes) -> bytes:
    """As much of one as has to do with extensions."""
    listed = der(0xA3, der(0x30, *extensions))
    return der(0x30, der(0x30, der(0x02, b"\x01" * 200), listed), der(0x30), der(0x03, b"\0"))


def extension(name: bytes, value: bytes, *, critical: bool = False) -> bytes:
    return der(0x30, der(0x06, name), der(0x01, b"\xff") if critical else b"", der(0x04, value))


OID = bytes.fromhex("2b0601040183890c862201")
OTHER = extension(b"\x55\x1d\x0f", der(0x03, b"\0"), critical=True)


@pytest.mark.parametrize(("extensions", "role"), [
    ((), None),
    ((OTHER,), None),
    ((OTHER, extension(OID, der(0x0C, b"Operator"))), "Operator"),
    ((extension(OID, der(0x0C, "Wärter".encode()), critical=True), OTHER), "Wärter"),
    ((extension(OID, der(0x0C, b"First")), extension(OID, der(0x0C, b"Second"))), "First"),
    ((extension(OID, der(0x0C, b"r" * 300)),), "r" * 300),
    ((extension(OID, der(0x0C, b"\xff")),), None),  # no UTF-8
    ((extension(OID, der(0x0C, b"a") + der(0x0C, b"b")),), None),
    ((extension(OID, b"\x0c\x09abc"),), None),
    ((extension(OID, b"\x0c"),), None),
])  # fmt: skip
def test_the_role_in_a_certificate(extensions, role):
    assert role_of(certificate(*extensions)) == role


@pytest.mark.parametrize("size", [0, 1, 5, 100])
def test_what_is_no_certificate(size):
    with pytest.raises(ValueError):
        role_of(certificate(OTHER)[:size])
