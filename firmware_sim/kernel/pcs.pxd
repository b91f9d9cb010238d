"""Firmware of an emulated storage inverter (power conversion system, PCS), one tick of it.

Set-point with enable and reversion timer (SunSpec model 704 semantics), set-point ramp, law plus bias, SoC and power limits,
current limit with P or Q priority, slew limit, stop. Equations: docs/model.md, "Inverter firmware".
"""

from libc.math cimport sqrt
from libc.stdint cimport int64_t


cdef enum:
    # What a command can set; firmware_sim.image.PcsPoint gives the same numbers to Python (a test compares).
    POINT_SET_W = 0
    POINT_SET_ENABLE = 1
    POINT_REVERT_W = 2
    POINT_REVERT_ENABLE = 3
    POINT_REVERT_S = 4
    POINT_SET_VAR = 5
    POINT_VAR_ENABLE = 6
    POINT_OPERATION = 7
    POINT_CONTROLLER_HEARTBEAT = 8
    POINT_RESET = 9
    POINT_LOCAL = 10
    POINT_LIMIT_CHARGE_W = 11
    POINT_LIMIT_DISCHARGE_W = 12
    POINT_LIMIT_ENABLE = 13
    POINT_LIMIT_REVERT_S = 14
    POINT_LIMIT_RAMP_S = 15
    POINT_CONNECT = 16
    POINT_CONNECT_REVERT_S = 17
    POINT_RESTARTS = 18
    POINT_REFRESH = 19
    POINT_REBOOT = 20

cdef enum:
    PRIORITY_ACTIVE = 0
    PRIORITY_REACTIVE = 1


cdef struct PcsParams:
    double rating_va
    double charge_max_w
    double discharge_max_w
    double current_limit_pu      # of rated current
    int64_t priority
    double setpoint_ramp_w_per_s
    double slew_w_per_s
    double soc_min
    double soc_max
    double cease_below_pu        # momentary cessation below this voltage; 0: never
    int64_t ticks_per_second


cdef struct PcsState:
    double set_w                 # WSet
    int64_t set_enable           # WSetEna
    double revert_w              # WSetRvrt
    int64_t revert_enable        # WSetEnaRvrt
    int64_t revert_s             # WSetRvrtTms
    int64_t revert_at            # tick at which the timer expires, -1: not running
    double set_var
    int64_t var_enable
    int64_t operation            # OpCtl: 0 stop, 1 start
    int64_t controller_heartbeat
    int64_t heartbeat
    int64_t touched              # a command of this tick restarts the reversion timer
    int64_t commanded_at         # tick of the last command, -1: none yet
    int64_t reverted_at          # tick of the last reversion, -1: none yet
    int64_t reversions
    double bias_w                # set-point behind its ramp
    double power_w               # command to the converter
    double reactive_var
    int64_t limited              # 1 while a limit cuts what law and bias ask for


cdef inline void pcs_command(PcsState* s, int64_t point, double value, int64_t tick) noexcept nogil:
    """Apply one validated write."""
    s.commanded_at = tick
    if point == POINT_SET_W:
        s.set_w = value
        s.touched = 1
    elif point == POINT_SET_ENABLE:
        s.set_enable = <int64_t>value
        s.touched = 1
    elif point == POINT_REVERT_W:
        s.revert_w = value
    elif point == POINT_REVERT_ENABLE:
        s.revert_enable = <int64_t>value
    elif point == POINT_REVERT_S:
        s.revert_s = <int64_t>value
        s.touched = 1
    elif point == POINT_SET_VAR:
        s.set_var = value
    elif point == POINT_VAR_ENABLE:
        s.var_enable = <int64_t>value
    elif point == POINT_OPERATION:
        s.operation = <int64_t>value
    elif point == POINT_CONTROLLER_HEARTBEAT:
        s.controller_heartbeat = <int64_t>value


cdef inline void pcs_reversion(const PcsParams* p, PcsState* s, int64_t tick) noexcept nogil:
    """Restart the timer after a write while enabled; at expiry copy the reversion values into the active ones."""
    if s.touched:
        s.touched = 0
        s.revert_at = -1
        if s.set_enable and s.revert_s > 0:
            s.revert_at = tick + s.revert_s * p.ticks_per_second
    if s.revert_at >= 0 and tick >= s.revert_at:
        s.revert_at = -1
        s.set_w = s.revert_w
        s.set_enable = s.revert_enable
        s.reverted_at = tick
        s.reversions += 1


cdef inline double toward(double now, double target, double most) noexcept nogil:
    """`target`, but at most `most` away from `now`."""
    if target > now + most:
        return now + most
    if target < now - most:
        return now - most
    return target


cdef inline void pcs_step(const PcsParams* p, PcsState* s, double law_w, double voltage_pu, double soc, int64_t tick,
                          double dt) noexcept nogil:
    """Power command of this tick from the law, the set-point and what was measured at the end of the last tick."""
    cdef double apparent = p.current_limit_pu * p.rating_va * voltage_pu
    cdef double want_w
    cdef double want_var
    cdef double power_w
    cdef double room
    pcs_reversion(p, s, tick)
    if tick % p.ticks_per_second == 0:
        s.heartbeat += 1
    s.bias_w = toward(s.bias_w, s.set_w if s.set_enable else 0.0, p.setpoint_ramp_w_per_s * dt)
    want_w = law_w + s.bias_w
    want_var = s.set_var if s.var_enable else 0.0
    if s.operation == 0 or voltage_pu < p.cease_below_pu:
        want_w = 0.0
        want_var = 0.0
    power_w = want_w
    if power_w > p.discharge_max_w:
        power_w = p.discharge_max_w
    elif power_w < -p.charge_max_w:
        power_w = -p.charge_max_w
    if (power_w > 0.0 and soc <= p.soc_min) or (power_w < 0.0 and soc >= p.soc_max):
        power_w = 0.0
    if p.priority == PRIORITY_REACTIVE:
        want_var = toward(0.0, want_var, apparent)
        room = apparent * apparent - want_var * want_var
        power_w = toward(0.0, power_w, sqrt(room) if room > 0.0 else 0.0)
    else:
        power_w = toward(0.0, power_w, apparent)
        if want_var != 0.0:
            room = apparent * apparent - power_w * power_w
            want_var = toward(0.0, want_var, sqrt(room) if room > 0.0 else 0.0)
    s.limited = 1 if power_w != want_w else 0
    s.power_w = toward(s.power_w, power_w, p.slew_w_per_s * dt)
    s.reactive_var = toward(s.reactive_var, want_var, p.slew_w_per_s * dt)
