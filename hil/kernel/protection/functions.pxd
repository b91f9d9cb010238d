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


cdef inline void functions_run(const Functions* f, double* arena, double* rows, int64_t words, int64_t count, int64_t tick,
                               const int64_t* blank_until) noexcept nogil:
    """Run them over rows of `words` numbers, the first of tick `tick`.

    Function by function, so that what one is made of is looked up once; but filters, each of which waits for what it made of
    the row before, side by side.
    """
    cdef int64_t i
    cdef int64_t j
    cdef RatioParams ratio_params
    cdef RateParams rate_params
    cdef RateState rate
    cdef ThermalParams thermal_params
    cdef ThermalState thermal
    cdef RelayParams relay_params
    cdef RelayState relay
    cdef CounterParams counter_params
    cdef CounterState counter
    cdef OscillationParams oscillation_params
    cdef OscillationState oscillation
    cdef SlopeParams slope_params
    cdef SlopeState slope
    cdef BlockParams block_params
    cdef BlockState block
    for i in range(f.ratio_count):
        ratio_params = f.ratio_params[i]
        for j in range(count):
            ratio_step(&ratio_params, rows + j * words)
    for i in range(f.rate_count):
        rate_params = f.rate_params[i]
        rate = f.rates[i]
        for j in range(count):
            rate_step(&rate_params, &rate, arena, rows + j * words, tick + j, blank_until)
        f.rates[i] = rate
    for j in range(count):
        for i in range(f.filter_count):
            filter_step(&f.filter_params[i], &f.filters[i], arena, rows + j * words, tick + j, blank_until)
    for i in range(f.thermal_count):
        thermal_params = f.thermal_params[i]
        thermal = f.thermals[i]
        for j in range(count):
            thermal_step(&thermal_params, &thermal, rows + j * words)
        f.thermals[i] = thermal
    for i in range(f.relay_count):
        relay_params = f.relay_params[i]
        relay = f.relays[i]
        for j in range(count):
            relay_step(&relay_params, &relay, arena, rows + j * words, tick + j, blank_until)
        f.relays[i] = relay
    for i in range(f.counter_count):
        counter_params = f.counter_params[i]
        counter = f.counters[i]
        for j in range(count):
            counter_step(&counter_params, &counter, arena, rows + j * words, tick + j)
        f.counters[i] = counter
    for i in range(f.envelope_count):
        for j in range(count):
            envelope_step(&f.envelope_params[i], &f.envelopes[i], arena, rows + j * words)
    for i in range(f.oscillation_count):
        oscillation_params = f.oscillation_params[i]
        oscillation = f.oscillations[i]
        for j in range(count):
            oscillation_step(&oscillation_params, &oscillation, arena, rows + j * words, tick + j, blank_until)
        f.oscillations[i] = oscillation
    for i in range(f.flicker_count):
        for j in range(count):
            flicker_step(&f.flicker_params[i], &f.flickers[i], arena, rows + j * words, tick + j, blank_until)
    for i in range(f.slope_count):
        slope_params = f.slope_params[i]
        slope = f.slopes[i]
        for j in range(count):
            slope_step(&slope_params, &slope, arena, rows + j * words, tick + j, blank_until)
        f.slopes[i] = slope
    for i in range(f.block_count):
        block_params = f.block_params[i]
        block = f.blocks[i]
        for j in range(count):
            block_step(&block_params, &block, rows + j * words, tick + j, blank_until)
        f.blocks[i] = block


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
