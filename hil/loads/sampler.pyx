"""From break-points to ticks: the mean of a piecewise-linear power over each tick, exact to rounding."""


def fill(const double[::1] time_s, const double[::1] power_w, double start_s, double period_s, double[::1] out):
    """Fill `out` with the mean power of consecutive ticks.

    time_s, power_w: break-points, shape (n,), n >= 2; time never falls, two equal times are a step. They must cover
    `start_s` to `start_s + len(out) * period_s`; beyond the last one its power is held. Returns the number of break-points
    that lie wholly behind the filled span and can be dropped.
    """
    cdef Py_ssize_t n = time_s.shape[0]
    cdef Py_ssize_t ticks = out.shape[0]
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t k
    cdef double t, end, upto, energy, p, q, slope
    if n < 2 or power_w.shape[0] != n:
        raise ValueError("need two break-points or more, and as many powers as times")
    if time_s[0] > start_s:
        raise ValueError(f"break-points begin at {time_s[0]:g} s, after {start_s:g} s")
    with nogil:
        t = start_s
        while i + 2 < n and time_s[i + 1] <= t:
            i += 1
        for k in range(ticks):
            end = start_s + <double>(k + 1) * period_s
            while i + 2 < n and time_s[i + 1] <= t:
                i += 1
            if time_s[i] <= t and time_s[i + 1] >= end:
                slope = (power_w[i + 1] - power_w[i]) / (time_s[i + 1] - time_s[i])
                out[k] = power_w[i] + slope * (0.5 * (t + end) - time_s[i])
                t = end
                continue
            energy = 0.0
            while t < end:
                if time_s[i + 1] <= t:
                    if i + 2 < n:
                        i += 1
                        continue
                    energy += power_w[n - 1] * (end - t)
                    break
                upto = time_s[i + 1] if time_s[i + 1] < end else end
                slope = (power_w[i + 1] - power_w[i]) / (time_s[i + 1] - time_s[i])
                p = power_w[i] + slope * (t - time_s[i])
                q = power_w[i] + slope * (upto - time_s[i])
                energy += 0.5 * (p + q) * (upto - t)
                t = upto
            t = end
            out[k] = energy / period_s
    return i
