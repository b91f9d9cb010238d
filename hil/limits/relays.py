"""Relays: curves with their constants and sources, and how their settings become parameters of the kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from hil.kernel.arena import Arena
from hil.kernel.layout import CODES
from hil.limits.ticks import ticks_of

Reset = Literal["instantaneous", "definite", "disc", "never"]


@dataclass(frozen=True)
class Curve:
    """Inverse time: *t = dial·(a/(M^exponent − 1) + b)*, M the multiple of pick-up; `a` and `b` in seconds.

    tr_s: of the disc that turns back, *dial·tr/(1 − M²)*, seconds at M = 0; None where no source gives it.
    """

    name: str
    a_s: float
    exponent: float
    b_s: float = 0.0
    tr_s: float | None = None


# Operate constants: IEC 60255-151:2009 and IEEE C37.112, as tabulated by ABB (670 series, REX610) and DEIF (PPM 300).
# Reset constants of the IEEE curves: ABB 670 series, technical manual, table of ANSI inverse characteristics. Those of GE:
# M60 motor protection, instruction manual, table 5-28, for the curves that it calls IEC (BS142) A, B, C; the times that
# IEC 60255-151 gives instead were not read in any source, so its curves come without one.
IEC_SI = Curve("IEC standard inverse (A)", 0.14, 0.02)
IEC_VI = Curve("IEC very inverse (B)", 13.5, 1.0)
IEC_EI = Curve("IEC extremely inverse (C)", 80.0, 2.0)
IEC_LTI = Curve("IEC long-time inverse", 120.0, 1.0)
IEEE_MI = Curve("IEEE moderately inverse", 0.0515, 0.02, 0.114, 4.85)
IEEE_VI = Curve("IEEE very inverse", 19.61, 2.0, 0.491, 21.6)
IEEE_EI = Curve("IEEE extremely inverse", 28.2, 2.0, 0.1217, 29.1)
GE_IEC_A = Curve("GE M60 IEC curve A", 0.14, 0.02, tr_s=9.7)
GE_IEC_B = Curve("GE M60 IEC curve B", 13.5, 1.0, tr_s=43.2)
GE_IEC_C = Curve("GE M60 IEC curve C", 80.0, 2.0, tr_s=58.2)

CURVES = {
    "iec_si": IEC_SI,
    "iec_vi": IEC_VI,
    "iec_ei": IEC_EI,
    "iec_lti": IEC_LTI,
    "ieee_mi": IEEE_MI,
    "ieee_vi": IEEE_VI,
    "ieee_ei": IEEE_EI,
    "ge_iec_a": GE_IEC_A,
    "ge_iec_b": GE_IEC_B,
    "ge_iec_c": GE_IEC_C,
}


@dataclass(frozen=True)
class Relay:
    """What picks up, waits and operates (docs/protection.md, "Relays"); values in the unit of the channel.

    dropout: inside begins here; None: at the pick-up. delay_s: of definite time; with a curve, the least time. dial: time
    multiplier. dial_divisor: what the vendor divides it by: 7 where dials of electromechanical relays were taken over.
    most: multiples beyond which the curve is flat. reset_s: of a definite reset. tr_s: of a disc; None: that of the curve.
    cumulative: the delay is of all samples beyond pick-up, until drop-out or, where there is one, in a rolling window of
    `window_s`. magnitude: what it looks at counts without its sign. blank: the stimulus while which it forgets.
    """

    pickup: float
    under: bool = False
    inclusive: bool = False
    dropout: float | None = None
    delay_s: float = 0.0
    curve: Curve | None = None
    dial: float = 1.0
    dial_divisor: float = 1.0
    most: float = math.inf
    reset: Reset = "instantaneous"
    reset_s: float = 0.0
    tr_s: float | None = None
    cumulative: bool = False
    window_s: float = 0.0
    magnitude: bool = False
    blank: str = "blank.never"

    @property
    def timing(self) -> str:
        """How its time runs, by the names in `CODES`."""
        if self.cumulative:
            return "timing.cumulative"
        return "timing.definite" if self.curve is None else "timing.inverse"

    def fill(self, params: Any, places: Arena, *, dt_s: float, channel: int, output: int, judged_from_tick: int = 0) -> None:
        """Write a `RelayParams`; the state begins as zeros.

        judged_from_tick: from where on samples are evidence. Raises ValueError for a disc of which no time is known, and for a
        rolling window that cannot hold the delay.
        """
        params["channel"], params["output"], params["blank"] = channel, output, CODES[self.blank]
        params["under"], params["inclusive"], params["magnitude"] = self.under, self.inclusive, self.magnitude
        params["pickup"] = self.pickup
        params["dropout"] = self.pickup if self.dropout is None else self.dropout
        params["delay_ticks"] = ticks_of(self.delay_s, dt_s)
        params["reset"] = CODES[f"reset.{self.reset}"]
        params["reset_ticks"] = ticks_of(self.reset_s, dt_s)
        params["dt"] = dt_s
        params["timing"], params["judged_from"] = CODES[self.timing], judged_from_tick
        if self.window_s > 0.0:
            window = ticks_of(self.window_s, dt_s)
            if window <= params["delay_ticks"]:
                raise ValueError(f"timer_window: must be longer than the delay by a sample at least, {dt_s:g} s")
            params["window_ticks"], params["offset"] = window, places.place(window)
        if self.curve is None:
            return
        params["a"], params["b"], params["exponent"] = self.curve.a_s, self.curve.b_s, self.curve.exponent
        params["dial"], params["most"] = self.dial / self.dial_divisor, self.most
        if self.reset == "disc":
            tr_s = self.curve.tr_s if self.tr_s is None else self.tr_s
            if tr_s is None:
                raise ValueError(f"tr_s: must be given, {self.curve.name} has no time of its disc")
            params["tr"] = tr_s
