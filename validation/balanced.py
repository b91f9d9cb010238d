"""A site in balanced steady state, for both sides: sections of a scenario, and the same site in a power flow of pandapower.

All cases of a comparison are parts of one pandapower net that share nothing but ideal sources: an external grid is the source,
an impedance the grid's, and a two-winding transformer without no-load losses stands between PCC and bus. Its impedance is on
the low-voltage side and stays as it is when the tap changer on the other side moves, in pandapower as in docs/model.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp

KV = 34.5
TAP_PERCENT = 1.25


@dataclass(frozen=True)
class Transformer:
    """Between the PCC and the bus; a tap raises the turns ratio by 1.25 %."""

    rating_mva: float
    impedance: float
    x_over_r: float
    tap: int = 0

    @property
    def ratio(self) -> float:
        """Turns ratio off nominal."""
        return 1.0 + self.tap * TAP_PERCENT / 100.0


@dataclass(frozen=True)
class Site:
    """A grid and what stands behind it."""

    short_circuit_mva: float
    x_over_r: float
    transformer: Transformer | None = None
    source: float = 1.0
    power_factor: float = 1.0
    below: float = 0.5  # constant current below this voltage

    def sections(self, **others: Any) -> dict[str, Any]:
        """Of a scenario; `others` stand beside them, those of `grid` within it."""
        grid = {
            "voltage": f"{KV} kV",
            "short_circuit": f"{self.short_circuit_mva} MVA",
            "x_over_r": self.x_over_r,
            "source": self.source,
            "constant_current_below": self.below,
            **others.pop("grid", {}),
        }
        load = {"kind": "training", "power": "10 MW", "power_factor": self.power_factor}
        sections = {"grid": grid, "load": load, **others}
        if self.transformer is not None:
            sections["transformer"] = {
                "rating": f"{self.transformer.rating_mva} MVA",
                "impedance": self.transformer.impedance,
                "x_over_r": self.transformer.x_over_r,
                "ratio": self.transformer.ratio,
            }
        return sections

    def demand(self, load_w: np.ndarray) -> np.ndarray:
        """P + jQ of an IT load, MVA."""
        return load_w / 1e6 * complex(1.0, math.tan(math.acos(self.power_factor)))


@dataclass(frozen=True)
class Case:
    """A site at one moment, powers in MVA."""

    site: Site
    constant_power: complex = 0j
    constant_current: complex = 0j  # its power at 1 pu
    dip: float = 1.0  # share of the source voltage that is left


@dataclass(frozen=True)
class Solution:
    """Of every case: voltages, per unit; P + jQ through the PCC, MVA."""

    pcc: np.ndarray
    bus: np.ndarray
    power: np.ndarray


def power_flow(cases: list[Case]) -> Solution:
    """Newton-Raphson by pandapower.

    A bus of pandapower has one share of constant current for everything at it: a case has constant power or constant current.
    """
    assert not any(case.constant_power and case.constant_current for case in cases)
    net = pp.create_empty_network(sn_mva=100.0)
    pcc, bus = (pp.create_buses(net, len(cases), vn_kv=KV) for _ in range(2))
    behind = np.array([case.site.transformer is not None for case in cases])
    bus = np.where(behind, bus, pcc)
    net.bus = net.bus.loc[np.union1d(pcc, bus)]
    ratio = np.array([case.site.x_over_r for case in cases])
    r = 1.0 / np.sqrt(1.0 + ratio**2)
    size = np.array([case.site.short_circuit_mva for case in cases])
    grid = pp.create_impedances(net, _sources(net, cases), pcc, r, ratio * r, size)
    if behind.any():
        _transformers(net, pcc[behind], bus[behind], [case.site.transformer for case in cases if case.site.transformer])
    power = np.array([case.constant_power + case.constant_current for case in cases])
    percent = [100.0 if case.constant_current else 0.0 for case in cases]
    pp.create_loads(net, bus, power.real, power.imag, const_i_p_percent=percent, const_i_q_percent=percent)
    pp.runpp(net, tolerance_mva=1e-9, max_iteration=100, voltage_depend_loads=True, init="flat", numba=False)
    voltage, through = net.res_bus.vm_pu, net.res_impedance.loc[grid]
    return Solution(
        voltage.loc[pcc].to_numpy(), voltage.loc[bus].to_numpy(), -(through.p_to_mw + 1j * through.q_to_mvar).to_numpy()
    )


def _sources(net: pp.pandapowerNet, cases: list[Case]) -> list[int]:
    """The ideal source of each case; those of one voltage share it."""
    voltages = [case.site.source * case.dip for case in cases]
    at = {voltage: int(pp.create_bus(net, vn_kv=KV)) for voltage in dict.fromkeys(voltages)}
    for voltage, bus in at.items():
        pp.create_ext_grid(net, bus, vm_pu=voltage)
    return [at[voltage] for voltage in voltages]


def _transformers(net: pp.pandapowerNet, high: np.ndarray, low: np.ndarray, of: list[Transformer]) -> None:
    pp.create_transformers_from_parameters(
        net,
        high,
        low,
        sn_mva=[t.rating_mva for t in of],
        vn_hv_kv=KV,
        vn_lv_kv=KV,
        vk_percent=[100.0 * t.impedance for t in of],
        vkr_percent=[100.0 * t.impedance / math.hypot(1.0, t.x_over_r) for t in of],
        pfe_kw=0.0,
        i0_percent=0.0,
        tap_side="hv",
        tap_neutral=0,
        tap_pos=[t.tap for t in of],
        tap_step_percent=TAP_PERCENT,
        tap_changer_type="Ratio",
    )
