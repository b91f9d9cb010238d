"""Times as whole ticks: what every builder needs."""


def ticks_of(seconds: float, dt_s: float) -> int:
    """Ticks nearest to a time."""
    return round(seconds / dt_s)
