"""What is claimed from the system for the loop: for its thread, and for the whole process while a loop runs."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from hil.kernel.memory import lock_memory, unlock_memory
from hil.realtime.wanted import Obtained, Wanted

_CAP_IPC_LOCK = 14  # capabilities(7)
_LATENCY = Path("/dev/cpu_dma_latency")
_ISOLATED = Path("/sys/devices/system/cpu/isolated")
_STATUS = Path("/proc/self/status")


def claim_thread(wanted: Wanted, obtained: Obtained) -> None:
    """Signals blocked, core and priority of the calling thread; what is not given is told in `obtained.missing`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are the other threads'
    cpu = _last_isolated() if wanted.cpu is None else wanted.cpu
    if cpu is not None:
        if not hasattr(os, "sched_setaffinity"):
            obtained.missing.append(f"cpu {cpu}: {sys.platform} lets no thread stay on a core")
        else:
            try:
                os.sched_setaffinity(0, {cpu})
                obtained.cpu = cpu
            except (OSError, OverflowError) as error:
                obtained.missing.append(f"cpu {cpu}: {_said(error)}; there are {_cores()}")
    if wanted.priority > 0:
        if sys.platform != "linux":
            obtained.missing.append(f"priority {wanted.priority}: SCHED_FIFO is asked for on Linux only")
            return
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(wanted.priority))
            obtained.scheduler, obtained.priority = "SCHED_FIFO", wanted.priority
        except OSError as error:
            why = f"{_said(error)}; it takes CAP_SYS_NICE or an rtprio limit (hil doctor says how)"
            obtained.missing.append(f"SCHED_FIFO at priority {wanted.priority}: {why}")


class ProcessClaims:
    """Locked memory and cores that do not doze, for as long as any loop of this process wants them."""

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _users: ClassVar[int] = 0

    @classmethod
    @contextmanager
    def held(cls, wanted: Wanted, obtained: Obtained) -> Iterator[None]:
        """Claim them, say in `obtained` what was given, and give them back with the last user."""
        latency = _open_latency(obtained)
        with cls._lock:
            if wanted.lock_memory:
                cls._users += 1
                _lock_memory(obtained)
        try:
            yield
        finally:
            if latency is not None:
                os.close(latency)
            with cls._lock:
                if wanted.lock_memory:
                    cls._users -= 1
                    if cls._users == 0:
                        unlock_memory()


def _open_latency(obtained: Obtained) -> int | None:
    """As long as it is open with a zero in it, no core goes into a sleep that it is slow to wake from."""
    if not _LATENCY.exists():  # a system that does not manage it
        return None
    latency = None
    try:
        latency = os.open(_LATENCY, os.O_WRONLY)
        os.write(latency, bytes(4))
    except OSError as error:
        if latency is not None:
            os.close(latency)
        obtained.missing.append(f"{_LATENCY}: {_said(error)}: cores may doze")
        return None
    obtained.cpu_latency_held = True
    return latency


def _lock_memory(obtained: Obtained) -> None:
    """Under a limit nothing is locked: what the process maps after that would be refused."""
    if not _may_lock_all():
        why = "under its limit (memlock) all that is mapped later could be refused; it takes CAP_IPC_LOCK or memlock unlimited"
        obtained.missing.append(f"locked memory: {why} (hil doctor says how)")
        return
    number = lock_memory()
    if number == 0:
        obtained.memory_locked = True
    else:
        obtained.missing.append(f"locked memory: {os.strerror(number)}")


def _may_lock_all() -> bool:
    try:
        import resource

        if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
            return True
        status = _STATUS.read_text(encoding="ascii", errors="replace")
    except (ImportError, AttributeError, OSError):
        return True  # the call itself will tell
    effective = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> _CAP_IPC_LOCK & 1)


def _last_isolated() -> int | None:
    """The last core that the system schedules nothing on by itself."""
    try:
        text = _ISOLATED.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text.replace("-", ",").rsplit(",", 1)[-1]) if text else None


def _cores() -> str:
    return f"0 to {(os.cpu_count() or 1) - 1}"


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
