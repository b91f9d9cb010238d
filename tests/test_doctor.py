"""What `hil doctor` knows of a machine, which rates it calls honest, what it advises, and what later runs are told."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from machines import BENCH, GUEST, LAPTOP, LIMITS, made

from hil.doctor import saved
from hil.doctor.advice import advice
from hil.doctor.bands import RATES_HZ, Band, Lateness, fastest, judged, linuxcnc
from hil.doctor.facts import Facts, cpu_list, read_facts


@pytest.fixture
def bench(tmp_path: Path) -> Facts:
    return replace(read_facts(made(tmp_path, BENCH)), system="Linux", machine="x86_64")


def keys(facts: Facts, *, priority_obtained: bool = True, stolen_share: float | None = 0.0) -> dict[str, str | None]:
    found = advice(facts, priority_obtained=priority_obtained, stolen_share=stolen_share)
    assert len({one.key for one in found}) == len(found)
    assert not any("\n" in f"{one.problem}{one.command}" for one in found)
    return {one.key: one.command for one in found}


def test_a_bench_is_read_as_it_stands_there(bench):
    assert bench.evidence() == {
        "kernel": "6.12.48+deb13-rt-amd64",
        "preemption": "PREEMPT_RT",
        "kernel_parameters": "root=/dev/sda1 isolcpus=managed_irq,domain,3 nohz_full=3 rcu_nocbs=3",
        "cpu_model": "Intel(R) Core(TM) i5-12400",
        "cpus": 4,
        "governors": ["performance"],
        "isolated_cpus": [3],
        "virtualisation": None,
        "container": None,
        "clocksource": "tsc",
    }
    assert (bench.node, bench.distribution, bench.cpus, bench.nohz_full_cpus) == ("bench", "debian", (0, 1, 2, 3), (3,))
    assert (bench.rtprio_limit, bench.memlock_limit_bytes, bench.may_set_priority, bench.may_lock_memory) == (
        99, None, False, False,
    )  # fmt: skip
    assert (bench.smt, bench.swap, bench.dma_latency, bench.rt_group, bench.load_1min) == (False, False, True, False, 0.05)
    assert json.loads(json.dumps(bench.evidence())) == bench.evidence()


def test_nothing_is_to_be_changed_on_a_bench(bench):
    assert keys(bench) == {}


def test_a_system_that_tells_nothing_is_unknown_not_wrong(tmp_path):
    facts = read_facts(tmp_path)
    assert facts.evidence() | {"kernel": "", "cpus": 0} == {
        "kernel": "", "preemption": None, "kernel_parameters": None, "cpu_model": None, "cpus": 0, "governors": [],
        "isolated_cpus": [], "virtualisation": None, "container": None, "clocksource": None,
    }  # fmt: skip
    assert facts.node
    assert facts.kernel
    assert len(facts.cpus) >= 1
    elsewhere = {"priority", "memory", "governor", "kernel", "preemption", "clock", "swap", "load", "virtual machine"}
    assert keys(replace(facts, system="Linux")).keys().isdisjoint(elsewhere)
    assert list(keys(replace(facts, system="Darwin"), priority_obtained=False)) == ["system"]


def test_everything_in_the_way_is_told_with_a_command(tmp_path):
    facts = replace(read_facts(made(tmp_path, LAPTOP)), system="Linux", machine="x86_64", dma_latency=False)
    assert facts.preemption == "PREEMPT_DYNAMIC (voluntary)"
    assert facts.governors == ("powersave", "schedutil")
    commands = keys(facts, priority_obtained=False)
    assert list(commands) == [
        "priority", "memory", "idle states", "governor", "clock", "hyper-threading", "preemption", "kernel", "isolation",
        "swap", "load",
    ]  # fmt: skip
    assert commands["priority"].startswith('echo "$USER - rtprio 99" | sudo tee -a /etc/security/limits.d/')
    assert "memlock unlimited" in commands["memory"]
    assert 'KERNEL=="cpu_dma_latency"' in commands["idle states"]
    assert commands["governor"].endswith("/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor")
    assert "clocksource=tsc tsc=reliable" in commands["clock"]  # there is none to change to as it runs
    assert commands["kernel"] == "sudo apt install linux-image-rt-amd64 && sudo reboot"
    assert "isolcpus=managed_irq,domain,7 nohz_full=7 rcu_nocbs=7" in commands["isolation"]
    assert commands["swap"] == "sudo swapoff -a"


@pytest.mark.parametrize(
    ("change", "key", "command"),
    [
        ({"governors": ("performance", "powersave")}, "governor", "echo performance | sudo tee"),
        ({"clocksource": "hpet", "clocksources": ("hpet", "tsc")}, "clock", "echo tsc | sudo tee"),
        ({"smt": True}, "hyper-threading", "echo off | sudo tee"),
        ({"preemption": "PREEMPT", "distribution": "ubuntu"}, "kernel", "sudo pro enable realtime-kernel"),
        ({"preemption": "none", "distribution": "arch"}, "kernel", None),
        ({"isolated_cpus": ()}, "isolation", "isolcpus=managed_irq,domain,3 "),
        ({"nohz_full_cpus": ()}, "isolation", '$GRUB_CMDLINE_LINUX nohz_full=3 rcu_nocbs=3"'),
        ({"rtprio_limit": 40}, "priority", "rtprio 99"),
        ({"memlock_limit_bytes": 2**26}, "memory", "memlock unlimited"),
        ({"dma_latency": False}, "idle states", "/etc/udev/rules.d/"),
        ({"swap": True}, "swap", "sudo swapoff -a"),
        ({"load_1min": 3.9}, "load", "top"),
        ({"virtualisation": "KVM"}, "virtual machine", None),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_one_thing_in_the_way_is_one_line(bench, change, key, command):
    (only,) = keys(replace(bench, **change)).items()
    assert only[0] == key
    assert (command is None) == (only[1] is None)
    assert command is None or command in only[1]


@pytest.mark.parametrize(
    "change",
    [
        {"may_set_priority": True, "rtprio_limit": 0},  # root, or the capability
        {"may_lock_memory": True, "memlock_limit_bytes": 2**16},
        {"dma_latency": None},  # nothing that could be written
        {"cpus": (0,), "isolated_cpus": ()},
        {"clocksource": "kvm-clock"},
        {"clocksource": "arch_sys_counter"},
        {"smt": None},
        {"load_1min": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_in_order_is_not_told(bench, change):
    assert keys(replace(bench, **change)) == {}


def test_a_priority_that_is_refused_in_spite_of_permission_is_the_groups(bench):
    assert keys(replace(bench, rt_group=True), priority_obtained=False) == {
        "priority": "echo 950000 | sudo tee /sys/fs/cgroup/cpu/GROUP/cpu.rt_runtime_us"
    }


def test_a_guest_is_told_that_its_host_decides(tmp_path):
    facts = replace(read_facts(made(tmp_path, BENCH, GUEST)), system="Linux", machine="x86_64")
    assert facts.virtualisation == "KVM, Amazon EC2 m7a.large"
    assert facts.container == "docker"
    (only,) = advice(facts, priority_obtained=True, stolen_share=0.031)
    assert "3.1 % of the time" in only.problem
    assert only.command is None
    limited = replace(facts, rtprio_limit=0, governors=("powersave",))
    commands = keys(limited)
    assert commands["priority"].startswith("docker run --cap-add SYS_NICE --ulimit rtprio=99")
    assert commands["governor"].startswith("on the container's host: echo performance")


def test_stolen_time_shows_a_hypervisor_that_hides(bench):
    assert list(keys(bench, stolen_share=0.02)) == ["virtual machine"]
    assert keys(bench, stolen_share=None) == {}


def test_limits_are_those_of_the_process(tmp_path):
    tree = {"proc/self/limits": LIMITS.format(memlock=65536, rtprio=20), "proc/self/status": "CapEff:\t0000000000804000\n"}
    facts = read_facts(made(tmp_path, tree))
    assert (facts.memlock_limit_bytes, facts.rtprio_limit) == (65536, 20)
    assert (facts.may_set_priority, facts.may_lock_memory) == (True, True)


def test_a_board_is_known_by_its_device_tree(tmp_path):
    tree = {
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd\n",
    }
    assert read_facts(made(tmp_path, tree)).cpu_model == "Raspberry Pi 5 Model B Rev 1.0"


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("", ()), ("(null)", ()), ("0", (0,)), ("0-3", (0, 1, 2, 3)), ("1,3-4,8", (1, 3, 4, 8)), ("0-3\n", (0, 1, 2, 3))],
)
def test_lists_of_cores(text, cpus):
    assert cpu_list(text) == cpus


def lateness(*late_us: tuple[float, int]) -> Lateness:
    return Lateness(tuple((round(us * 1e3), count) for us, count in late_us), round(late_us[-1][0] * 1e3))


@pytest.mark.parametrize(
    ("late", "band"),
    [
        (lateness((50, 30_000)), Band.GOOD),
        (lateness((50, 29_970), (200, 30)), Band.GOOD),  # 99.9 % within a tenth
        (lateness((50, 29_900), (200, 100)), Band.USABLE),
        (lateness((50, 29_999), (1200, 1)), Band.USABLE),  # one of thirty thousand missed
        (lateness((50, 29_960), (1200, 40)), Band.DOUBTFUL),
        (lateness((50, 29_700), (1200, 300)), Band.NO),  # one in a hundred, but it may be more
        (lateness((50, 15_000), (1200, 15_000)), Band.NO),
        (lateness((50, 2_900)), Band.DOUBTFUL),  # too few to know
        (lateness((50, 200)), Band.NO),
    ],
)
def test_the_band_of_a_rate(late, band):
    (rate,) = judged(late, [1000.0])
    assert rate.band is band
    assert rate.missed_share == late.beyond(1e6) / late.ticks <= rate.missed_at_most <= 1.0


def test_nothing_measured_is_no_band():
    assert judged(Lateness((), 0)) == []
    assert fastest([], Band.NO) is None


def test_a_rate_is_honest_only_if_the_slower_ones_are():
    rates = judged(lateness((50, 29_000), (250, 999), (3000, 1)))
    assert [rate.rate_hz for rate in rates] == list(RATES_HZ)
    assert fastest(rates, Band.GOOD) == 200.0
    assert fastest(rates, Band.USABLE) == 2000.0
    assert fastest(judged(lateness((20_000, 30_000))), Band.USABLE) is None


def test_quantiles_are_those_of_what_was_counted():
    late = lateness((10, 50), (20, 49), (900, 1))
    assert [late.quantile_ns(share) for share in (0.5, 0.501, 0.99, 0.999)] == [10_000, 20_000, 20_000, 900_000]
    assert [late.beyond(us * 1e3) for us in (5, 10, 20, 899, 900)] == [100, 50, 1, 1, 0]


@pytest.mark.parametrize("missed", [0, 1, 5, 100])
def test_what_may_truly_be_missed_is_the_poisson_bound(missed):
    (rate,) = judged(lateness((50.0, 10_000 - missed), *([(2000.0, missed)] if missed else [])), [1000.0])
    mean = rate.missed_at_most * 10_000
    so_few = sum(math.exp(-mean) * mean**count / math.factorial(count) for count in range(missed + 1))
    assert so_few == pytest.approx(0.05, abs=0.001)


def test_what_one_rate_meets_the_others_would_have_met():
    """A processor that is taken away at random: deadlines of 1 kHz and of 10 kHz find the same share of lateness."""
    rng = np.random.default_rng(5)
    starts_s = np.sort(rng.uniform(0.0, 100.0, 6000))
    ends_s = np.maximum.accumulate(starts_s + rng.exponential(0.0007, starts_s.size))

    def shares(rate_hz: float) -> list[float]:
        due_s = np.arange(1, int(100 * rate_hz)) / rate_hz
        last = np.searchsorted(starts_s, due_s, side="right") - 1
        late_s = np.where(last >= 0, np.maximum(0.0, ends_s[last] - due_s), 0.0)
        values, counts = np.unique(np.round(late_s * 1e5).astype(int) * 10_000, return_counts=True)
        bins = tuple(zip(values.tolist(), counts.tolist(), strict=True))
        return [rate.missed_share for rate in judged(Lateness(bins, int(values[-1])), [1000.0, 2000.0, 10_000.0])]

    assert shares(1000.0) == pytest.approx(shares(10_000.0), rel=0.1)


def test_the_words_are_linuxcncs():
    words = [linuxcnc(us) for us in (15.0, 40.0, 90.0, 900.0, 1100.0)]
    assert len(set(words)) == 5
    assert words[0].startswith("very good")
    assert words[-1].startswith("over 1 ms: no candidate")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "ridethrough" / "doctor.json"


def result(facts: Facts) -> dict[str, object]:
    kept = {
        "at": "2026-11-29T07:00:00+00:00", "seconds": 30.0, "load": False, "rate_hz": 1000.0, "lateness_us": {"max": 60.0},
        "obtained": {"scheduler": "SCHED_FIFO"}, "rates": [{"rate_hz": 1000.0, "band": "good"}],
    }  # fmt: skip
    return {"machine": saved.identity(facts), "advice": [], **kept}


def test_a_result_is_kept_for_later_runs(bench, state):
    assert saved.last(bench) == {"tested": False}
    for _ in range(2):
        saved.save(result(bench), state)
        found = saved.last(bench)
        assert found == {"tested": True, "differs": [], **{key: value for key, value in result(bench).items() if key in found}}
        assert found["rates"] == [{"rate_hz": 1000.0, "band": "good"}]
    assert [file.name for file in state.parent.iterdir()] == ["doctor.json"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kernel": "6.12.60"}, ["kernel: 6.12.48+deb13-rt-amd64 then, 6.12.60 now"]),
        ({"node": "other", "cpus": (0, 1)}, ["node: bench then, other now", "cpus: 4 then, 2 now"]),
    ],
)
def test_what_has_changed_since_is_said(bench, state, change, said):
    saved.save(result(bench), state)
    assert saved.last(replace(bench, **change))["differs"] == said


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"machine": 3}', "null", '{"machine": {}}', "\udc80"])
def test_a_damaged_result_is_no_test_and_says_so(bench, state, text):
    state.parent.mkdir(parents=True)
    state.write_bytes(text.encode(errors="surrogateescape"))
    found = saved.last(bench)
    assert found["tested"] is False
    assert found["problem"].startswith(f"{state}: cannot be read (")


def test_where_the_result_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", "relative/is/ignored")
    assert saved.place() == tmp_path / ".local/state/ridethrough/doctor.json"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert saved.place() == tmp_path / ".local/state/ridethrough/doctor.json"

    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    assert saved.place() is None
