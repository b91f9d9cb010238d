"""The network phase by phase, in OpenDSS: three single-phase sources, three-phase windings, a balanced current at the bus.

Each phase of the source is a Vsource of its own with the grid's impedance behind it, so that the zero sequence meets the same
impedance as the positive. Load and storage are an Isource of positive sequence, turned and sized until it draws the power
that the law of docs/model.md, "Network", gives at the positive sequence of the voltage that OpenDSS finds.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable

import numpy as np
from balanced import KV, Site
from dss import DSS
from harness import peer

OPENDSS = f"OpenDSS in {peer('dss-python')}"

TURN = cmath.exp(2j * math.pi / 3.0)
BALANCED = np.array([1.0, TURN**2, TURN])

# Windings of each group: connections, LeadLag, and on which node of the bus each of the three low-voltage windings ends.
# Lagging, the low side of delta-star is Dyn1, leading Dyn11; ending its windings on other phases turns it by 120° or 240°.
GROUPS = {
    "Dyn1": ("delta wye", "lag", "pcc.1.2.3", "bus.1.2.3.0"),
    "Dyn5": ("delta wye", "lag", "pcc.1.2.3", "bus.3.1.2.0"),
    "Dyn7": ("delta wye", "lead", "pcc.1.2.3", "bus.2.3.1.0"),
    "Dyn11": ("delta wye", "lead", "pcc.1.2.3", "bus.1.2.3.0"),
    "YNyn0": ("wye wye", "lag", "pcc.1.2.3.0", "bus.1.2.3.0"),
    "Yyn0": ("wye wye", "lag", "pcc.1.2.3.4", "bus.1.2.3.0"),
}


def source(fault: str, residual: float) -> np.ndarray:
    """Phase voltages of the source during a dip, by what the fault does to the phases it names."""
    phases = BALANCED.copy()
    hit = ["abc".index(phase) for phase in fault.removesuffix("g")]
    if len(hit) == 2 and not fault.endswith("g"):  # of the voltage between the two phases a share is left
        middle = phases[hit].mean()
        phases[hit] = middle + residual * (phases[hit] - middle)
    else:
        phases[hit] *= residual
    return phases


def positive(phases: np.ndarray) -> complex:
    """Positive-sequence component."""
    return complex(phases[0] + TURN * phases[1] + TURN**2 * phases[2]) / 3.0


class ThreePhase:
    """A site in OpenDSS; voltages per unit of the nominal phase voltage, powers in MVA."""

    def __init__(self, site: Site, group: str | None) -> None:
        self.site = site
        self.engine = DSS.NewContext()
        self.at_bus = "pcc" if group is None else "bus"
        ohm = KV**2 / site.short_circuit_mva
        r = ohm / math.hypot(1.0, site.x_over_r)
        x = r * site.x_over_r
        impedance = f"R1={r!r} X1={x!r} R0={r!r} X0={x!r}"
        self._do("Clear", "Set DefaultBaseFrequency=60")
        self._do(f"New Circuit.site phases=1 bus1=pcc.1 BasekV={KV / math.sqrt(3.0)!r} {impedance}")
        self._do(*(f"New Vsource.{n} phases=1 bus1=pcc.{n} BasekV={KV / math.sqrt(3.0)!r} {impedance}" for n in (2, 3)))
        if group is not None:
            self._transformer(group)
        self._do(f"New Isource.drawn phases=3 bus1={self.at_bus}.1.2.3 sequence=pos", "Set tolerance=1e-12")

    def _transformer(self, group: str) -> None:
        t = self.site.transformer
        assert t is not None
        connections, lead_lag, high, low = GROUPS[group]
        r = 100.0 * t.impedance / math.hypot(1.0, t.x_over_r)
        # Where the neutral of the high side floats, only a magnetising current, however small, says where: 1e-5 of the rated.
        magnetising = 1e-3 if group == "Yyn0" else 0.0
        self._do(
            f"New Transformer.t phases=3 windings=2 buses=[{high} {low}] conns=[{connections}] LeadLag={lead_lag} "
            f"kVs=[{KV} {KV}] kVAs=[{1e3 * t.rating_mva} {1e3 * t.rating_mva}] taps=[{t.ratio} 1] "
            f"XHL={r * t.x_over_r!r} %Rs=[{r / 2!r} {r / 2!r}] %noloadloss=0 %imag={magnetising} ppm_antifloat=0"
        )

    def _do(self, *commands: str) -> None:
        for command in commands:
            self.engine.Text.Command = command

    def _voltages(self, bus: str) -> np.ndarray:
        circuit = self.engine.ActiveCircuit
        circuit.SetActiveBus(bus)
        parts = np.asarray(circuit.ActiveBus.Voltages)
        return (parts[0:6:2] + 1j * parts[1:6:2]) / (1e3 * KV / math.sqrt(3.0))

    def with_current(self, source_pu: np.ndarray, current: complex) -> tuple[np.ndarray, np.ndarray]:
        """Phase voltages at PCC and bus where a balanced current is drawn at the bus, MVA at 1 pu."""
        for name, volts in zip(("source", "2", "3"), source_pu, strict=True):
            angle = math.degrees(cmath.phase(volts))
            self._do(f"Edit Vsource.{name} pu={abs(volts):.17g} angle={angle:.17g}")
        amperes = abs(current) * 1e3 / (math.sqrt(3.0) * KV)
        self._do(f"Edit Isource.drawn amps={amperes:.17g} angle={math.degrees(cmath.phase(-current)):.17g}", "Solve")
        assert self.engine.ActiveCircuit.Solution.Converged
        return self._voltages("pcc"), self._voltages(self.at_bus)

    def drawing(
        self, source_pu: np.ndarray, power: Callable[[float], complex]
    ) -> tuple[np.ndarray, np.ndarray, complex] | None:
        """Phase voltages where `power` of the voltage is drawn, and P + jQ through the PCC; None where none is found."""
        pcc, bus = self.with_current(source_pu, 0j)
        current = 0j
        for _ in range(200):
            at_bus = positive(bus)
            wanted = (power(abs(at_bus)) / at_bus).conjugate()
            if abs(wanted - current) < 1e-10 * self.site.short_circuit_mva:
                return pcc, bus, self._through(pcc, source_pu)
            current = wanted
            pcc, bus = self.with_current(source_pu, current)
        return None

    def _through(self, pcc: np.ndarray, source_pu: np.ndarray) -> complex:
        """Power of the positive sequence, from the current that the grid's impedance sees."""
        size = complex(1.0, self.site.x_over_r) / math.hypot(1.0, self.site.x_over_r)
        current = positive(source_pu - pcc) / size * self.site.short_circuit_mva
        return positive(pcc) * current.conjugate()

    def in_steady_state(
        self, source_pu: np.ndarray, load: complex, storage: complex = 0j
    ) -> tuple[np.ndarray, np.ndarray, complex]:
        """As docs/model.md, "Network", has it, once converters have measured the voltage at which they are.

        Power where the positive sequence at the bus stays at the threshold or above; below, the load is a constant current and
        a converter gives its command.
        """
        below = self.site.below
        found = self.drawing(source_pu, lambda _: load - storage)
        if found is None or abs(positive(found[1])) < below:
            found = self.drawing(source_pu, lambda v: load * min(v / below, 1.0) - storage)
        assert found is not None
        return found
