"""How long things take on a serial line (MODBUS over Serial Line V1.02, section 2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Parity = Literal["none", "even", "odd"]

_FAST_BAUD = 19_200
_FAST_SILENCE_S = 1.75e-3  # section 2.5.1.1: above 19,200 baud the silence does not shrink with the characters
_SILENT_CHARACTERS = 3.5
_START_AND_DATA_BITS = 9


@dataclass(frozen=True, slots=True)
class Line:
    """Settings of a serial line; RTU characters have 8 data bits."""

    baud: int = 9600
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        if self.baud < 1:
            raise ValueError(f"baud {self.baud}: must be 1 or more")

    def __str__(self) -> str:
        return f"{self.baud} 8{self.parity[0].upper()}{self.stop_bits}"

    @property
    def character_s(self) -> float:
        """Time of one character: start bit, data, parity and stop bits."""
        return (_START_AND_DATA_BITS + (self.parity != "none") + self.stop_bits) / self.baud

    @property
    def silence_s(self) -> float:
        """What parts two frames: t3.5."""
        return _FAST_SILENCE_S if self.baud > _FAST_BAUD else _SILENT_CHARACTERS * self.character_s
