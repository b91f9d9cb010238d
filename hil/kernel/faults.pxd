"""Faults of the equipment of a device, as commands order them."""


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
