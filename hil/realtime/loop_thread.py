"""The thread that runs the ticks: claims what it needs, rehearses on a copy of the site, waits for its start, runs.

Practice and measurements: docs/wall_clock.md, "What the loop's thread does".
"""

from __future__ import annotations

import math
import sys
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from hil.errors import HilError
from hil.kernel.engine import Engine
from hil.kernel.pacer import Pacer
from hil.realtime.bell import Bell
from hil.realtime.claims import ProcessClaims, claim_thread
from hil.realtime.evidence import quantile_ns
from hil.realtime.wanted import Obtained, Wanted

_LEAD_NS = 2_000_000  # from being told to start to the start: the thread looks for it twice a millisecond
_SPIN_SHARE = 0.95
_MOST_SPIN_NS = 50_000
_FOR_EVER = 1 << 60


class LoopThread:
    """A context manager around the run of one engine; no thread outlives it.

    On entry the thread is there, and has rehearsed; `start` lets time pass. What the engine shows is until the exit the
    picture of the last `pacer.look`. bell: rung when the tick that was asked for has run, and when the thread has failed
    (`error`). warm_up: the timing of the rehearsal (`hil.kernel.layout.timing_dtype`), apart from that of the run.

    Raises HilError on a system without the calls that it needs.
    """

    def __init__(self, engine: Engine, wanted: Wanted, *, speed: float = 1.0) -> None:
        if sys.platform == "win32":
            raise HilError("the wall clock needs Linux or another Unix; on Windows there is lock-step")
        self.obtained = Obtained()
        self.error: BaseException | None = None
        self.warm_up: Any = None
        self.start_ns = 0
        self._wanted = wanted
        self._engine = engine
        self._speed = speed
        self._rehearsed = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kernel")
        self.bell = Bell()
        try:
            self.pacer = self._pacer(engine, self.bell.write_fd, wanted)
        except BaseException:
            self.bell.close()
            raise

    def __enter__(self) -> Self:
        with ExitStack() as held:
            held.callback(self.bell.close)
            held.callback(self.pacer.release)
            held.enter_context(ProcessClaims.held(self._wanted, self.obtained))
            self._engine.touch()
            twin = self._engine.twin()
            twin.touch()
            twin.states["run"]["end_tick"] = _FOR_EVER
            rehearsal_bell = held.enter_context(closing(Bell()))
            self._rehearsal = self._pacer(
                twin, rehearsal_bell.write_fd, replace(self._wanted, policy="skip", budget_s=math.inf)
            )
            self._rehearsal.start(time.monotonic_ns())
            self._thread.start()
            held.callback(self._end)
            self._ended.wait(self._wanted.warm_up_s)
            self._rehearsal.stop()
            self._rehearsed.wait()
            self._held = held.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.close()

    @property
    def started(self) -> bool:
        """Whether its time passes."""
        return self.start_ns > 0

    def start(self) -> None:
        """Let time pass from now on, if it does not yet."""
        if not self.started:
            self.start_ns = time.monotonic_ns() + _LEAD_NS
            self.pacer.start(self.start_ns)

    def _pacer(self, engine: Engine, fd: int, wanted: Wanted) -> Pacer:
        half_ns = int(engine.period_ns / self._speed) // 2
        spin_ns = min(round((wanted.spin_s or 0.0) * 1e9), half_ns)
        return Pacer(
            engine,
            speed=self._speed,
            fd=fd,
            policy=wanted.policy,
            budget_s=wanted.budget_s,
            catch_up_s=wanted.catch_up_s,
            spin_ns=spin_ns,
        )

    def _end(self) -> None:
        self._rehearsal.stop()
        self.pacer.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            claim_thread(self._wanted, self.obtained)
            self._rehearse()
            self.pacer.run(prior=self.obtained.priority > 0)
        except BaseException as error:  # noqa: BLE001  # raised where somebody hears it
            self.error = error
            self.bell.ring()
        finally:
            self._rehearsed.set()
            self._ended.set()

    def _rehearse(self) -> None:
        """Run a copy of the site for a while: code and stack are there then, and how late this machine wakes is known."""
        try:
            self._rehearsal.run(prior=self.obtained.priority > 0)
        finally:
            self.warm_up = self._rehearsal.timing
            self._rehearsal.release()
        if self.warm_up["demoted_tick"][0] >= 0:
            self.obtained.missing.append(f"priority {self.obtained.priority}: given back, the rehearsal never slept")
            self.obtained.scheduler, self.obtained.priority = "SCHED_OTHER", 0
        if self._wanted.spin_s is None and self.obtained.priority > 0 and self.warm_up["ticks"][0] > 0:
            late_ns = quantile_ns(self.warm_up[0]["late"], _SPIN_SHARE)
            quarter_ns = int(self._engine.period_ns / self._speed) // 4
            self.pacer.spin_ns = min(late_ns, _MOST_SPIN_NS, quarter_ns)
        self.obtained.spin_us = self.pacer.spin_ns / 1e3
        self._rehearsed.set()
