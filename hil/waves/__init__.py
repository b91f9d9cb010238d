"""What samples of voltages and currents, point on wave, say: RMS values, frequency, phase jumps, power, harmonics.

No limits, no files and no units of a recording live here: arrays of samples at an even rate come in, arrays go out.
"""
