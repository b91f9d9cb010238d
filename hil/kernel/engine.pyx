"""The engine: runs the ticks of a site over arrays that Python made and can see.

The only compiled module that joins the three packages in a tick. See engine.pyi for the documented interface.
"""

from libc.stdint cimport int64_t, uintptr_t
from libc.string cimport memcpy

from types import MappingProxyType

import numpy as np

from controllers.kernel.law cimport LAW_NONE, LAW_USER, LawParams, LawState, UserLaw, law_fn
from firmware_sim.kernel.pcs cimport PcsParams, PcsState
from hil.kernel.area cimport AreaParams, AreaState
from hil.kernel.battery cimport BatteryParams, BatteryState
from hil.kernel.binding cimport address, bind_functions, bind_sources, bind_upss
from hil.kernel.breakers cimport BreakerParams, BreakerReset, BreakerState, TripParams, TripState
from hil.kernel.converter cimport ConverterParams, ConverterState
from hil.kernel.cooling cimport CoolingParams, CoolingState
from hil.kernel.events cimport MOST_STIMULI, Event
from hil.kernel.faults cimport Faults
from hil.kernel.batches cimport batch_ticks, judge
from hil.kernel.limits cimport BLANK_KINDS, MOST_BATCH, LimitParams, LimitState
from hil.kernel.measure cimport Measurement, PhaseMeter
from hil.kernel.meter cimport MeterState
from hil.kernel.network cimport NetworkParams, NetworkState, network_solve
from hil.kernel.protection.functions cimport function_count
from hil.kernel.recording cimport MARKED_LIMIT, MARKED_REVERSION, MARKED_UPS, Recording, device_marks, record
from hil.kernel.sequences cimport SequenceMeter
from hil.kernel.shared cimport load_acquire, store_release
from hil.kernel.site cimport (
    MEASURED_LOAD, METERS, MOST_COMMANDS, Command, Commanded, RunState, Site, far,
)
from hil.kernel.sound cimport MOST_TICKS, unsound
from hil.kernel.supervision cimport apply_commands, supervise_soon
from hil.kernel.tick cimport site_demand, site_tick, write_row
from hil.kernel.ups_fleet cimport begin_groups, show_groups, sum_groups
from hil.kernel.xxh64 cimport xxh64_digest, xxh64_reset, xxh64_row

from hil.kernel.layout import channel_names, parameter_dtypes, state_dtypes
from hil.kernel.memory import touch

# Of the thread of the kernel, on the wall clock; no part of the row of a tick.
LOOP_CHANNELS = ("loop.lateness_us", "loop.execution_us")

MARKS = {"limit": MARKED_LIMIT, "reversion": MARKED_REVERSION, "ups": MARKED_UPS}


def row_words(channels):
    """Length of a row: whole stripes of 32 bytes, as the waveform hash takes them."""
    return (len(channels) + 3) // 4 * 4


def steady_network(parameters, double load_w, double load_var):
    """State of the network with a load and storage at rest, without events; an array of one."""
    cdef NetworkParams[::1] given = parameters
    states = np.zeros(1, dtype=state_dtypes()["network"])
    cdef NetworkState[::1] state = states
    state[0].source_pu = given[0].source_pu
    network_solve(&given[0], &state[0], load_w, load_var, 0.0, 0.0, 1.0)
    return states


cdef class Engine:
    def __init__(self, parameters, states, bess_names, ups_names=(), ups_groups=(), *, int64_t period_ns, double load_tan_phi,
                 double direct_share=1.0, laws=(), function_channels=(),
                 int64_t record_every=1, record_channels=(), int64_t record_capacity=1, bint record_marks=False):
        if period_ns <= 0 or record_every <= 0 or record_capacity <= 0:
            raise ValueError("period, record interval and record capacity must be positive")
        self.period_ns = period_ns
        self.made_of = (tuple(bess_names), tuple(ups_names), tuple(ups_groups), {
            "period_ns": period_ns, "load_tan_phi": load_tan_phi, "direct_share": direct_share, "record_every": record_every,
            "record_channels": tuple(record_channels), "record_capacity": record_capacity, "record_marks": record_marks,
            "function_channels": tuple(function_channels),
        })
        self.channels = (*channel_names(bess_names, ups_names, ups_groups), *function_channels)
        self.parameters = MappingProxyType(dict(parameters))
        self.states = MappingProxyType(dict(states))
        self.shared_with = None
        self.words = row_words(self.channels)
        self.plant_words = len(self.channels) - len(function_channels)
        self.keep_record(record_channels, record_every, record_capacity, record_marks)
        self.command_valid_ticks = MOST_TICKS
        user_laws = np.zeros(max(1, len(bess_names)) * sizeof(UserLaw), dtype=np.uint8)
        limits_before = np.zeros_like(self.states["limits"])
        batch = np.zeros(MOST_BATCH * self.words)
        rests = bind_upss(&self.site, self.parameters, self.states, len(ups_names), len(ups_groups))
        self.kept = (*self.parameters.values(), *self.states.values(), user_laws, limits_before, batch, rests)
        self.site.load_tan_phi = load_tan_phi
        self.site.direct_share = self.site.direct_draws = self.site.direct_works = direct_share
        self.bind(len(bess_names), self.site.ups_count, user_laws)
        self.site.limits_before = <LimitState*> <uintptr_t> limits_before.ctypes.data
        self.site.batch = <double*> <uintptr_t> batch.ctypes.data
        self.seen = self.states
        self.seen_run = self.site.run
        self.seen_row = self.site.row
        self.adopt(user_laws, laws, len(bess_names))
        if self.site.run.end_tick <= 0:
            raise ValueError("the run must have a tick at least")
        xxh64_reset(&self.site.run.waveform)
        sum_groups(&self.site, self.site.run.tick)
        write_row(&self.site, site_demand(&self.site, self.site.run.it_demand_w))

    cdef int keep_record(self, channels, int64_t every, int64_t capacity, bint marked) except -1:
        """Make the record's ring."""
        cdef Recording* kept = &self.recording
        loop = any(name in LOOP_CHANNELS for name in channels)
        of_row = [name for name in channels if name not in LOOP_CHANNELS]
        self.recorded = (*of_row, *(LOOP_CHANNELS if loop else ()))
        positions = np.array([self.channels.index(name) for name in of_row], dtype=np.int64)
        rows = np.zeros((capacity, len(self.recorded)), dtype=np.float32)
        ticks = np.zeros(capacity, dtype=np.int64)
        marks = np.zeros(capacity if marked else 0, dtype=np.int64)
        self.ring = (rows, ticks, marks, positions)
        kept.every, kept.capacity, kept.loop = every, capacity, loop
        kept.columns, kept.row_channels = len(self.recorded), len(of_row)
        kept.channels = <const int64_t*> <uintptr_t> positions.ctypes.data
        kept.rows = <float*> <uintptr_t> rows.ctypes.data
        kept.ticks = <int64_t*> <uintptr_t> ticks.ctypes.data
        kept.marks = <int64_t*> <uintptr_t> marks.ctypes.data if marked else NULL
        return 0

    cdef int bind(self, int64_t count, int64_t ups_count, user_laws) except -1:
        """Point the site at the arrays, once and for all."""
        cdef Site* site = &self.site
        wanted = parameter_dtypes()
        given = self.parameters
        site.dt = <double>self.period_ns * 1e-9
        site.bess_count = count
        site.limit_count = len(given["limits"])
        site.event_count = len(given["events"])
        site.network_params = <NetworkParams*> address(given, "network", wanted["network"], 1)
        site.area_params = <AreaParams*> address(given, "area", wanted["area"], 1)
        site.cooling_params = <CoolingParams*> address(given, "cooling", wanted["cooling"], 1)
        site.law_params = <LawParams*> address(given, "law", wanted["law"], count)
        site.pcs_params = <PcsParams*> address(given, "pcs", wanted["pcs"], count)
        site.converter_params = <ConverterParams*> address(given, "converter", wanted["converter"], count)
        site.battery_params = <BatteryParams*> address(given, "battery", wanted["battery"], count)
        site.limit_params = <LimitParams*> address(given, "limits", wanted["limits"], -1)
        site.events = <Event*> address(given, "events", wanted["events"], -1)
        site.breaker_count, site.reset_count = len(given["breakers"]), len(given["resets"])
        tripping = site.limit_count if site.breaker_count > 0 else 0
        site.breaker_params = <BreakerParams*> address(given, "breakers", wanted["breakers"], -1)
        site.resets = <BreakerReset*> address(given, "resets", wanted["resets"], -1)
        site.trip_params = <TripParams*> address(given, "trips", wanted["trips"], tripping)
        wanted = state_dtypes()
        given = self.states
        site.load_ring_ticks = len(given["load_ring"])
        site.arena_size = len(given["arena"])
        site.row_words = self.words
        site.run = <RunState*> address(given, "run", wanted["run"], 1)
        site.commands = <Command*> address(given, "commands", wanted["commands"], MOST_COMMANDS)
        site.commanded = <Commanded*> address(given, "commanded", wanted["commanded"], count + ups_count)
        site.faults = <Faults*> address(given, "faults", wanted["faults"], count + ups_count)
        site.load_ring = <double*> address(given, "load_ring", wanted["load_ring"], -1)
        site.network = <NetworkState*> address(given, "network", wanted["network"], 1)
        site.area = <AreaState*> address(given, "area", wanted["area"], 1)
        site.cooling = <CoolingState*> address(given, "cooling", wanted["cooling"], 1)
        site.measured = <Measurement*> address(given, "measured", wanted["measured"], MEASURED_LOAD + count)
        site.meters = <PhaseMeter*> address(given, "meters", wanted["meters"], METERS)
        site.revenue_meter_count = len(given["revenue_meters"])
        site.revenue_meters = <MeterState*> address(given, "revenue_meters", wanted["revenue_meters"], -1)
        site.sequence_count = len(given["sequences"])
        site.sequences = <SequenceMeter*> address(given, "sequences", wanted["sequences"], -1)
        site.law = <LawState*> address(given, "law", wanted["law"], count)
        site.pcs = <PcsState*> address(given, "pcs", wanted["pcs"], count)
        site.converter = <ConverterState*> address(given, "converter", wanted["converter"], count)
        site.battery = <BatteryState*> address(given, "battery", wanted["battery"], count)
        site.limits = <LimitState*> address(given, "limits", wanted["limits"], site.limit_count)
        site.breakers = <BreakerState*> address(given, "breakers", wanted["breakers"], site.breaker_count)
        site.trips = <TripState*> address(given, "trips", wanted["trips"], tripping)
        site.stimuli = <Event*> address(given, "stimuli", wanted["stimuli"], MOST_STIMULI + 1)
        site.blank_until = <int64_t*> address(given, "blank_until", wanted["blank_until"], BLANK_KINDS)
        site.arena = <double*> address(given, "arena", wanted["arena"], -1)
        site.row = <double*> address(given, "row", wanted["row"], self.words)
        bind_sources(site, self.parameters, self.states, count, site.ups_alone_count)
        bind_functions(&site.functions, self.parameters, self.states)
        site.function_count = function_count(&site.functions)
        site.user_laws = <UserLaw*> <uintptr_t> user_laws.ctypes.data
        if site.load_ring_ticks <= 0:
            raise ValueError("load_ring: must have a row at least")
        return 0

    cdef int adopt(self, user_laws, laws, int64_t count) except -1:
        """Take in the users' own laws: (device, address of the function, offsets of state and parameters, what keeps it)."""
        cdef UserLaw* mine = <UserLaw*> <uintptr_t> user_laws.ctypes.data
        cdef char* states = <char*> address(self.states, "law_memory", np.dtype(np.uint8), -1)
        cdef char* parameters = <char*> address(self.parameters, "law_memory", np.dtype(np.uint8), -1)
        cdef int64_t i
        for device, function, state_at, parameters_at, keeper in laws:
            i = device
            if not 0 <= i < count:
                raise IndexError(f"no device {device}")
            mine[i].function = <law_fn> <uintptr_t> function
            mine[i].state = states + <int64_t> state_at
            mine[i].params = parameters + <int64_t> parameters_at
            self.kept = (*self.kept, keeper)
        for i in range(count):
            if self.site.law_params[i].kind == LAW_USER and mine[i].function == NULL:
                raise ValueError(f"device {i} has no law of its own")
        return 0

    @property
    def tick(self):
        return self.seen_run.tick

    @property
    def end_tick(self):
        return self.seen_run.end_tick

    @property
    def load_filled(self):
        return self.site.run.load_filled

    @property
    def underruns(self):
        return self.seen_run.underruns

    @property
    def load_energy_j(self):
        return self.seen_run.energy_j

    @property
    def largest_demand_w(self):
        return self.seen_run.largest_demand_w

    @property
    def load_room(self):
        return self.site.load_ring_ticks - (self.site.run.load_filled - self.taken())

    @property
    def record_room(self):
        return self.recording.capacity - (load_acquire(&self.recording.head) - self.recording.tail)

    @property
    def dropped_rows(self):
        return self.recording.dropped

    @property
    def waveform_hash(self):
        return f"{xxh64_digest(&self.seen_run.waveform):016x}"

    def feed(self, const double[::1] power_w):
        cdef RunState* run = self.site.run
        cdef double* ring = <double*> self.site.load_ring
        cdef Py_ssize_t i
        cdef Py_ssize_t n = power_w.shape[0]
        cdef int64_t tick = self.taken()
        cdef int64_t filled = max(run.load_filled, tick)
        if not 0 <= tick <= filled < MOST_TICKS:
            raise ValueError("run: tick or load_filled")
        if n > self.site.load_ring_ticks - (filled - tick):
            raise ValueError(f"load block of {n} ticks, room for {self.site.load_ring_ticks - (filled - tick)}")
        for i in range(n):
            ring[(filled + i) % self.site.load_ring_ticks] = power_w[i]
        store_release(&run.load_filled, filled + n)

    def command(self, int64_t device, int64_t point, double value):
        cdef RunState* run = self.site.run
        cdef Command* slot = &self.site.commands[run.command_head & (MOST_COMMANDS - 1)]
        if not 0 <= device <= self.site.bess_count + self.site.ups_count:
            raise IndexError(f"no device {device}")
        if run.command_head - load_acquire(&run.command_tail) >= MOST_COMMANDS:
            raise OverflowError(f"more than {MOST_COMMANDS} commands within one tick")
        slot.device = device
        slot.point = point
        slot.value = value
        slot.given_tick = self.seen_run.tick
        slot.valid_until = min(slot.given_tick + self.command_valid_ticks, <int64_t>MOST_TICKS)
        store_release(&run.command_head, run.command_head + 1)

    def value(self, int64_t channel):
        if not 0 <= channel < self.words:
            raise IndexError(f"no channel {channel}")
        return self.seen_row[channel]

    def attach_tap(self, double[:, ::1] rows):
        if self.paced:
            raise RuntimeError("a pacer runs the ticks")
        if rows is not None and rows.shape[1] != len(self.channels):
            raise ValueError(f"tap needs {len(self.channels)} columns")
        self.tap = rows
        self.recording.tap_rows = 0
        self.recording.tap_columns = len(self.channels)
        self.recording.tap_capacity = 0 if rows is None else rows.shape[0]
        self.recording.tap = NULL
        if self.recording.tap_capacity > 0:
            self.recording.tap = &rows[0, 0]

    def close(self):
        if self.paced:
            store_release(&self.close_wanted, 1)
        elif self.site.run.tick < self.site.run.end_tick:
            self.site.run.end_tick = self.site.run.tick

    def twin(self):
        parameters = {name: array.copy() for name, array in self.parameters.items()}
        states = {name: array.copy() for name, array in self.states.items()}
        kinds = parameters["law"]["kind"]
        kinds[kinds == LAW_USER] = LAW_NONE
        *names, settings = self.made_of
        return Engine(parameters, states, *names, **settings)

    def touch(self):
        for array in (*self.ring, *self.kept):
            if isinstance(array, np.ndarray):
                touch(array.reshape(-1).view(np.uint8))

    def take_rows(self):
        cdef Recording* kept = &self.recording
        cdef int64_t start = kept.tail % kept.capacity
        cdef int64_t count = min(load_acquire(&kept.head) - kept.tail, kept.capacity - start)
        rows, ticks, marks, _ = self.ring
        taken = ticks[start:start + count].copy(), rows[start:start + count].copy(), marks[start:start + count].copy()
        store_release(&kept.tail, kept.tail + count)
        return taken

    def advance(self, int64_t until_tick):
        cdef int64_t n = until_tick - self.site.run.tick
        cdef const char* problem = unsound(&self.site)
        if self.paced:
            raise RuntimeError("a pacer runs the ticks")
        if n < 0:
            raise ValueError(f"tick {until_tick} is in the past of tick {self.site.run.tick}")
        if problem != NULL:
            raise ValueError((<bytes> problem).decode())
        with nogil:
            supervise_soon(&self.site)
            self.run(n)

    cdef int64_t taken(self) noexcept nogil:
        """Ticks whose load has been read."""
        return load_acquire(&self.ticks_run) if self.paced else self.site.run.tick

    cdef void run(self, int64_t n) noexcept nogil:
        """Run ticks on the commands and the load that were there before the first: looking once costs a tick nothing."""
        cdef int64_t count
        if n > 0:
            far(apply_commands)(&self.site, self.site.run.tick)
            far(begin_groups)(&self.site, self.site.run.tick)
        while n > 0:
            count = batch_ticks(&self.site, n)
            self.run_batch(count)
            n -= count
        far(show_groups)(&self.site, self.site.run.tick)
        store_release(&self.ticks_run, self.site.run.tick)

    cdef void run_batch(self, int64_t count) noexcept nogil:
        """Run ticks, judge their rows together, and record them."""
        cdef RunState* run = self.site.run
        cdef int64_t tick = run.tick
        cdef int64_t filled = load_acquire(&run.load_filled)
        cdef int64_t load_slot = tick % self.site.load_ring_ticks
        cdef bint judged = tick < run.end_tick
        cdef double it_demand = run.it_demand_w
        cdef double demand
        cdef double* home = self.site.row
        cdef double* rows = home if count == 1 else self.site.batch
        cdef int64_t words = self.words
        cdef int64_t began[MOST_BATCH]
        cdef int64_t marked[MOST_BATCH]
        cdef int64_t i
        for i in range(count):
            if tick + i < filled:
                it_demand = self.site.load_ring[load_slot]
            elif judged:
                run.underruns += 1
            load_slot += 1
            if load_slot == self.site.load_ring_ticks:
                load_slot = 0
            self.site.row = rows + i * words
            demand = site_tick(&self.site, tick + i, it_demand, judged)
            run.tick += 1
            began[i] = marked[i] = 0
            if judged:
                run.energy_j += demand * self.site.dt
                if demand > run.largest_demand_w:
                    run.largest_demand_w = demand
                xxh64_row(&run.waveform, self.site.row, self.plant_words)
                if self.recording.marks != NULL:
                    marked[i] = device_marks(&self.recording, &self.site)
        self.site.row = home
        if not judged:
            return
        judge(&self.site, rows, count, tick, began)
        for i in range(count):
            if began[i]:
                marked[i] |= MARKED_LIMIT
            record(&self.recording, rows + i * words, marked[i], tick + i + 1)
        if rows != home:
            memcpy(home, rows + (count - 1) * words, words * sizeof(double))
