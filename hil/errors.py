"""Every error that Ridethrough raises on purpose.

::

    HilError
    ├── ScenarioError (ValueError)         the scenario cannot be run as written
    ├── InstallationError (ImportError)    the three packages do not belong together
    ├── LockstepStall (TimeoutError)       something in flight stayed silent
    ├── BrokerLost (ConnectionError)       the connection to an MQTT broker is gone, or it does not answer
    ├── SnapshotRefused (RuntimeError)     the state of a run cannot be taken, or not be put back
    ├── RunUnreadable (ValueError)         a folder holds no finished run, or a damaged one
    ├── RecordingError (ValueError)        a recording cannot be read, laid on a grid or written as asked
    ├── EventRefused (ValueError)          an event given by hand cannot be
    └── DeviceError                        a device did not do what it was asked
        ├── DeviceTimeout (TimeoutError)   no answer in time
        ├── DeviceLost (ConnectionError)   the connection is gone
        ├── DeviceRefused (ValueError)     the device answered with an exception
        └── ReadbackMismatch (ValueError)  it accepted a write and shows something else
"""

from __future__ import annotations


def printable(text: str) -> str:
    """The text in one line: what does not print is escaped."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class HilError(Exception):
    """Base of all errors of this project."""


class ScenarioError(HilError, ValueError):
    """A scenario cannot be run as written; the message is one line naming file, key, value and what is allowed."""

    def __init__(self, source: str, key: str, problem: str) -> None:
        self.source, self.key, self.problem = printable(source), printable(key), printable(problem)
        super().__init__(f"{self.source}: {self.key}{self.problem}")


class InstallationError(HilError, ImportError):
    """The three packages do not belong together."""


class LockstepStall(HilError, TimeoutError):
    """Something in flight stayed silent for longer than wall-clock patience allows."""

    def __init__(self, waited_s: float, waiting_for: list[str]) -> None:
        self.waited_s = waited_s
        self.waiting_for = waiting_for
        super().__init__(f"silent for {waited_s:g} s with something in flight: {'; '.join(waiting_for)}")


class BrokerLost(HilError, ConnectionError):
    """The connection to an MQTT broker is gone, or the broker does not answer."""


class SnapshotRefused(HilError, RuntimeError):
    """The state of a run cannot be taken, or not be put back."""


class RunUnreadable(HilError, ValueError):
    """A folder holds no finished run, or a damaged one; the message is one line naming folder and file."""

    def __init__(self, folder: object, problem: str) -> None:
        self.folder, self.problem = printable(str(folder)), printable(problem)
        super().__init__(f"{self.folder}: {self.problem}")


class RecordingError(HilError, ValueError):
    """A recording cannot be read, laid on a grid or written as asked; the message is one line naming file, line or column."""

    def __init__(self, path: object, problem: str) -> None:
        self.path, self.problem = printable(str(path)), printable(problem)
        super().__init__(f"{self.path}: {self.problem}")


class EventRefused(HilError, ValueError):
    """An event given by hand cannot be; the message is one line."""


class DeviceError(HilError):
    """A device did not do what it was asked."""

    def __init__(self, device: str, problem: str) -> None:
        self.device = device
        super().__init__(f"{device}: {problem}")


class DeviceTimeout(DeviceError, TimeoutError):
    """A device did not answer in time."""


class DeviceLost(DeviceError, ConnectionError):
    """The connection to a device is gone."""


class DeviceRefused(DeviceError, ValueError):
    """A device answered with an exception, or is not what the driver needs."""


class ReadbackMismatch(DeviceError, ValueError):
    """A device accepted a write and shows something else."""
