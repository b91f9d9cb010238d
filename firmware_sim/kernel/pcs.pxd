"""Firmware of an emulated storage inverter (power conversion system, PCS), one tick of it.

Set-point ramp, law plus bias, power limits and SoC window, current limit with P or Q priority, slew limit. What it does by
state, command and timer is in `pcs_supervision.pxd`. Equations: docs/model.md, "Inverter firmware".
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

cdef enum:
    # What it is doing; firmware_sim.image.PcsCondition gives the same numbers to Python (a test compares).
    PCS_OFF = 0
    PCS_STARTING = 1
    PCS_STANDBY = 2
    PCS_RUNNING = 3
    PCS_STOPPING = 4
    PCS_FAULT = 5

cdef enum:
    # Values of the point OPERATION.
    OPERATE_STOP = 0
    OPERATE_START = 1
    OPERATE_STANDBY = 2

cdef enum:
    # Bits of LIMIT_ENABLE, as of StorCtl_Mod of SunSpec model 124.
    LIMITS_CHARGE = 1
    LIMITS_DISCHARGE = 2

cdef enum:
    # Bits of RESTARTS: what restarts the reversion timer besides REFRESH.
    RESTARTS_SET_W = 1
    RESTARTS_SET_ENABLE = 2
    RESTARTS_REVERT_S = 4

cdef enum:
    # Bits of a fault: what has tripped it.
    TRIPPED = 1
    TOO_HOT = 2


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
    int64_t initial              # OPERATION after power-up
    int64_t start_ticks          # from off to standby or running
    int64_t resync_ticks         # from the grid's return to the first current
    double over_temperature_degc
    double derate_above_degc     # from here to over_temperature its power falls to nothing


cdef struct PcsState:
    # Settings, as last taken.
    double set_w                 # WSet
    int64_t set_enable           # WSetEna
    double revert_w              # WSetRvrt
    int64_t revert_enable        # WSetEnaRvrt
    int64_t revert_s             # WSetRvrtTms
    double set_var
    int64_t var_enable
    int64_t operation            # OpCtl: 0 stop, 1 start, 2 standby
    int64_t controller_heartbeat
    int64_t local                # 1: at the panel; remote commands are refused
    double limit_charge_w        # InWRte and OutWRte, in watts; below 0 they force the other direction
    double limit_discharge_w
    int64_t limit_enable         # StorCtl_Mod
    int64_t limit_revert_s
    double limit_ramp_s          # time in which a limit goes over its whole range
    int64_t connect              # Conn: 0 open, 1 closed
    int64_t connect_revert_s
    int64_t restarts             # which writes restart the reversion timer
    # Commands of this tick.
    int64_t touched              # restarts the reversion timer
    int64_t limit_touched        # that of the limits
    int64_t connect_touched      # that of the contactor
    int64_t reset
    int64_t reboot_ticks         # it reboots and is away for so long; -1: it does not
    # Ticks at which timers expire, -1: not running.
    int64_t revert_at
    int64_t limit_revert_at
    int64_t connect_revert_at
    int64_t start_at             # it has started
    int64_t resync_at            # it is synchronous again
    int64_t back_at              # it is back from a reboot
    # What it tells.
    int64_t heartbeat
    int64_t commanded_at         # tick of the last command taken, -1: none yet
    int64_t reverted_at          # tick of the last reversion of the set-point, -1: none yet
    int64_t reversions
    int64_t limit_reverted_at    # likewise of the limits
    int64_t limit_reversions
    int64_t connect_reverted_at  # and of the contactor
    int64_t connect_reversions
    int64_t refused              # commands not taken: local, or away
    int64_t state
    int64_t state_at             # tick at which it came into this state
    int64_t fault                # what has tripped it, until reset
    int64_t connected            # 1: the contactor is closed
    int64_t synchronised         # 1: with the grid
    int64_t derated              # 1: heat or a fault cuts its power
    double temperature_degc      # of the battery, as it stood at the last second
    # What the supervision lets a tick do.
    int64_t due_at               # tick of its next turn
    int64_t runs                 # 1: follows law and set-point
    int64_t blocked              # 1: no current
    double target_w              # of the set-point's ramp
    double target_var
    double charge_limit_w        # the limits behind their ramp
    double discharge_limit_w
    double least_w
    double most_w
    # Output.
    double bias_w                # set-point behind its ramp
    double power_w               # command to the converter
    double reactive_var
    int64_t limited              # 1 while a limit cuts what law and bias ask for


cdef inline double toward(double now, double target, double most) noexcept nogil:
    """`target`, but at most `most` away from `now`."""
    if target > now + most:
        return now + most
    if target < now - most:
        return now - most
    return target


cdef inline void pcs_step(const PcsParams* p, PcsState* s, double law_w, double voltage_pu, double soc,
                          double dt) noexcept nogil:
    """Power command of this tick from the law, the set-point and what was measured at the end of the last tick."""
    cdef double apparent = p.current_limit_pu * p.rating_va * voltage_pu
    cdef double want_w
    cdef double want_var = s.target_var
    cdef double power_w
    cdef double room
    s.bias_w = toward(s.bias_w, s.target_w, p.setpoint_ramp_w_per_s * dt)
    want_w = s.bias_w
    if s.runs:
        want_w = law_w + s.bias_w
    power_w = want_w
    if power_w > s.most_w:
        power_w = s.most_w
    elif power_w < s.least_w:
        power_w = s.least_w
    if voltage_pu < p.cease_below_pu:
        want_w = power_w = 0.0
        want_var = 0.0
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
