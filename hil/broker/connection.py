"""One client's connection: packets are cut, each is acted on in order, and what cannot be one closes this connection only.

What is to be sent is gathered and written once for each connection when the packets at hand are done with. A client that does
not take what it is sent is not read any further.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from hil.broker import packets
from hil.broker.packets import ConnectCode, Packet, Refused, Will
from hil.broker.session import Session
from hil.mqtt.packets import MalformedPacket, next_packet

if TYPE_CHECKING:
    from hil.broker.broker import Broker

_GRACE = 1.5  # of the keep-alive, MQTT 3.1.1 section 3.1.2.10


class Connection(asyncio.Protocol):
    """A connection; it has a session from CONNECT until it ends, for whatever reason."""

    def __init__(self, broker: Broker) -> None:
        self.session: Session | None = None
        self.will: Will | None = None
        self.slow = False
        self._broker = broker
        self._transport: asyncio.Transport | None = None  # None: no more is said or heard
        self._rest = bytearray()
        self._unwritten: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._patience_s = 0.0  # 1.5 times the keep-alive; 0: for ever
        self._heard_s = 0.0

    def send(self, packet: bytes) -> None:
        """Send at the next flush of the broker."""
        if not self._unwritten:
            self._broker.unflushed.append(self)
        self._unwritten.append(packet)

    def flush(self) -> None:
        """Write what has gathered."""
        gathered = self._unwritten
        if self._transport is not None and not self._transport.is_closing():  # it may be broken, and we not told yet
            self._transport.write(gathered[0] if len(gathered) == 1 else b"".join(gathered))
        self._unwritten = []

    def close(self, *, at_once: bool = True) -> bool:
        """Hear no more, and close: at once, or after what is written has been sent. False where it was closed already."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        transport = self._transport
        if transport is None:
            return False
        if self._unwritten:
            self.flush()
        self._transport = None
        self._rest.clear()
        if at_once:
            transport.abort()
        else:
            transport.close()
        return True

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for CONNECT."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        limits = self._broker.limits
        transport.set_write_buffer_limits(high=limits.most_unsent_bytes)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(limits.connect_within_s, self._lose, "no CONNECT in time")
        self._broker.opened(self, transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Publish the will, where it was not we who closed. Whether it comes as an end or a reset is the kernel's timing."""
        self._broker.closed(self)
        self._lose("connection closed")

    def pause_writing(self) -> None:
        """Read no further."""
        self.slow = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on where `pause_writing` left off."""
        self.slow = False
        if self._transport is None:
            return
        self._transport.resume_reading()
        if self.session is not None:
            self.session.proceed()
        if self._rest:
            self.data_received(b"")
        self._broker.flush()

    def data_received(self, data: bytes) -> None:
        """Act on every complete packet."""
        try:
            self._take(data)
        except Refused as refused:
            self.send(packets.connack(refused.code))
            self._lose(str(refused))
        except MalformedPacket as problem:
            self._lose(str(problem))
        self._broker.flush()

    def _take(self, data: bytes) -> None:
        available: bytes | bytearray = data
        if self._rest:
            self._rest += data
            available = self._rest
        start = 0
        most_bytes = self._broker.limits.most_packet_bytes
        while self._transport is not None and not self.slow:
            found = next_packet(available, start, most_bytes)
            if found is None:
                break
            first, body, start = found
            self._act(first >> 4, first & 0x0F, bytes(available[body:start]))
        if self._transport is None:
            return
        if available is self._rest:
            del self._rest[:start]
        elif start < len(data):
            self._rest += data[start:]
        if start:
            self._heard_s = asyncio.get_running_loop().time()

    def _act(self, kind: int, flags: int, body: bytes) -> None:
        session = self.session
        broker = self._broker
        if session is None:
            if kind != Packet.CONNECT:
                raise MalformedPacket("the first packet is not CONNECT")
            self._connect(packets.parse_connect(flags, body))
        elif kind == Packet.PUBLISH:
            message, packet_id = packets.parse_publish(flags, body)
            if packet_id:
                self.send(packets.puback(packet_id))
            broker.route(message, retain=bool(flags & 1))
        elif kind == Packet.PUBACK:
            session.acknowledge(packets.parse_puback(flags, body))
        elif kind == Packet.PINGREQ:
            packets.parse_bare(flags, body)
            self.send(packets.PINGRESP)
        elif kind == Packet.SUBSCRIBE:
            packet_id, wanted = packets.parse_subscribe(flags, body)
            self.send(packets.suback(packet_id, [granted for _, granted in wanted]))
            broker.subscribe(session, wanted)
            broker.flush()  # much may have been retained: see whether the client takes it before it asks for more
        elif kind == Packet.UNSUBSCRIBE:
            packet_id, filters = packets.parse_unsubscribe(flags, body)
            broker.unsubscribe(session, filters)
            self.send(packets.unsuback(packet_id))
        elif kind == Packet.DISCONNECT:
            packets.parse_bare(flags, body)
            broker.leave(self)
        else:
            raise MalformedPacket("a second CONNECT" if kind == Packet.CONNECT else f"packet of type {kind}")

    def _connect(self, request: packets.Connect) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.will = request.will
        session, session_present = self._broker.connect(self, request)
        self.send(packets.connack(ConnectCode.ACCEPTED, session_present=session_present))
        session.resume(self)
        if request.keep_alive_s:
            loop = asyncio.get_running_loop()
            self._patience_s = _GRACE * request.keep_alive_s
            self._heard_s = loop.time()
            self._watch(self._heard_s + self._patience_s)

    def _watch(self, until_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_at(until_s, self._keep_alive, until_s)

    def _keep_alive(self, until_s: float) -> None:
        """One timer a connection: it is not moved with each packet, but looks again when it fires."""
        due_s = self._heard_s + self._patience_s
        if due_s > until_s:
            self._watch(due_s)
        else:
            self._lose("keep-alive exceeded")

    def _lose(self, reason: str) -> None:
        self._broker.lose(self, reason)
        self._broker.flush()
