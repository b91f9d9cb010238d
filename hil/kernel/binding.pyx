"""Where arrays that Python made lie, for the compiled modules that run over them."""

from libc.stdint cimport int64_t, uintptr_t

import numpy as np

from firmware_sim.kernel.ups cimport UpsParams, UpsState
from hil.kernel.battery cimport BatteryParams, BatteryState
from hil.kernel.forming cimport FormingParams, FormingState, SourcesState
from hil.kernel.genset cimport GensetParams, GensetState
from hil.kernel.protection.blocks cimport BlockParams, BlockState
from hil.kernel.protection.counters cimport CounterParams, CounterState
from hil.kernel.protection.envelopes cimport EnvelopeParams, EnvelopeState
from hil.kernel.protection.filters cimport FilterParams, FilterState
from hil.kernel.protection.flicker cimport FlickerParams, FlickerState
from hil.kernel.protection.functions cimport Functions
from hil.kernel.protection.oscillation cimport OscillationParams, OscillationState
from hil.kernel.protection.rates cimport RateParams, RateState
from hil.kernel.protection.ratios cimport RatioParams
from hil.kernel.protection.relays cimport RelayParams, RelayState
from hil.kernel.protection.slopes cimport SlopeParams, SlopeState
from hil.kernel.protection.thermals cimport ThermalParams, ThermalState
from hil.kernel.psu cimport PsuFeed, PsuParams, PsuState
from hil.kernel.site cimport Site
from hil.kernel.ups cimport UpsPowerParams, UpsPowerState
from hil.kernel.ups_group cimport UpsGroupParams, UpsGroupState, UpsRest

from hil.kernel.layout import parameter_dtypes, state_dtypes, ups_rest_dtype


cdef void* address(arrays, name, dtype, int64_t length) except? NULL:
    """Where an array begins; NULL where it is empty. Raises ValueError unless it has `dtype` and `length` rows (-1: any)."""
    array = arrays[name]
    if array.dtype != dtype or array.ndim != 1 or not array.flags.c_contiguous or not array.flags.writeable:
        raise ValueError(f"{name}: must be a writeable one-dimensional array of {dtype}")
    if length >= 0 and len(array) != length:
        raise ValueError(f"{name}: must have {length} rows, has {len(array)}")
    return <void*> <uintptr_t> array.ctypes.data if len(array) else NULL


cdef object bind_upss(Site* s, parameters, states, int64_t alone_count, int64_t group_count):
    """Point a site at the arrays of its UPSs; returns memory of the tick's own. Raises ValueError as `address` does."""
    wanted, of = parameter_dtypes(), state_dtypes()
    groups = parameters["ups_groups"]
    s.ups_group_params = <const UpsGroupParams*> address(parameters, "ups_groups", wanted["ups_groups"], group_count)
    s.ups_groups = <UpsGroupState*> address(states, "ups_groups", of["ups_groups"], group_count)
    s.ups_alone_count, s.ups_group_count = alone_count, group_count
    s.ups_count = alone_count + int(sum(groups["count"]))
    first = alone_count
    for group in groups:
        if group["first"] != first or group["count"] <= 0:
            raise ValueError("ups_groups: units must stand behind each other, behind the UPSs that stand alone")
        first += group["count"]
    s.ups_params = <const UpsParams*> address(parameters, "ups", wanted["ups"], s.ups_count)
    s.ups_power_params = <const UpsPowerParams*> address(parameters, "ups_power", wanted["ups_power"], s.ups_count)
    s.ups_battery_params = <const BatteryParams*> address(parameters, "ups_battery", wanted["ups_battery"], s.ups_count)
    s.ups = <UpsState*> address(states, "ups", of["ups"], s.ups_count)
    s.ups_power = <UpsPowerState*> address(states, "ups_power", of["ups_power"], s.ups_count)
    s.ups_battery = <BatteryState*> address(states, "ups_battery", of["ups_battery"], s.ups_count)
    rests = np.zeros(s.ups_count, dtype=ups_rest_dtype())
    s.ups_rests = <UpsRest*> <uintptr_t> rests.ctypes.data
    return rests


cdef int bind_functions(Functions* f, parameters, states) except -1:
    """Point protection functions at their arrays. Raises ValueError as `address` does."""
    wanted, of = parameter_dtypes(), state_dtypes()
    f.ratio_count = len(parameters["ratios"])
    f.filter_count = len(parameters["filters"])
    f.thermal_count = len(parameters["thermals"])
    f.relay_count = len(parameters["relays"])
    f.counter_count = len(parameters["counters"])
    f.envelope_count = len(parameters["envelopes"])
    f.oscillation_count = len(parameters["oscillations"])
    f.flicker_count = len(parameters["flickers"])
    f.slope_count = len(parameters["slopes"])
    f.block_count = len(parameters["blocks"])
    f.rate_count = len(parameters["rates"])
    f.ratio_params = <const RatioParams*> address(parameters, "ratios", wanted["ratios"], -1)
    f.rate_params = <const RateParams*> address(parameters, "rates", wanted["rates"], -1)
    f.rates = <RateState*> address(states, "rates", of["rates"], f.rate_count)
    f.filter_params = <const FilterParams*> address(parameters, "filters", wanted["filters"], -1)
    f.filters = <FilterState*> address(states, "filters", of["filters"], f.filter_count)
    f.thermal_params = <const ThermalParams*> address(parameters, "thermals", wanted["thermals"], -1)
    f.thermals = <ThermalState*> address(states, "thermals", of["thermals"], f.thermal_count)
    f.relay_params = <const RelayParams*> address(parameters, "relays", wanted["relays"], -1)
    f.relays = <RelayState*> address(states, "relays", of["relays"], f.relay_count)
    f.counter_params = <const CounterParams*> address(parameters, "counters", wanted["counters"], -1)
    f.counters = <CounterState*> address(states, "counters", of["counters"], f.counter_count)
    f.envelope_params = <const EnvelopeParams*> address(parameters, "envelopes", wanted["envelopes"], -1)
    f.envelopes = <EnvelopeState*> address(states, "envelopes", of["envelopes"], f.envelope_count)
    f.oscillation_params = <const OscillationParams*> address(parameters, "oscillations", wanted["oscillations"], -1)
    f.oscillations = <OscillationState*> address(states, "oscillations", of["oscillations"], f.oscillation_count)
    f.flicker_params = <const FlickerParams*> address(parameters, "flickers", wanted["flickers"], -1)
    f.flickers = <FlickerState*> address(states, "flickers", of["flickers"], f.flicker_count)
    f.slope_params = <const SlopeParams*> address(parameters, "slopes", wanted["slopes"], -1)
    f.slopes = <SlopeState*> address(states, "slopes", of["slopes"], f.slope_count)
    f.block_params = <const BlockParams*> address(parameters, "blocks", wanted["blocks"], -1)
    f.blocks = <BlockState*> address(states, "blocks", of["blocks"], f.block_count)
    return 0


cdef int bind_sources(Site* site, parameters, states, int64_t bess_count, int64_t ups_count) except -1:
    """Point a site at its own sources and at the power supplies of its IT, where it has any. Raises ValueError likewise."""
    wanted, of = parameter_dtypes(), state_dtypes()
    cdef int64_t forming = bess_count if len(parameters["forming"]) else 0
    site.genset_count, site.psu_count = len(parameters["genset"]), len(parameters["psu"])
    site.own_sources = 1 if site.genset_count > 0 or forming > 0 else 0
    site.more_channels = 1 if site.breaker_count > 0 or site.own_sources > 0 or site.psu_count > 0 else 0
    site.sources = <SourcesState*> address(states, "sources", of["sources"], site.own_sources)
    site.genset_params = <const GensetParams*> address(parameters, "genset", wanted["genset"], 1 if site.genset_count else 0)
    site.genset = <GensetState*> address(states, "genset", of["genset"], site.genset_count)
    site.forming_params = <const FormingParams*> address(parameters, "forming", wanted["forming"], forming)
    site.forming = <FormingState*> address(states, "forming", of["forming"], forming)
    site.psu_params = <const PsuParams*> address(parameters, "psu", wanted["psu"], -1)
    site.psus = <PsuState*> address(states, "psu", of["psu"], site.psu_count)
    site.psu_feeds = <PsuFeed*> address(states, "psu_feeds", of["psu_feeds"], ups_count + 1 if site.psu_count > 0 else 0)
    return 0
