"""The states, timers and limits of an inverter once more, in plain Python from docs/model.md: without ramp, slew and lag."""

from __future__ import annotations

import math

from firmware_sim.image import FaultPoint, PcsCondition
from firmware_sim.image import PcsPoint as Point

OFF, STARTING, STANDBY, RUNNING, STOPPING, FAULT = PcsCondition
HEARD_ALWAYS = {Point.REBOOT, Point.RESTARTS}
HEARD_IN_LOCAL = {Point.LOCAL, Point.CONTROLLER_HEARTBEAT}
RESTARTED_BY = {Point.SET_W: 1, Point.SET_ENABLE: 2, Point.REVERT_S: 4}
LIMITS = {Point.LIMIT_CHARGE_W, Point.LIMIT_DISCHARGE_W, Point.LIMIT_ENABLE, Point.LIMIT_REVERT_S}
RANGE = 1e7  # W, charging and discharging


class Reference:
    """One inverter. `step` gives the power of a tick."""

    def __init__(self, ticks_per_second: int, start_ticks: int, resync_ticks: int, initial: int = 1) -> None:
        self.second, self.start_ticks, self.resync_ticks, self.initial = ticks_per_second, start_ticks, resync_ticks, initial
        self.restarts, self.refused, self.broken, self.away_until = 7, 0, dict.fromkeys(FaultPoint, 0.0), -1
        self.power_up()
        self.state = {0: OFF, 1: RUNNING, 2: STANDBY}[initial]

    def power_up(self) -> None:
        """Forget what does not outlast the supply."""
        self.at = dict.fromkeys(Point, 0.0) | {Point.CONNECT: 1.0, Point.OPERATION: float(self.initial)}
        self.at |= {Point.LIMIT_CHARGE_W: RANGE, Point.LIMIT_DISCHARGE_W: RANGE}
        self.expiry = {Point.REVERT_S: math.inf, Point.LIMIT_REVERT_S: math.inf, Point.CONNECT_REVERT_S: math.inf}
        self.state, self.tripped, self.started_at, self.lost, self.synchronous_at = OFF, False, math.inf, False, math.inf

    def start_timer(self, timer: Point, tick: int, *, armed: bool) -> None:
        """Anew, or not at all."""
        seconds = int(self.at[timer])
        self.expiry[timer] = tick + seconds * self.second if armed and seconds > 0 else math.inf

    def hear(self, point: int, value: float, tick: int) -> set[Point]:
        """Take a command; which timers it starts anew."""
        if point >= FaultPoint.CONTACTOR:
            self.broken[FaultPoint(point)] = value
            return set()
        point = Point(point)
        away = self.away_until >= 0
        if point not in HEARD_ALWAYS and (away or (self.at[Point.LOCAL] > 0 and point not in HEARD_IN_LOCAL)):
            self.refused += 1
            return set()
        switched = point is Point.SET_ENABLE and int(value) != int(self.at[point])
        if point is Point.RESTARTS:
            self.restarts = int(value)
        else:
            self.at[point] = value
        if point is Point.REFRESH or switched or self.restarts & RESTARTED_BY.get(point, 0):
            return {Point.REVERT_S}
        if point in LIMITS:
            return {Point.LIMIT_REVERT_S}
        return {Point.CONNECT_REVERT_S} if point in (Point.CONNECT, Point.CONNECT_REVERT_S) else set()

    def step(self, tick: int, commands: list[tuple[int, float]]) -> float:
        """One tick with what is commanded before it."""
        reboot, reset, touched = None, False, set()
        for point, value in commands:
            away, local = self.away_until >= 0, self.at[Point.LOCAL] > 0
            touched |= self.hear(point, value, tick)
            if point == Point.REBOOT:
                reboot = value
            elif point == Point.RESET and not away and not local:
                reset = value > 0
        if reboot is not None:
            self.power_up()
            reset, touched = False, set()
            self.away_until = tick + round(reboot * self.second)
        if self.away_until > tick:
            return 0.0
        self.away_until = -1
        self.timers(tick, touched)
        self.faults(tick, reset=reset)
        if self.state is not FAULT:
            self.operate(tick)
        return self.power()

    def timers(self, tick: int, touched: set[Point]) -> None:
        """Start, and let expire."""
        at, armed = self.at, self.at[Point.SET_ENABLE] > 0
        for timer, is_armed in (
            (Point.REVERT_S, armed),
            (Point.LIMIT_REVERT_S, at[Point.LIMIT_ENABLE] > 0),
            (Point.CONNECT_REVERT_S, at[Point.CONNECT] <= 0),
        ):
            if timer in touched:
                self.start_timer(timer, tick, armed=is_armed)
            if tick < self.expiry[timer]:
                continue
            self.expiry[timer] = math.inf
            if timer is Point.REVERT_S:
                at[Point.SET_W], at[Point.SET_ENABLE] = at[Point.REVERT_W], at[Point.REVERT_ENABLE]
            elif timer is Point.LIMIT_REVERT_S:
                at[Point.LIMIT_ENABLE] = 0.0
            else:
                at[Point.CONNECT] = 1.0

    def faults(self, tick: int, *, reset: bool) -> None:
        """Trips, and the grid."""
        trip = self.broken[FaultPoint.TRIP] > 0
        if trip:
            self.tripped, self.state = True, FAULT
        if reset and self.state is FAULT and not trip:
            self.tripped, self.state = False, RUNNING if self.at[Point.OPERATION] == 1 else STANDBY
        if self.broken[FaultPoint.PLL] > 0:
            self.lost, self.synchronous_at = True, math.inf
        elif self.lost:
            if self.synchronous_at == math.inf:
                self.synchronous_at = tick + self.resync_ticks
            if tick >= self.synchronous_at:
                self.lost, self.synchronous_at = False, math.inf

    def operate(self, tick: int) -> None:
        """From state to state."""
        order = int(self.at[Point.OPERATION])
        if self.state is STOPPING:  # which took one tick
            self.state = OFF if order == 0 else STANDBY
        if self.state is OFF and order != 0:
            self.state, self.started_at = STARTING, tick + self.start_ticks
        if self.state is STARTING and order == 0:
            self.state = OFF
        elif self.state is STARTING and tick >= self.started_at:
            self.state = STANDBY
        if self.state is STANDBY:
            self.state = {0: OFF, 1: RUNNING}.get(order, STANDBY)
        elif self.state is RUNNING and order != 1:
            self.state = STOPPING

    def power(self) -> float:
        """Of an inverter without ramps."""
        at = self.at
        if (
            self.state is not RUNNING
            or at[Point.CONNECT] <= 0
            or self.broken[FaultPoint.CONTACTOR] > 0
            or self.lost
            or self.broken[FaultPoint.DEAD] > 0
        ):
            return 0.0
        want = at[Point.SET_W] if at[Point.SET_ENABLE] > 0 and at[Point.LOCAL] <= 0 else 0.0
        enabled = int(at[Point.LIMIT_ENABLE])
        high = max(-RANGE, min(RANGE, at[Point.LIMIT_DISCHARGE_W])) if enabled & 2 else RANGE
        low = -max(-RANGE, min(RANGE, at[Point.LIMIT_CHARGE_W])) if enabled & 1 else -RANGE
        if low > high:
            low = high = min(low, high, key=abs)
        return max(low, min(high, want))
