"""Keeps subnormal numbers out of the state: they cost an operation a hundred cycles, and a tick has no hundred cycles to lose.

What decays exponentially towards zero reaches them within seconds; in SI units nothing at a site is as small as 1e-30.
"""

from libc.math cimport fabs


cdef inline double flushed(double x) noexcept nogil:
    """Zero for what is smaller than 1e-30, else the value."""
    return x if fabs(x) > 1e-30 else 0.0
