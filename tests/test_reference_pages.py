"""Pages that list what there is list all of it, and nothing else."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import get_args

import pytest

import hil
from controllers import StorageDevice, UpsDevice
from controllers.contracts import StorageSample, UpsMode, UpsSample
from hil.kernel.layout import FUNCTIONS, channel_names
from hil.limits.channels import (
    GENSET_CHANNELS,
    PSU_CHANNELS,
    SOURCE_CHANNELS,
    breaker_channels,
    forming_channels,
)
from hil.scenario.files import from_document
from hil.scenario.limit import Limit
from hil.scenario.limit.base import LimitSection, RelaySection
from hil.site.limits import function_channels

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def _part(page: str, start: str, end: str) -> str:
    """The text of a page from one phrase to the next other."""
    text = (DOCS / page).read_text(encoding="utf-8")
    assert text.count(start) == 1, start
    begin = text.index(start)
    return text[begin : text.index(end, begin + len(start))]


def _listed(table: str) -> list[str]:
    """Names in the first column of tables; of a call without what it is given, of a list of names each."""
    cells = re.findall(r"^\| ([^|]*`[^|]*) \|", table, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(?:await )?([\w.]+)(?:\([^`]*\))?`", cell)]


@pytest.mark.parametrize(
    ("contract", "names"),
    [
        (StorageDevice, [name for name in vars(StorageDevice) if not name.startswith("_")]),
        (StorageSample, [field.name for field in dataclasses.fields(StorageSample)]),
        (UpsDevice, [name for name in vars(UpsDevice) if not name.startswith("_")]),
        (UpsSample, [field.name for field in dataclasses.fields(UpsSample)]),
    ],
)
def test_what_a_supervisor_sees_and_sets_is_listed(contract, names):
    page = _part("supervisors.md", f"\n`controllers.{contract.__name__}`", "\n\n`")
    assert len(names) > 4
    assert sorted(_listed(page)) == sorted(names)


def test_the_modes_of_a_ups_are_listed():
    page = _part("supervisors.md", "what feeds the output, a `UpsMode`", "|")
    assert re.findall(r"`([A-Z]+)`", page) == [mode.name for mode in UpsMode]


def test_the_channels_of_a_run_are_listed():
    page = _part("runs.md", "## Signals", "\n## ")
    own = (*SOURCE_CHANNELS, *GENSET_CHANNELS, *PSU_CHANNELS, *forming_channels("bess.NAME"))
    assert sorted(_listed(page)) == sorted([*channel_names(["bess.NAME"], ["ups.NAME"]), *breaker_channels("NAME"), *own])


@pytest.mark.parametrize(("channel", "prefix"), [("mode", "MODE_"), ("rectifier", "RECTIFIER_")])
def test_the_numbers_of_a_ups_have_their_words(channel, prefix):
    firmware = (ROOT / "firmware_sim" / "kernel" / "ups.pxd").read_text(encoding="utf-8")
    numbers = {int(number): word for word, number in re.findall(rf"\n    {prefix}(\w+) = (\d+)", firmware)}
    told = re.findall(r"(\d) ([a-z-]+)", _part("runs.md", f"| `ups.NAME.{channel}` |", "|\n"))
    assert {int(number): word.upper().replace("-", "_") for number, word in told} == numbers


def test_the_fields_of_a_summary_are_listed():
    summary = hil.run(hil.load("training_job", ["duration='1 s'", "events=[]"])).summary()
    page = _part("ci.md", "## `summary.json`", "Of each limit")
    assert sorted(_listed(page)) == sorted(summary)
    limits = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8").partition("Of each limit")[2]
    assert sorted(_listed(limits)) == sorted(summary["limits"][0])


def test_the_registers_of_devices_are_listed(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from register_pages import DOCS, pages

    for name, page in pages().items():
        assert (DOCS / name).read_text(encoding="utf-8") == page, "make docs"


def test_the_packaged_profiles_are_listed(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from profiles_page import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page(), "make docs"


def test_the_channels_of_protection_functions_are_listed():
    band = {"band": ["1 Hz", "5 Hz"], "max": "1 MW", "window": "10 s"}
    steps = {"below": [[0.9, "1 s"]], "above": [[1.1, "1 s"]], "recovery": "1 s"}
    limits = [
        {"kind": "variation", "order": 2, **band},
        {"kind": "oscillation", **band},
        {"kind": "damping", "band": band["band"], "window": "10 s", "above": "20 MW", "min": 0.03},
        {"kind": "ramp", "form": "slope", "max": "1 MW/s", "window": "10 s"},
        {"kind": "ramp", "form": "block_average", "block_start": "7 s", "max": "1 MW/s", "window": "10 s"},
        {"kind": "volts_per_hertz", "max": 1.1},
        {"kind": "flicker", "lamp": "230 V", "max": 1.0},
        {"kind": "overcurrent", "base": "20 MVA", "pickup": 1.0},
        {"kind": "overcurrent", "node": "bess.NAME", "base": "20 MVA", "pickup": 1.0},
        {"kind": "underfrequency", "min": "59 Hz", "block_below": 0.8, "acts_as": "relay"},
        {"kind": "rocof", "max": "1 Hz/s", "window": "10 s", "acts_as": "relay"},
        {"kind": "rocof", "max": "1 Hz/s", "window": "10 s", "block_below": 0.8, "acts_as": "relay"},
        {"kind": "thermal_overload", "base": "20 MVA", "time_constant": "60 s"},
        {"kind": "ride_through", **steps},
        {"kind": "c_rate", "node": "bess.NAME", "max": 1.0},
        {"kind": "c_rate", "node": "ups.NAME", "max": 1.0},
        {"kind": "cell_voltage", "node": "bess.NAME", "min": "2.5 V", "max": "3.6 V"},
        {"kind": "dc_voltage", "node": "bess.NAME", "min": "1000 V", "release": "1020 V"},
        {"kind": "battery_temperature", "node": "bess.NAME", "min": "0 degC", "during": "charging"},
        {"kind": "battery_temperature", "node": "bess.NAME", "min": "0 degC", "during": "discharging"},
        {"kind": "overload", "node": "ups.NAME", "max": 1.0},
        {"kind": "overload", "node": "ups.NAME", "steps": [[1.1, "60 s"]]},
        {"kind": "output_voltage", "node": "ups.NAME", "below": [[0.9, "1 s"]]},
        {"kind": "transfers", "node": "ups.NAME", "max": 1, "window": "10 s"},
    ]
    sections = {
        "duration": "1 s",
        "grid": {"short_circuit": "500 MVA"},
        "load": {"kind": "training", "power": "4 MW"},
        "bess": {"NAME": {"rating": "5 MVA", "energy": "5 MWh"}},
        "ups": {"NAME": {"rating": "6 MW"}},
        "limits": [{"name": f"x{number}", **limit} for number, limit in enumerate(limits)],
        "measurement": {"frequency_uncertainty": "1 mHz"},
    }
    plain = {
        r"above_2e\+07_w": "above_LEAST_w",
        r"from_7_s": "from_START_s",
        r"1_5_hz": "f1_f2_hz",
        r"order_2": "order_N",
        r"10_s": "T_s",
        r"2e\+07": "BASE",
        r"0\.8_pu": "V_pu",
        r"limits\.x\d+": "limits.SLUG",
        r"0\.001": "LEAST",
    }
    found = set()
    for channel in function_channels(from_document(sections)):
        name = channel
        for pattern, written in plain.items():
            name = re.sub(pattern, written, name)
        found.add(name)
    cells = re.findall(
        r"\| ([^|]*) \|$", _part("protection.md", "| kind | function | reads | channel |", "\n\n"), re.MULTILINE
    )
    told = set()
    for cell in cells[1:]:
        names = re.findall(r"`([^`]+)`", cell)
        told |= {name if not name.startswith(".") else f"{names[0].rpartition('.')[0]}{name}" for name in names}
    told -= {"above"}
    told |= {name.replace("below", "above") for name in told if ".below_" in name}
    assert found == told


def _kinds() -> dict[str, type[LimitSection]]:
    """The model of each kind of limit."""
    return {kind.model_fields["kind"].default: kind for kind in get_args(get_args(Limit)[0])}


def test_every_kind_of_limit_is_in_the_table_of_protection():
    """With a timer where it has a delay, and with those of relays where it may be one."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", _part("protection.md", "| kind | number |", "\n\n"), re.MULTILINE)
    told = {kind: [cell.strip() for cell in cells.split(" | ")] for kind, cells in rows}
    kinds = _kinds()
    assert list(told) == list(dict.fromkeys(told))
    assert set(told) == set(kinds)
    for kind, cells in told.items():
        number, _, _, timer, _ = cells
        assert ("delay_s" in kinds[kind].model_fields) == ("consecutive" in timer or "definite" in timer), kind
        assert issubclass(kinds[kind], RelaySection) == ("resetting, cumulative" in timer), kind
        says = kinds[kind].__doc__ or ""
        if number.startswith("near "):
            assert f"nearest ANSI number: {number.removeprefix('near ')}," in says
        else:
            leads = re.match(r"(\d+[A-Z]?(?: and \d+)?):", says)
            assert number == (leads[1].replace(" and ", ", ") if leads else ""), kind


def test_every_family_of_functions_is_in_the_table_of_protection():
    rows = re.findall(r"^\| `(\w+)` \|", _part("protection.md", "| family |", "\n\n"), re.MULTILINE)
    assert rows == list(FUNCTIONS)
