"""Fast laws: what an absorber answers, within the tick, to the load it measures.

A law sees the load's measured power of the last tick and returns the storage power it wants (discharge > 0). Equations:
docs/model.md, "Absorbers".
"""

from libc.stdint cimport int64_t


cdef enum:
    LAW_NONE = 0
    LAW_RAMP_LIMIT = 1


cdef struct LawParams:
    int64_t kind
    int64_t update_ticks    # the firmware runs its law every so many ticks and holds the result
    double rise_w_per_s     # how fast the grid's share may rise
    double fall_w_per_s     # how fast it may fall


cdef struct LawState:
    double grid_w           # ramp_limit: the grid's share of the load
    double output_w
    int64_t ran_at          # tick of the last evaluation; a struct of two doubles alone would be read as a complex number


cdef inline double ramp_limit(const LawParams* p, LawState* s, double load_w, double dt) noexcept nogil:
    """Let the grid follow the load at a bounded rate; storage gives the rest."""
    cdef double change = load_w - s.grid_w
    if change > p.rise_w_per_s * dt:
        change = p.rise_w_per_s * dt
    elif change < -p.fall_w_per_s * dt:
        change = -p.fall_w_per_s * dt
    s.grid_w += change
    return load_w - s.grid_w


cdef inline double law_step(const LawParams* p, LawState* s, double load_w, int64_t tick, double dt) noexcept nogil:
    if p.kind == LAW_NONE:
        return 0.0
    if tick % p.update_ticks == 0:
        s.output_w = ramp_limit(p, s, load_w, dt * <double>p.update_ticks)
        s.ran_at = tick
    return s.output_w
