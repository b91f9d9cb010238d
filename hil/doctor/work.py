"""The work of one process of `hil.doctor.stress`: a script that imports nothing of ours and ends with its standard input."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

_MIB = 2**20
_COPIED = 16 * _MIB  # beyond the caches of a core
_MOST_WRITTEN = 64 * _MIB  # then from the beginning again
_DISK = Path("/var/tmp")  # noqa: S108  # by the file-system hierarchy standard on a disk, where /tmp may be memory


def busy(stopping: threading.Event) -> None:
    """Python at full tilt."""
    number = 0
    while not stopping.is_set():
        for _ in range(10_000):
            number = (number * 1103515245 + 12345) % 2**31


def memory(stopping: threading.Event) -> None:
    """Copy more memory than the caches hold, to and fro."""
    one, other = bytearray(_COPIED), bytearray(_COPIED)
    while not stopping.is_set():
        one[:] = other
        other[:] = one


def disk(stopping: threading.Event) -> None:
    """Write and wait for the disk, in a file without a name: nothing of it is ever left over. A full disk ends it."""
    block = os.urandom(_MIB)
    with tempfile.TemporaryFile(dir=_DISK if os.access(_DISK, os.W_OK) else None, buffering=0) as file:
        while not stopping.is_set():
            if file.tell() >= _MOST_WRITTEN:
                file.seek(0)
            file.write(block)
            os.fsync(file.fileno())


def sockets(stopping: threading.Event) -> None:
    """Send small messages to and fro over the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as near:
        far, _ = server.accept()
        with far:
            message = bytes(256)
            while not stopping.is_set():
                for there, here in ((near, far), (far, near)):
                    there.sendall(message)
                    here.recv(len(message), socket.MSG_WAITALL)


_KINDS: dict[str, Callable[[threading.Event], None]] = {"busy": busy, "memory": memory, "disk": disk, "sockets": sockets}


def main(kind: str) -> None:
    """Work until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the one who started us
    stopping = threading.Event()
    threading.Thread(target=_KINDS[kind], args=(stopping,), daemon=True).start()
    sys.stdin.buffer.read()
    os._exit(0)  # the work may be waiting for a disk


if __name__ == "__main__":
    main(sys.argv[1])
