"""`hil serve` on every wire, to clients that nobody here wrote; and faults that are taken back by hand."""

from __future__ import annotations

import asyncio
import signal
import ssl
import subprocess

import pytest
from certificates import Certificates, closed
from nut import nut
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient, AsyncModbusTlsClient
from serve_rig import HIL, Serving

pytestmark = pytest.mark.realtime

SUNS = [0x5375, 0x6E53]  # "SunS"


@pytest.mark.slow
@pytest.mark.peer("upsc", "huawei-ups2000")
def test_nut_sees_a_ups_on_a_line_run_low(tmp_path):
    """A battery of which little is left above the alarm."""
    place = tmp_path / "dev" / "ttyUPS"  # what the driver takes for a serial device has "/dev/tty" in its path
    place.parent.mkdir()
    battery = ["--energy", "3 kWh", "--soc", "0.21"]

    async def main(served: Serving) -> None:
        async with nut(tmp_path, "huawei-ups2000", port=place, pollinterval=1) as ups:
            shown = await ups.shows("OL")
            assert shown["device.model"] == "UPS2000A"
            served.type("dip 0 2 h")
            await ups.shows("OB", "LB", "DISCHRG")

    with Serving("ups", "--map", "huawei-ups2000", "--wire", "rtu", "--pty", str(place), *battery) as served:
        device = served.devices["ups.main"]
        assert device["protocol"] == "mqtt"
        line = {"baud": 9600, "parity": "none", "stop_bits": 1}
        on_modbus = {"protocol": "modbus_rtu", "path": str(place), "line": line, "unit": 1, "map": "huawei-ups2000"}
        assert device["modbus"] == on_modbus
        asyncio.run(main(served))
        assert served.end(signal.SIGTERM) == ("SIGTERM", 0)
    assert not place.is_symlink()


@pytest.mark.peer("mbpoll")
def test_mbpoll_polls_a_bess_on_a_line(tmp_path):
    place = tmp_path / "ttyBESS"
    settings = ["--baud", "19200", "--parity", "even", "--unit", "5"]

    def polled() -> str:
        line = ["-m", "rtu", "-a", "5", "-b", "19200", "-P", "even", "-0", "-1", "-r", "40000", "-c", "2", "-o", "1"]
        done = subprocess.run(["mbpoll", *line, str(place)], capture_output=True, text=True)
        return done.stdout + done.stderr

    with Serving("bess", "--wire", "rtu", "--pty", str(place), *settings) as served:
        assert all(str(register) in polled() for register in SUNS)
        served.type("connections_dropped 5 s")
        assert served.wait("refused")["problem"] == "connections_dropped: the wire of bess.main cannot have it"
        served.type("answers_garbled 2 h")
        served.wait("answers_garbled")
        assert "Invalid CRC" in polled()
        served.type("mend answers_garbled")
        served.wait("answers_garbled_over")
        served.type("stop 100 ms")  # the name comes back with it
        served.wait("server_stopped")
        served.wait("server_started", path=str(place))
        assert all(str(register) in polled() for register in SUNS)


def test_what_acts_is_taken_back_by_hand():
    with Serving("bess") as served:
        served.type("contactor_open")
        served.wait("contactor_open")
        served.type("silent 2 h")
        served.wait("device_silent")
        served.type("mend")
        acts = "contactor_open bess.main, device_silent bess.main"
        assert served.wait("refused")["problem"] == f"mend: nothing named; what acts: {acts}"
        served.type("mend silent")
        served.wait("device_speaks")
        served.type("mend contactor_open bess.main")
        served.wait("contactor_open_over")
        served.type("mend silent")
        assert served.wait("refused")["problem"] == "mend: device_silent does not act; what acts: nothing"
        served.type("contactor_open\nmend contactor_open\nsilent 2 h\nmend silent")  # before they have begun
        for event in ("contactor_open", "contactor_open_over", "device_silent", "device_speaks"):
            served.wait(event)


@pytest.mark.peer("openssl")
def test_pymodbus_reads_a_bess_over_tls(tmp_path):
    certificates = Certificates(tmp_path)
    (certificate, key), (authority, _) = certificates("server"), certificates("authority")
    files = ["--cert", str(certificate), "--key", str(key), "--clients", str(authority)]

    async def main(endpoint: dict) -> None:
        context = ssl.create_default_context(cafile=authority)
        context.load_cert_chain(*certificates("client", "UTF8String:Viewer"))
        client = AsyncModbusTlsClient(endpoint["host"], port=endpoint["port"], sslctx=context, timeout=10)
        assert await client.connect()
        assert (await client.read_holding_registers(40000, count=2)).registers == SUNS
        assert (await client.write_register(40000, 1)).exception_code == 1
        await closed(client)

    with Serving("bess", "--wire", "tls", *files, "--role", "Operator=all", "--role", "Viewer=read") as served:
        endpoint = served.devices["bess.main"]
        assert endpoint["protocol"] == "modbus_tls"
        asyncio.run(main(endpoint))


def test_pymodbus_reads_a_meter_whose_frames_are_rtu():
    async def main(endpoint: dict) -> None:
        client = AsyncModbusTcpClient(endpoint["host"], port=endpoint["port"], framer=FramerType.RTU, timeout=10)
        assert await client.connect()
        assert (await client.read_holding_registers(40000, count=2, device_id=9)).registers == SUNS
        client.close()

    with Serving("meter", "--wire", "rtu-over-tcp", "--unit", "9", "--broker", "own") as served:
        endpoint = served.devices["meter.main"]
        assert endpoint["mqtt"]["topic"] == "hil/v1/site/meter.main"
        asyncio.run(main(endpoint))


def test_a_name_that_something_else_has_is_left_alone(tmp_path):
    place = tmp_path / "notes"
    place.write_text("keep")
    run = subprocess.run([*HIL, "bess", "--wire", "rtu", "--pty", str(place)], capture_output=True, text=True, input="")
    assert (run.returncode, place.read_text()) == (2, "keep")
    assert run.stderr == f"hil serve bess: --pty = '{place}': cannot be served (File exists)\n"
