"""What `hil serve` must refuse: commands by hand, and usage (see test_serve_parts.py)."""

DIP = "usage: dip RESIDUAL DURATION [fault=…] [settle=…] [judged=…]"
HAVE = "no such device; the scenario has"

COMMANDS = [
    ("dip 1.4 200ms", f"dip: residual = 1.4: must be below 1; {DIP}"),
    ("dip 0.4", f"dip: duration: missing; it has no default; {DIP}"),
    ("dip 0.4 1s 3", f"dip: 3: one word too many; {DIP}"),
    ("dip 0.4 1s at=3s", f"dip: at: unknown key; {DIP}"),
    (
        "silent bess.main 5",
        "silent: duration = 5: must be a time with its unit, such as '40 ms'; usage: silent DEVICE DURATION",
    ),
    (
        "silent bess.x 5s",
        f"silent: device = 'bess.x': {HAVE}: 'bess.main', 'ups.a', 'ups.b', 'ups.c', 'ups.d'; usage: silent DEVICE DURATION",
    ),
    (
        "lost bess.main 5s",
        f"lost: device = 'bess.main': {HAVE}: 'ups.a', 'ups.b', 'ups.c', 'ups.d'; usage: lost DEVICE DURATION",
    ),
    ("cut link.x 1s", "cut: link = 'link.x': no such link; the scenario has: none; usage: cut LINK DURATION"),
    ("load_crash", "load_crash: no such command; help lists them"),
    ("silnet bess.main 5s", "silnet: no such command; did you mean 'silent'?"),
    ("dip 'a", "dip 'a: no closing quotation"),
]

USAGE = [
    (
        ["nothing"],
        "nothing: no such scenario; name a .toml file or one of: hall, inference_replay, mitigation, training_job, training_job_wire; incidents: hil scenarios --incidents",
    ),
    (["hall", "--port", "1502"], "hall: --port: of a device alone (bess, ups, meter); a scenario has it in its file"),
    (
        ["hall", "--broker", "tcp://x"],
        "hall: mqtt.broker = 'tcp://x': must be mqtt://[user@]host[:port], such as 'mqtt://127.0.0.1:1883'",
    ),
    (["hall", "--for", "5"], "--for '5': must be a time, such as '40 ms'; units: s, ms, us, ns, µs, min, h, d"),
    (["bess", "--set", "seed=1"], "hil serve bess: --set: there is no scenario; its options are listed by --help"),
    (
        ["bess", "--map", "kaco"],
        (
            "hil serve bess: --map = 'kaco': a bess has no such map; there are: sunspec, kaco-gridsave, victron-ess, sungrow-sh, "
            "solaredge-storedge, fronius-gen24, sma-cyclic, foxess-h3"
        ),
    ),
    (
        ["bess", "--rating", "5 bar"],
        "hil serve bess: --rating = '5 bar': must be a power, such as '25 MW'; units: W, kW, MW, GW",
    ),
    (["bess", "--soc", "1.5"], "hil serve bess: --soc = 1.5: must be between 0 and 1"),
    (["bess", "--unit", "300"], "hil serve bess: --unit = 300: must be at most 247"),
    (
        ["bess", "--load", "-1"],
        "hil serve bess: --load = '-1': must be a power, such as '40 kW', or a share of the rating, 0 or more",
    ),
    (["bess", "--broker", "mqtt://127.0.0.1"], "hil serve bess: --broker: a bess has none"),
    (
        ["ups", "--unit", "3"],
        "hil serve ups: --unit: needs a map of registers: generic, huawei-ups2000, apc-smart-ups, contacts",
    ),
    (
        ["ups", "--map", "huawei"],
        (
            "hil serve ups: --map = 'huawei': a ups has no such map; there are: mqtt, generic, huawei-ups2000, apc-smart-ups, "
            "contacts"
        ),
    ),
    (["meter", "--soc", "0.5"], "hil serve meter: --soc: a meter has none"),
    (["hall", "--wire", "rtu"], "hall: --wire: of a device alone (bess, ups, meter)"),
    (["bess", "--wire", "udp"], "hil serve bess: --wire = 'udp': must be one of: tcp, rtu, rtu-over-tcp, tls"),
    (["bess", "--wire", "rtu"], "hil serve bess: --wire = 'rtu': needs either --serial DEVICE or --pty NAME"),
    (["bess", "--baud", "9600"], "hil serve bess: --baud: of --wire rtu alone"),
    (
        ["bess", "--wire", "rtu", "--pty", "x", "--parity", "mark"],
        "hil serve bess: --parity = 'mark': must be one of: none, even, odd",
    ),
    (["bess", "--wire", "rtu", "--pty", "x", "--port", "1502"], "hil serve bess: --port: a serial line has none"),
    (["ups", "--wire", "rtu-over-tcp"], "hil serve ups: --wire = 'rtu-over-tcp': needs a map of registers (--map)"),
    (["bess", "--wire", "tls"], "hil serve bess: --cert: missing; --wire tls needs --cert, --key and --clients"),
    (["bess", "--wire", "tls", "--cert", "x.pem"], "hil serve bess: --cert = 'x.pem': no such file"),
    (
        ["ups", "--energy", "5 kW"],
        "hil serve ups: --energy = '5 kW': must be an energy, such as '12.5 MWh'; units: Wh, kWh, MWh, GWh",
    ),
]
