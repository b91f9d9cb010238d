"""The network: a Thevenin source, the point of common coupling (PCC), a transformer, and the bus of load and storage.

Solved in closed form for the positive sequence; load and converters draw balanced currents, so the negative and zero
sequence of the source reach PCC and bus undiminished. Equations and sources: docs/model.md, "Network".
"""

from libc.math cimport sqrt
from libc.stdint cimport int64_t


cdef enum:
    # What parts the site from the grid, or may.
    APART_BREAKER = 1
    APART_OUTAGE = 2
    APART_OWN = 4              # sources of its own, which are asked in every tick


cdef struct NetworkParams:
    double base_va             # short-circuit power: base of the per-unit values here, |Z| of the grid is 1 on it
    double source_pu           # voltage behind the impedance, before events
    double resistance_pu       # from source to bus, as the bus sees it
    double reactance_pu
    double transformer_resistance_pu   # the part of it from the PCC to the bus
    double transformer_reactance_pu
    double ratio               # turns ratio off nominal: the bus voltage without load is the PCC's over this
    double shift_cos           # of the angle by which the bus lags the PCC in the positive sequence
    double shift_sin
    double zero_sequence       # 1: the transformer lets it through
    int64_t transformer        # 0: PCC and bus are one
    double constant_current_below_pu


cdef struct NetworkState:
    double source_pu           # positive sequence behind the impedance now, with dips; its angle is zero
    double negative_re_pu      # negative sequence of the source now
    double negative_im_pu
    double zero_re_pu          # zero sequence
    double zero_im_pu
    double positive_re_pu      # positive sequence at the PCC, while there are others
    double positive_im_pu
    double voltage_pu          # positive sequence at the PCC
    double bus_voltage_pu      # and at the bus
    double phase_pu[3]         # of the phases, at the PCC
    double bus_phase_pu[3]
    double power_w             # through the PCC, import > 0
    double reactive_var
    double load_share          # of the load's power that the voltage lets through; 1 while loads take their power
    double storage_share       # of the converters' power, likewise
    int64_t collapsed_ticks    # ticks without a solution
    int64_t disconnected       # of APART_…: the breaker at the PCC is open, the utility has gone, it has sources of its own


cdef inline void phases(double* out, double re, double im, double neg_re, double neg_im, double zero_re,
                        double zero_im) noexcept nogil:
    """Magnitudes of the three phases of a positive (`re`, `im`), a negative and a zero sequence."""
    cdef double half_root3 = 0.8660254037844386
    cdef double x = re + neg_re
    cdef double y = im + neg_im
    cdef double along_re = half_root3 * (im - neg_im)    # (a² − a)·j/2 of the difference: what sets b and c apart
    cdef double along_im = half_root3 * (re - neg_re)
    out[0] = sqrt((x + zero_re) * (x + zero_re) + (y + zero_im) * (y + zero_im))
    re = zero_re - 0.5 * x + along_re
    im = zero_im - 0.5 * y - along_im
    out[1] = sqrt(re * re + im * im)
    re = zero_re - 0.5 * x - along_re
    im = zero_im - 0.5 * y + along_im
    out[2] = sqrt(re * re + im * im)


cdef inline void network_phases(const NetworkParams* p, NetworkState* s, double at_pcc_re, double at_pcc_im,
                                double source_re, double source_im) noexcept nogil:
    """Phase voltages at PCC and bus; the arguments are the PCC's and the source's voltage with the bus's as reference."""
    cdef double size = sqrt(source_re * source_re + source_im * source_im)
    cdef double turn_re = source_re / size if size > 0.0 else 1.0
    cdef double turn_im = -source_im / size if size > 0.0 else 0.0
    cdef double bus_re = s.bus_voltage_pu * turn_re
    cdef double bus_im = s.bus_voltage_pu * turn_im
    cdef double c = p.shift_cos / p.ratio
    cdef double d = p.shift_sin / p.ratio
    s.positive_re_pu = p.ratio * (at_pcc_re * turn_re - at_pcc_im * turn_im)
    s.positive_im_pu = p.ratio * (at_pcc_re * turn_im + at_pcc_im * turn_re)
    phases(s.phase_pu, s.positive_re_pu, s.positive_im_pu, s.negative_re_pu, s.negative_im_pu, s.zero_re_pu, s.zero_im_pu)
    phases(s.bus_phase_pu, bus_re * p.shift_cos + bus_im * p.shift_sin, bus_im * p.shift_cos - bus_re * p.shift_sin,
           s.negative_re_pu * c - s.negative_im_pu * d, s.negative_im_pu * c + s.negative_re_pu * d,
           s.zero_re_pu * p.zero_sequence / p.ratio, s.zero_im_pu * p.zero_sequence / p.ratio)


cdef inline bint unbalanced(const NetworkState* s) noexcept nogil:
    """Whether the source has a negative or a zero sequence now."""
    return s.negative_re_pu != 0.0 or s.negative_im_pu != 0.0 or s.zero_re_pu != 0.0 or s.zero_im_pu != 0.0


cdef inline void network_behind(const NetworkParams* p, NetworkState* s) noexcept nogil:
    """The PCC and the phases, from the bus and what is delivered there."""
    cdef double voltage = s.bus_voltage_pu
    # The current, its phase counted from the bus voltage; none where the network has collapsed.
    cdef double i_re = s.power_w / (p.base_va * voltage) if voltage > 0.0 else 0.0
    cdef double i_im = -s.reactive_var / (p.base_va * voltage) if voltage > 0.0 else 0.0
    cdef double pcc_re = voltage
    cdef double pcc_im = 0.0
    cdef double squared
    s.voltage_pu = voltage
    if p.transformer:
        pcc_re = voltage + p.transformer_resistance_pu * i_re - p.transformer_reactance_pu * i_im
        pcc_im = p.transformer_reactance_pu * i_re + p.transformer_resistance_pu * i_im
        s.voltage_pu = p.ratio * sqrt(pcc_re * pcc_re + pcc_im * pcc_im)
        squared = (i_re * i_re + i_im * i_im) * p.base_va
        s.power_w += p.transformer_resistance_pu * squared
        s.reactive_var += p.transformer_reactance_pu * squared
    if unbalanced(s):
        network_phases(p, s, pcc_re, pcc_im, voltage + p.resistance_pu * i_re - p.reactance_pu * i_im,
                       p.reactance_pu * i_re + p.resistance_pu * i_im)
    else:
        s.phase_pu[0] = s.phase_pu[1] = s.phase_pu[2] = s.voltage_pu
        s.bus_phase_pu[0] = s.bus_phase_pu[1] = s.bus_phase_pu[2] = voltage


cdef inline void network_solve(const NetworkParams* p, NetworkState* s, double load_w, double load_var, double storage_w,
                               double storage_var, double measured_pu) noexcept nogil:
    """Voltages and what is delivered, for load and storage at their nominal powers.

    Where the voltage is low everything is a current in phase with it: the load's is its power at the threshold, a converter's
    is its command at the voltage it measures.
    """
    cdef double source = s.source_pu / p.ratio
    cdef double e2 = source * source
    cdef double per_watt = 1.0 / p.base_va
    cdef double p_pu = (load_w - storage_w) * per_watt
    cdef double q_pu = (load_var - storage_var) * per_watt
    cdef double half = 0.5 * e2 - (p.resistance_pu * p_pu + p.reactance_pu * q_pu)
    cdef double z2 = p.resistance_pu * p.resistance_pu + p.reactance_pu * p.reactance_pu
    cdef double disc = half * half - (p_pu * p_pu + q_pu * q_pu) * z2
    cdef double voltage = -1.0
    cdef double across
    cdef double seen_pu
    s.load_share = 1.0
    s.storage_share = 1.0
    if disc >= 0.0 and half + sqrt(disc) >= 0.0:
        voltage = sqrt(half + sqrt(disc))
    if voltage < p.constant_current_below_pu:
        seen_pu = measured_pu if measured_pu > 0.05 else 0.05  # a converter's own division is guarded too
        p_pu = (load_w / p.constant_current_below_pu - storage_w / seen_pu) / p.base_va
        q_pu = (load_var / p.constant_current_below_pu - storage_var / seen_pu) / p.base_va
        across = p.reactance_pu * p_pu - p.resistance_pu * q_pu
        disc = e2 - across * across
        voltage = -1.0
        if disc >= 0.0:
            voltage = sqrt(disc) - (p.resistance_pu * p_pu + p.reactance_pu * q_pu)
        if voltage < 0.0:
            voltage = 0.0
            if e2 > 0.0:
                s.collapsed_ticks += 1
        s.load_share = voltage / p.constant_current_below_pu
        s.storage_share = voltage / seen_pu
    s.bus_voltage_pu = voltage
    s.power_w = load_w * s.load_share - storage_w * s.storage_share
    s.reactive_var = load_var * s.load_share - storage_var * s.storage_share
    if p.transformer or unbalanced(s):
        network_behind(p, s)
    else:
        s.voltage_pu = voltage
        s.phase_pu[0] = s.phase_pu[1] = s.phase_pu[2] = voltage
        s.bus_phase_pu[0] = s.bus_phase_pu[1] = s.bus_phase_pu[2] = voltage


cdef inline bint without_grid(const NetworkState* s) noexcept nogil:
    return (s.disconnected & (APART_BREAKER | APART_OUTAGE)) != 0


cdef inline void network_apart(NetworkState* s) noexcept nogil:
    """Behind an open breaker at the PCC, or without a utility: the grid by itself up to it, and a bus without a source."""
    cdef int64_t i
    s.load_share = s.storage_share = 0.0
    s.power_w = s.reactive_var = 0.0
    s.voltage_pu = s.positive_re_pu = s.source_pu
    s.positive_im_pu = 0.0
    s.bus_voltage_pu = 0.0
    phases(s.phase_pu, s.source_pu, 0.0, s.negative_re_pu, s.negative_im_pu, s.zero_re_pu, s.zero_im_pu)
    for i in range(3):
        s.bus_phase_pu[i] = 0.0
