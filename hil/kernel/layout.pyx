"""What Python needs to know of the kernel's memory: dtypes of its structs, names of its channels, its codes.

See layout.pyi for the documented interface.
"""

from functools import cache

import numpy as np

from controllers.kernel.law cimport (
    LAW_DROOP, LAW_HIGH_PASS, LAW_NONE, LAW_RAMP_LIMIT, LAW_USER, PLACED_DEVICE, PLACED_WIRE, RIDETHROUGH_LAW_VERSION,
    LawParams, LawState, command_t, signals_t,
)
from firmware_sim.kernel.pcs cimport (
    OPERATE_STANDBY, OPERATE_START, OPERATE_STOP, PCS_FAULT, PCS_OFF, PCS_RUNNING, PCS_STANDBY, PCS_STARTING, PCS_STOPPING,
    POINT_CONNECT, POINT_CONNECT_REVERT_S, POINT_CONTROLLER_HEARTBEAT, POINT_LIMIT_CHARGE_W, POINT_LIMIT_DISCHARGE_W,
    POINT_LIMIT_ENABLE, POINT_LIMIT_RAMP_S, POINT_LIMIT_REVERT_S, POINT_LOCAL, POINT_OPERATION, POINT_REBOOT, POINT_REFRESH,
    POINT_RESET, POINT_RESTARTS, POINT_REVERT_ENABLE, POINT_REVERT_S, POINT_REVERT_W, POINT_SET_ENABLE, POINT_SET_VAR,
    POINT_SET_W, POINT_VAR_ENABLE, PRIORITY_ACTIVE, PRIORITY_REACTIVE, RESTARTS_REVERT_S, RESTARTS_SET_ENABLE,
    RESTARTS_SET_W, PcsParams, PcsState,
)
from firmware_sim.kernel.ups cimport (
    MODE_BATTERY, MODE_BYPASS, MODE_ECO, MODE_NORMAL, MODE_OFF, MODE_TEST, MOST_DISTURBANCES, OUTPUT_INVERTER, RECTIFIER_ON,
    TEST_ABORTED, TEST_FAILED, TEST_IN_PROGRESS, TEST_NONE, TEST_PASSED, UPS_BYPASS, UPS_COUNTER, UPS_ECO, UPS_FAULT, UPS_LOG,
    UPS_LOGGED_FAULT, UPS_LOGGED_LATCHED, UPS_LOGGED_LOW_BATTERY, UPS_LOGGED_MODE, UPS_LOGGED_SHUTDOWN,
    UPS_LOGGED_SUPPORT_REVERTED, UPS_LOGGED_TEST_ABORTED, UPS_LOGGED_TEST_FAILED, UPS_LOGGED_TEST_PASSED, UPS_OPERATION,
    UPS_RECHARGE_W, UPS_RESET, UPS_RESET_DISTURBANCES,
    UPS_SUPPORT_S, UPS_SUPPORT_W, UPS_TEST, UPS_WALK_IN_DELAY_S, UPS_WALK_IN_S, UpsParams, UpsState,
)
from hil.kernel.area cimport AreaParams, AreaState
from hil.kernel.battery cimport BatteryParams, BatteryState
from hil.kernel.breakers cimport (
    BREAKER_BESS, BREAKER_CLOSED, BREAKER_LOCKED_OUT, BREAKER_LOG, BREAKER_NOT_OPEN, BREAKER_OPENED, BREAKER_OUTPUTS,
    BREAKER_PCC, BREAKER_RESET, BREAKER_TRIPPED, BREAKER_UPS, BreakerParams, BreakerReset, BreakerState, TripParams, TripState,
)
from hil.kernel.converter cimport ConverterParams, ConverterState
from hil.kernel.cooling cimport CoolingParams, CoolingState
from hil.kernel.events cimport (
    EVENT_DIP, EVENT_GENERATION_LOSS, EVENT_OUTAGE, MOST_STIMULI, STIMULUS_BEGIN, STIMULUS_BLANK_TICKS, STIMULUS_BLANKS,
    STIMULUS_END_ALL, STIMULUS_KIND, STIMULUS_NEGATIVE_IM, STIMULUS_NEGATIVE_RE, STIMULUS_RESET_BREAKER, STIMULUS_VALUE,
    STIMULUS_ZERO_IM, STIMULUS_ZERO_RE, Event,
)
from hil.kernel.faults cimport (
    FAULT_CAPACITY, FAULT_CONTACTOR, FAULT_DEAD, FAULT_DERATING, FAULT_PLL, FAULT_POWER_GAIN, FAULT_RECTIFIER,
    FAULT_RESISTANCE, FAULT_SOC_DRIFT, FAULT_TEMPERATURE, FAULT_TRIP, Faults,
)
from hil.kernel.forming cimport FORMING_OUTPUTS, SITE_OUTPUTS, FormingParams, FormingState, SourcesState
from hil.kernel.genset cimport GENSET_OUTPUTS, GensetParams, GensetState
from hil.kernel.limits cimport (
    AFTER_DIP, BLANK_FREQUENCY, BLANK_KINDS, BLANK_NEVER, BLANK_VOLTAGE, IN_DIP, LIMIT_LEVEL, LIMIT_RAMP, LIMIT_RANGE,
    LIMIT_RATE, LIMIT_RECOVERY, LIMIT_TIME, LimitParams, LimitState,
)
from hil.kernel.measure cimport Measurement, PhaseMeter
from hil.kernel.meter cimport MeterState
from hil.kernel.network cimport APART_OWN, NetworkParams, NetworkState
from hil.kernel.protection.blocks cimport BlockParams, BlockState
from hil.kernel.protection.counters cimport CounterParams, CounterState
from hil.kernel.protection.envelopes cimport ENVELOPE_OUTPUTS, MOST_THRESHOLDS, EnvelopeParams, EnvelopeState
from hil.kernel.protection.filters cimport MOST_SECTIONS, SECTION_WORDS, FilterParams, FilterState
from hil.kernel.protection.flicker cimport (
    FLICKER_OUTPUTS, FLICKER_SECTIONS, FLICKER_WORDS, FlickerParams, FlickerState,
)
from hil.kernel.protection.oscillation cimport (
    MOMENTS, MOST_SAMPLES, OSCILLATION_OUTPUTS, OscillationParams, OscillationState,
)
from hil.kernel.protection.rates cimport RateParams, RateState
from hil.kernel.protection.ratios cimport (
    RATIO_CURRENT, RATIO_GATE, RATIO_MAGNITUDE, RATIO_QUOTIENT, RATIO_SCALED, RatioParams,
)
from hil.kernel.protection.relays cimport (
    RESET_DEFINITE, RESET_DISC, RESET_INSTANTANEOUS, RESET_NEVER, TIMING_CUMULATIVE, TIMING_DEFINITE, TIMING_INVERSE,
    RelayParams, RelayState,
)
from hil.kernel.protection.slopes cimport SlopeParams, SlopeState
from hil.kernel.protection.thermals cimport ThermalParams
from hil.kernel.psu cimport PSU_OUTPUTS, PsuFeed, PsuParams, PsuState
from hil.kernel.sequences cimport SequenceMeter
from hil.kernel.site cimport (
    MEASURED_FREQUENCY, MEASURED_LOAD, MEASURED_POWER, MEASURED_VOLTAGE, METER_BUS, METER_PCC, METERS, MOST_COMMANDS, Command,
    Commanded, RunState,
)
from hil.kernel.timing cimport Timing
from hil.kernel.ups cimport UpsPowerParams, UpsPowerState
from hil.kernel.ups_group cimport UpsGroupParams, UpsGroupState, UpsRest

# In the order in which write_row (tick.pxd) fills them.
_SITE_CHANNELS = (
    "load.demand_w", "load.power_w", "cooling.demand_w",
    "pcc.power_w", "pcc.reactive_var", "pcc.voltage_pu", "pcc.voltage_a_pu", "pcc.voltage_b_pu", "pcc.voltage_c_pu",
    "pcc.frequency_hz",
    "bus.voltage_pu", "bus.voltage_a_pu", "bus.voltage_b_pu", "bus.voltage_c_pu",
    "pcc.power_measured_w", "pcc.voltage_lowest_measured_pu", "pcc.voltage_highest_measured_pu",
    "pcc.frequency_measured_hz", "bus.voltage_lowest_measured_pu", "bus.voltage_highest_measured_pu",
    "bus.voltage_measured_pu",
)
_BESS_CHANNELS = (
    "power_w", "reactive_var", "current_pu", "setpoint_w", "law_w", "command_w", "load_measured_w", "soc", "dc_voltage_v",
    "dc_current_a", "dc_power_w", "rc1_v", "rc2_v", "temperature_degc",
)
_UPS_CHANNELS = (
    "input_w", "input_var", "demand_w", "output_w", "output_voltage_pu", "battery_w", "battery_voltage_v", "battery_current_a",
    "soc", "dc_link_pu", "mode", "rectifier", "walk_in_share", "disturbances", "latched", "low_battery", "support_w",
    "runtime_s", "line_ok", "temperature_degc", "on_battery",
)
_UPS_GROUP_CHANNELS = (
    "input_w", "input_var", "demand_w", "output_w", "output_voltage_pu", "output_voltage_highest_pu", "battery_w",
    "soc", "soc_mean", "dc_link_pu", "support_w", "temperature_degc",
    "line_ok", "on_line", "on_battery", "on_bypass", "off", "latched", "low_battery", "fault", "disturbances", "transfers",
)

# Families of protection functions, in the order in which they run.
FUNCTIONS = (
    "ratios", "rates", "filters", "thermals", "relays", "counters", "envelopes", "oscillations", "flickers", "slopes",
    "blocks",
)

# Numbers that Python puts into the structs, and positions and sizes.
CODES = {
    "law.none": LAW_NONE, "law.ramp_limit": LAW_RAMP_LIMIT, "law.high_pass": LAW_HIGH_PASS, "law.droop": LAW_DROOP,
    "law.law": LAW_USER, "law.version": RIDETHROUGH_LAW_VERSION,
    "placement.device": PLACED_DEVICE, "placement.wire": PLACED_WIRE,
    "priority.active": PRIORITY_ACTIVE, "priority.reactive": PRIORITY_REACTIVE,
    "limit.level": LIMIT_LEVEL, "limit.ramp": LIMIT_RAMP, "limit.range": LIMIT_RANGE, "limit.rate": LIMIT_RATE,
    "limit.time": LIMIT_TIME, "limit.recovery": LIMIT_RECOVERY, "phase.in_dip": IN_DIP, "phase.after_dip": AFTER_DIP,
    "blank.never": BLANK_NEVER, "blank.voltage": BLANK_VOLTAGE, "blank.frequency": BLANK_FREQUENCY,
    "blank.kinds": BLANK_KINDS,
    "ratio.quotient": RATIO_QUOTIENT, "ratio.current": RATIO_CURRENT, "ratio.magnitude": RATIO_MAGNITUDE,
    "ratio.gate": RATIO_GATE, "ratio.scaled": RATIO_SCALED,
    "filter.section_words": SECTION_WORDS, "filter.most_sections": MOST_SECTIONS,
    "timing.definite": TIMING_DEFINITE, "timing.inverse": TIMING_INVERSE, "timing.cumulative": TIMING_CUMULATIVE,
    "reset.instantaneous": RESET_INSTANTANEOUS, "reset.definite": RESET_DEFINITE, "reset.disc": RESET_DISC,
    "reset.never": RESET_NEVER,
    "envelope.most_thresholds": MOST_THRESHOLDS, "envelope.outputs": ENVELOPE_OUTPUTS,
    "oscillation.outputs": OSCILLATION_OUTPUTS, "oscillation.moments": MOMENTS, "oscillation.most_samples": MOST_SAMPLES,
    "flicker.outputs": FLICKER_OUTPUTS, "flicker.sections": FLICKER_SECTIONS, "flicker.words": FLICKER_WORDS,
    "event.dip": EVENT_DIP, "event.generation_loss": EVENT_GENERATION_LOSS, "event.outage": EVENT_OUTAGE,
    "genset.outputs": GENSET_OUTPUTS, "forming.outputs": FORMING_OUTPUTS, "sources.outputs": SITE_OUTPUTS,
    "psu.outputs": PSU_OUTPUTS, "apart.own": APART_OWN,
    "stimulus.kind": STIMULUS_KIND, "stimulus.value": STIMULUS_VALUE,
    "stimulus.negative_re": STIMULUS_NEGATIVE_RE, "stimulus.negative_im": STIMULUS_NEGATIVE_IM,
    "stimulus.zero_re": STIMULUS_ZERO_RE, "stimulus.zero_im": STIMULUS_ZERO_IM, "stimulus.blanks": STIMULUS_BLANKS,
    "stimulus.blank_ticks": STIMULUS_BLANK_TICKS, "stimulus.begin": STIMULUS_BEGIN, "stimulus.end_all": STIMULUS_END_ALL,
    "stimulus.reset_breaker": STIMULUS_RESET_BREAKER, "stimuli.most": MOST_STIMULI,
    "breaker.pcc": BREAKER_PCC, "breaker.bess": BREAKER_BESS, "breaker.ups": BREAKER_UPS,
    "breaker.log": BREAKER_LOG, "breaker.outputs": BREAKER_OUTPUTS,
    "breaker_logged.tripped": BREAKER_TRIPPED, "breaker_logged.locked_out": BREAKER_LOCKED_OUT,
    "breaker_logged.opened": BREAKER_OPENED, "breaker_logged.reset": BREAKER_RESET,
    "breaker_logged.closed": BREAKER_CLOSED, "breaker_logged.not_open": BREAKER_NOT_OPEN,
    "measured.power": MEASURED_POWER, "measured.voltage": MEASURED_VOLTAGE,
    "measured.frequency": MEASURED_FREQUENCY, "measured.load": MEASURED_LOAD,
    "meter.pcc": METER_PCC, "meter.bus": METER_BUS, "meter.count": METERS,
    "command.most": MOST_COMMANDS,
    "pcs.off": PCS_OFF, "pcs.starting": PCS_STARTING, "pcs.standby": PCS_STANDBY, "pcs.running": PCS_RUNNING,
    "pcs.stopping": PCS_STOPPING, "pcs.fault": PCS_FAULT,
    "operate.off": OPERATE_STOP, "operate.running": OPERATE_START, "operate.standby": OPERATE_STANDBY,
    "restarts.all": RESTARTS_SET_W | RESTARTS_SET_ENABLE | RESTARTS_REVERT_S,
    "point.set_w": POINT_SET_W, "point.set_enable": POINT_SET_ENABLE, "point.revert_w": POINT_REVERT_W,
    "point.revert_enable": POINT_REVERT_ENABLE, "point.revert_s": POINT_REVERT_S, "point.set_var": POINT_SET_VAR,
    "point.var_enable": POINT_VAR_ENABLE, "point.operation": POINT_OPERATION,
    "point.controller_heartbeat": POINT_CONTROLLER_HEARTBEAT, "point.reset": POINT_RESET, "point.local": POINT_LOCAL,
    "point.limit_charge_w": POINT_LIMIT_CHARGE_W, "point.limit_discharge_w": POINT_LIMIT_DISCHARGE_W,
    "point.limit_enable": POINT_LIMIT_ENABLE, "point.limit_revert_s": POINT_LIMIT_REVERT_S,
    "point.limit_ramp_s": POINT_LIMIT_RAMP_S, "point.connect": POINT_CONNECT,
    "point.connect_revert_s": POINT_CONNECT_REVERT_S, "point.restarts": POINT_RESTARTS, "point.refresh": POINT_REFRESH,
    "point.reboot": POINT_REBOOT,
    "ups_point.recharge_w": UPS_RECHARGE_W, "ups_point.walk_in_s": UPS_WALK_IN_S,
    "ups_point.walk_in_delay_s": UPS_WALK_IN_DELAY_S, "ups_point.support_w": UPS_SUPPORT_W,
    "ups_point.support_s": UPS_SUPPORT_S, "ups_point.operation": UPS_OPERATION, "ups_point.bypass": UPS_BYPASS,
    "ups_point.reset_disturbances": UPS_RESET_DISTURBANCES, "ups_point.counter": UPS_COUNTER, "ups_point.eco": UPS_ECO,
    "ups_point.test": UPS_TEST, "ups_point.fault": UPS_FAULT, "ups_point.reset": UPS_RESET,
    "fault_point.contactor": FAULT_CONTACTOR, "fault_point.pll": FAULT_PLL, "fault_point.derating": FAULT_DERATING,
    "fault_point.capacity": FAULT_CAPACITY, "fault_point.resistance": FAULT_RESISTANCE, "fault_point.dead": FAULT_DEAD,
    "fault_point.temperature": FAULT_TEMPERATURE, "fault_point.soc_drift": FAULT_SOC_DRIFT,
    "fault_point.power_gain": FAULT_POWER_GAIN, "fault_point.trip": FAULT_TRIP, "fault_point.rectifier": FAULT_RECTIFIER,
    "ups_logged.latched": UPS_LOGGED_LATCHED, "ups_logged.low_battery": UPS_LOGGED_LOW_BATTERY,
    "ups_logged.shutdown": UPS_LOGGED_SHUTDOWN, "ups_logged.support_reverted": UPS_LOGGED_SUPPORT_REVERTED,
    "ups_logged.test_passed": UPS_LOGGED_TEST_PASSED, "ups_logged.test_failed": UPS_LOGGED_TEST_FAILED,
    "ups_logged.test_aborted": UPS_LOGGED_TEST_ABORTED,
    "ups_logged.fault": UPS_LOGGED_FAULT, "ups_logged.mode": UPS_LOGGED_MODE,
    "ups_mode.off": MODE_OFF, "ups_mode.bypass": MODE_BYPASS, "ups_mode.normal": MODE_NORMAL, "ups_mode.battery": MODE_BATTERY,
    "ups_mode.eco": MODE_ECO, "ups_mode.test": MODE_TEST,
    "ups_test.none": TEST_NONE, "ups_test.passed": TEST_PASSED, "ups_test.failed": TEST_FAILED,
    "ups_test.in_progress": TEST_IN_PROGRESS, "ups_test.aborted": TEST_ABORTED,
    "ups.log": UPS_LOG, "ups.most_disturbances": MOST_DISTURBANCES, "ups.fed_by_inverter": OUTPUT_INVERTER,
    "ups.rectifier_on": RECTIFIER_ON,
}


def channel_names(bess_names, ups_names=(), ups_groups=()):
    names = list(_SITE_CHANNELS)
    for bess in bess_names:
        names.extend(f"{bess}.{channel}" for channel in _BESS_CHANNELS)
    for ups in ups_names:
        names.extend(f"{ups}.{channel}" for channel in _UPS_CHANNELS)
    for group in ups_groups:
        names.extend(f"{group}.{channel}" for channel in _UPS_GROUP_CHANNELS)
    return tuple(names)


@cache
def parameter_dtypes():
    cdef NetworkParams network
    cdef AreaParams area
    cdef CoolingParams cooling
    cdef LawParams law
    cdef PcsParams pcs
    cdef ConverterParams converter
    cdef BatteryParams battery
    cdef UpsParams ups
    cdef UpsPowerParams ups_power
    cdef UpsGroupParams ups_groups
    cdef LimitParams limits
    cdef Event events
    cdef BreakerParams breakers
    cdef BreakerReset resets
    cdef TripParams trips
    cdef GensetParams genset
    cdef FormingParams forming
    cdef PsuParams psu
    cdef RatioParams ratios
    cdef RateParams rates
    cdef FilterParams filters
    cdef ThermalParams thermals
    cdef RelayParams relays
    cdef CounterParams counters
    cdef EnvelopeParams envelopes
    cdef OscillationParams oscillations
    cdef FlickerParams flickers
    cdef SlopeParams slopes
    cdef BlockParams blocks
    return {
        "network": np.asarray(<NetworkParams[:1]> &network).dtype,
        "area": np.asarray(<AreaParams[:1]> &area).dtype,
        "cooling": np.asarray(<CoolingParams[:1]> &cooling).dtype,
        "law": np.asarray(<LawParams[:1]> &law).dtype,
        "pcs": np.asarray(<PcsParams[:1]> &pcs).dtype,
        "converter": np.asarray(<ConverterParams[:1]> &converter).dtype,
        "battery": np.asarray(<BatteryParams[:1]> &battery).dtype,
        "ups": np.asarray(<UpsParams[:1]> &ups).dtype,
        "ups_power": np.asarray(<UpsPowerParams[:1]> &ups_power).dtype,
        "ups_battery": np.asarray(<BatteryParams[:1]> &battery).dtype,
        "ups_groups": np.asarray(<UpsGroupParams[:1]> &ups_groups).dtype,
        "limits": np.asarray(<LimitParams[:1]> &limits).dtype,
        "events": np.asarray(<Event[:1]> &events).dtype,
        "breakers": np.asarray(<BreakerParams[:1]> &breakers).dtype,
        "resets": np.asarray(<BreakerReset[:1]> &resets).dtype,
        "trips": np.asarray(<TripParams[:1]> &trips).dtype,
        "genset": np.asarray(<GensetParams[:1]> &genset).dtype,
        "forming": np.asarray(<FormingParams[:1]> &forming).dtype,
        "psu": np.asarray(<PsuParams[:1]> &psu).dtype,
        "ratios": np.asarray(<RatioParams[:1]> &ratios).dtype,
        "rates": np.asarray(<RateParams[:1]> &rates).dtype,
        "filters": np.asarray(<FilterParams[:1]> &filters).dtype,
        "thermals": np.asarray(<ThermalParams[:1]> &thermals).dtype,
        "relays": np.asarray(<RelayParams[:1]> &relays).dtype,
        "counters": np.asarray(<CounterParams[:1]> &counters).dtype,
        "envelopes": np.asarray(<EnvelopeParams[:1]> &envelopes).dtype,
        "oscillations": np.asarray(<OscillationParams[:1]> &oscillations).dtype,
        "flickers": np.asarray(<FlickerParams[:1]> &flickers).dtype,
        "slopes": np.asarray(<SlopeParams[:1]> &slopes).dtype,
        "blocks": np.asarray(<BlockParams[:1]> &blocks).dtype,
    }


@cache
def state_dtypes():
    cdef RunState run
    cdef Command commands
    cdef Commanded commanded
    cdef Faults faults
    cdef NetworkState network
    cdef AreaState area
    cdef CoolingState cooling
    cdef Measurement measured
    cdef PhaseMeter meters
    cdef MeterState revenue_meters
    cdef SequenceMeter sequences
    cdef LawState law
    cdef PcsState pcs
    cdef ConverterState converter
    cdef BatteryState battery
    cdef UpsState ups
    cdef UpsPowerState ups_power
    cdef UpsGroupState ups_groups
    cdef LimitState limits
    cdef RateState rates
    cdef BreakerState breakers
    cdef TripState trips
    cdef FilterState filters
    cdef RelayState relays
    cdef CounterState counters
    cdef EnvelopeState envelopes
    cdef OscillationState oscillations
    cdef FlickerState flickers
    cdef SlopeState slopes
    cdef BlockState blocks
    cdef SourcesState sources
    cdef GensetState genset
    cdef FormingState forming
    cdef PsuState psu
    cdef PsuFeed psu_feeds
    cdef Event stimuli
    return {
        "run": np.asarray(<RunState[:1]> &run).dtype,
        "commands": np.asarray(<Command[:1]> &commands).dtype,
        "commanded": np.asarray(<Commanded[:1]> &commanded).dtype,
        "faults": np.asarray(<Faults[:1]> &faults).dtype,
        "network": np.asarray(<NetworkState[:1]> &network).dtype,
        "area": np.asarray(<AreaState[:1]> &area).dtype,
        "cooling": np.asarray(<CoolingState[:1]> &cooling).dtype,
        "measured": np.asarray(<Measurement[:1]> &measured).dtype,
        "meters": np.asarray(<PhaseMeter[:1]> &meters).dtype,
        "revenue_meters": np.asarray(<MeterState[:1]> &revenue_meters).dtype,
        "sequences": np.asarray(<SequenceMeter[:1]> &sequences).dtype,
        "law": np.asarray(<LawState[:1]> &law).dtype,
        "law_memory": np.dtype(np.uint8),
        "pcs": np.asarray(<PcsState[:1]> &pcs).dtype,
        "converter": np.asarray(<ConverterState[:1]> &converter).dtype,
        "battery": np.asarray(<BatteryState[:1]> &battery).dtype,
        "ups": np.asarray(<UpsState[:1]> &ups).dtype,
        "ups_power": np.asarray(<UpsPowerState[:1]> &ups_power).dtype,
        "ups_battery": np.asarray(<BatteryState[:1]> &battery).dtype,
        "ups_groups": np.asarray(<UpsGroupState[:1]> &ups_groups).dtype,
        "limits": np.asarray(<LimitState[:1]> &limits).dtype,
        "rates": np.asarray(<RateState[:1]> &rates).dtype,
        "breakers": np.asarray(<BreakerState[:1]> &breakers).dtype,
        "trips": np.asarray(<TripState[:1]> &trips).dtype,
        "filters": np.asarray(<FilterState[:1]> &filters).dtype,
        "thermals": np.dtype([("level", np.float64), ("towards", np.float64)]),  # two doubles would pass for a complex number
        "relays": np.asarray(<RelayState[:1]> &relays).dtype,
        "counters": np.asarray(<CounterState[:1]> &counters).dtype,
        "envelopes": np.asarray(<EnvelopeState[:1]> &envelopes).dtype,
        "oscillations": np.asarray(<OscillationState[:1]> &oscillations).dtype,
        "flickers": np.asarray(<FlickerState[:1]> &flickers).dtype,
        "slopes": np.asarray(<SlopeState[:1]> &slopes).dtype,
        "blocks": np.asarray(<BlockState[:1]> &blocks).dtype,
        "sources": np.asarray(<SourcesState[:1]> &sources).dtype,
        "genset": np.asarray(<GensetState[:1]> &genset).dtype,
        "forming": np.asarray(<FormingState[:1]> &forming).dtype,
        "psu": np.asarray(<PsuState[:1]> &psu).dtype,
        "psu_feeds": np.asarray(<PsuFeed[:1]> &psu_feeds).dtype,
        "stimuli": np.asarray(<Event[:1]> &stimuli).dtype,
        "blank_until": np.dtype(np.int64),
        "arena": np.dtype(np.float64),
        "load_ring": np.dtype(np.float64),
        "row": np.dtype(np.float64),
    }


def ups_rest_dtype():
    cdef UpsRest rest
    return np.asarray(<UpsRest[:1]> &rest).dtype


def timing_dtype():
    cdef Timing timing
    return np.asarray(<Timing[:1]> &timing).dtype


def law_dtypes():
    cdef signals_t given
    cdef command_t out
    return np.asarray(<signals_t[:1]> &given).dtype, np.asarray(<command_t[:1]> &out).dtype
