"""What a tick does for the devices of a site only now and then: commands, turns of the firmware, faults of the equipment."""

from libc.stdint cimport int64_t

from firmware_sim.kernel.pcs_supervision cimport PcsSeen, pcs_command, pcs_supervise
from firmware_sim.kernel.ups cimport ups_command
from hil.kernel.battery cimport BatteryParams, BatteryState
from hil.kernel.events cimport STIMULUS_RESET_BREAKER, stimulus_command
from hil.kernel.faults cimport FAULT_CONTACTOR, Faults, fault_command
from hil.kernel.shared cimport load_acquire, store_release
from hil.kernel.site cimport MOST_COMMANDS, Command, Commanded, Site
from hil.kernel.switching cimport switch_breakers


cdef inline void apply_commands(Site* s, int64_t tick) noexcept nogil:
    """Before a tick: what the slow side has published so far, in its order."""
    cdef int64_t tail = s.run.command_tail
    cdef int64_t head = load_acquire(&s.run.command_head)
    cdef int64_t device
    cdef Command* given
    cdef Commanded* taken
    while tail != head:
        given = &s.commands[tail & (MOST_COMMANDS - 1)]
        tail += 1
        device = given.device
        if device == s.bess_count + s.ups_count:    # the grid
            if given.point == STIMULUS_RESET_BREAKER:
                if tick <= given.valid_until and 0.0 <= given.value < <double>s.breaker_count:
                    s.breakers[<int64_t>given.value].reset = 1
                    s.run.due_tick = tick
            elif tick <= given.valid_until:
                stimulus_command(s.stimuli, given.point, given.value, tick)
                s.run.next_event_tick = tick
            continue
        taken = &s.commanded[device]
        if s.run.command_age_max < tick - given.given_tick:
            s.run.command_age_max = tick - given.given_tick
        if tick > given.valid_until:
            taken.void += 1
            s.run.commands_void += 1
            continue
        taken.sequence += 1
        taken.given_tick = given.given_tick
        taken.taken_tick = tick
        taken.valid_until = given.valid_until
        s.run.due_tick = tick
        if device < s.bess_count:
            s.pcs[device].due_at = tick
        if given.point >= FAULT_CONTACTOR:
            fault_command(&s.faults[device], given.point, given.value)
        elif device < s.bess_count:
            pcs_command(&s.pcs_params[device], &s.pcs[device], given.point, given.value, tick)
        else:
            device -= s.bess_count
            ups_command(&s.ups_params[device], &s.ups[device], given.point, given.value, tick)
    store_release(&s.run.command_tail, tail)


cdef inline bint break_battery(Faults* f, const BatteryParams* p, BatteryState* s, double dt) noexcept nogil:
    """Move the reading of the state of charge by what the last tick did to it, then the battery itself; whether it goes on.

    The device counts its charge against the rated capacity: a battery that has less runs ahead of the count.
    """
    if f.soc_drift_per_h != 0.0:
        f.soc_error += f.soc_drift_per_h / 3600.0 * dt
    if s.capacity_share != 1.0:
        f.soc_error += s.current_a * dt / p.capacity_as * (1.0 / s.capacity_share - 1.0)
    s.capacity_share = f.capacity
    s.resistance_factor = f.resistance
    return f.soc_drift_per_h != 0.0 or f.capacity != 1.0 or f.soc_error != 0.0


cdef inline int64_t supervise_bess(Site* s, int64_t i, int64_t tick) noexcept nogil:
    """The turn of a BESS; returns the tick of its next."""
    cdef Faults* f = &s.faults[i]
    cdef PcsSeen seen
    cdef bint weak
    if tick < s.pcs[i].due_at:
        return s.pcs[i].due_at
    weak = break_battery(f, &s.battery_params[i], &s.battery[i], s.dt)
    seen.temperature_degc = s.battery[i].temperature_degc
    seen.added_k = f.temperature_k
    seen.cells_soc = s.battery[i].soc if weak else 0.5    # else the window of the state of charge protects them
    seen.derating = f.derating
    # An open breaker is seen by its contact, and there is no voltage behind it that could be followed.
    seen.contactor_open = f.contactor or s.converter[i].disconnected
    seen.grid_lost = f.pll or s.converter[i].disconnected or s.network.disconnected != 0
    if s.own_sources > 0:    # what it follows is the bus, and nothing if it forms it
        seen.grid_lost = f.pll or s.converter[i].disconnected or s.sources.dead
        if s.genset_count == 0 and s.forming_params[i].forms:
            seen.grid_lost = 0
    seen.trip = f.trip
    pcs_supervise(&s.pcs_params[i], &s.pcs[i], &seen, tick, s.dt)
    s.converter[i].passes = 1.0
    if s.pcs[i].blocked or f.dead:
        s.converter[i].passes = s.converter[i].lagged_w = s.converter[i].lagged_var = 0.0
    if s.own_sources > 0 and s.genset_count == 0:
        s.forming[i].able = s.converter[i].passes > 0.0 and s.pcs[i].runs and not s.converter[i].disconnected
    if weak:
        s.pcs[i].due_at = tick + 1
    return s.pcs[i].due_at


cdef inline void supervise(Site* s, int64_t tick) noexcept nogil:
    """The turns that have come."""
    cdef int64_t i
    cdef int64_t due
    s.run.due_tick = 0x7fffffffffffffff
    if s.breaker_count > 0:
        s.run.due_tick = switch_breakers(s, tick)
    for i in range(s.bess_count):
        due = supervise_bess(s, i, tick)
        if due < s.run.due_tick:
            s.run.due_tick = due
    for i in range(s.ups_count):
        if break_battery(&s.faults[s.bess_count + i], &s.ups_battery_params[i], &s.ups_battery[i], s.dt):
            s.run.due_tick = tick + 1


cdef inline void supervise_soon(Site* s) noexcept nogil:
    """Before a stretch of ticks: a script may have changed anything."""
    cdef int64_t i
    s.run.due_tick = s.run.tick
    for i in range(s.bess_count):
        s.pcs[i].due_at = s.run.tick
