"""A file that only grows, by whole pieces: what the disk refuses is counted and never raised."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)


class AppendedFile:
    """Adds pieces to a new file. Each is written wholly, or taken back and counted, and the next one is tried again.

    So a file on a disk that was full for a while has a gap and no torn piece. Whatever else happens to it (it is deleted,
    renamed or cut, its folder goes) what it held counts as lost, and it is begun anew where that can be done. header: stands
    before the first piece. lost: items of pieces that are not in the file; problem: what the last were lost to.
    """

    def __init__(self, path: Path, header: bytes = b"") -> None:
        self.lost = 0
        self.problem = ""
        self._path = path
        self._header = header
        self._fd = -1
        self._identity: tuple[int, int] | None = None  # device and inode
        self._end = 0  # of the last whole piece
        self._kept = 0  # items in the file
        self.append(b"", 0)

    def append(self, piece: bytes, items: int) -> bool:
        """Add a piece that holds so many items; whether it is in the file now."""
        try:
            self._make_usable()
            self._write(piece if self._end else self._header + piece)
        except OSError as error:
            self.lost += items
            self.problem = error.strerror or str(error)
            return False
        self._kept += items
        return True

    def close(self, end: bytes = b"") -> bool:
        """Add an end mark, and close; whether the mark is there."""
        ended = self.append(end, 0)
        self._drop()
        return ended

    def _make_usable(self) -> None:
        """Have an open descriptor of the file that the path names. Raises OSError."""
        there = self._there()
        if self._identity is not None and there is None:
            self.lost += self._kept
            if self._kept:
                self.problem = "it was deleted, moved or cut"
            self._identity, self._end, self._kept = None, 0, 0
            self._drop()
        if self._fd >= 0 and not self._is_open():
            self._fd = -1  # somebody closed it, and perhaps opened another
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
            opened = os.fstat(self._fd)
            if (opened.st_dev, opened.st_ino) != self._identity:
                os.ftruncate(self._fd, 0)
                self._identity, self._end, self._kept = (opened.st_dev, opened.st_ino), 0, 0

    def _there(self) -> os.stat_result | None:
        """The file, if it is the one that was written, and whole."""
        try:
            there = self._path.stat()
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise
        return there if (there.st_dev, there.st_ino) == self._identity and there.st_size >= self._end else None

    def _is_open(self) -> bool:
        try:
            opened = os.fstat(self._fd)
        except OSError:
            return False
        return (opened.st_dev, opened.st_ino) == self._identity

    def _drop(self) -> None:
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)
        self._fd = -1

    def _write(self, piece: bytes) -> None:
        rest, at = memoryview(piece), self._end
        try:
            while rest:
                written = os.pwrite(self._fd, rest, at)
                if written == 0:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                rest, at = rest[written:], at + written
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self._end)
            raise
        self._end = at
