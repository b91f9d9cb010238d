"""How one thread wakes another that waits for file descriptors."""

from __future__ import annotations

import os


class Bell:
    """An eventfd, or a pipe where the system has none: readable from `ring` to `silence`.

    write_fd: who writes 8 bytes to it rings, too.
    """

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self._read_fd = self.write_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            return
        self._read_fd, self.write_fd = os.pipe()
        for end in (self._read_fd, self.write_fd):
            os.set_blocking(end, False)

    def fileno(self) -> int:
        """What to wait for."""
        return self._read_fd

    def ring(self) -> None:
        """Make it readable."""
        os.write(self.write_fd, (1).to_bytes(8, "little"))

    def silence(self) -> None:
        """Take what it was rung."""
        os.read(self._read_fd, 4096)

    def close(self) -> None:
        """Give it back."""
        for end in {self._read_fd, self.write_fd}:
            os.close(end)
