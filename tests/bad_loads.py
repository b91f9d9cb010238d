"""What is refused of loads: overrides on the flagship, and the line that each of them gets."""

from __future__ import annotations

_SUM = "load={kind='sum',part={a={kind='training',power='5 MW'},f={kind='inference'}}}"
_CRASH = "events=[{kind='load_crash',at='60 s',"

LOADS = [
    (
        ["load={kind='inference',model='gpt-4',gpu='h100'}"],
        "load.model = 'gpt-4': must be 'llama-2-70b' or 'bloom-176b'",
    ),
    (
        ["load={kind='inference',model='llama-2-70b'}"],
        "load.model = 'llama-2-70b': must come with gpu = 'h100' or 'a100': of no other are its speeds known",
    ),
    (
        ["load={kind='inference',model='bloom-176b',gpu='l40s'}"],
        "load.model = 'bloom-176b': must come with gpu = 'h100' or 'a100': of no other are its speeds known",
    ),
    (
        ["load={kind='inference',model='llama-2-70b',gpu='h100',gpus_per_replica=3}"],
        "load.gpus_per_replica = 3: must be 2, 4 or 8 with model = 'llama-2-70b': of no other are its speeds known",
    ),
    (
        ["load={kind='inference',model='bloom-176b',gpu='a100',gpus_per_replica=4}"],
        "load.gpus_per_replica = 4: must be 8 with model = 'bloom-176b': of no other are its speeds known",
    ),
    (
        ["load={kind='inference',model='llama-2-70b',gpu='h100',decode_tokens_per_s=0}"],
        "load.decode_tokens_per_s = 0: must be above 0",
    ),
    (
        ["load={kind='inference',rate=1000,streams=11}"],
        "load.streams = 11: must, times rate = 1000, be at most 10,000, some 50,000 requests a second",
    ),
    (["load.schedule=[]"], "load.schedule = []: must not be empty"),
    (["load.schedule=[['2 s',1],['1 s',0.5]]"], "load.schedule = [['2 s', 1], ['1 s', 0.5]]: times must rise"),
    (["load.schedule=[['2 s',-1]]"], "load.schedule = [['2 s', -1]]: factors must be at least 0"),
    (
        ["load.schedule=[['2 MW',1]]"],
        "load.schedule.0.0 = '2 MW': must be a time, such as '40 ms'; units: s, ms, us, ns, µs, min, h, d",
    ),
    (["load.filler={fill=1.2}"], "load.filler.fill = 1.2: must be between 0 and 1"),
    (["load.filler={overhead=1}"], "load.filler.overhead = 1: must be below 1"),
    (["load.smoothing={}"], "load.smoothing.percent_tmp_floor: missing; it has a default only with a profile"),
    (
        ["load.smoothing={profile='gentle'}"],
        "load.smoothing.profile = 'gentle': must be 'conservative', 'moderate', 'aggressive' or 'balanced'",
    ),
    (["load.smoothing={profile='balanced'}"], "load.smoothing: needs the number of GPUs: gpus"),
    (
        ["load.gpus=1000", "load.smoothing={profile='balanced',percent_tmp_floor=95}"],
        "load.smoothing.percent_tmp_floor = 95: must be at most 90",
    ),
    (
        ["load.gpus=1000", "load.smoothing={profile='balanced',ramp_up_rate='70 W'}"],
        "load.smoothing.ramp_up_rate = '70 W': must be a power ramp, such as '18 MW/min'; units: W/s, W/min, W/h, kW/s, kW/min, kW/h, MW/s, MW/min, MW/h, GW/s, GW/min, GW/h",
    ),
    (
        ["load.gpus=1000", "load.smoothing={secondary_power_floor='90 W'}"],
        "load.smoothing.secondary_power_floor: unknown key; known keys: profile, percent_tmp_floor, ramp_up_rate, ramp_down_rate, ramp_down_hysteresis",
    ),
    (["load.rack={}"], "load.rack: needs the number of GPUs: gpus"),
    (
        ["load.gpus=1000", "load.rack={energy='65 W'}"],
        "load.rack.energy = '65 W': must be an energy, such as '65 J'; units: J, kJ, MJ, GJ, Wh, kWh, MWh, GWh",
    ),
    (["load.capping={}"], "load.capping.provisioned: missing; it has no default"),
    (["load.capping={provisioned='25 MW',t1=0.95}"], "load.capping.t2 = 0.89: must be at least t1 = 0.95"),
    (
        ["load.capping={provisioned='25 MW',t1=0.03,t2=0.9}"],
        "load.capping.hysteresis = 0.05: must be below t1 = 0.03, or no cap is ever taken back",
    ),
    (["load.supply={efficiency=0}"], "load.supply.efficiency = 0: must be above 0"),
    (["load.gpu='h200'"], "load.gpu = 'h200': must be 'h100' or 'a100'"),
    (["load.gpu_power='700 W'"], "load.gpu_power = '700 W': needs gpus, the number of GPUs"),
    (["load={kind='training',gpus=1000}"], "load.power: missing; it has no default"),
    (["load.optimiser_share=0.3"], "load.optimiser_share = 0.3: must leave compute_share and optimiser_share at 1 together"),
    (["load.straggle='300 ms'"], "load.straggle = '300 ms': must be at most 0.175333 s: 3 σ must fit the phases"),
    (
        ["load.straggle='100 ms'", "load.compute_share=1"],
        "load.straggle = '100 ms': needs a compute and a communication phase",
    ),
    (["load.nodes=8"], "load.nodes = 8: needs straggle, the spread of their times"),
    (
        ["load.overshoot=1.1", "load.overshoot_time='3 s'"],
        "load.overshoot_time = '3 s': must fit the compute phase, 3.104 s, with an edge on either side",
    ),
    (
        ["load.overshoot=1.9", "load.overshoot_time='500 ms'"],
        "load.overshoot = 1.9: is too much for a mean of power over 1 s, with these edges",
    ),
    (["load.overshoot=1.1", "load.compute_share=1"], "load.overshoot = 1.1: needs a compute phase, and another to rise from"),
    (["load.fall='36 s'", "load.restart_after='10 s'"], "load.restart_after = '10 s': must be at least fall, 36 s"),
    ([_CRASH + "load='a'}]"], "events.0.load = 'a': only where load.kind = 'sum'"),
    ([_CRASH + "to='26 MW'}]"], "events.0.to = '26 MW': must be at most the power of the job, 2.5e+07 W: it falls"),
    ([_CRASH + "fall='5 s',restart_after='2 s'}]"], "events.0.restart_after = '2 s': must be at least fall, 5 s"),
    (["load.restart_after='3 s'", _CRASH + "fall='5 s'}]"], "events.0.fall = '5 s': must be at most restart_after, 3 s"),
    ([_SUM], "events.0.load: missing; the sum has: 'a'"),
    ([_SUM, _CRASH + "load='f'}]"], "events.0.load = 'f': no such training job; the sum has: 'a'"),
    (
        [_SUM, "events=[]", "load.part.a.power_factor=0.9"],
        "load.part.a.power_factor = 0.9: must be 0.98, the power factor of the sum: it has one",
    ),
    (
        [_SUM, "events=[]", "load.part.f.iteration='2 s'"],
        "load.part.f.iteration: unknown key for kind = 'inference'; a key of 'training'",
    ),
    ([_SUM, "events=[]", "load.filler={}"], "load.filler: belongs to a part: it acts in the GPUs of one job"),
    (
        [_SUM, "events=[]", "load.part.a.gpus=7000", "load.smoothing={profile='balanced'}"],
        "load.smoothing: belongs to a part: it acts in the GPUs of one job",
    ),
    ([_SUM, "events=[]", "load.rack={}"], "load.rack: needs the number of GPUs: gpus and gpu_power, in each part"),
    (["load={kind='sum',part={}}", "events=[]"], "load.part: must not be empty"),
    (["load={kind='sum'}", "events=[]"], "load.part: missing; it has no default"),
    (
        ["load={kind='sum',part={a={kind='sum'}}}", "events=[]"],
        "load.part.a.kind = 'sum': must be one of 'training', 'inference', 'trace'",
    ),
    (
        ["load={kind='sum',part={a={kind='training',power='5 MW',copies=0}}}", "events=[]"],
        "load.part.a.copies = 0: must be at least 1",
    ),
]
