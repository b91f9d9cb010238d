"""What the machine is, as far as it matters to a punctual loop: read from /proc, /sys and /dev, and unknown elsewhere."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path("/")
_CPUS = "sys/devices/system/cpu"
_CLOCKS = "sys/devices/system/clocksource/clocksource0"
_CAP_IPC_LOCK, _CAP_SYS_NICE = 14, 23  # capabilities(7), linux/capability.h
# What tells the hypervisor where nothing names it: clocks that only its guests have.
_GUEST_CLOCKS = {"kvm-clock": "KVM", "xen": "Xen", "hyperv_clocksource_tsc_page": "Hyper-V", "vmware-clock": "VMware"}


@dataclass(frozen=True)
class Facts:
    """The machine and what this process may do on it; None, or empty, where the system does not tell.

    preemption: model of the kernel, such as "PREEMPT_RT" or "PREEMPT_DYNAMIC (none)". distribution: ID of os-release(5).
    cpus: numbers of those that are on. governors: of the cores' clocks, each once. isolated_cpus, nohz_full_cpus: kept free by
    the kernel's command line. virtualisation, container: what it runs in. clocksource, clocksources: the kernel's clock and
    those it could use. smt: whether cores run two threads each. swap: whether memory may be swapped out. rtprio_limit,
    memlock_limit_bytes: what is allowed without a capability, None where unlimited. may_set_priority, may_lock_memory:
    CAP_SYS_NICE, CAP_IPC_LOCK. dma_latency: whether /dev/cpu_dma_latency may be written, None where there is none. rt_group:
    whether groups need a share of real-time scheduling (CONFIG_RT_GROUP_SCHED, cgroup 1).
    """

    system: str
    node: str
    kernel: str
    preemption: str | None
    kernel_parameters: str | None
    distribution: str | None
    machine: str
    cpu_model: str | None
    cpus: tuple[int, ...]
    governors: tuple[str, ...]
    isolated_cpus: tuple[int, ...]
    nohz_full_cpus: tuple[int, ...]
    virtualisation: str | None
    container: str | None
    clocksource: str | None
    clocksources: tuple[str, ...]
    smt: bool | None
    swap: bool
    rtprio_limit: int | None
    memlock_limit_bytes: int | None
    may_set_priority: bool | None
    may_lock_memory: bool | None
    dma_latency: bool | None
    rt_group: bool
    load_1min: float | None

    def evidence(self) -> dict[str, Any]:
        """What a run's provenance holds of it, ready for JSON."""
        return {
            "kernel": self.kernel,
            "preemption": self.preemption,
            "kernel_parameters": self.kernel_parameters,
            "cpu_model": self.cpu_model,
            "cpus": len(self.cpus),
            "governors": list(self.governors),
            "isolated_cpus": list(self.isolated_cpus),
            "virtualisation": self.virtualisation,
            "container": self.container,
            "clocksource": self.clocksource,
        }


def read_facts(root: Path = _ROOT) -> Facts:
    """Facts of this machine; root: the folder that holds /proc, /sys and /dev."""
    model, flags = _cpuinfo(root)
    clocksources = tuple(_text(root, f"{_CLOCKS}/available_clocksource").split())
    limits, status = _text(root, "proc/self/limits"), _text(root, "proc/self/status")
    capabilities = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    held = None if capabilities is None else int(capabilities[1], 16)
    load = _text(root, "proc/loadavg").split()
    smt = _text(root, f"{_CPUS}/smt/active")
    return Facts(
        system=platform.system(),
        node=_text(root, "proc/sys/kernel/hostname") or platform.node(),
        kernel=_text(root, "proc/sys/kernel/osrelease") or platform.release(),
        preemption=_preemption(root),
        kernel_parameters=_text(root, "proc/cmdline") or None,
        distribution=_distribution(root),
        machine=platform.machine(),
        cpu_model=model,
        cpus=cpu_list(_text(root, f"{_CPUS}/online")) or tuple(range(os.cpu_count() or 1)),
        governors=_governors(root),
        isolated_cpus=cpu_list(_text(root, f"{_CPUS}/isolated")),
        nohz_full_cpus=cpu_list(_text(root, f"{_CPUS}/nohz_full")),
        virtualisation=_virtualisation(root, flags, clocksources),
        container=_container(root),
        clocksource=_text(root, f"{_CLOCKS}/current_clocksource") or None,
        clocksources=clocksources,
        smt=smt == "1" if smt else None,
        swap=len(_text(root, "proc/swaps").splitlines()) > 1,
        rtprio_limit=_limit("Max realtime priority", limits),
        memlock_limit_bytes=_limit("Max locked memory", limits),
        may_set_priority=None if held is None else bool(held >> _CAP_SYS_NICE & 1),
        may_lock_memory=None if held is None else bool(held >> _CAP_IPC_LOCK & 1),
        dma_latency=_writable(root / "dev/cpu_dma_latency"),
        rt_group=(root / "sys/fs/cgroup/cpu/cpu.rt_runtime_us").exists(),
        load_1min=float(load[0]) if load else None,
    )


def cpu_list(text: str) -> tuple[int, ...]:
    """Cores of a list such as "0,2-3"; empty for what is none, as "(null)"."""
    cpus: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip())
        if match:
            cpus += range(int(match[1]), int(match[2] or match[1]) + 1)
    return tuple(cpus)


def _text(root: Path, place: str) -> str:
    """What a file of the kernel says; empty where it says nothing, or not to us."""
    try:
        return (root / place).read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else ""


def _limit(name: str, limits: str) -> int | None:
    """The soft limit; None where it is unlimited or not told."""
    value = _found(rf"^{name}\s+(\S+)", limits)
    return int(value) if value.isdigit() else None


def _cpuinfo(root: Path) -> tuple[str | None, list[str]]:
    """Model and flags of the first core: with hundreds of cores the whole file takes long to make."""
    model = _text(root, "proc/device-tree/model") or None  # of a board: there the cores have no name
    try:
        with (root / "proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    model = value.strip()
                elif key.strip() in ("flags", "Features"):
                    return model, value.split()
    except OSError:
        pass
    return model, []


def _preemption(root: Path) -> str | None:
    """The kernel's own words (`uname -v`); of a dynamic one the mode too, where debugfs or the command line tells."""
    if _text(root, "sys/kernel/realtime") == "1":
        return "PREEMPT_RT"
    version = _text(root, "proc/sys/kernel/version")
    if not version:
        return None
    model = _found(r"\b(PREEMPT\w*)", version) or "none"
    if model != "PREEMPT_DYNAMIC":
        return model
    mode = _found(r"\((\w+)\)", _text(root, "sys/kernel/debug/sched/preempt")) or _found(
        r"(?:^|\s)preempt=(\w+)", _text(root, "proc/cmdline")
    )
    return f"{model} ({mode})" if mode else model


def _distribution(root: Path) -> str | None:
    """ID of os-release(5), such as "debian"."""
    return _found(r'^ID="?([\w.-]+)', _text(root, "etc/os-release")) or None


def _governors(root: Path) -> tuple[str, ...]:
    files = (root / _CPUS).glob("cpu[0-9]*/cpufreq/scaling_governor")
    return tuple(sorted({_text(file.parent, file.name) for file in files} - {""}))


def _virtualisation(root: Path, flags: list[str], clocksources: tuple[str, ...]) -> str | None:
    """Name of the hypervisor, or of the machine that it makes; None on a machine of metal."""
    named = _text(root, "sys/hypervisor/type") or _text(root, "proc/device-tree/hypervisor/compatible")
    if "hypervisor" not in flags and not named:
        return None
    clock = next((name for clock, name in _GUEST_CLOCKS.items() if clock in clocksources), "")
    made = [_text(root, f"sys/class/dmi/id/{what}") for what in ("sys_vendor", "product_name")]
    return ", ".join(part for part in (named or clock, " ".join(filter(None, made))) if part) or "unknown"


def _container(root: Path) -> str | None:
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    return _text(root, "run/systemd/container") or None


def _writable(file: Path) -> bool | None:
    return os.access(file, os.W_OK) if file.exists() else None
