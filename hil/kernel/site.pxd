"""A site as a tick sees it: pointers into the arrays that the engine owns, and what the engine keeps besides the components.

It holds no state itself.
"""

from libc.stdint cimport int64_t

from controllers.kernel.law cimport LawParams, LawState, UserLaw
from firmware_sim.kernel.pcs cimport PcsParams, PcsState
from firmware_sim.kernel.ups cimport UpsParams, UpsState
from hil.kernel.area cimport AreaParams, AreaState
from hil.kernel.battery cimport BatteryParams, BatteryState
from hil.kernel.breakers cimport BreakerParams, BreakerReset, BreakerState, TripParams, TripState
from hil.kernel.converter cimport ConverterParams, ConverterState
from hil.kernel.cooling cimport CoolingParams, CoolingState
from hil.kernel.events cimport Event
from hil.kernel.faults cimport Faults
from hil.kernel.forming cimport FormingParams, FormingState, SourcesState
from hil.kernel.genset cimport GensetParams, GensetState
from hil.kernel.limits cimport LimitParams, LimitState
from hil.kernel.measure cimport Measurement, PhaseMeter
from hil.kernel.meter cimport MeterState
from hil.kernel.network cimport NetworkParams, NetworkState
from hil.kernel.protection.functions cimport Functions
from hil.kernel.psu cimport PsuFeed, PsuParams, PsuState
from hil.kernel.sequences cimport SequenceMeter
from hil.kernel.ups cimport UpsPowerParams, UpsPowerState
from hil.kernel.ups_group cimport UpsGroupParams, UpsGroupState, UpsGroupTotals, UpsRest
from hil.kernel.xxh64 cimport Xxh64


cdef enum:
    # Where the measurements stand; those of the load, one for each BESS, follow.
    MEASURED_POWER = 0         # through the PCC
    MEASURED_VOLTAGE = 1       # at the bus, positive sequence: what the firmware goes by
    MEASURED_FREQUENCY = 2
    MEASURED_LOAD = 3

cdef enum:
    METER_PCC = 0
    METER_BUS = 1
    METERS = 2

cdef enum:
    MOST_COMMANDS = 4096       # within one tick; a power of two


cdef struct Command:
    int64_t device             # a BESS, or a UPS behind them, or behind all of them the grid
    int64_t point
    int64_t given_tick         # where the giver saw the run
    int64_t valid_until        # after this tick it is void
    double value


cdef struct Commanded:
    # The last command that a device has taken.
    int64_t sequence           # how many it has taken so far
    int64_t given_tick
    int64_t taken_tick
    int64_t valid_until
    int64_t void               # commands that came to it too late, and were dropped


cdef struct RunState:
    # Where the run stands.
    int64_t tick               # ticks run so far
    int64_t end_tick           # end of the judged part
    int64_t load_filled        # ticks of load written so far
    int64_t underruns          # judged ticks without load
    int64_t next_event_tick
    int64_t due_tick           # of the next supervision of a device: its firmware's, or that of its faults
    int64_t suspect_until      # before this tick some limit is not judged: warm-up, or a late tick within its window
    int64_t warm_up_ticks
    int64_t command_head       # commands given so far; number k is at place k modulo MOST_COMMANDS
    int64_t command_tail       # commands applied so far
    int64_t command_age_max    # ticks from where its giver saw the run to where it was taken, of the oldest
    int64_t commands_void      # dropped: their validity was over
    double it_demand_w         # of the last tick
    double energy_j            # demanded at the bus in the judged ticks, cooling included
    double largest_demand_w    # of the judged ticks, likewise
    Xxh64 waveform


cdef struct Site:
    double dt
    double load_tan_phi
    double direct_share        # of the IT demand that no UPS feeds
    double direct_draws        # what of it is asked of the bus in this tick: all of it, but for power supplies
    double direct_works        # what of it ran in the last tick
    int64_t bess_count
    int64_t ups_count          # those that stand alone, and behind them the units of all groups
    int64_t ups_alone_count    # each with channels of its own
    int64_t ups_group_count
    int64_t revenue_meter_count
    int64_t sequence_count
    int64_t limit_count
    int64_t function_count     # protection functions, whose outputs stand in the row
    int64_t event_count
    int64_t breaker_count
    int64_t reset_count        # of lock-outs, scripted
    int64_t own_sources        # 1: generating sets, or converters that form a voltage
    int64_t genset_count       # 1: its sets, taken together
    int64_t psu_count          # banks of power supplies
    int64_t more_channels      # 1: any of these, or breakers, have channels behind the plant's
    int64_t load_ring_ticks
    int64_t arena_size
    int64_t row_words
    RunState* run
    Command* commands
    Commanded* commanded
    Faults* faults             # of the equipment of a BESS, or of a UPS behind them
    const double* load_ring
    const Event* events
    Event* stimuli             # MOST_STIMULI, and the one that is being prepared
    const NetworkParams* network_params
    NetworkState* network
    const AreaParams* area_params
    AreaState* area
    const CoolingParams* cooling_params
    CoolingState* cooling
    SourcesState* sources
    const GensetParams* genset_params
    GensetState* genset
    const FormingParams* forming_params    # one for each BESS, where any forms a voltage
    FormingState* forming
    const PsuParams* psu_params
    PsuState* psus
    PsuFeed* psu_feeds         # the bus, and the UPSs
    Measurement* measured
    PhaseMeter* meters
    MeterState* revenue_meters
    SequenceMeter* sequences
    const LawParams* law_params
    LawState* law
    const UserLaw* user_laws
    const PcsParams* pcs_params
    PcsState* pcs
    const ConverterParams* converter_params
    ConverterState* converter
    const BatteryParams* battery_params
    BatteryState* battery
    const UpsParams* ups_params
    UpsState* ups
    const UpsPowerParams* ups_power_params
    UpsPowerState* ups_power
    const BatteryParams* ups_battery_params
    BatteryState* ups_battery
    const UpsGroupParams* ups_group_params
    UpsGroupState* ups_groups
    UpsRest* ups_rests         # one for each UPS
    UpsGroupTotals ups_totals  # handed over within a tick
    const LimitParams* limit_params
    LimitState* limits
    LimitState* limits_before    # room for a copy of them
    const BreakerParams* breaker_params
    BreakerState* breakers
    const BreakerReset* resets
    const TripParams* trip_params    # one for each limit where there are breakers
    TripState* trips
    Functions functions
    int64_t* blank_until
    double* arena
    double* row                # where the tick writes its channels
    double* batch              # rows of ticks that are judged together


ctypedef void (*rare_fn)(Site* s, int64_t tick) noexcept nogil


cdef extern from "hil/kernel/far.h":
    rare_fn far "RIDETHROUGH_FAR"(rare_fn function) noexcept nogil
