"""Plays a case of conformance to a server on a TCP port, and says in a few words what it did instead of what it should."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator

from modbus_device import Case, Closed, EndOfSending, Receive, Send, Step, Wait, frame, read, reading

OK = "ok"
AFTER_S = 0.05  # what comes within this time of a wrong answer belongs to it
SOUND, SOUNDS = frame(0xEEEE, reading(999)), frame(0xEEEE, read(999))
SHOWN_BYTES = 8


class _Otherwise(Exception):
    """What was observed, where something else should have been."""


class Play:
    """One case against one server. patience_s: how long the server may take over anything."""

    def __init__(self, case: Case, address: tuple[str, int], patience_s: float) -> None:
        self._case = case
        self._address = address
        self._patience_s = patience_s
        self._clients: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._ended: set[str] = set()
        self._answers = sum(len(list(frames(step.data))) for step in case.steps if isinstance(step, Receive))
        self._seen = 0

    async def verdict(self) -> str:
        """`ok`, or what the server did instead."""
        try:
            for step in self._case.steps:
                await self._take(step)
            self._answers = 0
            for client in self._clients.keys() - self._ended:
                await self._still_sound(client)
        except _Otherwise as observed:
            return str(observed)
        finally:
            for _, writer in self._clients.values():
                writer.close()
        return OK

    async def _take(self, step: Step) -> None:
        match step:
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Send(data, client):
                (await self._client(client))[1].write(data)
                await asyncio.sleep(0)
            case EndOfSending(client):
                self._ended.add(client)
                self._clients[client][1].write_eof()
            case Receive():
                await self._receive(step)
            case Closed(client):
                self._ended.add(client)
                got, closed = await self._read(client, None)
                if got:
                    raise _Otherwise(f"answers {words(next(frames(got)))}")
                if not closed:
                    raise _Otherwise("does not close")

    async def _client(self, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if name not in self._clients:
            self._clients[name] = await asyncio.open_connection(*self._address)
        return self._clients[name]

    async def _receive(self, step: Receive) -> None:
        got, closed = await self._read(step.client, step.data, in_order=step.in_order)
        if not step.in_order:
            strange = sorted(set(frames(got)) - set(frames(step.data)))
            if strange:
                raise _Otherwise(f"answers transaction {int.from_bytes(strange[0][:2], 'big')} with {words(strange[0])}")
        elif got != step.data:
            raise _Otherwise(self._told(got, step.data, closed=closed))
        self._seen += len(list(frames(step.data)))

    async def _read(self, client: str, wanted: bytes | None, *, in_order: bool = True) -> tuple[bytes, bool]:
        """What comes until it is as much as is wanted, or something else, or the end; and whether that is the end."""
        reader, _ = self._clients[client]
        got, patience_s = bytearray(), self._patience_s
        while wanted is None or len(got) < len(wanted):
            try:
                async with asyncio.timeout(patience_s):
                    piece = await reader.read(len(wanted) - len(got) if wanted else 4096)
            except TimeoutError:
                break
            except ConnectionError:
                piece = b""
            if not piece:
                return bytes(got), True
            if wanted is None or (in_order and not wanted.startswith(piece, len(got))):
                wanted, patience_s = None, AFTER_S
            got += piece
        return bytes(got), False

    async def _still_sound(self, client: str) -> None:
        """A good request is answered, and nothing else comes."""
        try:
            self._clients[client][1].write(SOUND)
            await self._receive(Receive(SOUNDS, client))
        except _Otherwise as observed:
            raise _Otherwise(f"then {observed}") from None

    def _told(self, got: bytes, wanted: bytes, *, closed: bool) -> str:
        """What came instead of the answers that should have."""
        ending = "closes" if closed else "no answer"
        seen = self._seen
        for mine, theirs in zip(frames(wanted), frames(got), strict=False):
            if mine != theirs:
                which = f"answer {seen + 1}: " if self._answers > 1 else ""
                return which + words(theirs, but_for=mine)
            seen += 1
        return f"{ending} after {seen} of {self._answers}" if self._answers > 1 else ending


def frames(stream: bytes) -> Iterator[bytes]:
    """Cut by their lengths; what is left at the end comes last."""
    while stream:
        size = 6 + int.from_bytes(stream[4:6], "big")
        yield stream[:size]
        stream = stream[size:]


def words(answer: bytes, but_for: bytes = b"") -> str:
    """A frame as hexadecimal PDU; what of its header is not as it should be before it."""
    if len(answer) < 8:
        return f"bytes {answer.hex(' ').upper()}"
    tid, protocol, _, unit = struct.unpack_from(">HHHB", answer)
    head = ""
    if len(but_for) >= 8:
        expected = struct.unpack_from(">HHHB", but_for)
        if tid != expected[0]:
            head += f"transaction {tid} for {expected[0]}, "
        if protocol != expected[1]:
            head += f"protocol {protocol}, "
        if unit != expected[3]:
            head += f"unit {unit}, "
    body = answer[7:]
    more = f" … ({len(body)} bytes)" if len(body) > SHOWN_BYTES else ""
    return f"{head}{body[:SHOWN_BYTES].hex(' ').upper()}{more}"
