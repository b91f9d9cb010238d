"""All protection functions of a site or a recording, run in the order in which one may look at another's output."""

from libc.stdint cimport int64_t

from hil.kernel.protection.blocks cimport BlockParams, BlockState, block_is_sound, block_step
from hil.kernel.protection.counters cimport CounterParams, CounterState, counter_is_sound, counter_step
from hil.kernel.protection.envelopes cimport EnvelopeParams, EnvelopeState, envelope_is_sound, envelope_step
from hil.kernel.protection.filters cimport FilterParams, FilterState, filter_is_sound, filter_step
from hil.kernel.protection.flicker cimport FlickerParams, FlickerState, flicker_is_sound, flicker_step
from hil.kernel.protection.oscillation cimport OscillationParams, OscillationState, oscillation_is_sound, oscillation_step
from hil.kernel.protection.rates cimport RateParams, RateState, rate_is_sound, rate_step
from hil.kernel.protection.ratios cimport RatioParams, ratio_is_sound, ratio_step
from hil.kernel.protection.relays cimport RelayParams, RelayState, relay_is_sound, relay_step
from hil.kernel.protection.slopes cimport SlopeParams, SlopeState, slope_is_sound, slope_step
from hil.kernel.protection.thermals cimport ThermalParams, ThermalState, thermal_is_sound, thermal_step


cdef struct Functions:
    int64_t ratio_count
    int64_t filter_count
    int64_t thermal_count
    int64_t relay_count
    int64_t counter_count
    int64_t envelope_count
    int64_t oscillation_count
    int64_t flicker_count
    int64_t slope_count
    int64_t block_count
    int64_t rate_count
    const RatioParams* ratio_params
    const FilterParams* filter_params
    FilterState* filters
    const ThermalParams* thermal_params
    ThermalState* thermals
    const RelayParams* relay_params
    RelayState* relays
    const CounterParams* counter_params
    CounterState* counters
    const EnvelopeParams* envelope_params
    EnvelopeState* envelopes
    const OscillationParams* oscillation_params
    OscillationState* oscillations
    const FlickerParams* flicker_params
    FlickerState* flickers
    const SlopeParams* slope_params
    SlopeState* slopes
    const BlockParams* block_params
    BlockState* blocks
    const RateParams* rate_params
    RateState* rates


cdef inline int64_t function_count(const Functions* f) noexcept nogil:
    return (f.ratio_count + f.filter_count + f.thermal_count + f.relay_count + f.counter_count + f.envelope_count
            + f.oscillation_count + f.flicker_count + f.rate_count + f.slope_count + f.block_count)


cdef inline void functions_step(const Functions* f, double* arena, double* row, int64_t tick,
                                const int64_t* blank_until) noexcept nogil:
    cdef int64_t i
    for i in range(f.ratio_count):
        ratio_step(&f.ratio_params[i], row)
    for i in range(f.rate_count):
        rate_step(&f.rate_params[i], &f.rates[i], arena, row, tick, blank_until)
    for i in range(f.filter_count):
        filter_step(&f.filter_params[i], &f.filters[i], arena, row, tick, blank_until)
    for i in range(f.thermal_count):
        thermal_step(&f.thermal_params[i], &f.thermals[i], row)
    for i in range(f.relay_count):
        relay_step(&f.relay_params[i], &f.relays[i], arena, row, tick, blank_until)
    for i in range(f.counter_count):
        counter_step(&f.counter_params[i], &f.counters[i], arena, row, tick)
    for i in range(f.envelope_count):
        envelope_step(&f.envelope_params[i], &f.envelopes[i], arena, row)
    for i in range(f.oscillation_count):
        oscillation_step(&f.oscillation_params[i], &f.oscillations[i], arena, row, tick, blank_until)
    for i in range(f.flicker_count):
        flicker_step(&f.flicker_params[i], &f.flickers[i], arena, row, tick, blank_until)
    for i in range(f.slope_count):
        slope_step(&f.slope_params[i], &f.slopes[i], arena, row, tick, blank_until)
    for i in range(f.block_count):
        block_step(&f.block_params[i], &f.blocks[i], row, tick, blank_until)


cdef inline const char* unsound_function(const Functions* f, int64_t words, int64_t arena_size, int64_t blanks) noexcept nogil:
    """What cannot be run, or NULL."""
    cdef int64_t i
    for i in range(f.ratio_count):
        if not ratio_is_sound(&f.ratio_params[i], words):
            return "ratios: kind, channel, output or least"
    for i in range(f.rate_count):
        if not rate_is_sound(&f.rate_params[i], &f.rates[i], words, arena_size, blanks):
            return "rates: channel, output, or a window outside the arena"
    for i in range(f.filter_count):
        if not filter_is_sound(&f.filter_params[i], words, arena_size, blanks):
            return "filters: channel, output, or sections outside the arena"
    for i in range(f.thermal_count):
        if not thermal_is_sound(&f.thermal_params[i], words):
            return "thermals: channel or output"
    for i in range(f.relay_count):
        if not relay_is_sound(&f.relay_params[i], &f.relays[i], words, arena_size, blanks):
            return "relays: channel, output, times or curve, or a ring outside the arena"
    for i in range(f.counter_count):
        if not counter_is_sound(&f.counter_params[i], &f.counters[i], words, arena_size):
            return "counters: channel, output, or a ring outside the arena"
    for i in range(f.envelope_count):
        if not envelope_is_sound(&f.envelope_params[i], &f.envelopes[i], words, arena_size):
            return "envelopes: channel, output, thresholds, or a ring outside the arena"
    for i in range(f.oscillation_count):
        if not oscillation_is_sound(&f.oscillation_params[i], &f.oscillations[i], words, arena_size, blanks):
            return "oscillations: channel, output, or windows outside the arena"
    for i in range(f.flicker_count):
        if not flicker_is_sound(&f.flicker_params[i], &f.flickers[i], words, arena_size, blanks):
            return "flickers: channel, output, or windows outside the arena"
    for i in range(f.slope_count):
        if not slope_is_sound(&f.slope_params[i], &f.slopes[i], words, arena_size, blanks):
            return "slopes: channel, output, or a window outside the arena"
    for i in range(f.block_count):
        if not block_is_sound(&f.block_params[i], &f.blocks[i], words, blanks):
            return "blocks: channel, output, or length"
    return NULL
