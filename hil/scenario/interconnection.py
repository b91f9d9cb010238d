"""Areas by name: what frequency a loss of a thousand megawatts is known to leave (docs/model.md, "Frequency")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

InterconnectionName = Literal["ercot", "eastern", "western", "quebec", "continental_europe", "great_britain", "ireland"]


@dataclass(frozen=True)
class Interconnection:
    """A loss and the deviation at which the frequency then stands, governors settled, nothing secondary.

    It holds for losses of load and of generation alike. source: whose figure it is, and whether it was measured or is a
    rule's, which is the least that the area has to hold. governor_limit: share of the base, wide enough that the governors do
    not stand at it there. unverified: no source that was read gives the figure.
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
    "western": Interconnection(
        1500e6, 0.1, "from memory: NERC's medians of measured events lie at some 1,500 MW per 0.1 Hz", unverified=True
    ),
    "quebec": Interconnection(
        1000e6,
        1000.0 / 1790.0,
        "primary, an obligation: 179 MW per 0.1 Hz (NERC, frequency response obligations for 2016); at which loss: assumed",
        governor_limit=0.3,
    ),
    "continental_europe": Interconnection(
        3000e6,
        0.2,
        "primary, a rule: reserve for 3,000 MW, all given at 200 mHz (Regulation (EU) 2017/1485, Article 153, Annex V)",
        nominal_hz=50.0,
    ),
    "great_britain": Interconnection(
        1000e6,
        0.406,
        "secondary, measured: 49.594 Hz after 1 GW of the link with Belgium, the lowest, here taken as the settled one",
        nominal_hz=50.0,
        governor_limit=0.3,
    ),
    "ireland": Interconnection(
        500e6,
        0.5,
        "primary, a rule: reserve for the largest infeed, all given at 500 mHz; secondary: a link of 500 MW is largest",
        nominal_hz=50.0,
        governor_limit=0.3,
    ),
}
