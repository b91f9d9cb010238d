"""What must be refused of devices, what commands them, and what lies between (see bad_scenarios.py)."""

LINK = ["link.x.between=['supervisor.energy', 'bess.main']"]
UPS = ["ups.a.rating='5 MW'"]
GROUP = [*UPS, "supervisor.g={kind='ups_group',devices=['ups.a'],ramp='5 MW/min'}"]

PORTAL = "mqtt={victron_portal='c0619ab4f585'}"
METER = ["meter.main.rating='50 MVA'"]

DEVICES = [
    (["meter.main.listen='127.0.0.1:0'"], "meter.main.rating: missing; it has no default"),
    (
        ["meter.main.rating='50 MW'"],
        "meter.main.rating = '50 MW': must be an apparent power, such as '25 MVA'; units: VA, kVA, MVA, GVA",
    ),
    (
        [*METER, "meter.main.mqtt.signals=['soc']"],
        "meter.main.mqtt.signals = ['soc']: must be different ones of: power_w, reactive_var, apparent_va, power_factor, voltage_a_v, voltage_b_v, voltage_c_v, voltage_ab_v, voltage_bc_v, voltage_ca_v, current_a, frequency_hz, imported_wh, exported_wh",
    ),
    (
        [*METER, "meter.main.mqtt.victron_portal='a/b'"],
        "meter.main.mqtt.victron_portal = 'a/b': must be a level of a topic: without '/', '+' and '#', not beginning with '$'",
    ),
    (
        [*METER, f"meter.main.{PORTAL}", f"ups.a={{rating='5 MW',{PORTAL}}}"],
        "meter.main.mqtt.victron_portal = 'c0619ab4f585': another device has this portal; each is behind a GX of its own",
    ),
    (["bess.main.charge='0 W'"], "bess.main.charge = '0 W': must be above 0 W"),
    (["bess.main.charge='1 W'", "bess.main.discharge='-1 W'"], "bess.main.discharge = '-1 W': must be above 0 W"),
    (["bess.main.ratng='5 MVA'"], "bess.main.ratng: unknown key; did you mean 'rating'?"),
    (["bess.main.driver.rat='5 Hz'"], "bess.main.driver.rat: unknown key; did you mean 'rate'?"),
    (["absorber.main.rampp='1 MW/s'"], "absorber.main.rampp: unknown key; did you mean 'ramp'?"),
    (["supervisor.energy.windo=[0.1,0.2]"], "supervisor.energy.windo: unknown key; did you mean 'window'?"),
    (
        ["bess.main.rating='5 MW'"],
        "bess.main.rating = '5 MW': must be an apparent power, such as '25 MVA'; units: VA, kVA, MVA, GVA",
    ),
    (["bess.main.rating=5000000"], "bess.main.rating = 5000000: must be an apparent power with its unit, such as '25 MVA'"),
    (
        ["absorber.main.ramp='18 MW'"],
        "absorber.main.ramp = '18 MW': must be a power ramp, such as '18 MW/min'; units: W/s, W/min, W/h, kW/s, kW/min, kW/h, MW/s, MW/min, MW/h, GW/s, GW/min, GW/h",
    ),
    (
        ["bess.main.energy='5 MW'"],
        "bess.main.energy = '5 MW': must be an energy, such as '12.5 MWh'; units: Wh, kWh, MWh, GWh",
    ),
    (["bess.main.ambient='300 K'"], "bess.main.ambient = '300 K': must be a temperature, such as '25 degC'; units: degC, °C"),
    (["bess.main.soc=1.2"], "bess.main.soc = 1.2: must be between 0 and 1"),
    (["bess.main.soc=-0.1"], "bess.main.soc = -0.1: must be between 0 and 1"),
    (["bess.main.soc='high'"], "bess.main.soc = 'high': must be a number between 0 and 1"),
    (["bess.main.soc='55 %'"], "bess.main.soc = '55 %': must be a number between 0 and 1"),
    (["bess.main.soc='0,55'"], "bess.main.soc = '0,55': must be a number between 0 and 1"),
    (["bess.main.soc=true"], "bess.main.soc = true: must be a number between 0 and 1"),
    (["bess.main.energy='0 Wh'"], "bess.main.energy = '0 Wh': must be above 0 Wh"),
    (["bess.main.unit_id=300"], "bess.main.unit_id = 300: must be at most 247"),
    (["bess.main.soc_min=0.9", "bess.main.soc_max=0.5"], "bess.main.soc_min = 0.9: must be below soc_max = 0.5"),
    (
        ["bess.main.driver.reversion='2.5 s'"],
        "bess.main.driver.reversion = '2.5 s': must be whole seconds, as the protocol has it",
    ),
    (["bess.main.driver.rate='0 Hz'"], "bess.main.driver.rate = '0 Hz': must be at least 0.001 Hz"),
    (["supervisor.energy.window=[0.8,0.3]"], "supervisor.energy.window = [0.8, 0.3]: must be [low, high] with low below high"),
    (["supervisor.energy.window=[0.3]"], "supervisor.energy.window = [0.3]: must be a list of two numbers"),
    (
        ["absorber.main.kind='magic'"],
        "absorber.main.kind = 'magic': must be one of 'none', 'ramp_limit', 'high_pass', 'droop', 'law'",
    ),
    (["supervisor.energy.kind='pid'"], "supervisor.energy.kind = 'pid': must be one of 'soc_window', 'ups_group', 'own'"),
    (
        ["bess.main.firmware='victron'"],
        "bess.main.firmware = 'victron': must be 'sunspec', 'kaco-gridsave', 'victron-ess', 'sungrow-sh', 'solaredge-storedge', 'fronius-gen24', 'sma-cyclic' or 'foxess-h3'",
    ),
    (
        ["bess.main.firmware='sma-cyclic'"],
        "supervisor.energy.device = 'bess.main': no driver speaks to bess.main.firmware = 'sma-cyclic': must be 'sunspec', or commanded by others (hil serve)",
    ),
    (
        ["bess.main.firmware='sma-cyclic'", "supervisor={}", "absorber.main.placement='wire'"],
        "absorber.main.device = 'bess.main': no driver speaks to bess.main.firmware = 'sma-cyclic': must be 'sunspec', or commanded by others (hil serve)",
    ),
    (
        ["bess.main.watchdog='10 s'"],
        "bess.main.watchdog = '10 s': needs firmware = one of 'foxess-h3', 'sma-cyclic', 'solaredge-storedge', 'victron-ess'; 'sunspec' has none but what its registers set",
    ),
    (
        ["bess.main.endpoint='tcp://192.168.1.40:502?unit=1'"],
        "bess.main.endpoint = 'tcp://192.168.1.40:502?unit=1': must be 'emulated'",
    ),
    (["absorber.main.placement='cloud'"], "absorber.main.placement = 'cloud': must be 'device' or 'wire'"),
    (
        ["absorber.main.device='bess.other'"],
        "absorber.main.device = 'bess.other': no such device; the scenario has: 'bess.main'",
    ),
    (["supervisor.energy.device='main'"], "supervisor.energy.device = 'main': no such device; the scenario has: 'bess.main'"),
    (["absorber.b={kind='none',device='bess.main'}"], "absorber.main.device = 'bess.main': another absorber has this device"),
    (["absorber.main.share=1.5"], "absorber.main.share = 1.5: must be between 0 and 1"),
    (["absorber.main={kind='law',device='bess.main'}"], "absorber.main.law: missing; it has no default"),
    (
        ["absorber.main={kind='law',device='bess.main',law='a b:c'}"],
        "absorber.main.law = 'a b:c': must be a file or a module and a name in it, such as 'mine.py:hold'",
    ),
    (
        ["bess.main.listen='0.0.0.0:502'"],
        "bess.main.listen = '0.0.0.0:502': must be a loopback address and port, such as '127.0.0.1:1502' (port 0: any free one)",
    ),
    (
        ["bess.main.listen='127.0.0.1'"],
        "bess.main.listen = '127.0.0.1': must be a loopback address and port, such as '127.0.0.1:1502' (port 0: any free one)",
    ),
    (
        ["bess.main.listen='127.0.0.1:99999'"],
        "bess.main.listen = '127.0.0.1:99999': must be a loopback address and port, such as '127.0.0.1:1502' (port 0: any free one)",
    ),
    (["bess=5"], "bess = 5: must be a table"),
    (
        ["bess={rating='25 MVA',energy='12.5 MWh'}"],
        "bess.rating = '25 MVA': must be a table; each has a name: [bess.NAME]",
    ),
    (
        ["supervisor={kind='soc_window',device='bess.main'}"],
        "supervisor.kind = 'soc_window': must be a table; each has a name: [supervisor.NAME]",
    ),
    (["bess={ratng='25 MVA'}"], "bess.ratng = '25 MVA': must be a table; each has a name: [bess.NAME]"),
    (["bess=[{rating='25 MVA'}]"], "bess: must be a table; each has a name: [bess.NAME]"),
    (["bess.main=5"], "bess.main = 5: must be a table"),
    (["bess.2main={}"], "bess.2main: must start with a letter and go on with letters, digits, - or _"),
    (["bess.b={}"], "bess.b.rating: missing; it has no default"),
    (["bess.main.soc=nan"], "bess.main.soc = nan: must be a finite number"),
    (["bess={}"], "absorber.main.device = 'bess.main': no such device; the scenario has: none"),
    (["supervisor={x={kind='soc_window'}}"], "supervisor.x.device: missing; it has no default"),
    (
        ["supervisor.b={kind='soc_window',device='bess.main'}"],
        "supervisor.energy.device = 'bess.main': another supervisor has bess.main",
    ),
    (["supervisor.energy.window=[0.1,0.2,0.3]"], "supervisor.energy.window = [0.1, 0.2, 0.3]: must be a list of two numbers"),
    (["supervisor.energy.window=['a','b']"], "supervisor.energy.window.0 = 'a': must be a number between 0 and 1"),
    (
        ["supervisor.energy.rate='1 uHz'"],
        "supervisor.energy.rate = '1 uHz': must be a frequency, such as '20 Hz'; units: Hz, mHz, kHz",
    ),
    (["bess.main.rating='5 GVA'"], "bess.main.rating = '5 GVA': must be at most 2000000000 VA"),
    (
        ["bess.main.rating='5_ MVA'"],
        "bess.main.rating = '5_ MVA': must be an apparent power, such as '25 MVA'; units: VA, kVA, MVA, GVA",
    ),
    (["bess.main.rating='５ MVA'"], "bess.main.rating = '５ MVA': must be an apparent power, such as '25 MVA'"),
    (["bess.main.rating=true"], "bess.main.rating = true: must be an apparent power, such as '25 MVA'"),
    (["bess.main.current_limit='1.1 A'"], "bess.main.current_limit = '1.1 A': must be a number, such as '0.95'; units: pu"),
    (["bess.main.priority='none'"], "bess.main.priority = 'none': must be 'active' or 'reactive'"),
    (["bess.main.soc_max=0.01"], "bess.main.soc_min = 0.05: must be below soc_max = 0.01"),
    (["bess.main.listen=1502"], "bess.main.listen = 1502: must be a string"),
    (
        ["bess.main.listen='127.0.0.999:0'"],
        "bess.main.listen = '127.0.0.999:0': must be a loopback address and port, such as '127.0.0.1:1502' (port 0: any free one)",
    ),
    (
        ["bess.main.listen='localhost:0'"],
        "bess.main.listen = 'localhost:0': must be a loopback address and port, such as '127.0.0.1:1502' (port 0: any free one)",
    ),
    (["link={x={}}"], "link.x.between: missing; it has no default"),
    (
        ["link.x.between='bess.main'"],
        "link.x.between = 'bess.main': must be [controller, device], such as ['supervisor.energy', 'bess.main']",
    ),
    (
        ["link.x.between=['supervisor.energy']"],
        "link.x.between = ['supervisor.energy']: must be [controller, device], such as ['supervisor.energy', 'bess.main']",
    ),
    (
        ["link.x.between=['supervisor.energy', 5]"],
        "link.x.between = ['supervisor.energy', 5]: must be [controller, device], such as ['supervisor.energy', 'bess.main']",
    ),
    ([*LINK, "link.x.latncy='5 ms'"], "link.x.latncy: unknown key; did you mean 'latency'?"),
    ([*LINK, "link.x.latency='-5 ms'"], "link.x.latency = '-5 ms': must be at least 0 s"),
    ([*LINK, "link.x.latency=5"], "link.x.latency = 5: must be a time with its unit, such as '40 ms'"),
    (
        [*LINK, "link.x.latency='5 ms'", "link.x.jitter='6 ms'"],
        "link.x.jitter = '6 ms': must be at most latency = 0.005 s",
    ),
    ([*LINK, "link.x.loss=1"], "link.x.loss = 1: must be below 1"),
    ([*LINK, "link.x.loss='5 %'"], "link.x.loss = '5 %': must be a number"),
    ([*LINK, "link.x.retransmit='0 s'"], "link.x.retransmit = '0 s': must be above 0 s"),
    ([*LINK, "link.x.retransmit='3 min'"], "link.x.retransmit = '3 min': must be at most 120 s"),
    (
        ["link.x.between=['bess.main', 'supervisor.energy']"],
        "link.x.between.1 = 'supervisor.energy': no such device; the scenario has: 'bess.main'",
    ),
    (
        ["link.x.between=['supervisor.other', 'bess.main']"],
        "link.x.between.0 = 'supervisor.other': no such controller on a wire; the scenario has: 'supervisor.energy'",
    ),
    (
        ["link.x.between=['absorber.main', 'bess.main']"],  # its law is in the device
        "link.x.between.0 = 'absorber.main': no such controller on a wire; the scenario has: 'supervisor.energy'",
    ),
    (
        ["supervisor={}", "link.x.between=['supervisor.energy', 'bess.main']"],
        "link.x.between.0 = 'supervisor.energy': no such controller on a wire; the scenario has: none",
    ),
    (
        ["bess.b={rating='1 MVA',energy='1 MWh'}", "link.x.between=['supervisor.energy', 'bess.b']"],
        "link.x.between.1 = 'bess.b': supervisor.energy does not command it; it commands: 'bess.main'",
    ),
    (
        [*LINK, "absorber.main.placement='wire'", "link.y.between=['absorber.main', 'bess.main']"],
        "link.y.between.1 = 'bess.main': another link has this device",
    ),
    (["ups.a={}"], "ups.a.rating: missing; it has no default"),
    (["ups.a.rating='5 MVA'"], "ups.a.rating = '5 MVA': must be a power, such as '25 MW'; units: W, kW, MW, GW"),
    ([*UPS, "ups.a.counter=1"], "ups.a.counter = 1: must be true or false"),
    ([*UPS, "ups.a.mqtt.rate='0 Hz'"], "ups.a.mqtt.rate = '0 Hz': must be at least 0.01 Hz"),
    ([*UPS, "ups.a.mqtt.signals=['soc']"], "ups.a.mqtt.signals = ['soc']: must hold input_power_w, output_power_w, mode"),
    ([*UPS, "ups.a.mqtt.keepalive='1.5 s'"], "ups.a.mqtt.keepalive = '1.5 s': must be whole seconds, as the protocol has it"),
    ([*UPS, "ups.a.voltage='0 V'"], "ups.a.voltage = '0 V': must be above 0 V"),
    (
        [*UPS, "ups.a.modbus.map='apc'"],
        "ups.a.modbus.map = 'apc': must be 'generic', 'huawei-ups2000', 'apc-smart-ups' or 'contacts'",
    ),
    (
        [*UPS, "ups.a.modbus.listen='0.0.0.0:502'"],
        "ups.a.modbus.listen = '0.0.0.0:502': must be a loopback address and port, such as '127.0.0.1:1502' (port 0: any free one)",
    ),
    ([*UPS, "ups.a.modbus.unit_id=248"], "ups.a.modbus.unit_id = 248: must be at most 247"),
    ([*UPS, "ups.a.driver.timeout='0 s'"], "ups.a.driver.timeout = '0 s': must be above 0 s"),
    (
        [*UPS, "ups.a.driver.foo=1"],
        "ups.a.driver.foo: unknown key; known keys: rate, timeout, stale_after, support_timeout, keepalive",
    ),
    ([*UPS, "absorber.main.device='ups.a'"], "absorber.main.device = 'ups.a': no such device; the scenario has: 'bess.main'"),
    (
        [*UPS, "ups.a.share=0.6", "ups.b={rating='1 MW',share=0.6}"],
        "ups.b.share = 0.6: the shares of all UPSs must add up to 1 at most",
    ),
    (
        ["mqtt.broker='http://x'"],
        "mqtt.broker = 'http://x': must be mqtt://[user@]host[:port], such as 'mqtt://127.0.0.1:1883'",
    ),
    (
        ["mqtt.broker='mqtt://me:secret@h'"],
        "mqtt.broker = 'mqtt://me:secret@h': must not hold a password; put it into the environment variable RIDETHROUGH_MQTT_PASSWORD",
    ),
    (["mqtt.site='a/b'"], "mqtt.site = 'a/b': must be a level of a topic: without '/', '+' and '#', not beginning with '$'"),
    (["mqtt.site='$SYS'"], "mqtt.site = '$SYS': must be a level of a topic: without '/', '+' and '#', not beginning with '$'"),
    (["mqtt.site=' '"], "mqtt.site = ' ': must be a level of a topic: without '/', '+' and '#', not beginning with '$'"),
    (["mqtt.site='" + "x" * 300 + "'"], "mqtt.site = '" + "x" * 199 + "…: must be at most 256 bytes long"),
    ([*UPS, "supervisor.g={kind='ups_group',devices=['ups.a']}"], "supervisor.g.ramp: missing; it has no default"),
    ([*GROUP, "supervisor.g.devices=['ups.a','ups.a']"], "supervisor.g.devices = ['ups.a', 'ups.a']: must be different UPSs"),
    ([*GROUP, "supervisor.g.devices=[]"], "supervisor.g.devices = []: must not be empty"),
    (
        [*GROUP, "supervisor.g.devices=['bess.main']"],
        "supervisor.g.devices.0 = 'bess.main': no such device; the scenario has: 'ups.a'",
    ),
    ([*GROUP, "supervisor.g.support='1 MW'"], "supervisor.g.support_below: must be given with support"),
    (
        [*GROUP, "supervisor.g.support='1 MW'", "supervisor.g.support_below='61 Hz'", "supervisor.g.support_full='59 Hz'"],
        "supervisor.g.support_below = '61 Hz': must be below grid.frequency = 60 Hz",
    ),
    (
        [*GROUP, "link.u.between=['supervisor.g', 'ups.a']", "mqtt.broker='mqtt://127.0.0.1:1'"],
        "link.u.between = ['supervisor.g', 'ups.a']: a link to a UPS needs mqtt.broker = 'own'",
    ),
    ([*LINK, "transport=direct"], "link.x: needs transport = 'wire'"),
    (["absorber.main={kind='high_pass',device='bess.main'}"], "absorber.main.time: missing; it has no default"),
    (
        ["absorber.main={kind='high_pass',device='bess.main',time='0 s'}"],
        "absorber.main.time = '0 s': must be above 0 s",
    ),
    (
        ["absorber.main={kind='high_pass',device='bess.main',time='1 s',soc_target=50}"],
        "absorber.main.soc_target = 50: must be between 0 and 1",
    ),
    (
        ["absorber.main={kind='high_pass',device='bess.main',time='1 s',restore_most='1 MW'}"],
        "absorber.main.restore_most = '1 MW': must be a number between 0 and 1",
    ),
    (
        ["absorber.main={kind='high_pass',device='bess.main',tme='1 s'}"],
        "absorber.main.tme: unknown key; did you mean 'time'?",
    ),
    (["absorber.main.kind=droop"], "absorber.main.ramp: unknown key for kind = 'droop'; a key of 'ramp_limit'"),
    (
        ["absorber.main={kind='none',device='bess.main',foo=1}"],
        "absorber.main.foo: unknown key; known keys: device, placement, share, filter, delay, update, stale_after, kind, ramp, ramp_down, time, soc_target, restore_time, restore_most, droop, deadband, law, parameters",
    ),
    (
        ["absorber.main={kind='droop',device='bess.main',share=0.5}"],
        "absorber.main.share = 0.5: each device answers the frequency by its own rating; there is nothing to share",
    ),
    (["absorber.main={kind='droop',device='bess.main',droop=0}"], "absorber.main.droop = 0: must be at least 1e-06"),
    (
        ["absorber.main={kind='droop',device='bess.main',delay='50 ms'}"],
        "absorber.main.delay = '50 ms': it answers the frequency, which is measured as [measurement] says, not the load",
    ),
    (
        ["absorber.main={kind='droop',device='bess.main',filter='20 ms'}"],
        "absorber.main.filter = '20 ms': it answers the frequency, which is measured as [measurement] says, not the load",
    ),
    (
        ["absorber.main={kind='high_pass',device='bess.main',time='1 s',restore_time='1e-300 s'}"],
        "absorber.main.restore_time = '1e-300 s': must be at least 1 s",
    ),
    (
        ["absorber.main={kind='high_pass',device='bess.main',time='1 s'}", "supervisor.energy.window=[0.6,0.8]"],
        "absorber.main.soc_target = 0.5: must be within supervisor.energy.window = [0.6, 0.8], which leads the same device",
    ),
    (
        ["absorber.main={kind='droop',device='bess.main',deadband=0.036}"],
        "absorber.main.deadband = 0.036: must be a frequency with its unit, such as '20 Hz'",
    ),
    (
        ["absorber.main={kind='none',device='bess.main',time='-1 s'}"],
        "absorber.main.time = '-1 s': must be above 0 s",
    ),
]
