"""Serial ports as file descriptors: a device that is there, or a pseudo-terminal made here."""

from __future__ import annotations

import os
import tty
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import serial

from firmware_sim.modbus.line import Line


class Port(NamedTuple):
    """fd: non-blocking. path: what a client opens; the device's own otherwise. close: gives all of it back."""

    fd: int
    path: str
    close: Callable[[], None]


def open_device(path: str, line: Line) -> Port:
    """A serial device, for us alone. Raises OSError where it cannot be opened or cannot be set so."""
    device = serial.Serial(
        path,
        line.baud,
        parity={"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}[line.parity],
        stopbits=line.stop_bits,
        timeout=0,
        exclusive=True,
    )
    os.set_blocking(device.fileno(), False)
    return Port(device.fileno(), path, device.close)


def open_pty(link: Path | None) -> Port:
    """A new pseudo-terminal, under a name of ours if one is given, which replaces a symbolic link and nothing else.

    Raises FileExistsError where something else has that name.
    """
    ours, theirs = os.openpty()  # theirs stays open, so that clients may come and go
    try:
        tty.setraw(ours)
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        path = os.ttyname(theirs)
        if link is not None:
            if link.is_symlink():
                link.unlink()
            link.symlink_to(path)
    except BaseException:
        os.close(ours)
        os.close(theirs)
        raise

    def close() -> None:
        os.close(ours)
        os.close(theirs)
        if link is not None and link.is_symlink() and link.readlink() == Path(path):
            link.unlink()

    return Port(ours, path if link is None else str(link), close)
