"""What the firmware of an emulated inverter does now and then: commands, timers, states, faults, limits.

Commands wake it; else its turn comes once a second, when a timer expires, and in every tick while something is on its way.
A turn more changes nothing. Between its turns `pcs_step` goes by what it has left in the state. Equations: docs/model.md,
"Inverter firmware".
"""

from libc.math cimport fabs
from libc.stdint cimport int64_t

from firmware_sim.kernel.pcs cimport (
    LIMITS_CHARGE, LIMITS_DISCHARGE, OPERATE_START, OPERATE_STOP, PCS_FAULT, PCS_OFF, PCS_RUNNING, PCS_STANDBY, PCS_STARTING,
    PCS_STOPPING, POINT_CONNECT, POINT_CONNECT_REVERT_S, POINT_CONTROLLER_HEARTBEAT, POINT_LIMIT_CHARGE_W,
    POINT_LIMIT_DISCHARGE_W, POINT_LIMIT_ENABLE, POINT_LIMIT_RAMP_S, POINT_LIMIT_REVERT_S, POINT_LOCAL, POINT_OPERATION,
    POINT_REBOOT, POINT_REFRESH, POINT_RESET, POINT_RESTARTS, POINT_REVERT_ENABLE, POINT_REVERT_S, POINT_REVERT_W,
    POINT_SET_ENABLE, POINT_SET_VAR, POINT_SET_W, POINT_VAR_ENABLE, RESTARTS_REVERT_S, RESTARTS_SET_ENABLE, RESTARTS_SET_W,
    TOO_HOT, TRIPPED, PcsParams, PcsState, toward,
)


cdef enum:
    MOST_WHOLE = 1000000000      # of a setting in whole numbers; seconds of it are still ticks without overflow


cdef struct PcsSeen:
    # What the firmware is told of its equipment, as of the end of the last tick.
    double temperature_degc
    double added_k               # on it, by its sensor
    double cells_soc             # what the voltage of the cells gives away: below 0 or above 1 they are protected
    double derating              # share of its power that is left
    int64_t contactor_open
    int64_t grid_lost            # the PLL has no grid to follow
    int64_t trip


cdef inline int64_t whole(double value) noexcept nogil:
    """A setting in whole numbers; what is beyond their range, or no number, is the end of it."""
    if not value > 0.0:
        return 0
    return <int64_t>value if value < <double>MOST_WHOLE else MOST_WHOLE


cdef inline bint pcs_takes(const PcsState* s, int64_t point) noexcept nogil:
    """Whether a command is heard: at the panel and while it is away none of a controller's is."""
    if point == POINT_REBOOT or point == POINT_RESTARTS:
        return True
    if s.back_at >= 0:
        return False
    return not s.local or point == POINT_LOCAL or point == POINT_CONTROLLER_HEARTBEAT


cdef inline void pcs_set(const PcsParams* p, PcsState* s, int64_t point, double value) noexcept nogil:
    """The set-point, its reversion and its timer."""
    if point == POINT_SET_W:
        s.set_w = value
        s.touched |= s.restarts & RESTARTS_SET_W
    elif point == POINT_SET_ENABLE:
        # Switched on or off starts or ends the timer; only a repeated write is a matter of `restarts`.
        s.touched |= 1 if s.set_enable != whole(value) else s.restarts & RESTARTS_SET_ENABLE
        s.set_enable = whole(value)
    elif point == POINT_REVERT_W:
        s.revert_w = value
    elif point == POINT_REVERT_ENABLE:
        s.revert_enable = whole(value)
    elif point == POINT_REVERT_S:
        s.revert_s = whole(value)
        s.touched |= s.restarts & RESTARTS_REVERT_S
    elif point == POINT_REFRESH:
        s.touched |= 1
    elif point == POINT_SET_VAR:
        s.set_var = value
    elif point == POINT_VAR_ENABLE:
        s.var_enable = whole(value)


cdef inline void pcs_command(const PcsParams* p, PcsState* s, int64_t point, double value, int64_t tick) noexcept nogil:
    """Apply one validated write, or count it as refused."""
    s.due_at = tick
    if not pcs_takes(s, point):
        s.refused += 1
        return
    s.commanded_at = tick
    if point == POINT_OPERATION:
        s.operation = whole(value)
    elif point == POINT_CONTROLLER_HEARTBEAT:
        s.controller_heartbeat = <int64_t>value
    elif point == POINT_RESET:
        s.reset = value > 0.0
    elif point == POINT_LOCAL:
        s.local = value > 0.0
    elif POINT_LIMIT_CHARGE_W <= point <= POINT_LIMIT_REVERT_S:
        if point == POINT_LIMIT_CHARGE_W:
            s.limit_charge_w = value
        elif point == POINT_LIMIT_DISCHARGE_W:
            s.limit_discharge_w = value
        elif point == POINT_LIMIT_ENABLE:
            s.limit_enable = whole(value) & (LIMITS_CHARGE | LIMITS_DISCHARGE)
        else:
            s.limit_revert_s = whole(value)
        s.limit_touched = 1
    elif point == POINT_LIMIT_RAMP_S:
        s.limit_ramp_s = value if value > 0.0 else 0.0
    elif point == POINT_CONNECT:
        s.connect = value > 0.0
        s.connect_touched = 1
    elif point == POINT_CONNECT_REVERT_S:
        s.connect_revert_s = whole(value)
        s.connect_touched = 1
    elif point == POINT_RESTARTS:
        s.restarts = whole(value)
    elif point == POINT_REBOOT:
        s.reboot_ticks = <int64_t>((value if value < <double>MOST_WHOLE else <double>MOST_WHOLE)
                                   * <double>p.ticks_per_second + 0.5) if value > 0.0 else 0
    else:
        pcs_set(p, s, point, value)


cdef inline void pcs_power_up(const PcsParams* p, PcsState* s) noexcept nogil:
    """Every setting that does not outlast the supply as it is at first; `restarts` is configuration and outlasts it."""
    s.set_w = s.revert_w = s.set_var = 0.0
    s.set_enable = s.revert_enable = s.revert_s = s.var_enable = 0
    s.operation = p.initial
    s.controller_heartbeat = s.heartbeat = 0
    s.local = 0
    s.limit_charge_w = p.charge_max_w
    s.limit_discharge_w = p.discharge_max_w
    s.limit_ramp_s = 0.0
    s.limit_enable = s.limit_revert_s = 0
    s.charge_limit_w = p.charge_max_w
    s.discharge_limit_w = p.discharge_max_w
    s.connect = 1
    s.connect_revert_s = 0
    s.touched = s.limit_touched = s.connect_touched = s.reset = 0
    s.revert_at = s.limit_revert_at = s.connect_revert_at = s.start_at = s.resync_at = -1
    s.fault = 0
    s.synchronised = 1


cdef inline void pcs_enters(PcsState* s, int64_t state, int64_t tick) noexcept nogil:
    s.state = state
    s.state_at = tick


cdef inline void pcs_reboot(const PcsParams* p, PcsState* s, int64_t tick) noexcept nogil:
    if s.reboot_ticks >= 0:
        pcs_power_up(p, s)
        s.back_at = tick + s.reboot_ticks
        s.reboot_ticks = -1
        s.bias_w = s.power_w = s.reactive_var = 0.0
        pcs_enters(s, PCS_OFF, tick)
    if s.back_at >= 0 and tick >= s.back_at:
        s.back_at = -1


cdef inline int64_t expiry(int64_t seconds, bint armed, const PcsParams* p, int64_t tick) noexcept nogil:
    """When a timer that starts now expires; 0 s: never."""
    return tick + seconds * p.ticks_per_second if armed and seconds > 0 else -1


cdef inline void pcs_timers(const PcsParams* p, PcsState* s, int64_t tick) noexcept nogil:
    """Start the timers that were touched; at expiry copy the reversion values, end the limits, close the contactor."""
    if s.touched:
        s.touched = 0
        s.revert_at = expiry(s.revert_s, s.set_enable, p, tick)
    if s.revert_at >= 0 and tick >= s.revert_at:
        s.revert_at = -1
        s.set_w = s.revert_w
        s.set_enable = s.revert_enable
        s.reverted_at = tick
        s.reversions += 1
    if s.limit_touched:
        s.limit_touched = 0
        s.limit_revert_at = expiry(s.limit_revert_s, s.limit_enable, p, tick)
    if s.limit_revert_at >= 0 and tick >= s.limit_revert_at:
        s.limit_revert_at = -1
        s.limit_enable = 0
        s.limit_reverted_at = tick
        s.limit_reversions += 1
    if s.connect_touched:
        s.connect_touched = 0
        s.connect_revert_at = expiry(s.connect_revert_s, not s.connect, p, tick)
    if s.connect_revert_at >= 0 and tick >= s.connect_revert_at:
        s.connect_revert_at = -1
        s.connect = 1
        s.connect_reverted_at = tick
        s.connect_reversions += 1


cdef inline void pcs_trips(const PcsParams* p, PcsState* s, const PcsSeen* seen, int64_t tick) noexcept nogil:
    """Faults stay until they are reset, once what has tripped them is gone."""
    cdef int64_t causes = (TRIPPED if seen.trip else 0) | (
        TOO_HOT if s.temperature_degc + seen.added_k > p.over_temperature_degc else 0)
    s.fault |= causes
    if s.fault and s.state != PCS_FAULT:
        pcs_enters(s, PCS_FAULT, tick)
    if s.reset and s.state == PCS_FAULT and causes == 0:
        s.fault = 0
        pcs_enters(s, PCS_RUNNING if s.operation == OPERATE_START else PCS_STANDBY, tick)
    s.reset = 0


cdef inline void pcs_grid(const PcsParams* p, PcsState* s, const PcsSeen* seen, int64_t tick) noexcept nogil:
    """Contactor, and the PLL that must follow the grid."""
    s.connected = s.connect and not seen.contactor_open
    if seen.grid_lost:
        s.synchronised = 0
        s.resync_at = -1
    elif not s.synchronised:
        if s.resync_at < 0:
            s.resync_at = tick + p.resync_ticks
        if tick >= s.resync_at:
            s.resync_at = -1
            s.synchronised = 1


cdef inline void pcs_operates(const PcsParams* p, PcsState* s, int64_t tick) noexcept nogil:
    """From state to state as ordered. A stop is ended before a start is heard."""
    if s.state == PCS_STOPPING and s.bias_w == 0.0 and s.power_w == 0.0 and s.reactive_var == 0.0:
        pcs_enters(s, PCS_OFF if s.operation == OPERATE_STOP else PCS_STANDBY, tick)
    if s.state == PCS_OFF and s.operation != OPERATE_STOP:
        pcs_enters(s, PCS_STARTING, tick)
        s.start_at = tick + p.start_ticks
    if s.state == PCS_STARTING and s.operation == OPERATE_STOP:
        pcs_enters(s, PCS_OFF, tick)
        s.start_at = -1
    elif s.state == PCS_STARTING and tick >= s.start_at:
        pcs_enters(s, PCS_STANDBY, tick)
        s.start_at = -1
    if s.state == PCS_STANDBY and s.operation == OPERATE_START:
        pcs_enters(s, PCS_RUNNING, tick)
    elif s.state == PCS_STANDBY and s.operation == OPERATE_STOP:
        pcs_enters(s, PCS_OFF, tick)
    elif s.state == PCS_RUNNING and s.operation != OPERATE_START:
        pcs_enters(s, PCS_STOPPING, tick)
        s.bias_w = s.power_w      # law and all, so that the whole comes down at the set-point's ramp


cdef inline bint pcs_limits(const PcsParams* p, PcsState* s, const PcsSeen* seen, double dt) noexcept nogil:
    """The power that is left; whether a limit is on its way."""
    cdef double charge_w = p.charge_max_w
    cdef double discharge_w = p.discharge_max_w
    cdef double share = seen.derating
    cdef double degc = s.temperature_degc + seen.added_k
    if s.limit_enable & LIMITS_CHARGE:
        charge_w = toward(0.0, s.limit_charge_w, p.charge_max_w if s.limit_charge_w > 0.0 else p.discharge_max_w)
    if s.limit_enable & LIMITS_DISCHARGE:
        discharge_w = toward(0.0, s.limit_discharge_w, p.discharge_max_w if s.limit_discharge_w > 0.0 else p.charge_max_w)
    if s.limit_ramp_s > dt:
        s.charge_limit_w = toward(s.charge_limit_w, charge_w, p.charge_max_w * dt / s.limit_ramp_s)
        s.discharge_limit_w = toward(s.discharge_limit_w, discharge_w, p.discharge_max_w * dt / s.limit_ramp_s)
    else:
        s.charge_limit_w = charge_w
        s.discharge_limit_w = discharge_w
    if degc >= p.over_temperature_degc:
        share = 0.0
    elif degc > p.derate_above_degc:
        share = toward(0.0, (p.over_temperature_degc - degc) / (p.over_temperature_degc - p.derate_above_degc), share)
    s.derated = share < 1.0
    s.most_w = toward(0.0, s.discharge_limit_w, share * (p.discharge_max_w if s.discharge_limit_w > 0.0 else p.charge_max_w))
    s.least_w = toward(0.0, -s.charge_limit_w, share * (p.charge_max_w if s.charge_limit_w > 0.0 else p.discharge_max_w))
    if s.least_w > s.most_w:    # they contradict each other: the one nearer to nothing
        if fabs(s.least_w) < fabs(s.most_w):
            s.most_w = s.least_w
        else:
            s.least_w = s.most_w
    if seen.cells_soc <= 0.0:
        s.most_w = s.most_w if s.most_w < 0.0 else 0.0
        s.least_w = s.least_w if s.least_w < s.most_w else s.most_w
    elif seen.cells_soc >= 1.0:
        s.least_w = s.least_w if s.least_w > 0.0 else 0.0
        s.most_w = s.most_w if s.most_w > s.least_w else s.least_w
    return s.charge_limit_w != charge_w or s.discharge_limit_w != discharge_w


cdef inline int64_t earlier(int64_t first, int64_t timer) noexcept nogil:
    return timer if 0 <= timer < first else first


cdef inline void pcs_supervise(const PcsParams* p, PcsState* s, const PcsSeen* seen, int64_t tick,
                               double dt) noexcept nogil:
    """Its turn, before `pcs_step` of the same tick."""
    cdef int64_t before = s.state
    cdef int64_t into_second = tick % p.ticks_per_second
    cdef bint on_its_way
    if into_second == 0:
        s.temperature_degc = seen.temperature_degc
    pcs_reboot(p, s, tick)
    if s.back_at < 0:
        s.heartbeat += into_second == 0
        pcs_timers(p, s, tick)
        pcs_trips(p, s, seen, tick)
        pcs_grid(p, s, seen, tick)
        if s.state != PCS_FAULT:
            pcs_operates(p, s, tick)
    s.runs = s.state == PCS_RUNNING and s.connected and s.synchronised
    s.blocked = s.state == PCS_FAULT or s.back_at >= 0 or not s.connected or not s.synchronised
    if s.blocked:
        s.power_w = s.reactive_var = 0.0
    if s.blocked or not (s.runs or s.state == PCS_STOPPING):
        s.bias_w = 0.0
    s.target_w = s.set_w if s.runs and s.set_enable and not s.local else 0.0
    s.target_var = s.set_var if s.runs and s.var_enable and not s.local else 0.0
    on_its_way = pcs_limits(p, s, seen, dt) or s.state == PCS_STOPPING or s.state != before
    if s.state == PCS_STOPPING:    # no limit drives it while it goes to rest
        s.most_w = s.most_w if s.most_w > 0.0 else 0.0
        s.least_w = s.least_w if s.least_w < 0.0 else 0.0
    elif not s.runs:
        s.most_w = s.least_w = 0.0
    s.due_at = tick + 1 if on_its_way else tick - into_second + p.ticks_per_second
    s.due_at = earlier(earlier(earlier(s.due_at, s.revert_at), s.limit_revert_at), s.connect_revert_at)
    s.due_at = earlier(earlier(earlier(s.due_at, s.start_at), s.resync_at), s.back_at)
