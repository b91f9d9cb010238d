"""Areas by name: what frequency a loss of load of a thousand megawatts is known to leave (docs/model.md, "Frequency")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

InterconnectionName = Literal["ercot", "eastern"]


@dataclass(frozen=True)
class Interconnection:
    """A loss of load and the deviation at which the frequency then stands, governors settled, nothing secondary.

    governor_limit: share of the base, wide enough that the governors do not stand at it there. unverified: no source that was
    read gives the figure.
    """

    lost_w: float
    deviation_hz: float
    source: str
    nominal_hz: float = 60.0
    governor_limit: float = 0.2
    unverified: bool = False

    def base_va(self, damping: float, droop: float, deadband_hz: float) -> float:
        """Base of the area that stands at the deviation after the loss.

        The dead band makes the answer bend: at other losses the ratio of megawatts to hertz is another.
        """
        beyond_hz = max(self.deviation_hz - deadband_hz, 0.0)
        governors = beyond_hz / droop if droop > 0.0 else 0.0
        return self.lost_w * self.nominal_hz / (damping * self.deviation_hz + governors)


INTERCONNECTIONS: dict[InterconnectionName, Interconnection] = {
    "ercot": Interconnection(2600e6, 0.4, "secondary: beyond a loss of 2,600 MW it goes above 60.4 Hz"),
    "eastern": Interconnection(
        1500e6, 0.047, "from memory: about 60.047 Hz after some 1,500 MW on 10 July 2024", unverified=True
    ),
}
