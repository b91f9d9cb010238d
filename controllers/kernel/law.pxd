"""Fast laws: what an absorber answers, within the tick, to the load or the frequency it measures.

A law sees what was measured at the end of the last tick and returns the storage power it wants (discharge > 0). Built-in laws
are inlined; a user's own is called through a function pointer. Equations: docs/model.md, "Absorbers".
"""

from libc.math cimport NAN, fabs, isfinite
from libc.stdint cimport int64_t, uint32_t


cdef extern from "ridethrough_law.h":
    enum:
        RIDETHROUGH_LAW_VERSION

    ctypedef struct signals_t:
        uint32_t struct_size
        uint32_t version
        int64_t tick
        double time_s
        double load_w
        double voltage_pu
        double frequency_hz
        double power_w
        double setpoint_w
        double soc
        double rating_va
        double charge_max_w
        double discharge_max_w

    ctypedef struct command_t:
        uint32_t struct_size
        uint32_t version
        double power_w

    ctypedef void (*law_fn)(void* state, const void* params, const signals_t* given, command_t* out,
                            double dt) noexcept nogil


cdef enum:
    LAW_NONE = 0
    LAW_RAMP_LIMIT = 1
    LAW_HIGH_PASS = 2
    LAW_DROOP = 3
    LAW_USER = 4

cdef enum:
    PLACED_DEVICE = 0       # in the inverter's firmware: its answer acts within the tick
    PLACED_WIRE = 1         # in the controller: the driver sends its answer


cdef struct LawParams:
    int64_t kind
    int64_t placement
    int64_t update_ticks    # the law runs every so many ticks and its answer is held
    double share            # of its answer to the load that this device gives
    double rise_w_per_s     # ramp_limit: how fast the grid's share of the load may rise
    double fall_w_per_s     # and fall
    double gain             # high_pass: part of its distance to the load that the grid's share closes between two answers
    double soc_target       # high_pass: where the SoC is brought back to
    double restore_w        # by how much power for a SoC that is off by 1
    double restore_most_w   # and by no more
    double nominal_hz       # droop
    double deadband_hz
    double droop_w_per_hz   # beyond the dead band


cdef struct LawState:
    double grid_w           # ramp_limit, high_pass: the grid's share of the load
    double output_w         # the device's share of the answer
    int64_t faults          # answers in judged ticks that were not finite, or did not come, taken as zero


cdef struct UserLaw:
    # A user's own: its function and where its state and parameters lie. Holds pointers, so it is not among the arrays.
    law_fn function
    void* state
    const void* params


cdef inline double ramp_limit(const LawParams* p, LawState* s, double load_w, double dt) noexcept nogil:
    """Let the grid follow the load at a bounded rate; storage gives the rest."""
    cdef double change = load_w - s.grid_w
    if change > p.rise_w_per_s * dt:
        change = p.rise_w_per_s * dt
    elif change < -p.fall_w_per_s * dt:
        change = -p.fall_w_per_s * dt
    s.grid_w += change
    return load_w - s.grid_w


cdef inline double high_pass(const LawParams* p, LawState* s, double load_w) noexcept nogil:
    """Let the grid follow the load with a time constant; storage gives the rest."""
    s.grid_w += p.gain * (load_w - s.grid_w)
    if fabs(s.grid_w) < 1e-30:    # no subnormal numbers where a load goes away for good
        s.grid_w = 0.0
    return load_w - s.grid_w


cdef inline double restoration(const LawParams* p, double soc) noexcept nogil:
    """What brings a SoC back to its target."""
    cdef double power_w = p.restore_w * (soc - p.soc_target)
    if power_w > p.restore_most_w:
        return p.restore_most_w
    if power_w < -p.restore_most_w:
        return -p.restore_most_w
    return power_w


cdef inline double droop(const LawParams* p, double frequency_hz) noexcept nogil:
    """Discharge below the dead band, charge above it, in proportion."""
    cdef double deviation_hz = frequency_hz - p.nominal_hz
    if deviation_hz > p.deadband_hz:
        return -(deviation_hz - p.deadband_hz) * p.droop_w_per_hz
    if deviation_hz < -p.deadband_hz:
        return -(deviation_hz + p.deadband_hz) * p.droop_w_per_hz
    return 0.0


ctypedef void (*law_step_fn)(const LawParams* p, LawState* s, const UserLaw* user, const signals_t* given, double dt,
                             bint judged) noexcept nogil


cdef extern from *:
    """
    /* A call that is not inlined: laws beside the usual one stay out of the loop of ticks. */
    #define RIDETHROUGH_FAR_LAW(function) ({ __typeof__(&function) at = &function; __asm__("" : "+r"(at)); at; })
    """
    law_step_fn far "RIDETHROUGH_FAR_LAW"(law_step_fn function) noexcept nogil


cdef inline double user_law(const UserLaw* law, const signals_t* given, double dt) noexcept nogil:
    cdef command_t out
    out.struct_size = sizeof(command_t)
    out.version = RIDETHROUGH_LAW_VERSION
    out.power_w = NAN       # a law that gives no answer must not pass for one that answers zero
    law.function(law.state, law.params, given, &out, dt)
    return out.power_w


cdef inline bint law_due(const LawParams* p, int64_t tick) noexcept nogil:
    """Whether the law runs in this tick."""
    return p.kind != LAW_NONE and tick % p.update_ticks == 0


cdef inline void other_law(const LawParams* p, LawState* s, const UserLaw* user, const signals_t* given, double dt,
                           bint judged) noexcept nogil:
    """Run a law that is not ramp_limit."""
    cdef double answer
    if p.kind == LAW_HIGH_PASS:
        s.output_w = p.share * high_pass(p, s, given.load_w) + restoration(p, given.soc)
    elif p.kind == LAW_DROOP:
        s.output_w = droop(p, given.frequency_hz)
    else:
        answer = user_law(user, given, dt)
        if not isfinite(answer):
            answer = 0.0
            s.faults += judged
        s.output_w = p.share * answer


cdef inline void law_step(const LawParams* p, LawState* s, const UserLaw* user, const signals_t* given,
                          double dt, bint judged) noexcept nogil:
    """Run a law that is due. `dt` is the tick's; `given` needs only `load_w` for ramp_limit."""
    dt = dt * <double>p.update_ticks
    if p.kind == LAW_RAMP_LIMIT:
        s.output_w = p.share * ramp_limit(p, s, given.load_w, dt)
    else:
        far(other_law)(p, s, user, given, dt, judged)
