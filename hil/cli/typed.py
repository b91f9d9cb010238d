"""Lines that are typed while a loop runs: from a terminal, a pipe, or a file."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_STDIN = 0
_MOST = 1000  # characters of a line
_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[@-~]?|O.?)?")  # keys that are no characters (ECMA-48 5.4)
_BACK, _WORD, _ALL, _END = "\x08\x7f", "\x17", "\x15", "\x04"


class Line:
    """A line under way: takes what is typed, in pieces, and gives whole lines. What is beyond `_MOST` is left out."""

    def __init__(self) -> None:
        self.text = ""

    def take(self, typed: str) -> Iterator[str]:
        """Lines that this completes. Raises EOFError where the terminal's end of file is typed into an empty line."""
        for sign in _ESCAPE.sub("", typed).replace("\t", " "):
            if sign in "\r\n":
                line, self.text = self.text, ""
                yield line
            elif sign in _BACK:
                self.text = self.text[:-1]
            elif sign == _WORD:
                self.text = self.text.rstrip().rpartition(" ")[0]
            elif sign == _ALL:
                self.text = ""
            elif sign == _END and not self.text:
                raise EOFError
            elif sign.isprintable() and len(self.text) < _MOST:
                self.text += sign


@contextmanager
def typed(line: Line, heard: Callable[[str], None], changed: Callable[[], None], ended: Callable[[], None]) -> Iterator[None]:
    """While it is entered, `heard` gets the lines of standard input, and `changed` is called after each piece.

    ended: is called where a terminal's user types the end of file; the end of a pipe or a file means nothing.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    loop = asyncio.get_running_loop()

    def take() -> bool:
        """Whether there may be more."""
        try:
            data = os.read(_STDIN, 65_536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        try:
            for whole in line.take(decoder.decode(data)):
                heard(whole)
        except EOFError:
            ended()
        changed()
        return bool(data)

    def readable() -> None:
        if not take():
            loop.remove_reader(_STDIN)

    with _unbuffered():
        watched = _can_be_read()
        if watched:
            try:
                loop.add_reader(_STDIN, readable)
            except PermissionError:  # a file, which is always readable
                watched = False
                while take():
                    pass
        try:
            yield
        finally:
            if watched:
                loop.remove_reader(_STDIN)


def _can_be_read() -> bool:
    """A terminal stops who reads it from the background."""
    if sys.stdin is None:  # the number may be another file's
        return False
    try:
        return not os.isatty(_STDIN) or os.tcgetpgrp(_STDIN) == os.getpgrp()
    except OSError:
        return False


@contextmanager
def _unbuffered() -> Iterator[None]:
    """A terminal that gives each key at once and does not show it; signals of keys stay. Restored at the end."""
    if not (_can_be_read() and os.isatty(_STDIN)):
        yield
        return
    import termios

    before: Any = termios.tcgetattr(_STDIN)
    now = termios.tcgetattr(_STDIN)
    now[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(_STDIN, termios.TCSADRAIN, now)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal has gone
            termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)
