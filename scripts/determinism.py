"""Ten runs of the hall on each broker, ours and mosquitto, half of them with all cores busy: one waveform each (`.ci/run`).

Then one run with a single other MQTT command, which must change it. Prints one line a broker; exit code 1 where it is not so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from mqtt_support import mosquitto

import hil
from controllers import UpsDevice, UpsGroupSettings, UpsGroupSupervisor
from hil.session.run import Options, run_scenario

RUNS = 10
SHORT = ["duration='75 s'", "mqtt.site='determinism'"]


class OneOther(UpsGroupSupervisor):
    """As the hall's own, but for one walk-in of one UPS, which is a second longer."""

    async def run(self, devices: Sequence[UpsDevice]) -> None:
        """Put the change between the supervisor and the first device."""
        await super().run([_Longer(devices[0]), *devices[1:]])


class _Longer:
    """Passes everything on to a device, but lengthens its walk-in."""

    def __init__(self, device: UpsDevice) -> None:
        self._device = device

    def set_walk_in(self, delay_s: float, duration_s: float) -> None:
        """A second longer."""
        self._device.set_walk_in(delay_s, duration_s + 1.0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)


@contextmanager
def busy() -> Iterator[None]:
    """All cores at work on something else."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def hashes(broker: str) -> tuple[set[str], str]:
    """The waveforms of RUNS runs, and that of the run with another command."""
    scenario = hil.load("hall", [*SHORT, f"mqtt.broker='{broker}'"])
    found = {run_scenario(scenario, Options()).waveform_hash for _ in range(RUNS // 2)}
    with busy():
        found |= {run_scenario(scenario, Options()).waveform_hash for _ in range(RUNS - RUNS // 2)}
    other = OneOther(UpsGroupSettings(ramp_w_per_s=scenario.supervisor["ups"].ramp_w_per_s))
    return found, run_scenario(scenario, Options(supervisors={"ups": other})).waveform_hash


def main() -> int:
    """Run, print, judge."""
    good = True
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as server:
        for name, broker in (("own", "own"), ("mosquitto", server.url)):
            found, other = hashes(broker)
            good &= len(found) == 1 and other not in found
            print(f"{name}: {RUNS} runs, {len(found)} waveform: {', '.join(sorted(found))}; with another command {other}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
