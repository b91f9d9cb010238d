"""Limits of standards and of devices that are published as numbers: envelopes and stages, each with its source.

What a source does not say of a value that stands exactly at a level follows the rule of this project: at the limit is inside.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.limits.envelopes import Envelope, Threshold
from hil.limits.relays import Relay


@dataclass(frozen=True)
class EnvelopeProfile:
    """A device may trip where one of the envelopes allows it. unit: of what they look at."""

    title: str
    source: str
    unit: str
    envelopes: tuple[Envelope, ...]


@dataclass(frozen=True)
class StageProfile:
    """Relays side by side on one channel, by the name of each stage."""

    title: str
    source: str
    unit: str
    stages: dict[str, Relay]


def below(*pairs: tuple[float, float], inclusive: bool = False) -> tuple[Threshold, ...]:
    """Thresholds below levels, each with the seconds that are allowed there."""
    return tuple(Threshold(level, seconds, under=True, inclusive=inclusive) for level, seconds in pairs)


def above(*pairs: tuple[float, float], inclusive: bool = False) -> tuple[Threshold, ...]:
    """Thresholds above levels, each with the seconds that are allowed there."""
    return tuple(Threshold(level, seconds, under=False, inclusive=inclusive) for level, seconds in pairs)


_ERCOT = "ERCOT NOGRR282, as approved in July 2026, from secondary reports"
_PRC_029 = "NERC PRC-029-1, attachments 1 and 2, from a public implementation"
_PRC_024 = "NERC PRC-024, from a public implementation"
_1547 = "IEEE 1547-2018, from EPRI OpenDER 2.2.0"
_FREQUENCY = below((58.8, 299.0), (57.0, 0.0)) + above((61.2, 299.0), (61.8, 0.0))
_SWELL_1547 = above((1.10, 1.0), (1.15, 0.5), (1.175, 0.2), (1.20, 0.0))
_PRC_029_LONG = Envelope(above((1.05, 1800.0)))
_FREQUENCY_PRC_029 = Envelope(_FREQUENCY, window_s=600.0)

ENVELOPES = {
    "itic": EnvelopeProfile(
        "ITIC curve (2000)",
        "curve points, from OpenPowerQuality Mauka; between two points of the upper side the shorter time is taken",
        "pu",
        (
            Envelope(
                below((0.90, 10.0), (0.80, 0.5), (0.70, 0.02))
                + above((1.10, 0.5), (1.20, 0.003), (1.40, 0.001), (2.00, 0.000167), (5.00, 0.0))
            ),
        ),
    ),
    "semi_f47": EnvelopeProfile(
        "SEMI F47-0706",
        "points 50 % 200 ms, 70 % 500 ms, 80 % 10 s; below 50 % nothing is asked for",
        "pu",
        (Envelope(below((0.90, 10.0), (0.80, 0.5), (0.70, 0.2), (0.50, 0.0))),),
    ),
    "ercot_nogrr282.voltage": EnvelopeProfile(
        "ERCOT NOGRR282, voltage",
        _ERCOT,
        "pu",
        (
            Envelope(
                below((0.90, 2.0), (0.80, 0.5), (0.50, 0.25), (0.20, 0.15)) + above((1.10, 2.0), (1.20, 0.0)),
                stays=0.9,
                relative=True,
                recovery_s=2.0,
            ),
        ),
    ),
    "ercot_nogrr282.frequency": EnvelopeProfile("ERCOT NOGRR282, frequency", _ERCOT, "Hz", (Envelope(_FREQUENCY),)),
    "caiso_straw": EnvelopeProfile(
        "CAISO straw proposal, large loads",
        "from a secondary report",
        "pu",
        (
            Envelope(
                below((0.90, 6.0), (0.70, 3.0), (0.50, 1.2), (0.25, 0.15)) + above((1.10, 2.0)),
                stays=0.9,
                relative=True,
                recovery_s=3.0,
            ),
        ),
    ),
    "nerc_prc_029.other": EnvelopeProfile(
        "NERC PRC-029-1, voltage, other inverter-based resources",
        _PRC_029,
        "pu",
        (
            Envelope(
                below((0.90, 6.0), (0.70, 3.0), (0.50, 1.2), (0.25, 0.32)) + above((1.10, 1.0), (1.20, 0.0)),
                window_s=10.0,
            ),
            _PRC_029_LONG,
        ),
    ),
    "nerc_prc_029.wind": EnvelopeProfile(
        "NERC PRC-029-1, voltage, AC-connected wind",
        _PRC_029,
        "pu",
        (
            Envelope(
                below((0.90, 3.0), (0.70, 2.5), (0.50, 1.2), (0.25, 0.16))
                + above((1.10, 1.0), inclusive=True)
                + above((1.20, 0.0)),
                window_s=10.0,
            ),
            _PRC_029_LONG,
        ),
    ),
    "nerc_prc_029.frequency": EnvelopeProfile("NERC PRC-029-1, frequency", _PRC_029, "Hz", (_FREQUENCY_PRC_029,)),
    "nerc_prc_024.voltage": EnvelopeProfile(
        "NERC PRC-024, voltage",
        _PRC_024,
        "pu",
        (
            Envelope(
                below((0.90, 3.0), (0.75, 2.0), (0.65, 0.3), (0.45, 0.15))
                + above((1.10, 1.0), (1.15, 0.5), (1.175, 0.2), (1.20, 0.0), inclusive=True)
            ),
        ),
    ),
    "nerc_prc_024.frequency_western": EnvelopeProfile(
        "NERC PRC-024, frequency, Western Interconnection",
        _PRC_024,
        "Hz",
        (
            Envelope(
                below((59.4, 180.0), (58.4, 30.0), (57.8, 7.5), (57.3, 0.75), inclusive=True)
                + above((60.6, 180.0), (61.6, 30.0), inclusive=True)
            ),
        ),
    ),
    "nerc_prc_024.frequency_ercot": EnvelopeProfile(
        "NERC PRC-024, frequency, ERCOT: the one point that was found",
        _PRC_024,
        "Hz",
        (Envelope(above((60.6, 540.0), inclusive=True)),),
    ),
    "ieee_1547.cat_i": EnvelopeProfile(
        "IEEE 1547-2018, voltage ride-through, category I",
        _1547,
        "pu",
        (
            Envelope(
                (Threshold(0.88, 0.7 + 4.0 * 0.18, slope_s=4.0, least_s=0.7), *below((0.70, 0.16), (0.50, 0.0)), *_SWELL_1547)
            ),
        ),
    ),
    "ieee_1547.cat_ii": EnvelopeProfile(
        "IEEE 1547-2018, voltage ride-through, category II",
        _1547,
        "pu",
        (
            Envelope(
                (
                    Threshold(0.88, 3.0 + 8.7 * 0.23, slope_s=8.7, least_s=3.0),
                    *below((0.65, 0.32), (0.45, 0.16), (0.30, 0.0)),
                    *_SWELL_1547,
                )
            ),
        ),
    ),
    "ieee_1547.cat_iii": EnvelopeProfile(
        "IEEE 1547-2018, voltage ride-through, category III",
        _1547,
        "pu",
        (Envelope(below((0.88, 20.0), (0.70, 10.0), (0.50, 1.0)) + above((1.10, 12.0), (1.20, 0.0))),),
    ),
    "ieee_1547.frequency": EnvelopeProfile("IEEE 1547-2018, frequency ride-through", _1547, "Hz", (Envelope(_FREQUENCY),)),
}


def _trips(ov1: tuple[float, float], uv1: tuple[float, float], uv2: tuple[float, float]) -> dict[str, Relay]:
    return {
        "OV2": Relay(1.20, delay_s=0.16),
        "OV1": Relay(ov1[0], delay_s=ov1[1]),
        "UV1": Relay(uv1[0], under=True, delay_s=uv1[1]),
        "UV2": Relay(uv2[0], under=True, delay_s=uv2[1]),
    }


def _overload(**steps: tuple[float, float]) -> dict[str, Relay]:
    """Stages above loads in per unit, each with the seconds for which it is carried."""
    return {name: Relay(above_pu, delay_s=seconds) for name, (above_pu, seconds) in steps.items()}


STAGES = {
    "ieee_1547.trip_cat_i": StageProfile(
        "IEEE 1547-2018, default voltage trips, category I", _1547, "pu", _trips((1.10, 2.0), (0.70, 2.0), (0.45, 0.16))
    ),
    "ieee_1547.trip_cat_ii": StageProfile(
        "IEEE 1547-2018, default voltage trips, category II", _1547, "pu", _trips((1.10, 2.0), (0.70, 10.0), (0.45, 0.16))
    ),
    "ieee_1547.trip_cat_iii": StageProfile(
        "IEEE 1547-2018, default voltage trips, category III", _1547, "pu", _trips((1.10, 13.0), (0.88, 21.0), (0.50, 2.0))
    ),
    "ieee_1547.trip_frequency": StageProfile(
        "IEEE 1547-2018, default frequency trips",
        _1547,
        "Hz",
        {
            "OF2": Relay(62.0, delay_s=0.16),
            "OF1": Relay(61.2, delay_s=300.0),
            "UF1": Relay(58.5, under=True, delay_s=300.0),
            "UF2": Relay(56.5, under=True, delay_s=0.16),
        },
    ),
    "overload.staco": StageProfile(
        "Staco, inverter overload: 110 % 2 min, 125 % 30 s",
        "data sheet; the classes are taken to reach from the one below, and nothing to be carried beyond the last",
        "pu",
        _overload(to_110=(1.00, 120.0), to_125=(1.10, 30.0), beyond=(1.25, 0.0)),
    ),
    "overload.huawei_ups2000_g": StageProfile(
        "Huawei UPS2000-G, inverter overload",
        "data sheet: 110 to 130 % 1 min, 130 to 150 % 3 s, above 150 % 0.5 s",
        "pu",
        _overload(to_130=(1.10, 60.0), to_150=(1.30, 3.0), beyond=(1.50, 0.5)),
    ),
    "overload.riello": StageProfile(
        "Riello, inverter overload",
        "data sheet: 102 to 109 % 30 min, 110 to 130 % 30 s, 130 to 150 % 10 s; nothing is carried beyond",
        "pu",
        _overload(to_109=(1.02, 1800.0), to_130=(1.09, 30.0), to_150=(1.30, 10.0), beyond=(1.50, 0.0)),
    ),
    "overload.static_switch": StageProfile(
        "Static switch of a UPS: 125 % 10 min, 150 % 1 min, 1000 % one cycle of 60 Hz",
        "UFGS and data sheets; the classes are taken to reach from the one below, and nothing to be carried beyond the last",
        "pu",
        _overload(to_125=(1.00, 600.0), to_150=(1.25, 60.0), to_1000=(1.50, 1.0 / 60.0), beyond=(10.0, 0.0)),
    ),
    "lfp_cell": StageProfile(
        "Lithium iron phosphate cell, MG Energy Systems",
        "manual, page 42: mV a cell, delay, where it clears; delays are taken from each stage's own pick-up",
        "V",
        {
            "almost charged": Relay(3.440, delay_s=10.0, dropout=3.390),
            "charged": Relay(3.520, delay_s=10.0, dropout=3.440),
            "overvoltage warning": Relay(3.600, delay_s=20.0, dropout=3.520),
            "overvoltage critical": Relay(3.650, delay_s=5.0),
            "almost discharged": Relay(3.075, under=True, delay_s=10.0),
            "discharged": Relay(2.800, under=True, delay_s=10.0),
            "undervoltage warning": Relay(2.600, under=True, delay_s=20.0),
            "undervoltage critical": Relay(2.400, under=True, delay_s=5.0),
        },
    ),
}
