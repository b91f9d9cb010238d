"""Recordings that cannot be read as asked, and the line that each must give."""

from __future__ import annotations

from comtrade_support import ANALOG, binary, configuration

from hil.recordings import Column, Text, TimeColumn

ROWS = [(place, 0, [place], []) for place in range(1, 5)]
GOOD = binary("BINARY", ROWS)


def replaced(old: str, new: str, **how: object) -> str:
    """A configuration that is right but for one text."""
    text = configuration(form="BINARY", **how)
    assert old in text
    return text.replace(old, new, 1)


# Name, contents, how it is asked for, and the line behind "FOLDER/".
TABLES = [
    (
        "a.csv",
        b"t_s;p\n0;1.234\n",
        {"text": Text(decimal=",")},
        "a.csv: line 2, column 'p': is '1.234'; must be a number; its decimals are asked for with ',', and not with '.'",
    ),
    (
        "a.csv",
        b"t_s,p\n0,1\n",
        {"columns": {"x": Column("p", kind="peak")}},
        "a.csv: x: kind: must be rms or waveform, and is 'peak'",
    ),  # type: ignore[arg-type]
    ("a.csv", b"", {}, "a.csv: empty"),
    ("a.csv", b"\n", {}, "a.csv: line 1: must hold the names of the columns"),
    (
        "a.csv",
        b"t_s\n1\n",
        {},
        "a.csv: line 1: one column only; there must be a time and a signal, with ',' or ';' or '\\t' between",
    ),
    ("a.csv", b"0,1\n1,2\n", {}, "a.csv: line 1: must hold the names of the columns, and holds numbers"),
    ("a.csv", b"t_s,p", {}, "a.csv: no samples in it"),
    ("a.csv", b"t_s,p\n", {}, "a.csv: no samples in it"),
    ("a.csv", b"t_s,p\n\n\n", {}, "a.csv: no samples in it"),
    ("a.csv", b"t_s,p\n,1\n", {}, "a.csv: no samples in it"),
    ("a.csv", b"t_s,p\n0,1\n1,2,3\n", {}, "a.csv: line 3: has 3 cells; must have 2"),
    ("a.csv", b"t_s,p\n0,1\n\n1\n", {}, "a.csv: line 4: has 1 cell; must have 2"),
    ("a.csv", b"t_s,p\n0,1\n1,2 kW\n", {}, "a.csv: line 3, column 'p': is '2 kW'; must be a number"),
    (
        "a.csv",
        b"t_s;p\n0;1,5\n",
        {},
        "a.csv: line 2, column 'p': is '1,5'; must be a number; its decimals are asked for with '.', and not with ','",
    ),
    ("a.csv", b"t_s,p\n0,1_000\n", {}, "a.csv: line 2, column 'p': is '1_000'; must be a number"),
    (
        "a.csv",
        b"t_s,p\nnow,1\n",
        {},
        "a.csv: line 2, column 't_s': is 'now'; must be an ISO 8601 timestamp with its zone, such as 2026-11-29T12:00:00.5+01:00, or the zone of all be said",
    ),
    ("a.csv", b"t_s,p\n0,1\nsoon,2\n", {}, "a.csv: line 3, column 't_s': is 'soon'; must be a number of s"),
    (
        "a.csv",
        b"t,p\n0,1\n",
        {},
        "a.csv: column 't': the time is in numbers; say whether in s, ms, us, ns, or let its name end so",
    ),
    (
        "a.csv",
        b"t,p\n2026-02-30T00:00:00Z,1\n",
        {},
        "a.csv: line 2, column 't': is '2026-02-30T00:00:00Z'; must be an ISO 8601 timestamp with its zone, such as 2026-11-29T12:00:00.5+01:00, or the zone of all be said",
    ),
    (
        "a.csv",
        b"t,p\n2026-11-29T00:00:00Z,1\n",
        {"time": TimeColumn(zone="Z")},
        "a.csv: line 2, column 't': is '2026-11-29T00:00:00Z'; must be an ISO 8601 timestamp without a zone, since one is said for all",
    ),
    (
        "a.csv",
        b"t_s,p\n0,1\n",
        {"time": TimeColumn(zone="CET")},
        "a.csv: time: zone 'CET': must be Z, or a difference from UTC such as +02:00",
    ),
    ("a.csv", b"t_s,p\n0,1\n", {"time": TimeColumn(unit="h")}, "a.csv: time: its unit must be s, ms, us, ns or iso"),  # type: ignore[arg-type]
    ("a.csv", b"t_s,p\n0,1\n", {"time": "when"}, "a.csv: no column 'when' for the time; there is t_s, p"),
    ("a.csv", b"t_s,t_s\n0,1\n", {}, "a.csv: 2 columns are named 't_s', which is the time's; it must be one"),
    ("a.csv", b"t_s,p,p\n0,1,2\n", {}, "a.csv: 2 columns are named 'p'; it must be one"),
    ("a.csv", b"t_s,p,p\n0,1,2\n", {"columns": {"p": "p"}}, "a.csv: 2 columns are named 'p'; it must be one"),
    ("a.csv", b"t_s,p\n0,1\n", {"columns": {"pcc.power_w": "P"}}, "a.csv: no column 'P'; there is p"),
    (
        "a.csv",
        b"t_s,p\n0,1\n",
        {"columns": {"x": Column("p", scale=2.0, unit="kW")}},
        "a.csv: x: has a scale and a unit; give one of them",
    ),
    (
        "a.csv",
        b"t_s,p\n0,1\n",
        {"columns": {"x": Column("p", scale=0.0)}},
        "a.csv: x: scale and offset must be finite, and the scale not 0",
    ),
    ("a.csv", "t_s,p\n0,1\n1,2 °\n".encode("latin-1"), {}, "a.csv: line 3: not text in utf-8; say its encoding"),
    ("a.csv", "t_s,°C\n0,1\n".encode("latin-1"), {}, "a.csv: line 1: not text in utf-8, at byte 4; say its encoding"),
    ("a.csv", "t_s,p\n0,1\n".encode("utf-16"), {}, "a.csv: is UTF-16, of which CSV files are not read; write it as UTF-8"),
    ("a.csv", b"t_s,p\n0,1\n", {"text": Text(encoding="klingon")}, "a.csv: encoding 'klingon': no such encoding"),
    (
        "a.csv",
        b"t_s,p\n0,1\n",
        {"text": Text(decimal=",")},
        "a.csv: text: the delimiter ',' must be another sign, and not that of the decimals",
    ),
    (
        "a.csv",
        b"t_s,p\n0,1\n",
        {"text": Text(decimal="'")},
        "a.csv: text: the decimal sign must be . or , and the delimiter one character",
    ),
    ("a.csv", b"t_s,p\n-1e308,1\n1e308,2\n", {}, "a.csv: its times are beyond all bounds"),
    (
        "a.xlsx",
        b"",
        {},
        "a.xlsx: its suffix must be .csv, .tsv, .txt, .parquet, .arrow, .feather, .cfg, .dat, .cff; or it is the folder of a run",
    ),
    ("a.feather", b"FEA1\0\0", {}, "a.feather: is Feather 1, which is not read; write it as Feather 2 or Parquet"),
    ("a.arrow", b"", {}, "a.arrow: not an Arrow file, or damaged: it has no schema"),
    ("a.arrow", b"PAR1" + bytes(50), {}, "a.arrow: not an Arrow file, or damaged: it has no schema"),
]

# A configuration in place of the right one, how it is asked for, and the line.
CONFIGURATIONS = [
    (b"", {}, "fault.cfg: line 1: station, device and revision: has 1 fields; must have 2 or 3"),
    (
        replaced("Station,Device,1999", "Station,Device,1997"),
        {},
        "fault.cfg: line 1: revision: must be 1991, 1999, 2001, 2013, or left out for 1991, and is '1997'",
    ),
    (
        replaced("1,1A,0D", "2,1A,0D"),
        {},
        "fault.cfg: line 2: number of channels: must be the sum of 1 analog and 0 status channels, and is 2",
    ),
    (replaced("1,1A,0D", "1,1,0"), {}, "fault.cfg: line 2: numbers of channels: must be as 8,6A,2D, and are 1,1,0"),
    (
        replaced("1,1A,0D", "0,0A,0D", analog=["1,,,,,1,0,0,0,0,1,1,P"]),
        {},
        "fault.cfg: line 2: number of channels: must be a whole number from 1 to 999999, and is '0'",
    ),
    (replaced(",0.5,10,", ",0.5,"), {}, "fault.cfg: line 3: analog channel 1: has 12 fields; must have 13"),
    (replaced(",0.5,10,", ",0_5,10,"), {}, "fault.cfg: line 3: analog channel 1: a: must be a number, and is '0_5'"),
    (replaced(",0.5,10,", ",0.5,1e999,"), {}, "fault.cfg: line 3: analog channel 1: b: must be a number, and is '1e999'"),
    (replaced(",2000,1,S", ",2000,1,Q"), {}, "fault.cfg: line 3: analog channel 1: PS: must be P or S, and is 'Q'"),
    (
        replaced(",2000,1,S", ",2000,0,S"),
        {},
        "fault.dat: channel 'IA': a ratio of 2000 to 0 leads to no other side; take recorded",
    ),
    (replaced("", ""), {"side": "third"}, "fault.dat: side: must be primary, secondary or recorded, and is 'third'"),
    (replaced("\n50\r", "\nfifty\r"), {}, "fault.cfg: line 4: line frequency: must be a number, and is 'fifty'"),
    (
        replaced("\n1\r\n1000,4", "\n-1\r\n1000,4"),
        {},
        "fault.cfg: line 5: number of rates: must be a whole number from 0 to 999, and is '-1'",
    ),
    (replaced("1000,4", "1000"), {}, "fault.cfg: line 6: rate and last sample: has 1 fields; must have 2"),
    (
        replaced("1000,4", "-1000,4"),
        {},
        "fault.cfg: line 6: rate: must be above 0 Hz, or 0 where the number of rates is 0, and is '-1000'",
    ),
    (
        replaced("1000,4", "1000,0"),
        {},
        "fault.cfg: line 6: last sample: must be a whole number from 1 to 9999999999, and is '0'",
    ),
    (
        replaced("1\r\n1000,4", "2\r\n1000,4\r\n100,4"),
        {},
        "fault.cfg: line 7: last sample: must be a whole number from 5 to 9999999999, and is '4'",
    ),
    (
        replaced("29/11/2026", "11/29/2026"),
        {},
        "fault.cfg: line 7: date and time of the first sample: 11/29/2026 12:00:00.250000: month must be in 1..12; the day stands first",
    ),
    (
        replaced("29/11/2026", "2026-11-29"),
        {},
        "fault.cfg: line 7: date and time of the first sample: the date must be as 31/12/1999, and is '2026-11-29'",
    ),
    (
        replaced("12:00:00.250000", "12:00:00.2500000000"),
        {},
        "fault.cfg: line 7: date and time of the first sample: the time must be as 23:59:59.999999, with at most 9 digits behind the point, and is '12:00:00.2500000000'",
    ),
    (
        replaced("12:00:00.250000", "25:00:00"),
        {},
        "fault.cfg: line 7: date and time of the first sample: 29/11/2026 25:00:00: hour must be in 0..23; the day stands first",
    ),
    (
        replaced("\nBINARY\r", "\nBINARY64\r"),
        {},
        "fault.cfg: line 9: form of the data: must be ASCII, BINARY, BINARY32, FLOAT32, and is 'BINARY64'",
    ),
    (
        replaced("BINARY\r\n1\r", "BINARY\r\n0\r"),
        {},
        "fault.cfg: line 10: multiplier of time stamps: must be above 0, and is '0'",
    ),
    (replaced("BINARY\r\n1\r\n", ""), {}, "fault.cfg: ends after line 8, before form of the data"),
    (
        configuration(form="BINARY", revision="2013", end=["1", "5.5,0", "0,0"]),
        {},
        "fault.cfg: line 11: time code: must be a difference from UTC such as -5h30, or x, and is '5.5'",
    ),
    (replaced("1000,4", "1000,5"), {}, "fault.dat: holds 4 samples, and the configuration says 5; cut short"),
    (replaced("1000,4", "1000,3"), {}, "fault.dat: holds 4 samples, and the configuration says 3"),
    (replaced("1000,4", "1e-320,4"), {}, "fault.cfg: its times are beyond all bounds"),
    (
        replaced("\nBINARY\r", "\nFLOAT32\r"),
        {},
        "fault.dat: 40 bytes are no whole number of samples of 12: cut short, or not FLOAT32",
    ),
    (replaced("\nBINARY\r", "\nASCII\r"), {}, None),  # binary data as text: what of it is said first does not matter
    (configuration(form="BINARY"), {"columns": {"x": "IB"}}, "fault.cfg: no column 'IB'; there is IA"),
]

# Data in place of the right ones, with a configuration, and the line.
DATA = [
    (configuration(form="BINARY"), b"", "fault.dat: holds 0 samples, and the configuration says 4; cut short"),
    (
        configuration(form="BINARY"),
        GOOD[:-1],
        "fault.dat: 39 bytes are no whole number of samples of 10: cut short, or not BINARY",
    ),
    (configuration(form="BINARY"), GOOD[:-10], "fault.dat: holds 3 samples, and the configuration says 4; cut short"),
    (configuration(), b"", "fault.dat: holds 0 samples, and the configuration says 4; cut short"),
    (configuration(), b"1,0,1\r\n2,0,2\r\n", "fault.dat: holds 2 samples, and the configuration says 4; cut short"),
    (configuration(), b"1,0,1\r\n2,0\r\n", "fault.dat: line 2: has 2 cells; must have 3"),
    (configuration(), b"1,0,1\r\n2,0,?\r\n", "fault.dat: line 2: analog channel 1: must be a number, and is '?'"),
    (configuration(), b"1,0,1\r\n2,x,3\r\n", "fault.dat: line 2: time stamp: must be a number, and is 'x'"),
    (
        configuration(rates=["1", "1,1"], status=["1,T,,,0"]),
        b"1,0,1,2\r\n",
        "fault.dat: sample 1: status channel 'T' must be 0 or 1, and is 2",
    ),
    (configuration(rates=["0", "0,1"]), b"1,,1\r\n", "fault.cfg: no samples in it"),
]

HEAD = f"--- file type: CFG ---\r\n{configuration(form='BINARY', revision='2013', end=['1', '0,0', '0,0'])}".encode()
SINGLE = [
    (b"", "a.cff: ends before its data: there is no --- file type: DAT ---"),
    (HEAD, "a.cff: ends before its data: there is no --- file type: DAT ---"),
    (b"Station\r\n", "a.cff: line 1: must be --- file type: CFG ---"),
    (b"--- file type: DAT BINARY: 40 ---\r\n" + GOOD, "a.cff: line 1: data before the configuration"),
    (
        HEAD + b"--- file type: DAT BINARY: 50 ---\r\n" + GOOD,
        "a.cff: cut short: its data have 50 bytes, of which 40 are there",
    ),
    (
        HEAD + b"--- file type: DAT BINARY: 30 ---\r\n" + GOOD,
        "a.cff: holds 3 samples, and the configuration says 4; cut short",
    ),
    (
        HEAD + b"--- file type: DAT ASCII ---\r\n" + GOOD,
        "a.cff: line 14: data in ASCII, and BINARY in the configuration; of ASCII, BINARY, BINARY32, FLOAT32",
    ),
    (HEAD + HEAD, "a.cff: line 14: a second configuration; there must be one"),
    (HEAD.replace(b"0.5,10", b"0.5,ten"), None),
    (
        HEAD.replace(b"0.5,10", b"0.5,ten") + b"--- file type: DAT BINARY: 40 ---\r\n" + GOOD,
        "a.cff: line 4: analog channel 1: b: must be a number, and is 'ten'",
    ),
]
assert ANALOG in configuration()
