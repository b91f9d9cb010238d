"""`hil serve`: emulated devices alone on the wall clock, as clients that nobody here wrote see them."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import socket
import subprocess
import termios
import time

import pytest
from serve_rig import HIL, Serving
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from hil.fleet.script import MOST_STIMULI

pytestmark = pytest.mark.realtime


def eventually(what, patience_s: float = 30.0) -> None:
    """Wait until something is so; what fails on the way counts as not yet."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        try:
            if what():
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("still not so")


def bess(endpoint: dict) -> SunSpecModbusClientDeviceTCP:
    return SunSpecModbusClientDeviceTCP(
        slave_id=endpoint["unit"], ipaddr=endpoint["host"], ipport=endpoint["port"], timeout=10.0
    )


def test_pysunspec2_scans_and_commands_a_bess_without_a_scenario():
    with Serving("bess", "--rating", "2 MVA", "--energy", "4 MWh", "--soc", "0.6", "--unit", "7") as served:
        client = bess(served.devices["bess.main"])
        client.scan()
        client.connect()  # and stay so
        assert client.DERCapacity[0].WMaxRtg.cvalue == pytest.approx(2e6)
        control = client.DERCtlAC[0]
        control.WSet.cvalue, control.WSetEna.cvalue = 1e6, 1
        control.write()

        def obeyed() -> bool:
            measured = client.DERMeasureAC[0]
            measured.read()
            return abs(measured.W.cvalue - 1e6) < 1e4

        eventually(obeyed)
        told = served.wait("status")["devices"]["bess.main"]
        while told["last_write"] is None:
            told = served.wait("status")["devices"]["bess.main"]
        assert told["clients"] == 1
        assert told["last_write"]["point"] in ("set_w", "set_enable")
        assert told["soc"] == pytest.approx(0.6, abs=0.01)
        client.disconnect()
        assert served.end(signal.SIGTERM) == ("SIGTERM", 0)


@pytest.mark.peer("mbpoll")
def test_faults_are_given_by_hand():
    with Serving("bess", "--command", "silent bess.main 2 h") as served:
        served.wait("device_silent", device="bess.main")
        where = served.devices["bess.main"]
        poll = ["mbpoll", "-m", "tcp", "-p", str(where["port"]), "-a", "1", "-0", "-1", "-r", "40000", "-c", "2"]
        silent = subprocess.run([*poll, "-o", "0.5", where["host"]], capture_output=True, text=True)
        assert "timed out" in silent.stdout + silent.stderr
        served.type("stop 1 s")
        assert "disturbed already, by device_silent" in served.wait("refused")["problem"]
        served.type("dip 0.5 100 ms")
        served.wait("grid_dip", residual=0.5)
        served.wait("grid_dip_over")
        served.type("dip 0.7 2 h")
        served.wait("grid_dip", residual=0.7)
        served.type("calm")
        served.wait("grid_dip_over")
        served.type("\n".join(["loss 1kW 2h"] * MOST_STIMULI + ["dip 0.6 100 ms", "calm", "dip 0.6 100 ms"]))
        full = f"grid_dip: {MOST_STIMULI} dips and losses act already, and no more can; calm ends them"
        assert served.wait("refused")["problem"] == full
        served.wait("grid_dip", residual=0.6)
        assert served.end(signal.SIGINT) == ("SIGINT", 0)


def test_a_server_that_is_stopped_comes_back():
    with Serving("bess") as served:
        where = served.devices["bess.main"]["host"], served.devices["bess.main"]["port"]
        with socket.create_connection(where, timeout=30.0) as client:
            served.type("stop 500 ms")
            assert client.recv(1) == b""
        eventually(lambda: socket.create_connection(where, timeout=1.0).close() is None)
        served.type("quit")
        assert served.wait("stopped")["why"] == "quit"
        assert served.process.wait(30.0) == 0


@pytest.mark.peer("mosquitto")
def test_a_ups_stands_on_the_broker_that_is_there(mosquitto):
    url = f"mqtt://{mosquitto[0]}:{mosquitto[1]}"
    with Serving("ups", "--broker", url) as served:
        where = served.devices["ups.main"]
        assert (where["host"], where["port"]) == mosquitto
        assert served.wait("status")["devices"]["ups.main"]["clients"] is None
        served.type("broker 1 s")
        assert "needs the testbed's own broker" in served.wait("refused")["problem"]
        assert served.end(signal.SIGTERM) == ("SIGTERM", 0)


@pytest.mark.slow
def test_output_that_nobody_reads_holds_up_neither_devices_nor_the_end():
    command = [*HIL, "bess", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        where = json.loads(process.stdout.readline())["devices"]["bess.main"]
        for _ in range(40):  # 20 times what a pipe holds
            process.stdin.write("help\n" * 50)
            process.stdin.flush()
        client = bess(where)
        client.scan()
        assert client.DERMeasureAC[0].ACType.cvalue == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(30.0) == 0


@pytest.mark.peer("mosquitto_sub")
def test_mosquitto_sees_a_ups_come_and_go():
    with Serving("ups", "--rating", "50 kW", "--load", "0.8") as served:
        where = served.devices["ups.main"]
        watch = ["mosquitto_sub", "-h", where["host"], "-p", str(where["port"]), "-t", f"{where['topic']}/status", "-v"]
        with subprocess.Popen([*watch, "-C", "4"], stdout=subprocess.PIPE, text=True) as client:
            assert client.stdout is not None
            assert client.stdout.readline().split()[1] == "online"
            served.type("lost 300 ms")
            seen = [client.stdout.readline().split()[1] for _ in range(2)]
            assert seen == ["offline", "online"]  # the will, and that it is back
            assert served.end(signal.SIGINT) == ("SIGINT", 0)
            assert client.stdout.readline().split()[1] == "offline"  # the farewell


def test_a_scenario_is_served_without_our_controllers_and_begins_anew():
    events = "events=[{at='200 ms',kind='grid_dip',duration='100 ms',residual=0.5}]"
    with Serving("training_job_wire", "--set", events, "--set", "duration='1 s'") as served:
        through = served.devices["bess.main"]["through"]
        assert through["link"] == "link.main"
        client = bess(served.devices["bess.main"] | {"port": through["port"]})
        client.scan()
        assert client.DERCtlAC[0].WSetEna.cvalue == 0  # nobody has commanded it
        client.disconnect()
        first, second = (served.wait("grid_dip")["time_s"] for _ in range(2))
        assert second > first
        assert served.end(signal.SIGTERM) == ("SIGTERM", 0)


def test_a_port_that_is_taken_is_told_in_a_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = subprocess.run([*HIL, "bess", "--port", str(port)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert run.returncode == 2
    assert run.stderr == (
        f"hil serve bess: bess.main.listen = '127.0.0.1:{port}': cannot listen there (Address already in use); "
        f"port 0 takes any free one\n"
    )


def test_a_terminal_shows_a_table_takes_commands_and_is_restored():
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm", COLUMNS="150", LINES="40")
        os.execv(HIL[0], [*HIL, "bess"])
    before = termios.tcgetattr(terminal)
    shown = ""

    def shows(text: str) -> bool:
        nonlocal shown
        while select.select([terminal], [], [], 0.05)[0]:
            try:
                data = os.read(terminal, 65_536)
            except OSError:  # it has ended
                break
            shown += data.decode(errors="replace")
        return text in shown

    eventually(lambda: shows("modbus-tcp 127.0.0.1:"))
    assert not termios.tcgetattr(terminal)[3] & termios.ECHO
    os.write(terminal, b"silence\x7f\x7ft bess.main 100 ms\r")
    eventually(lambda: shows("device_speaks"))
    os.write(terminal, b"\x03")
    eventually(lambda: shows("stopped after"))
    assert termios.tcgetattr(terminal) == before
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
