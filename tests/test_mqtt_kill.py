"""A process that serves devices is killed: what a foreign client sees of it at a foreign broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import IO

import pytest
from command import HIL
from mqtt_support import mosquitto

SCENARIO = """
duration = "600 s"
[grid]
short_circuit = "500 MVA"
[load]
kind = "training"
power = "4 MW"
[ups.a]
rating = "6 MW"
[ups.a.mqtt]
home_assistant = true
victron_portal = "c0619ab4f585"
[meter.main]
rating = "10 MVA"
[meter.main.mqtt]
home_assistant = true
[mqtt]
site = "hall"
broker = "BROKER"
"""
DEVICES = ("hil/v1/hall/ups.a", "hil/v1/hall/meter.main")


def until(output: IO[str], wanted: set[tuple[str, str]]) -> None:
    """Read lines `topic payload` until all of them have come."""
    left = set(wanted)
    for line in output:
        topic, _, payload = line.rstrip("\n").partition(" ")
        left.discard((topic, payload))
        if not left:
            return
    pytest.fail(f"never came: {left}")


@pytest.mark.realtime
@pytest.mark.peer("mosquitto")
@pytest.mark.peer("mosquitto_sub")
def test_mosquitto_sub_sees_retained_state_and_after_a_kill_the_last_will(tmp_path: Path):
    with mosquitto(tmp_path) as broker:
        file = tmp_path / "hall.toml"
        file.write_text(SCENARIO.replace("BROKER", broker.url))
        listen = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port)]
        run = [*HIL, "run", str(file), "--clock", "wall"]
        with (
            subprocess.Popen(
                [*listen, "-t", "hil/v1/hall/+/status", "-F", "%t %p"], stdout=subprocess.PIPE, text=True
            ) as watch,
            subprocess.Popen([*run, "--runs", str(tmp_path / "runs")], stdout=subprocess.DEVNULL) as served,
        ):
            assert watch.stdout is not None
            try:
                until(watch.stdout, {(f"{device}/status", "online") for device in DEVICES})
                kept = _retained(listen, [f"{device}/+" for device in DEVICES], 6)
                for device, signal_name in zip(DEVICES, ("soc", "voltage_a_v"), strict=True):
                    assert json.loads(kept[f"{device}/state"])[signal_name] > 0.0
                    assert signal_name in json.loads(kept[f"{device}/meta"])["signals"]
                    assert kept[f"{device}/status"] == "online"
                found = _retained(listen, ["homeassistant/#"], 2)
                assert {json.loads(text)["availability_topic"] for text in found.values()} == {
                    f"{device}/status" for device in DEVICES
                }
                os.kill(served.pid, signal.SIGKILL)
                until(watch.stdout, {(f"{device}/status", "offline") for device in DEVICES})
                kept = _retained(listen, [f"{device}/status" for device in DEVICES], 2)
                assert set(kept.values()) == {"offline"}
            finally:
                served.kill()
                watch.kill()


def _retained(listen: list[str], filters: list[str], count: int) -> dict[str, str]:
    """What a client that comes anew is given at once, by topic."""
    topics = [argument for topic in filters for argument in ("-t", topic)]
    arguments = ["--retained-only", "-C", str(count), "-W", "20", "-F", "%t %p"]
    done = subprocess.run([*listen, *topics, *arguments], capture_output=True, text=True, check=True, timeout=60)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())
