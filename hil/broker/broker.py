"""The broker: who is connected, who subscribed to what, what is retained, and the one way that messages take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from hil.broker.connection import Connection
from hil.broker.packets import Connect, Message, Will
from hil.broker.session import Counts, Limits, Session
from hil.broker.topics import Retained, Subscriptions


class Broker:
    """An MQTT 3.1.1 broker for tests and demonstrations.

    event: hears `client_connected` (client, session_present), `client_disconnected` (client), `client_lost` (client, reason),
    `client_taken_over` (client) and `client_refused` (reason), as name and details.
    counts: messages so far.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        event: Callable[[str, Mapping[str, object]], None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.counts = Counts()
        self.unflushed: list[Connection] = []
        self._event = event or (lambda _name, _details: None)
        self._server: asyncio.Server | None = None
        self._open: dict[Connection, asyncio.Transport] = {}  # until asyncio says that it is closed
        self._clients: dict[str, Connection] = {}
        self._sessions: dict[str, Session] = {}
        self._subscriptions: Subscriptions[Session] = Subscriptions()
        self._retained: Retained[Message] = Retained()
        self._deferred: list[Will] = []
        self._invented = 0

    @property
    def clients(self) -> list[str]:
        """Identifiers of the connected clients, the longest connected first."""
        return list(self._clients)

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; returns the address. Raises OSError where the port is taken.

        Retained messages and lasting sessions are those of before. Wills of the clients that a `stop` cut off are published
        first: who comes back is not declared dead after it has said that it lives.
        """
        if self._server is not None:
            raise RuntimeError("the broker is started already")
        server = await asyncio.get_running_loop().create_server(lambda: Connection(self), host, port, start_serving=False)
        self._server = server
        deferred, self._deferred = self._deferred, []
        for will in deferred:
            self.route(will.message, retain=will.retain)
        await server.start_serving()
        address: tuple[str, int] = server.sockets[0].getsockname()[:2]
        return address

    async def stop(self) -> None:
        """Die: cut every connection at once. No will is published before the next start."""
        if self._server is None:
            return
        server, self._server = self._server, None
        loop = asyncio.get_running_loop()
        for listening in server.sockets:
            loop.remove_reader(listening)
        for connection in list(self._clients.values()):
            if connection.will is not None:
                self._deferred.append(connection.will)
            self._part(connection)
        for connection, transport in list(self._open.items()):
            connection.close()
            transport.abort()  # also one that was left to send its last
        await asyncio.sleep(0)  # what was being accepted becomes a connection and is closed; asyncio would leave it open
        server.close()
        await server.wait_closed()

    def drop(self, client_id: str) -> bool:
        """Cut a client's connection as a failure of the network would; False where it is not connected."""
        connection = self._clients.get(client_id)
        if connection is None:
            return False
        self.lose(connection, "dropped")
        self.flush()
        return True

    # What connections call.

    def route(self, message: Message, *, retain: bool) -> None:
        """The way of every message from who published it, wills included, to who subscribed."""
        self.counts.messages_in += 1
        if retain:
            if message.payload:
                self._retained.put(message.topic, Message(message.topic, message.payload, qos=message.qos, retain=True))
            else:
                self._retained.remove(message.topic)
        for session, granted in self._subscriptions.match(message.topic):
            session.deliver(message, granted)

    def flush(self) -> None:
        """Write what has gathered for each connection."""
        while self.unflushed:
            unflushed, self.unflushed = self.unflushed, []
            for connection in unflushed:
                connection.flush()

    def opened(self, connection: Connection, transport: asyncio.Transport) -> None:
        """A connection was made."""
        self._open[connection] = transport
        if self._server is None:  # accepted by a server that has died since
            connection.close()

    def closed(self, connection: Connection) -> None:
        """A connection is gone."""
        del self._open[connection]

    def connect(self, connection: Connection, request: Connect) -> tuple[Session, bool]:
        """The session of who connects, and whether it was there before. Takes over from an earlier connection."""
        client_id = request.client_id or self._invent()
        earlier = self._clients.get(client_id)
        if earlier is not None:
            self._event("client_taken_over", {"client": client_id})
            self._end(earlier)
        session = self._sessions.get(client_id)
        if session is not None and request.clean:
            self._forget(session)
            session = None
        present = session is not None
        if session is None:
            session = self._sessions[client_id] = Session(client_id, self.limits, self.counts, clean=request.clean)
        connection.session = session
        self._clients[client_id] = connection
        self._event("client_connected", {"client": client_id, "session_present": present})
        return session, present

    def subscribe(self, session: Session, wanted: list[tuple[str, int]]) -> None:
        """Subscribe, and send what is retained under each filter."""
        for topic_filter, granted in wanted:
            session.filters[topic_filter] = None
            self._subscriptions.add(topic_filter, session, granted)
            for message in self._retained.match(topic_filter):
                session.deliver(message, granted)

    def unsubscribe(self, session: Session, filters: list[str]) -> None:
        """End subscriptions; one that is not there is no fault."""
        for topic_filter in filters:
            if topic_filter in session.filters:
                del session.filters[topic_filter]
                self._subscriptions.remove(topic_filter, session)

    def leave(self, connection: Connection) -> None:
        """DISCONNECT: the will is not published."""
        assert connection.session is not None
        self._event("client_disconnected", {"client": connection.session.client_id})
        connection.close(at_once=False)
        self._part(connection)

    def lose(self, connection: Connection, reason: str) -> None:
        """A connection ended, or has to end, without DISCONNECT. Does nothing where it has ended already."""
        if connection.session is not None:
            self._event("client_lost", {"client": connection.session.client_id, "reason": reason})
            self._end(connection)
        elif connection.close():
            self._event("client_refused", {"reason": reason})

    def _end(self, connection: Connection) -> None:
        """Close, and publish the will."""
        connection.close()
        self._part(connection)
        if connection.will is not None:
            self.route(connection.will.message, retain=connection.will.retain)

    def _part(self, connection: Connection) -> None:
        """Part a connection from its session, which ends too where it does not last."""
        session = connection.session
        assert session is not None
        connection.session = None
        session.link = None
        del self._clients[session.client_id]
        if session.clean:
            self._forget(session)

    def _forget(self, session: Session) -> None:
        for topic_filter in session.filters:
            self._subscriptions.remove(topic_filter, session)
        del self._sessions[session.client_id]

    def _invent(self) -> str:
        while True:
            self._invented += 1
            client_id = f"auto-{self._invented}"
            if client_id not in self._sessions:
                return client_id
