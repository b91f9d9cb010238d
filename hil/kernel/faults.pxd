"""Faults of the equipment of a device, as commands order them, and what they make of its readings.

The firmware knows of them only what its sensors tell. Equations: docs/model.md, "Faults of the equipment".
"""

from libc.stdint cimport int64_t


cdef enum:
    # What a command can break; firmware_sim.image.FaultPoint gives the same numbers to Python (a test compares).
    FAULT_CONTACTOR = 200
    FAULT_PLL = 201
    FAULT_DERATING = 202
    FAULT_CAPACITY = 203
    FAULT_RESISTANCE = 204
    FAULT_DEAD = 205
    FAULT_TEMPERATURE = 206
    FAULT_SOC_DRIFT = 207
    FAULT_POWER_GAIN = 208
    FAULT_TRIP = 209
    FAULT_RECTIFIER = 210


cdef struct Faults:
    int64_t contactor            # 1: open
    int64_t pll                  # 1: lost
    double derating              # share of its power that is left
    double capacity              # share of its rated energy that is left
    double resistance            # factor on the series resistance of the battery
    int64_t dead                 # 1: gives and takes nothing, and does not know it
    double temperature_k         # by which its sensor reads too high
    double soc_drift_per_h       # of the state of charge that it reckons with
    double power_gain            # of its power meter
    int64_t trip                 # 1: its firmware finds a fault
    int64_t rectifier            # 1: the rectifier of a UPS does not work
    double soc_error             # the state of charge that it reckons with, less the true one


cdef inline double within(double value, double low, double high) noexcept nogil:
    """What is no number is `high`."""
    if value < low:
        return low
    return value if value < high else high


cdef inline void fault_command(Faults* f, int64_t point, double value) noexcept nogil:
    """Order a fault, or its end; what is beyond its range is set to the end of it."""
    if point == FAULT_CONTACTOR:
        f.contactor = value > 0.0
    elif point == FAULT_PLL:
        f.pll = value > 0.0
    elif point == FAULT_DERATING:
        f.derating = within(value, 0.0, 1.0)
    elif point == FAULT_CAPACITY:
        f.capacity = within(value, 1e-2, 1.0)    # with less, one tick may empty it far beyond 0
    elif point == FAULT_RESISTANCE:
        f.resistance = within(value, 0.0, 1e3)
    elif point == FAULT_DEAD:
        f.dead = value > 0.0
    elif point == FAULT_TEMPERATURE:
        f.temperature_k = within(value, -1e3, 1e3)
    elif point == FAULT_SOC_DRIFT:
        f.soc_drift_per_h = within(value, -3600.0, 3600.0)
    elif point == FAULT_POWER_GAIN:
        f.power_gain = within(value, -1e3, 1e3)
    elif point == FAULT_TRIP:
        f.trip = value > 0.0
    elif point == FAULT_RECTIFIER:
        f.rectifier = value > 0.0
