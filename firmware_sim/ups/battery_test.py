"""Tests of a UPS's battery, as clients order them and hear of their end."""

from __future__ import annotations

from firmware_sim.image import UpsImage, UpsPoint, UpsTest
from firmware_sim.registers.accepted import Accepted

QUICK_S = 10.0
DEEP_S = 300.0
"""How long a quick and a deep test last; assumed. The firmware ends both where the battery runs low."""


class BatteryTest:
    """A test fails where the battery runs low; what else ends it says nothing of the battery."""

    def __init__(self, image: UpsImage, accepted: Accepted) -> None:
        self._result = image.firmware_reader("test")
        self._set = accepted.writer(UpsPoint.TEST)

    def start(self, duration_s: float) -> None:
        """Let the battery feed the load for so long."""
        self._set(duration_s)

    def stop(self) -> None:
        """End the one in progress."""
        self._set(0.0)

    def in_progress(self) -> bool:
        """Whether there is one now."""
        return self._result() == UpsTest.IN_PROGRESS

    def passed(self) -> bool:
        """Whether the last one passed."""
        return self._result() == UpsTest.PASSED

    def failed(self) -> bool:
        """Whether it failed."""
        return self._result() == UpsTest.FAILED

    def aborted(self) -> bool:
        """Whether it was stopped, could not begin or not go on."""
        return self._result() == UpsTest.ABORTED
