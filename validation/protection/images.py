"""What is computed of a whole recording at once: ratios, filters, thermal image, counters, slopes, blocks."""

from __future__ import annotations

import numpy as np
from scipy import signal

from protection.masks import beyond, stretches


def quotient(a: np.ndarray, b: np.ndarray, scale: float, least: float) -> np.ndarray:
    """*scale·a/b*, 0 where b is below `least`."""
    return np.divide(scale * a, b, out=np.zeros(a.shape), where=b >= least)


def current(p: np.ndarray, q: np.ndarray, v: np.ndarray, scale: float, least: float) -> np.ndarray:
    """*scale·√(p² + q²)/v*, 0 where v is below `least`."""
    return quotient(np.abs(p + 1j * q), v, scale, least)


def magnitude(a: np.ndarray, scale: float) -> np.ndarray:
    """*scale·|a|*."""
    return scale * np.abs(a)


def held(value: np.ndarray, blanked: np.ndarray, first: float) -> np.ndarray:
    """The value, with the last sample before it in place of what is blanked or not a number; `first` where there is none."""
    out = value.copy()
    for begin, end in stretches(blanked | np.isnan(value)):
        out[begin:end] = value[begin - 1] if begin else first
    return out


def filtered(value: np.ndarray, sections: np.ndarray, blanked: np.ndarray) -> np.ndarray:
    """Through a cascade of second-order sections, settled on the first input; sections as those of `scipy.signal.butter`."""
    into = held(value, blanked, value[0])
    out, _ = signal.sosfilt(sections, into, zi=signal.sosfilt_zi(sections) * into[0])
    return out


def thermal(current: np.ndarray, per_square: float, heating: float, cooling: float, begin: float, dt: float) -> np.ndarray:
    """The image θ at each sample, before what the sample adds: *τ·dθ/dt = per_square·I² − θ*.

    heating, cooling: time constants in seconds, while θ rises and while it falls. begin: θ before the first sample.
    """
    goal = held(per_square * np.square(current), np.zeros(current.size, dtype=bool), begin)
    if heating == cooling:  # one linear filter: θ[n + 1] = r·θ[n] + (1 − r)·goal[n]
        rest = np.exp(-dt / heating)
        theta, _ = signal.lfilter([0.0, 1.0 - rest], [1.0, -rest], goal, zi=[begin])
        return theta
    theta = np.empty(goal.size)
    now = begin
    for n, towards in enumerate(goal.tolist()):  # which time constant it is depends on θ itself
        theta[n] = now
        now = towards + (now - towards) * np.exp(-dt / (heating if towards > now else cooling))
    return theta


def counter(value: np.ndarray, bound: float, window: int, *, under: bool) -> np.ndarray:
    """How often the value has passed from inside to beyond within the closed window of `window` samples before each."""
    out = beyond(value, bound, under=under)
    passed = out & ~np.concatenate([[False], out[:-1]])
    total = np.concatenate([[0], np.cumsum(passed)])
    n = np.arange(value.size)
    return (total[n + 1] - total[np.maximum(n - window, 0)]).astype(float)


def slope(value: np.ndarray, window: int, first: float, blanked: np.ndarray, dt: float) -> np.ndarray:
    """Of the line of least squares through the closed window of `window` samples before each, per second."""
    into = np.concatenate([np.full(window, first), held(value, blanked, first)]) - first
    place = np.arange(window + 1) - window / 2.0
    out = np.convolve(into, (place / (place @ place))[::-1], mode="valid") / dt
    return np.where(np.isnan(value), np.nan, out)


def blocks(value: np.ndarray, length: int, start: int, first: float, blanked: np.ndarray, dt: float) -> np.ndarray:
    """Change of the means of the last two whole blocks at each sample, per second; one begins at sample `start`."""
    before = length + -start % length
    into = np.concatenate([np.full(before, first), held(value, blanked, first)])
    whole = into[: into.size // length * length].reshape(-1, length).mean(axis=1)
    changes = np.concatenate([[0.0], np.diff(whole)]) / (length * dt)
    ended = (np.arange(value.size) + before + 1) // length - 1
    return np.where(np.isnan(value), np.nan, changes[ended])


def rate(value: np.ndarray, window: int, first: float, dt: float, blanked: np.ndarray) -> np.ndarray:
    """Difference over `window` samples, per second; not a number until the window lies wholly behind what is blanked."""
    change = (value - np.concatenate([np.full(window, first), value])[: value.size]) / (window * dt)
    for begin, end in stretches(blanked):
        change[begin : end + window] = np.nan
    return change
