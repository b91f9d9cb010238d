"""What must be refused of limits and events (see bad_scenarios.py)."""

LINK = ["link.x.between=['supervisor.energy', 'bess.main']"]
UPS = ["ups.a.rating='5 MW'"]
KINDS = (
    "'undervoltage', 'overvoltage', 'negative_sequence_voltage', 'volts_per_hertz', 'flicker', 'underfrequency', 'overfrequency', 'rocof', 'ramp', 'peak_to_peak', 'dynamic_range', "
    "'variation', 'oscillation', 'damping', 'band_share', 'reverse_power', 'underpower', 'overcurrent', 'thermal_overload', 'soc_window', "
    "'converter_current', 'c_rate', 'cell_voltage', 'dc_voltage', 'on_battery', 'overload', 'transfers', 'disturbance_counter', 'dc_link', 'output_voltage', 'battery_temperature', 'recovery', 'ride_through', "
    "'voltage_distortion', 'current_distortion', 'transient_overvoltage'"
)

ONLY_RECORDED = "is judged on point-on-wave recordings only (hil check): a site of this testbed has RMS values"

JUDGED = [
    (
        ["limits=[{profile='itic-transient'}]"],
        f"limits.itic-transient: transients.kind = 'transient_overvoltage': {ONLY_RECORDED}",
    ),
    (
        ["limits=[{profile='ieee-519'}]"],
        f"limits.ieee-519: voltage to 1 kV.kind = 'voltage_distortion': {ONLY_RECORDED}",
    ),
    (
        ["limits=[{name='x', kind='transient_overvoltage', above=[[0.9, '1 ms']]}]"],
        "limits.x.above = [[0.9, '1 ms']]: must be pairs of a level above 1 and a time of 0 or more",
    ),
    (
        ["limits=[{name='x', kind='voltage_distortion', individual=0.03, total=0.05, statistics=[]}]"],
        "limits.x.statistics = []: must not be empty",
    ),
    (
        [
            "limits=[{name='x', kind='voltage_distortion', individual=0.03, total=0.05, statistics=[{interval='3 s', percentile=99, period='1 s'}]}]"
        ],
        "limits.x.statistics.0.period = '1 s': must be at least the interval",
    ),
    (
        [
            "limits=[{name='x', kind='current_distortion', table=[[20, 0.1]], statistics=[{interval='3 s', percentile=99, period='1 d'}]}]"
        ],
        "limits.x.table = [[20, 0.1]]: must be rows of 7 numbers, the first of which ascends",
    ),
    (["limits.grid ramp.windw='5 s'"], "limits.grid ramp.windw: unknown key; did you mean 'window'?"),
    (["events.0.att='5 s'"], "events.0.att: unknown key; did you mean 'at'?"),
    (
        ["transport=direct", "events=[{kind='server_stop',at='1 s',duration='1 s',device='bess.main'}]"],
        "events.0.kind = 'server_stop': needs transport = 'wire'; without one there is nothing to disturb",
    ),
    (
        ["limits.grid ramp.max='20 MW'"],
        "limits.grid ramp.max = '20 MW': must be a power ramp, such as '18 MW/min'; units: W/s, W/min, W/h, kW/s, kW/min, kW/h, MW/s, MW/min, MW/h, GW/s, GW/min, GW/h",
    ),
    (
        ["limits.peak-to-peak, 5 s.max='20 MW/min'"],
        "limits.peak-to-peak, 5 s.max = '20 MW/min': must be a power, such as '25 MW'; units: W, kW, MW, GW",
    ),
    (["limits.27 undervoltage.min=1.2"], "limits.27 undervoltage.min = 1.2: must be below 1"),
    (["limits.59 overvoltage.max=0.9"], "limits.59 overvoltage.max = 0.9: must be above 1"),
    (["grid.frequency='50 Hz'"], "limits.81U underfrequency.min = '59.5 Hz': must be below grid.frequency = 50 Hz"),
    (
        ["limits.81U underfrequency.min='60 Hz'"],
        "limits.81U underfrequency.min = '60 Hz': must be below grid.frequency = 60 Hz",
    ),
    (
        ["limits.81O overfrequency.max='59.9 Hz'"],
        "limits.81O overfrequency.max = '59.9 Hz': must be above grid.frequency = 60 Hz",
    ),
    (["limits.SoC reserve.window=[0.3,1.4]"], "limits.SoC reserve.window.1 = 1.4: must be between 0 and 1"),
    (
        ["limits.grid ramp.kind='slope'"],
        f"limits.grid ramp.kind = 'slope': must be one of {KINDS}",
    ),
    (
        ["events.0.kind='quake'"],
        "events.0.kind = 'quake': must be one of 'grid_dip', 'grid_outage', 'generation_loss', 'load_crash', 'reset_lockout', 'server_stop', 'link_cut', 'device_silent', 'device_lost', 'broker_stop', 'answers_late', 'answers_lost', 'requests_refused', 'answers_garbled', 'connections_dropped', 'messages_late', 'messages_twice', 'values_stale', 'values_missing', 'device_reboot', 'contactor_open', 'pll_loss', 'derating', 'device_trip', 'power_reading', 'weak_cells', 'battery_dead', 'battery_hot', 'soc_drift', 'rectifier_fault', 'ups_command'",
    ),
    (
        ["limits.SoC reserve.node='bess.other'"],
        "limits.SoC reserve.node = 'bess.other': no such device; the scenario has: 'bess.main'",
    ),
    (["limits.SoC reserve.node='pcc'"], "limits.SoC reserve.node = 'pcc': must name a BESS or a UPS, such as 'bess.main'"),
    (["limits.grid ramp.node='bess.main'"], "limits.grid ramp.node = 'bess.main': must be 'pcc'"),
    (
        ["events=[{at='5 s',kind='server_stop',device='bess.b',duration='1 s'}]"],
        "events.0.device = 'bess.b': no such device; the scenario has: 'bess.main'",
    ),
    (["limits.59 overvoltage.name='grid ramp'"], "limits.3.name = 'grid ramp': limits.0 has this name; names must differ"),
    (
        ["events=[{kind='grid_dip',at='9 s',duration='1 s',residual=0.5,fault='ac'}]"],
        "events.0.fault = 'ac': must be 'abc', 'ag', 'bg', 'cg', 'ab', 'bc', 'ca', 'abg', 'bcg' or 'cag'",
    ),
    (
        [
            "events=[{kind='grid_dip',at='9 s',duration='1 s',residual=0.5},{kind='grid_dip',at='9.5 s',duration='1 s',residual=0.5,fault='ag'}]"
        ],
        "events.1.at = '9.5 s': overlaps events.0; only dips of all three phases may",
    ),
    (
        [
            "events=[{kind='server_stop',at='9 s',duration='2 s',device='bess.main'},{kind='device_silent',at='5 s',duration='5 s',device='bess.main'}]"
        ],
        "events.1.at = '5 s': overlaps events.0; bess.main can be disturbed by one thing at a time",
    ),
    (
        [
            "events=[{kind='device_reboot',at='5 s',duration='5 s',device='bess.main'},{kind='server_stop',at='9 s',duration='2 s',device='bess.main'}]"
        ],
        "events.1.at = '9 s': overlaps events.0; bess.main can be disturbed by one thing at a time",
    ),
    (
        ["limits.27 undervoltage.node='hall'"],
        "limits.27 undervoltage.node = 'hall': must be 'pcc', 'bus', or name a UPS, such as 'ups.a'",
    ),
    (["events.0.at='500 s'"], "events.0.at = '500 s': must be before the end, 180 s"),
    (["limits={}"], "limits: must be a list; each entry begins with [[limits]]"),
    (["limits={name='x',kind='ramp'}"], "limits: must be a list; each entry begins with [[limits]]"),
    (["events={kind='grid_dip'}"], "events: must be a list; each entry begins with [[events]]"),
    (["limits=[5]"], "limits.0 = 5: must be a table"),
    (["events=[{kind='grid_dip',at='5 s',duration='1 s'}]"], "events.0.residual: missing; it has no default"),
    (
        ["events=[{kind='load_crash',at='5 s',loss=1}]"],
        "events.0.loss: unknown key; known keys: at, kind, load, fall, to, restart_after, restart_ramp",
    ),
    (
        ["events=[{kind='load_crash',at='5 s',residual=0.5}]"],
        "events.0.residual: unknown key for kind = 'load_crash'; a key of 'grid_dip'",
    ),
    (
        ["events=[{kind='load_crash',at='5 s',duration='1 s'}]"],
        "events.0.duration: unknown key for kind = 'load_crash'; a key of 'grid_dip', 'grid_outage', 'generation_loss', 'server_stop', 'link_cut' and 23 others",
    ),
    (
        ["limits=[{name='x',kind='peak_to_peak',window='1 s',max='1 MW',direction='up'}]"],
        "limits.x.direction: unknown key for kind = 'peak_to_peak'; a key of 'ramp'",
    ),
    (["events=[{kind='server_stop',at='5 s',device='bess.main'}]"], "events.0.duration: missing; it has no default"),
    (["limits=[{name='x',kind='ramp',window='1 s'}]"], "limits.x.max: missing; it has no default"),
    (["limits=[{name='x'}]"], "limits.x.kind: missing; it has no default"),
    (
        ["limits=[{kind=5}]"],
        f"limits.0.kind = 5: must be one of {KINDS}",
    ),
    (["limits.0.name=''"], "limits.0.name = '': must not be empty"),
    (["limits.0.required='yes'"], "limits.grid ramp.required = 'yes': must be true or false"),
    (
        ["limits.0.kind=[1]"],
        f"limits.grid ramp.kind = [1]: must be one of {KINDS}",
    ),
    (["limits.0.window='1 d'"], "limits.grid ramp.window = '1 d': must be at most 33554.4 s, 33554432 ticks"),
    (["events=5"], "events = 5: must be a list"),
    (["events.0=5"], "events.0 = 5: must be a table"),
    (
        ["events=[{at='5 s',kind='link_cut',link='link.x',duration='1 s'}]"],
        "events.0.link = 'link.x': no such link; the scenario has: none",
    ),
    (
        [*LINK, "events=[{at='5 s',kind='link_cut',link='x',duration='1 s'}]"],
        "events.0.link = 'x': no such link; the scenario has: 'link.x'",
    ),
    ([*LINK, "events=[{at='5 s',kind='link_cut',link='link.x'}]"], "events.0.duration: missing; it has no default"),
    (
        ["limits.SoC reserve.window=[0.8,0.3]"],
        "limits.SoC reserve.window = [0.8, 0.3]: must be [low, high] with low below high",
    ),
    (["limits.grid ramp.direction='upwards'"], "limits.grid ramp.direction = 'upwards': must be 'both', 'up' or 'down'"),
    (
        ["events=[{kind='broker_stop',at='5 s',duration='1 s'}]"],
        "events.0.kind = 'broker_stop': needs the testbed's own broker, and a device on it",
    ),
    (
        ["events=[{kind='device_lost',at='5 s',duration='1 s',device='bess.main'}]"],
        "events.0.device = 'bess.main': no such device; the scenario has: none",
    ),
    (
        ["limits=[{name='81R',kind='rocof',max='1 Hz'}]"],
        "limits.81R.max = '1 Hz': must be a rate of change of frequency, such as '1 Hz/s'; units: Hz/s, mHz/s",
    ),
    (["limits=[{name='81R',kind='rocof',max='0 Hz/s'}]"], "limits.81R.max = '0 Hz/s': must be above 0 Hz/s"),
    (
        ["limits=[{name='81R',kind='rocof',max='1 Hz/s',block_jump=10}]"],
        "limits.81R.block_jump = 10: must be an angle with its unit, such as '10 deg'",
    ),
    (
        ["limits=[{name='81R',kind='rocof',max='1 Hz/s',block_jump='0.2 rad'}]"],
        "limits.81R.block_jump = '0.2 rad': must be an angle, such as '10 deg'; units: deg, °",
    ),
    (
        ["limits=[{name='81R',kind='rocof',max='1 Hz/s',block_jump='0 deg'}]"],
        "limits.81R.block_jump = '0 deg': must be above 0 deg",
    ),
    (
        ["limits=[{name='81R',kind='rocof',max='1 Hz/s',block_jump='180 deg'}]"],
        "limits.81R.block_jump = '180 deg': must be below 180 deg",
    ),
    (["limits=[{name='81R',kind='rocof',max='1 Hz/s',node='bus'}]"], "limits.81R.node = 'bus': must be 'pcc'"),
    (
        ["limits=[{name='t',kind='on_battery',node='bess.main',max='1 min'}]"],
        "limits.t.node = 'bess.main': must name a UPS, such as 'ups.a'",
    ),
    (
        ["limits=[{name='t',kind='on_battery',node='ups.b',max='1 min'}]"],
        "limits.t.node = 'ups.b': no such device; the scenario has: none",
    ),
    (
        [*UPS, "limits=[{name='t',kind='on_battery',node='ups.a',max='1 min',counts='mean'}]"],
        "limits.t.counts = 'mean': must be 'longest' or 'total'",
    ),
    (
        ["limits=[{name='T',kind='battery_temperature',node='bess.main',max='25 degC'}]"],
        "limits.T.max = '25 degC': must be above bess.main.ambient = 25 degC",
    ),
    (
        [*UPS, "ups.a.ambient='40 degC'", "limits=[{name='T',kind='battery_temperature',node='ups.a',max='35 degC'}]"],
        "limits.T.max = '35 degC': must be above ups.a.ambient = 40 degC",
    ),
    (
        ["limits=[{name='r',kind='recovery',max='2 s',node='bus'}]"],
        "limits.r.node = 'bus': must be 'pcc', or name a UPS, such as 'ups.a'",
    ),
    (["limits=[{name='r',kind='recovery',max='2 s',share=1.5}]"], "limits.r.share = 1.5: must be at most 1"),
    (["limits=[{name='r',kind='recovery',max='2 s',below=1.0}]"], "limits.r.below = 1.0: must be below 1"),
    (
        ["limits=[{name='r',kind='recovery',max='2 s',mean='1 d'}]"],
        "limits.r.mean = '1 d': must be at most 33554.4 s, 33554432 ticks",
    ),
    (["limits=[{name='r',kind='recovery'}]"], "limits.r.max: missing; it has no default"),
    (
        ["limits.grid ramp.action=trip"],
        "limits.grid ramp.action: unknown key for kind = 'ramp'; a key of 'undervoltage', 'overvoltage', 'negative_sequence_voltage', 'volts_per_hertz', 'underfrequency' and 12 others",
    ),
    (["limits.27 undervoltage.action=open"], "limits.27 undervoltage.action = 'open': must be 'log' or 'trip'"),
    (
        ["limits.27 undervoltage.action=trip", "limits.27 undervoltage.trips=feeder"],
        "limits.27 undervoltage.trips = 'feeder': must be 'pcc', or name a device, such as 'bess.main'",
    ),
    (
        ["limits.27 undervoltage.action=trip", "limits.27 undervoltage.trips=ups.a"],
        "limits.27 undervoltage.trips = 'ups.a': no such device; the scenario has: none",
    ),
    (
        ["limits.27 undervoltage.trips=bess.main"],
        "limits.27 undervoltage.trips = 'bess.main': needs action = 'trip' beside it",
    ),
    (
        ["limits.27 undervoltage.breaker_time='1 s'"],
        "limits.27 undervoltage.breaker_time = '1 s': needs action = 'trip' beside it",
    ),
    (["limits.27 undervoltage.lockout=false"], "limits.27 undervoltage.lockout = false: needs action = 'trip' beside it"),
    (
        ["limits.27 undervoltage.action=trip", "limits.27 undervoltage.lockout=false"],
        "limits.27 undervoltage.reclose_after: missing; without a lock-out the breaker closes again",
    ),
    (
        ["limits.27 undervoltage.action=trip", "limits.27 undervoltage.reclose_after='1 s'"],
        "limits.27 undervoltage.reclose_after = '1 s': needs lockout = false: after a lock-out the event 'reset_lockout' closes",
    ),
    (
        ["limits.27 undervoltage.action=trip", "limits.27 undervoltage.breaker_time='-1 s'"],
        "limits.27 undervoltage.breaker_time = '-1 s': must be at least 0 s",
    ),
    (
        [*UPS, "limits=[{name='T',kind='battery_temperature',node='ups.a',max='60 degC',action='trip'}]"],
        "limits.T.action = 'trip': must be 'log' at ups.a: the breaker at the input of a UPS does not relieve its battery or its output",
    ),
    (
        ["events=[{at='5 s',kind='reset_lockout',breaker='pcc'}]"],
        "events.0.breaker = 'pcc': no limit trips it; tripped are: none",
    ),
    (
        ["limits.converter current.action=trip", "events=[{at='5 s',kind='reset_lockout',breaker='pcc'}]"],
        "events.0.breaker = 'pcc': no limit trips it; tripped are: 'bess.main'",
    ),
    (["events=[{at='5 s',kind='reset_lockout'}]"], "events.0.breaker: missing; it has no default"),
]
