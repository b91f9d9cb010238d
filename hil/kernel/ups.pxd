"""Power of a double-conversion UPS: rectifier, DC link, battery converter, inverter, bypass.

Equations and sources: docs/model.md, "UPS". What the firmware orders comes in as arguments.
"""

from libc.math cimport fabs, sqrt
from libc.stdint cimport int64_t

from hil.kernel.battery cimport BatteryParams, BatteryState, battery_ocv


cdef enum:
    FED_BY_BYPASS = 1          # what feeds the output, as the firmware numbers it; 0: nothing
    FED_BY_INVERTER = 2


cdef struct UpsPowerParams:
    double share               # of the IT demand
    double rating_w
    double input_limit_w       # of the rectifier at 1 pu: its current limit
    double input_tan_phi
    double rectifier_loss      # share of its input
    double standby_w           # losses of the inverter: standby + linear P + quadratic P² / rating
    double linear_loss
    double quadratic_loss
    double battery_limit_w     # discharge
    double nominal_j           # in the DC link at 1 pu
    double restore_per_s       # (1 - exp(-dt / lag)) / dt: how the DC link is brought back
    double constant_current_below_pu
    double empty_soc           # to which the runtime counts


cdef struct UpsPowerState:
    double energy_j            # in the DC link
    double demand_w            # of the load at the output
    double inverter_w          # that the inverter takes from the DC link, where it can
    double held_w              # that the DC link needs
    double rectifier_w         # asked of the bus by the rectifier, at nominal delivery
    double bypass_w            # by the bypass
    double request_w           # by both
    double request_var
    double charge_w            # most into the battery
    double support_w           # taken over by the battery
    int64_t fed_by
    int64_t battery_on
    int64_t cut                # 1: a limit keeps the rectifier from taking what it wants
    double input_w
    double input_var
    double output_w
    double output_voltage_pu
    double dc_link_pu
    double loss_w              # of rectifier and inverter
    double runtime_s           # of the battery, at this load
    int64_t disconnected       # 1: the breaker at its input is open


cdef inline double ups_load_dc(const UpsPowerParams* p, double output_w) noexcept nogil:
    """What the inverter takes from the DC link for an output."""
    return output_w + p.standby_w + (p.linear_loss + p.quadratic_loss / p.rating_w * output_w) * output_w


cdef inline void ups_request(const UpsPowerParams* p, UpsPowerState* s, double demand_w, double load_tan_phi,
                             double limit_share, double voltage_pu, double load_share) noexcept nogil:
    """What the UPS asks of the bus, from the demand of this tick; bus voltage and load share are those of the last."""
    cdef double want_w = 0.0
    cdef double most_w
    s.demand_w = demand_w
    s.inverter_w = 0.0
    s.bypass_w = 0.0
    if s.fed_by == FED_BY_INVERTER:
        s.inverter_w = ups_load_dc(p, demand_w)
    elif s.fed_by == FED_BY_BYPASS:
        s.inverter_w = p.standby_w
        s.bypass_w = demand_w
    s.held_w = s.inverter_w + (p.nominal_j - s.energy_j) * p.restore_per_s
    s.cut = 0
    if limit_share > 0.0:
        if s.support_w > s.held_w:
            s.support_w = s.held_w if s.held_w > 0.0 else 0.0
        want_w = s.held_w - s.support_w + s.charge_w
        if want_w > 0.0:
            # Where the voltage is low the bus lets `load_share` of a request through.
            want_w = want_w / ((1.0 - p.rectifier_loss) * (load_share if load_share > 0.05 else 0.05))
            most_w = voltage_pu if voltage_pu > p.constant_current_below_pu else p.constant_current_below_pu
            if most_w > limit_share:
                most_w = limit_share
            most_w = most_w * p.input_limit_w
            if want_w > most_w:
                want_w = most_w
                s.cut = 1
        else:
            want_w = 0.0
    else:
        s.support_w = 0.0
    if s.disconnected:
        want_w = s.bypass_w = 0.0
    s.rectifier_w = want_w
    s.request_w = want_w + s.bypass_w
    s.request_var = want_w * p.input_tan_phi + s.bypass_w * load_tan_phi


cdef inline void ups_runtime(const UpsPowerParams* p, UpsPowerState* s, const BatteryParams* cell, const BatteryState* battery,
                             double soc_error) noexcept nogil:
    """How long the battery would feed this load: nothing but what is shown goes by it."""
    cdef double load_dc_w = ups_load_dc(p, s.demand_w)
    cdef double counted_soc = battery.soc + soc_error
    cdef double stored_j = (cell.capacity_as * (counted_soc - p.empty_soc)
                            * battery_ocv(cell, 0.5 * (counted_soc + p.empty_soc)))
    s.runtime_s = 0.0
    if stored_j > 0.0:
        s.runtime_s = stored_j / load_dc_w if stored_j < 86400.0 * load_dc_w else 86400.0


cdef inline double ups_battery_w(const UpsPowerParams* p, const UpsPowerState* s, double load_share) noexcept nogil:
    """What the battery is asked for once the network is solved."""
    cdef double rectified_w = s.rectifier_w * load_share * (1.0 - p.rectifier_loss)
    cdef double battery_w = s.held_w - rectified_w
    cdef double most_w = p.battery_limit_w if s.battery_on else 0.0
    if battery_w > most_w:
        battery_w = most_w
    elif battery_w < -s.charge_w:
        battery_w = -s.charge_w
    if fabs(battery_w) < 1e-9 * p.rating_w:    # rounding of the balance: a battery at rest stays at rest
        battery_w = 0.0
    return battery_w


cdef inline void ups_deliver(const UpsPowerParams* p, UpsPowerState* s, double battery_w, double voltage_pu,
                             double load_share, double dt) noexcept nogil:
    """DC link and output, with what the battery gives."""
    cdef double there_w = s.rectifier_w * load_share * (1.0 - p.rectifier_loss) + battery_w
    cdef double met = 1.0
    if s.inverter_w > 0.0 and s.inverter_w * dt > s.energy_j + there_w * dt:    # the link runs empty within the tick
        met = (s.energy_j + there_w * dt) / (s.inverter_w * dt)
    s.energy_j += (there_w - met * s.inverter_w) * dt
    if s.energy_j < 0.0:    # by its rounding
        s.energy_j = 0.0
    s.input_w = s.request_w * load_share
    s.input_var = s.request_var * load_share
    s.loss_w = s.rectifier_w * load_share * p.rectifier_loss
    if s.fed_by == FED_BY_INVERTER:
        s.output_w = s.demand_w * met
        s.output_voltage_pu = met
        s.loss_w += met * (s.inverter_w - s.demand_w)
    elif s.fed_by == FED_BY_BYPASS:
        s.output_w = 0.0 if s.disconnected else s.demand_w * load_share
        s.output_voltage_pu = 0.0 if s.disconnected else voltage_pu
        s.loss_w += met * s.inverter_w
    else:
        s.output_w = 0.0
        s.output_voltage_pu = 0.0


cdef inline double link_pu(double energy_j, double nominal_j) noexcept nogil:
    """Voltage of a DC link."""
    return sqrt(energy_j / nominal_j)
