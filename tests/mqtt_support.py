"""A mosquitto of the tests' own, and what runs coroutines in lock-step without a plant."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from hil.clock.lockstep import LockstepLoop


class NoPlant:
    """Ticks that compute nothing."""

    tick = 0
    period_ns = 1_000_000

    def advance(self, until_tick: int) -> None:
        self.tick = until_tick


def in_lockstep(work: Callable[[], Awaitable[Any]], *, patience_s: float = 5.0) -> Any:
    """Run a coroutine function in virtual time."""
    with asyncio.Runner(loop_factory=lambda: LockstepLoop(NoPlant(), patience_s=patience_s)) as runner:
        return runner.run(work())


class Mosquitto:
    """A running mosquitto: its port, and how to stop its clock."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"mqtt://127.0.0.1:{port}"

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[Mosquitto]:
    """A mosquitto on a free loopback port, ended by its id."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert program is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\n")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
                break
            time.sleep(0.02)
        yield Mosquitto(process, port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
        process.terminate()
        process.wait()
