"""Waveforms of one place in a recording, and the RMS values, frequency and powers that limits look at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from hil.waves.fundamental import CYCLES, Fundamental, envelope, fundamental, half_cycles, phasor, rms
from hil.waves.harmonics import Subgroups, cycles_of, highest_order, subgroups
from hil.waves.jumps import Jump, holds_jump, phase_jumps
from hil.waves.sliding import Floats, sliding_mean

TO_GROUND = ("a", "b", "c")
BETWEEN = ("ab", "bc", "ca")


_NEAR_PU = (0.6, 1.5)
_TURNED = (0, 2, 1)


def wave_of(node: str, phase: str, what: str = "voltage") -> str:
    """The signal that holds a waveform, `pcc.voltage_a_wave_v`."""
    return f"{node}.{what}_{phase}_wave_{'v' if what == 'voltage' else 'a'}"


class Waveforms:
    """Samples of voltages, V, and currents, A, by phase, on an even grid; NaN where one is missing.

    voltages: of three phases, or of some, to ground or between them. nominal_v: phase to phase, RMS. half: RMS values are
    renewed every half cycle, as Urms(1/2) of IEC 61000-4-30 are, and not at every sample.
    """

    def __init__(
        self,
        voltages: Mapping[str, Floats],
        currents: Mapping[str, Floats],
        *,
        rate_hz: float,
        nominal_hz: float,
        nominal_v: float,
        half: bool = False,
    ) -> None:
        self.voltages, self.currents = voltages, currents
        self.rate_hz, self.nominal_hz, self.nominal_v = rate_hz, nominal_hz, nominal_v
        self._half = half
        self._made: dict[str, Floats | None] = {}
        self._subgroups: dict[tuple[str, int], Subgroups] = {}
        self._turned = False
        self._jumps: dict[float, list[Jump]] = {}

    def base_v(self, phase: str) -> float:
        """Nominal RMS voltage of a phase, or between two."""
        return self.nominal_v if phase in BETWEEN else self.nominal_v / math.sqrt(3.0)

    @cached_property
    def fundamental(self) -> Fundamental:
        """Of the voltages: the positive sequence of three phases, else the first of those that there are."""
        phases = self._phases
        found = self._fundamental(phases)
        if len(phases) > 1 and np.isnan(found.frequency_hz).all():
            other = self._fundamental([phases[place] for place in _TURNED])
            self._turned = not bool(np.isnan(other.frequency_hz).all())
            return other if self._turned else found
        return found

    @property
    def turned(self) -> bool:
        """Whether phases follow each other as a, c, b."""
        return bool(self.fundamental) and self._turned

    @cached_property
    def _phases(self) -> list[str]:
        """The voltages that make the fundamental."""
        names = next((those for those in (TO_GROUND, BETWEEN) if set(those) <= set(self.voltages)), None)
        return [next(iter(self.voltages))] if names is None else list(names)

    def _fundamental(self, phases: list[str]) -> Fundamental:
        return fundamental([self.voltages[phase] for phase in phases], *self._nominal)

    @property
    def _nominal(self) -> tuple[float, float, float]:
        return self.rate_hz, self.nominal_hz, math.sqrt(2.0) * self.base_v(self._phases[0])

    def jumps(self, least_deg: float) -> list[Jump]:
        """Jumps of the phase of the fundamental beyond an angle."""
        if least_deg not in self._jumps:
            places = _TURNED if self.turned else range(len(self._phases))
            voltages = [self.voltages[self._phases[place]] for place in places]
            self._jumps[least_deg] = phase_jumps(voltages, *self._nominal, least_deg)
        return self._jumps[least_deg]

    def around_jumps(self, least_deg: float) -> Any:
        """Whether the windows of the frequency hold such a jump, at each sample, shape (n,)."""
        count = next(iter(self.voltages.values())).size
        return holds_jump(self.jumps(least_deg), count, self.rate_hz, self.nominal_hz)

    def channel(self, what: str, *, quick: bool = False) -> Floats | None:
        """A channel by its name at this place, shape (n,); None where the waveforms do not tell it.

        quick: as much of its bandwidth as there is, for what looks at bands: the power at each instant, RMS values of half a
        period, restored.
        """
        name = f"{what}, quick" if quick else what
        if name not in self._made:
            self._made[name] = self._make(what, quick=quick)
        return self._made[name]

    @cached_property
    def strange(self) -> dict[str, float]:
        """Voltages, pu, by phase, that are not near nominal for most of the time: mostly another unit, or to ground or not.

        The median of a sine's magnitude is its RMS value.
        """
        levels = {
            phase: float(np.median(np.abs(values[~np.isnan(values)]))) / self.base_v(phase)
            for phase, values in self.voltages.items()
            if not np.isnan(values).all()
        }
        return {phase: level_pu for phase, level_pu in levels.items() if not _NEAR_PU[0] < level_pu < _NEAR_PU[1]}

    def harmonics(self, what: str, most: int) -> Subgroups:
        """Subgroups of the voltages or the currents, by phase, up to an order, as far as they are shown."""
        highest = highest_order(self.rate_hz, self.nominal_hz, most)
        if (what, highest) not in self._subgroups:
            signals = self.voltages if what == "voltage" else self.currents
            cycles = cycles_of(self.nominal_hz)
            samples = round(cycles * self.rate_hz / self.nominal_hz)
            self._subgroups[what, highest] = subgroups(
                list(signals.values()), self.fundamental.turns, cycles, samples, highest
            )
        return self._subgroups[what, highest]

    def _make(self, what: str, *, quick: bool) -> Floats | None:
        if what in ("frequency_hz", "frequency_measured_hz"):
            return self.fundamental.frequency_hz if self.voltages else None
        if what in ("power_w", "power_measured_w"):
            return self._power(instant=quick)
        if what == "reactive_var":
            return self._reactive()
        if what in ("voltage_a_pu", "voltage_b_pu", "voltage_c_pu"):
            return self._phase("abc".index(what[8]), quick=quick)
        phases = [values for place in range(3) if (values := self._phase(place, quick=quick)) is not None]
        how: Any = {
            "voltage_lowest_measured_pu": np.min,
            "output_voltage_pu": np.min,
            "voltage_highest_measured_pu": np.max,
            "voltage_pu": np.mean,
        }.get(what)
        if how is None or not phases:
            return None
        found: Floats = phases[0] if len(phases) == 1 else how(np.stack(phases), axis=0)
        return found

    def _phase(self, place: int, *, quick: bool) -> Floats | None:
        """RMS voltage of a phase, or between it and the next, pu."""
        phase = next((names[place] for names in (TO_GROUND, BETWEEN) if names[place] in self.voltages), None)
        if phase is None:
            return None
        name = f"rms {phase}, quick" if quick else f"rms {phase}"
        if name not in self._made:
            period = self.fundamental.period_samples
            found = (envelope if quick else rms)(self.voltages[phase] / self.base_v(phase), period)
            self._made[name] = half_cycles(found, self.fundamental.turns) if self._half and not quick else found
        return self._made[name]

    def _pairs(self) -> list[tuple[Floats, Floats]] | None:
        if not all(phase in self.voltages and phase in self.currents for phase in TO_GROUND):
            return None
        return [(self.voltages[phase], self.currents[phase]) for phase in TO_GROUND]

    def _power(self, *, instant: bool) -> Floats | None:
        pairs = self._pairs()
        if pairs is None:
            return None
        power: Floats = sum((voltage * current for voltage, current in pairs), start=np.zeros(pairs[0][0].size))
        return power if instant else sliding_mean(power, self.fundamental.period_samples)

    def _reactive(self) -> Floats | None:
        """Of the fundamental, positive where the current is behind the voltage."""
        pairs = self._pairs()
        if pairs is None:
            return None
        settings: Any = (self.rate_hz, self.nominal_hz, self.fundamental.period_samples)
        total = np.zeros(pairs[0][0].size)
        for voltage, current in pairs:
            total += 0.5 * (phasor(voltage, *settings) * np.conj(phasor(current, *settings))).imag
        return total

    @property
    def settles_s(self) -> float:
        """From the first sample until all channels are there."""
        return CYCLES / self.nominal_hz
