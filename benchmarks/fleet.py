"""A hundred UPSs over MQTT and twenty batteries over Modbus in one process, in lock-step.

Figures: `realtime_factor`; `messages_per_s` and `requests_per_s` of scenario time, `messages_and_requests_per_wall_s` of the
wall clock; `connections`; `hashes`, how many waveforms its runs had (1: deterministic); `kernel_share`, the time of the kernel
alone over that of the run.
"""

from __future__ import annotations

import statistics

from bench import interleaved, report, seconds

import hil
from hil.scenario.files import from_document
from hil.session.run import Options, run_scenario

ROUNDS = 3
DURATION_S = 20.0
UPSS = 100
SYSTEMS = 20
GROUP = 10  # UPSs that one supervisor leads


def document() -> dict[str, object]:
    """A site of 100 MW; a dip at 5 s, so that the devices have something to say."""
    names = [f"u{number:03}" for number in range(UPSS)]
    ups = {name: {"rating": "1.2 MW", "walk_in": "5 s", "qualify": "2 s", "mqtt": {"rate": "5 Hz"}} for name in names}
    bess = {
        f"b{number:02}": {"rating": "3 MVA", "energy": "1.5 MWh", "driver": {"rate": "10 Hz"}} for number in range(SYSTEMS)
    }
    absorber = {
        name: {"kind": "ramp_limit", "device": f"bess.{name}", "ramp": "60 MW/min", "filter": "10 ms"} for name in bess
    }
    supervisor: dict[str, object] = {
        f"energy_{name}": {"kind": "soc_window", "device": f"bess.{name}", "rate": "10 Hz"} for name in bess
    }
    for start in range(0, UPSS, GROUP):
        led = [f"ups.{name}" for name in names[start : start + GROUP]]
        supervisor[f"hall_{start // GROUP}"] = {"kind": "ups_group", "devices": led, "ramp": "60 MW/min"}
    return {
        "title": "100 UPSs, 20 batteries",
        "duration": f"{DURATION_S} s",
        "seed": 7,
        "grid": {"short_circuit": "1 GVA"},
        "load": {"kind": "training", "power": "100 MW", "jitter": 0.01},
        "ups": ups,
        "bess": bess,
        "absorber": absorber,
        "supervisor": supervisor,
        "record": {"channels": ["pcc.*"]},
        "limits": [{"name": "27", "kind": "undervoltage", "min": 0.9, "delay": "100 ms", "required": True}],
        "events": [{"kind": "grid_dip", "at": "5 s", "duration": "150 ms", "residual": 0.4}],
    }


def main() -> None:
    """Measure and report."""
    scenario = from_document(document())
    runs: list[hil.Result] = []

    def run() -> float:
        runs.append(run_scenario(scenario, Options()))
        return runs[-1].wall_s

    def kernel() -> float:
        alone = hil.KernelRun(scenario, leave_out_controllers=True)
        return seconds(lambda: alone.advance(DURATION_S))

    taken = interleaved(ROUNDS, {"run": run, "kernel": kernel})
    traffic = runs[0].traffic
    carried = traffic["messages"] + traffic["requests"]
    report(
        "fleet",
        {
            "realtime_factor": DURATION_S / statistics.median(taken["run"]),
            "messages_per_s": traffic["messages"] / DURATION_S,
            "requests_per_s": traffic["requests"] / DURATION_S,
            "messages_and_requests_per_wall_s": carried / statistics.median(taken["run"]),
            "connections": 2 * UPSS + SYSTEMS,
            "hashes": len({result.waveform_hash for result in runs}),
            "kernel_share": statistics.median(taken["kernel"]) / statistics.median(taken["run"]),
        },
        ROUNDS,
    )


if __name__ == "__main__":
    main()
