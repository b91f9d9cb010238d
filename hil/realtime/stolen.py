"""Time that the host of a virtual machine took from it."""

from __future__ import annotations

from pathlib import Path

_STEAL = 7  # place of the eighth number, proc_stat(5)


def stolen_and_all(stat: Path = Path("/proc/stat")) -> tuple[int, int] | None:
    """Jiffies since boot, of all processors together: stolen, and all that passed. None where the system does not tell."""
    try:
        first = stat.read_text(encoding="ascii").split("\n", 1)[0].split()
    except OSError:
        return None
    counted = [int(number) for number in first[1:9]]
    return (counted[_STEAL], sum(counted)) if first[:1] == ["cpu"] and len(counted) > _STEAL else None


def stolen_share(before: tuple[int, int] | None, after: tuple[int, int] | None) -> float | None:
    """Share of the processors' time that was stolen between two readings."""
    if before is None or after is None or after[1] <= before[1]:
        return None
    return (after[0] - before[0]) / (after[1] - before[1])
