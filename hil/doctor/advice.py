"""What to change on a machine, and the command that does it: only what its facts and its test speak for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hil.doctor.facts import Facts
from hil.realtime.wanted import Wanted

_PRIORITY = Wanted().priority
_STEAL = 0.001  # a share of the processors that is worth a word
_BUSY = 0.3  # load average over cores
_SLOW_CLOCKS = ("hpet", "acpi_pm", "pit", "jiffies")  # of PCs, in place of the processor's own, tsc
_LIMITS = "/etc/security/limits.d/ridethrough.conf"
_GRUB = "/etc/default/grub.d/ridethrough.cfg"
_UDEV = "/etc/udev/rules.d/60-ridethrough.rules"
_GOVERNORS = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
_INSIDE = ("priority", "memory", "idle states", "load")  # what a container can change for itself, or at its start


@dataclass(frozen=True)
class Advice:
    """One thing to change: what is wrong, and the command to type; None where no command on this machine helps."""

    key: str
    problem: str
    command: str | None

    def document(self) -> dict[str, str | None]:
        """Ready for JSON."""
        return {"key": self.key, "problem": self.problem, "command": self.command}


def advice(facts: Facts, *, priority_obtained: bool, stolen_share: float | None) -> list[Advice]:
    """What to change, most effective first: priority, memory, idle states, clocks, the machine itself, isolation, the rest.

    priority_obtained: whether the loop of the test had a real-time priority. stolen_share: of its time, by the host.
    """
    found = [
        *_permissions(facts, priority_obtained=priority_obtained),
        *_processor(facts),
        *_virtual(facts, stolen_share),
        *_kernel(facts),
        *_isolation(facts),
        *_others(facts),
    ]
    if facts.system != "Linux":
        return [Advice("system", f"{facts.system} grants no real-time priority to the loop: a bench needs Linux", None)]
    if facts.container is None:
        return found
    return [one if one.key in _INSIDE else _on_host(one) for one in found]


def _on_host(one: Advice) -> Advice:
    return Advice(one.key, one.problem, None if one.command is None else f"on the container's host: {one.command}")


def _permissions(facts: Facts, *, priority_obtained: bool) -> Iterator[Advice]:
    started = {
        "docker": "docker run --cap-add SYS_NICE --ulimit rtprio=99 --ulimit memlock=-1 --device /dev/cpu_dma_latency …",
        "podman": "podman run --cap-add SYS_NICE --ulimit rtprio=99 --ulimit memlock=-1 --device /dev/cpu_dma_latency …",
    }.get(facts.container or "")
    allowed = facts.may_set_priority is True or (facts.rtprio_limit or 0) >= _PRIORITY
    if facts.may_set_priority is not None and not allowed:
        command = started or f'echo "$USER - rtprio 99" | sudo tee -a {_LIMITS}   # then log in anew'
        problem = f"no permission for real-time priority {_PRIORITY}: any process may delay the loop"
        yield Advice("priority", problem, command)
    elif facts.may_set_priority is not None and not priority_obtained:
        share = "echo 950000 | sudo tee /sys/fs/cgroup/cpu/GROUP/cpu.rt_runtime_us" if facts.rt_group else None
        yield Advice("priority", "a real-time priority is refused in spite of permission: the cgroup has no share", share)
    limit = facts.memlock_limit_bytes
    if facts.may_lock_memory is False and limit is not None:
        command = started or f'echo "$USER - memlock unlimited" | sudo tee -a {_LIMITS}   # then log in anew'
        yield Advice("memory", f"only {limit / 2**20:,.0f} MiB may be locked: the loop's memory may be paged out", command)
    if facts.dma_latency is False:
        rule = 'KERNEL=="cpu_dma_latency", MODE="0666"'
        command = started or f"echo '{rule}' | sudo tee {_UDEV} && sudo udevadm control --reload && sudo udevadm trigger"
        yield Advice("idle states", "/dev/cpu_dma_latency may not be written: the processor sleeps too deep", command)


def _processor(facts: Facts) -> Iterator[Advice]:
    slow = [name for name in facts.governors if name != "performance"]
    if slow:
        command = f"echo performance | sudo tee {_GOVERNORS}"
        yield Advice("governor", f"the governor {', '.join(slow)} changes the clock of the cores under the loop", command)
    if facts.clocksource in _SLOW_CLOCKS:
        command = _grub("clocksource=tsc tsc=reliable")
        if "tsc" in facts.clocksources:
            command = "echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource"
        yield Advice("clock", f"the clock {facts.clocksource} is slow to read", command)
    if facts.smt:
        command = "echo off | sudo tee /sys/devices/system/cpu/smt/control"
        yield Advice("hyper-threading", "two threads share a core: the neighbour slows the loop", command)


def _virtual(facts: Facts, stolen_share: float | None) -> Iterator[Advice]:
    if facts.virtualisation is None and (stolen_share or 0.0) <= _STEAL:
        return
    name = "unknown" if facts.virtualisation is None else facts.virtualisation
    stolen = "" if stolen_share is None else f" ({100 * stolen_share:.2g} % of the time during the test)"
    problem = f"a virtual machine ({name}): its host takes the processor away{stolen}, and nothing in here prevents it"
    yield Advice("virtual machine", f"{problem}; a bench needs a machine of its own", None)


def _kernel(facts: Facts) -> Iterator[Advice]:
    if facts.preemption is None or facts.preemption == "PREEMPT_RT":
        return
    if facts.preemption.startswith("PREEMPT_DYNAMIC") and "(full)" not in facts.preemption:
        command = "echo full | sudo tee /sys/kernel/debug/sched/preempt"
        yield Advice("preemption", f"the kernel, {facts.preemption}, may finish its own work first", command)
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(facts.machine)
    install = None
    if facts.distribution == "debian" and arch is not None:
        install = f"sudo apt install linux-image-rt-{arch} && sudo reboot"
    elif facts.distribution == "ubuntu":
        install = "sudo pro enable realtime-kernel && sudo reboot"
    bound = "no PREEMPT_RT kernel: nothing bounds the worst case"
    yield Advice("kernel", bound if facts.virtualisation is None else f"{bound} within the virtual machine", install)


def _isolation(facts: Facts) -> Iterator[Advice]:
    if len(facts.cpus) < 2:
        return
    last = facts.cpus[-1]
    if not facts.isolated_cpus:
        command = _grub(f"isolcpus=managed_irq,domain,{last} nohz_full={last} rcu_nocbs={last}")
        yield Advice("isolation", "no core is kept free for the loop", command)
    elif not set(facts.isolated_cpus) <= set(facts.nohz_full_cpus):
        cores = ",".join(map(str, facts.isolated_cpus))
        command = _grub(f"nohz_full={cores} rcu_nocbs={cores}")
        yield Advice("isolation", f"the scheduler's own tick disturbs the isolated cores {cores}", command)


def _others(facts: Facts) -> Iterator[Advice]:
    if facts.swap:
        yield Advice("swap", "memory of controllers and recorder may be swapped out", "sudo swapoff -a")
    if facts.load_1min is not None and facts.load_1min > _BUSY * len(facts.cpus):
        busy = f"the machine was busy before the test began: load average {facts.load_1min:g} on {len(facts.cpus)} cores"
        yield Advice("load", busy, "top   # what runs, and whether it has to")


def _grub(parameters: str) -> str:
    """Kernel parameters where Debian and Ubuntu read them."""
    line = f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {parameters}"'
    return f"echo '{line}' | sudo tee -a {_GRUB} && sudo update-grub && sudo reboot"
