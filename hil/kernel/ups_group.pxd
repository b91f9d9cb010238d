"""What the kernel keeps of a group of UPSs: where its units stand, what its channels show, and which units are at rest."""

from libc.stdint cimport int64_t


cdef enum:
    UPS_GROUP_CHANNELS = 22


cdef struct UpsGroupParams:
    int64_t first              # of its units, among all UPSs
    int64_t count
    double capacity_as         # of all their batteries


cdef struct UpsGroupState:
    # Of all units together, as its channels show it. Of a voltage, a state of charge, a temperature: the worst.
    double input_w
    double input_var
    double demand_w
    double output_w
    double output_lowest_pu
    double output_highest_pu
    double battery_w
    double soc_lowest
    double soc_mean            # by capacity
    double dc_link_lowest_pu
    double support_w
    double temperature_highest_degc
    # How many units.
    int64_t line_ok
    int64_t on_line            # the rectifier is wholly on
    int64_t on_battery
    int64_t on_bypass          # the output is fed by the bypass, ordered or in eco mode
    int64_t off                # the output is off
    int64_t latched
    int64_t low_battery
    int64_t fault
    int64_t disturbances       # that their counters hold
    int64_t transfers          # changes of mode of all units, so far
    # Entries of the logs of all units, and reversions, so far.
    int64_t entries
    int64_t reversions
    # In this window of the line no firmware of the group sees anything amiss.
    double low_pu
    double high_pu
    double low_hz
    double high_hz


cdef struct UpsGroupTotals:
    # Added up within a tick, in the order of the units.
    double it_w
    double delivered_w         # of the last tick
    double demand_w
    double demand_var


cdef struct UpsRest:
    # A unit whose firmware only counts ticks, as long as what it sees stays within these bounds: its step is then left out,
    # and the ticks are counted when it wakes. Nothing here outlasts a stretch of ticks.
    int64_t resting
    int64_t wake_at            # what time alone brings about
    int64_t since              # tick of its last step
    int64_t shown              # what its group has counted of it
    int64_t entries
    int64_t changed            # in its last step, something of that
    double over_w              # load
    double soc_above
    double soc_below
    double dc_above_pu
    double cool_degc           # temperature of the battery
    double recharge_w          # 0: it does not recharge
    double taper
    double limit_share         # of its limit that the rectifier may take
