"""The engine: owns the arrays of a site and runs its ticks without the GIL.

The only compiled module that joins the three packages. See engine.pyi for the documented interface.
"""

from libc.stdint cimport int64_t

import numpy as np

from controllers.kernel.law cimport LAW_NONE, LAW_RAMP_LIMIT, LawParams, LawState
from firmware_sim.kernel.pcs cimport (
    POINT_CONTROLLER_HEARTBEAT, POINT_OPERATION, POINT_REVERT_ENABLE, POINT_REVERT_S, POINT_REVERT_W, POINT_SET_ENABLE,
    POINT_SET_VAR, POINT_SET_W, POINT_VAR_ENABLE, PRIORITY_ACTIVE, PRIORITY_REACTIVE, PcsParams, PcsState,
)
from hil.kernel.battery cimport BatteryParams, BatteryState
from hil.kernel.converter cimport ConverterParams, ConverterState
from hil.kernel.grid cimport GridParams, GridState
from hil.kernel.limits cimport (
    BLANK_FREQUENCY, BLANK_KINDS, BLANK_NEVER, BLANK_VOLTAGE, LIMIT_LEVEL, LIMIT_RAMP, LIMIT_RANGE, LimitParams, LimitState,
)
from hil.kernel.measure cimport Measurement
from hil.kernel.tick cimport (
    EVENT_DIP, EVENT_GENERATION_LOSS, MEASURED_FREQUENCY, MEASURED_LOAD, MEASURED_POWER, MEASURED_VOLTAGE, Command, Event,
    Site, site_tick, write_row,
)
from hil.kernel.xxh64 cimport Xxh64, xxh64_digest, xxh64_reset, xxh64_row

_SITE_CHANNELS = (
    "load.demand_w", "load.power_w", "pcc.power_w", "pcc.reactive_var", "pcc.voltage_pu", "pcc.frequency_hz",
    "pcc.power_measured_w", "pcc.voltage_measured_pu", "pcc.frequency_measured_hz",
)
_BESS_CHANNELS = (
    "power_w", "reactive_var", "current_pu", "setpoint_w", "law_w", "command_w", "load_measured_w", "soc", "dc_voltage_v",
    "dc_current_a", "dc_power_w", "rc1_v", "rc2_v", "temperature_degc",
)

# Numbers that Python puts into the structs.
CODES = {
    "law.none": LAW_NONE, "law.ramp_limit": LAW_RAMP_LIMIT,
    "priority.active": PRIORITY_ACTIVE, "priority.reactive": PRIORITY_REACTIVE,
    "limit.level": LIMIT_LEVEL, "limit.ramp": LIMIT_RAMP, "limit.range": LIMIT_RANGE,
    "blank.never": BLANK_NEVER, "blank.voltage": BLANK_VOLTAGE, "blank.frequency": BLANK_FREQUENCY,
    "event.dip": EVENT_DIP, "event.generation_loss": EVENT_GENERATION_LOSS,
    "measured.power": MEASURED_POWER, "measured.voltage": MEASURED_VOLTAGE,
    "measured.frequency": MEASURED_FREQUENCY, "measured.load": MEASURED_LOAD,
    "point.set_w": POINT_SET_W, "point.set_enable": POINT_SET_ENABLE, "point.revert_w": POINT_REVERT_W,
    "point.revert_enable": POINT_REVERT_ENABLE, "point.revert_s": POINT_REVERT_S, "point.set_var": POINT_SET_VAR,
    "point.var_enable": POINT_VAR_ENABLE, "point.operation": POINT_OPERATION,
    "point.controller_heartbeat": POINT_CONTROLLER_HEARTBEAT,
}


def channel_names(bess_names):
    names = list(_SITE_CHANNELS)
    for bess in bess_names:
        names.extend(f"{bess}.{channel}" for channel in _BESS_CHANNELS)
    return tuple(names)


def struct_dtypes():
    cdef GridParams grid_params
    cdef GridState grid
    cdef Measurement measured
    cdef LawParams law_params
    cdef LawState law
    cdef PcsParams pcs_params
    cdef PcsState pcs
    cdef ConverterParams converter_params
    cdef ConverterState converter
    cdef BatteryParams battery_params
    cdef BatteryState battery
    cdef LimitParams limit_params
    cdef LimitState limits
    cdef Event events
    return {
        "grid_params": np.asarray(<GridParams[:1]> &grid_params).dtype,
        "grid": np.asarray(<GridState[:1]> &grid).dtype,
        "measured": np.asarray(<Measurement[:1]> &measured).dtype,
        "law_params": np.asarray(<LawParams[:1]> &law_params).dtype,
        "law": np.asarray(<LawState[:1]> &law).dtype,
        "pcs_params": np.asarray(<PcsParams[:1]> &pcs_params).dtype,
        "pcs": np.asarray(<PcsState[:1]> &pcs).dtype,
        "converter_params": np.asarray(<ConverterParams[:1]> &converter_params).dtype,
        "converter": np.asarray(<ConverterState[:1]> &converter).dtype,
        "battery_params": np.asarray(<BatteryParams[:1]> &battery_params).dtype,
        "battery": np.asarray(<BatteryState[:1]> &battery).dtype,
        "limit_params": np.asarray(<LimitParams[:1]> &limit_params).dtype,
        "limits": np.asarray(<LimitState[:1]> &limits).dtype,
        "events": np.asarray(<Event[:1]> &events).dtype,
    }


cdef class Engine:
    cdef readonly int64_t tick
    cdef readonly int64_t end_tick
    cdef readonly int64_t period_ns
    cdef readonly tuple channels
    cdef readonly dict arrays
    cdef readonly int64_t load_filled       # ticks of load written so far
    cdef readonly int64_t underruns         # ticks run without load
    cdef readonly int64_t dropped_rows
    cdef readonly double load_energy_j      # demanded, of the judged ticks
    cdef readonly double largest_demand_w
    cdef int64_t next_event_tick
    cdef int64_t commands_pending
    cdef int64_t row_words
    cdef int64_t record_every
    cdef int64_t record_head                # rows written
    cdef int64_t record_tail                # rows read
    cdef int64_t tap_rows
    cdef double load_tan_phi
    cdef double last_demand_w
    cdef Xxh64 hash_state
    cdef object __weakref__
    cdef GridParams[::1] grid_params
    cdef GridState[::1] grid
    cdef Measurement[::1] measured
    cdef LawParams[::1] law_params
    cdef LawState[::1] law
    cdef PcsParams[::1] pcs_params
    cdef PcsState[::1] pcs
    cdef ConverterParams[::1] converter_params
    cdef ConverterState[::1] converter
    cdef BatteryParams[::1] battery_params
    cdef BatteryState[::1] battery
    cdef LimitParams[::1] limit_params
    cdef LimitState[::1] limits
    cdef Event[::1] events
    cdef double[::1] arena
    cdef double[::1] row
    cdef double[::1] load_ring
    cdef int64_t[::1] blank_until
    cdef int64_t[::1] record_channels
    cdef float[:, ::1] record_rows
    cdef int64_t[::1] record_ticks
    cdef double[:, ::1] tap
    cdef Command commands[4096]

    def __init__(self, arrays, bess_names, *, double first_demand_w, int64_t period_ns, int64_t end_tick,
                 double load_tan_phi, int64_t load_capacity, int64_t record_every, record_channels, int64_t record_capacity):
        cdef Site site
        if period_ns <= 0 or end_tick <= 0 or record_every <= 0 or record_capacity <= 0 or load_capacity <= 0:
            raise ValueError("period, end, load capacity, record interval and record capacity must be positive")
        self.period_ns = period_ns
        self.end_tick = end_tick
        self.load_tan_phi = load_tan_phi
        self.channels = channel_names(bess_names)
        self.arrays = dict(arrays)
        self.grid_params = arrays["grid_params"]
        self.grid = arrays["grid"]
        self.measured = arrays["measured"]
        self.law_params = arrays["law_params"]
        self.law = arrays["law"]
        self.pcs_params = arrays["pcs_params"]
        self.pcs = arrays["pcs"]
        self.converter_params = arrays["converter_params"]
        self.converter = arrays["converter"]
        self.battery_params = arrays["battery_params"]
        self.battery = arrays["battery"]
        self.limit_params = arrays["limit_params"]
        self.limits = arrays["limits"]
        self.events = arrays["events"]
        self.arena = arrays["arena"]
        count = len(bess_names)
        for name in ("law_params", "law", "pcs_params", "pcs", "converter_params", "converter", "battery_params", "battery"):
            if len(arrays[name]) != count:
                raise ValueError(f"{name} has {len(arrays[name])} rows for {count} BESS")
        if len(arrays["measured"]) != 3 + count or len(arrays["limits"]) != len(arrays["limit_params"]):
            raise ValueError("measurements or limits do not match the site")
        self.row_words = (len(self.channels) + 3) // 4 * 4  # in C, // truncates: no -(-a // b) here
        self.row = np.zeros(self.row_words)
        self.load_ring = np.zeros(load_capacity)
        self.blank_until = np.zeros(BLANK_KINDS, dtype=np.int64)
        self.record_every = record_every
        indices = np.array([self.channels.index(name) for name in record_channels], dtype=np.int64)
        self.record_channels = indices
        self.record_rows = np.zeros((record_capacity, len(indices)), dtype=np.float32)
        self.record_ticks = np.zeros(record_capacity, dtype=np.int64)
        self.tap = None
        self.next_event_tick = 0
        xxh64_reset(&self.hash_state)
        self.last_demand_w = first_demand_w
        self.bind(&site)
        write_row(&site, first_demand_w)

    @property
    def load_room(self):
        return self.load_ring.shape[0] - (self.load_filled - self.tick)

    @property
    def record_room(self):
        return self.record_rows.shape[0] - (self.record_head - self.record_tail)

    @property
    def waveform_hash(self):
        return f"{xxh64_digest(&self.hash_state):016x}"

    def feed(self, const double[::1] power_w):
        cdef Py_ssize_t i
        cdef Py_ssize_t n = power_w.shape[0]
        if self.load_filled < self.tick:
            self.load_filled = self.tick
        if n > self.load_room:
            raise ValueError(f"load block of {n} ticks, room for {self.load_room}")
        for i in range(n):
            self.load_ring[(self.load_filled + i) % self.load_ring.shape[0]] = power_w[i]
        self.load_filled += n

    def command(self, int64_t device, int64_t point, double value):
        if not 0 <= device < self.pcs.shape[0]:
            raise IndexError(f"no device {device}")
        if self.commands_pending == 4096:
            raise OverflowError("more than 4096 commands within one tick")
        self.commands[self.commands_pending].device = device
        self.commands[self.commands_pending].point = point
        self.commands[self.commands_pending].value = value
        self.commands_pending += 1

    def value(self, int64_t channel):
        if not 0 <= channel < self.row.shape[0]:
            raise IndexError(f"no channel {channel}")
        return self.row[channel]

    def attach_tap(self, double[:, ::1] rows):
        if rows is not None and rows.shape[1] != len(self.channels):
            raise ValueError(f"tap needs {len(self.channels)} columns")
        self.tap = rows
        self.tap_rows = 0

    def close(self):
        """End the judged part of the run at this tick; later ticks still move the plant."""
        if self.tick < self.end_tick:
            self.end_tick = self.tick

    def take_rows(self):
        cdef int64_t capacity = self.record_rows.shape[0]
        cdef int64_t start = self.record_tail % capacity
        cdef int64_t count = min(self.record_head - self.record_tail, capacity - start)
        ticks = np.asarray(self.record_ticks)[start:start + count].copy()
        rows = np.asarray(self.record_rows)[start:start + count].copy()
        self.record_tail += count
        return ticks, rows

    def advance(self, int64_t until_tick):
        cdef Site site
        cdef int64_t n = until_tick - self.tick
        if n < 0:
            raise ValueError(f"tick {until_tick} is in the past of tick {self.tick}")
        if n == 0:
            return
        self.bind(&site)
        with nogil:
            self.run(&site, n)
        self.commands_pending = 0
        self.next_event_tick = site.next_event_tick

    cdef void bind(self, Site* site) noexcept:
        """Point a site at the arrays."""
        site.dt = <double>self.period_ns * 1e-9
        site.load_tan_phi = self.load_tan_phi
        site.bess_count = self.pcs.shape[0]
        site.limit_count = self.limits.shape[0]
        site.event_count = self.events.shape[0]
        site.command_count = self.commands_pending
        site.next_event_tick = self.next_event_tick
        site.grid_params = &self.grid_params[0]
        site.grid = &self.grid[0]
        site.measured = &self.measured[0]
        site.arena = &self.arena[0]
        site.row = &self.row[0]
        site.blank_until = &self.blank_until[0]
        site.commands = &self.commands[0]
        # An array without rows has no first element to point at.
        site.law_params = &self.law_params[0] if site.bess_count else NULL
        site.law = &self.law[0] if site.bess_count else NULL
        site.pcs_params = &self.pcs_params[0] if site.bess_count else NULL
        site.pcs = &self.pcs[0] if site.bess_count else NULL
        site.converter_params = &self.converter_params[0] if site.bess_count else NULL
        site.converter = &self.converter[0] if site.bess_count else NULL
        site.battery_params = &self.battery_params[0] if site.bess_count else NULL
        site.battery = &self.battery[0] if site.bess_count else NULL
        site.limit_params = &self.limit_params[0] if site.limit_count else NULL
        site.limits = &self.limits[0] if site.limit_count else NULL
        site.events = &self.events[0] if site.event_count else NULL

    cdef void run(self, Site* site, int64_t n) noexcept nogil:
        cdef int64_t _i
        cdef int64_t j
        cdef int64_t slot
        cdef int64_t ring = self.load_ring.shape[0]
        cdef int64_t load_slot = self.tick % ring
        cdef int64_t recorded = self.record_channels.shape[0]
        cdef int64_t capacity = self.record_rows.shape[0]
        cdef int64_t until_record = self.record_every - self.tick % self.record_every
        cdef double demand = self.last_demand_w
        cdef bint judged
        for _i in range(n):
            judged = self.tick < self.end_tick
            if self.tick < self.load_filled:
                demand = self.load_ring[load_slot]
            elif judged:
                self.underruns += 1
            load_slot += 1
            if load_slot == ring:
                load_slot = 0
            site_tick(site, self.tick, demand, judged)
            self.tick += 1
            until_record -= 1
            if judged:
                self.load_energy_j += demand * site.dt
                if demand > self.largest_demand_w:
                    self.largest_demand_w = demand
                xxh64_row(&self.hash_state, site.row, self.row_words)
                if self.tap is not None and self.tap_rows < self.tap.shape[0]:
                    for j in range(self.tap.shape[1]):
                        self.tap[self.tap_rows, j] = site.row[j]
                    self.tap_rows += 1
                if until_record == 0:
                    if self.record_head - self.record_tail >= capacity:
                        self.dropped_rows += 1
                    else:
                        slot = self.record_head % capacity
                        self.record_ticks[slot] = self.tick
                        for j in range(recorded):
                            self.record_rows[slot, j] = <float>site.row[self.record_channels[j]]
                        self.record_head += 1
            if until_record == 0:
                until_record = self.record_every
        self.last_demand_w = demand
