"""The channels that limits of several rooms look at."""

POWER = "pcc.power_measured_w"
TRUE_POWER = "pcc.power_w"
FREQUENCY = "pcc.frequency_measured_hz"
