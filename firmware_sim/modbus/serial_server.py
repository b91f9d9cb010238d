"""A Modbus RTU server on a serial line (MODBUS over Serial Line V1.02), for one device or several on one line.

On a pseudo-terminal, which has no baud rate, the times of the line are kept here: a request is carried out when its characters
and the silence after them would have passed, and its answer arrives as fast as characters would. A real line does that itself.
What comes while a frame is dealt with waits. A frame with a wrong CRC gets silence, and so does all until the line is silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from firmware_sim.modbus.bank import Bank
from firmware_sim.modbus.faults import ON_A_LINE, Request
from firmware_sim.modbus.framing import Rtu
from firmware_sim.modbus.line import Line
from firmware_sim.modbus.port import Port, open_device, open_pty
from firmware_sim.modbus.server import ModbusServer, Refused

_LOG = logging.getLogger(__name__)
_LEAST_GAP_S = 0.02  # of a real line: USB adapters hand over what they have every 16 ms (FTDI's latency timer)
_PIECE_S = 0.01  # an answer arrives in pieces of that length, so that a client's time-out between bytes sees a line at work


class ModbusSerialServer(ModbusServer):
    """Serves one device, or several by unit, on one serial line.

    Unit 0 is a broadcast: all carry it out, nobody answers. Units that are not there do not answer.
    seed, device: what the draws of `faults` are keyed by. refused: hears of every request that is answered with an exception.
    """

    def __init__(
        self,
        bank: Bank | Mapping[int, Bank],
        *,
        unit_id: int = 1,
        line: Line | None = None,
        refused: Refused | None = None,
        seed: int = 0,
        device: str = "",
    ) -> None:
        super().__init__(bank, unit_id, serial=True, silent=True, refused=refused, faults=(ON_A_LINE, seed, device))
        self.line = line or Line()
        self._stream = Rtu(self.units)
        self._port: Port | None = None
        self._timed = False  # the times of the line are ours to keep
        self._free_s = 0.0  # loop time at which the last character that is known of has passed
        self._requests: asyncio.Queue[tuple[float, Request]] = asyncio.Queue()
        self._gap: asyncio.TimerHandle | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, path: str) -> str:
        """Serve a serial device; returns its path. Raises OSError where it cannot be opened."""
        return self._begin(open_device(path, self.line), timed=False)

    async def start_pty(self, link: Path | None = None) -> str:
        """Serve a new pseudo-terminal; returns the path that clients open, `link` where it is given.

        Raises FileExistsError where `link` is there and no symbolic link.
        """
        return self._begin(open_pty(link), timed=True)

    async def stop(self) -> None:
        """Leave the line."""
        if self._port is None:
            return
        port, self._port = self._port, None
        asyncio.get_running_loop().remove_reader(port.fd)
        if self._gap is not None:
            self._gap.cancel()
        if self._serving is not None:
            self._serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
        port.close()

    def hang(self, *, hung: bool) -> None:
        """Leave the line unread while hung; what came meanwhile is answered afterwards."""
        self.hung = hung
        if self._port is None:
            return
        loop = asyncio.get_running_loop()
        if hung:
            loop.remove_reader(self._port.fd)
        else:
            loop.add_reader(self._port.fd, self._read)

    def _begin(self, port: Port, *, timed: bool) -> str:
        self._port = port
        self._timed = timed
        self._stream = Rtu(self.units)
        self._requests = asyncio.Queue()
        self._serving = asyncio.get_running_loop().create_task(self._serve(port.fd))
        self.hang(hung=self.hung)
        return port.path

    def _read(self) -> None:
        """Take what has come, and look for requests in it."""
        assert self._port is not None
        loop = asyncio.get_running_loop()
        try:
            count = os.readv(self._port.fd, [self._stream.space()])
        except BlockingIOError:
            return
        except OSError as error:
            count = 0
            _LOG.error("%s: %s", self._port.path, error.strerror)  # an adapter that was unplugged
        if count == 0:
            loop.remove_reader(self._port.fd)
            return
        self._free_s = max(self._free_s, loop.time()) + self._line_s(count)
        self._stream.took(count)
        while (request := self._stream.cut()) is not None:
            self._requests.put_nowait((self._free_s + (self.line.silence_s if self._timed else 0.0), request))
        if self._gap is not None:
            self._gap.cancel()
            self._gap = None
        if self._stream.partial or self._stream.broken:
            gap_s = self.line.silence_s if self._timed else max(self.line.silence_s, _LEAST_GAP_S)
            self._gap = loop.call_at(self._free_s + gap_s, self._silent)

    def _silent(self) -> None:
        """A frame ends here, whole or not."""
        self._gap = None
        request = self._stream.rest()
        if request is not None:
            self._requests.put_nowait((asyncio.get_running_loop().time(), request))

    def _line_s(self, characters: int) -> float:
        return characters * self.line.character_s if self._timed else 0.0

    async def _serve(self, fd: int) -> None:
        """Carry out requests and answer them, one after the other."""
        loop = asyncio.get_running_loop()
        while True:
            due_s, request = await self._requests.get()
            await _until(loop, due_s)
            outcome = self.faults.answer(self.units, request, self._stream.frame, None)
            if not outcome.frame:
                continue
            await _until(loop, loop.time() + outcome.delay_s)
            begun_s = loop.time()
            self._free_s = max(self._free_s, begun_s + self._line_s(len(outcome.frame)))
            piece = max(1, int(_PIECE_S / self.line.character_s)) if self._timed else len(outcome.frame)
            for at in range(0, len(outcome.frame), piece):
                end = min(at + piece, len(outcome.frame))
                await _until(loop, begun_s + self._line_s(end))
                _write(fd, outcome.frame[at:end])


async def _until(loop: asyncio.AbstractEventLoop, time_s: float) -> None:
    """Sleep up to a time of the loop."""
    left_s = time_s - loop.time()
    if left_s > 0.0:
        await asyncio.sleep(left_s)


def _write(fd: int, content: bytes) -> None:
    """Send; what nobody takes is lost, as on a line."""
    with contextlib.suppress(OSError):
        os.write(fd, content)
