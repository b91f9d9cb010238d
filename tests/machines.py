"""Made-up machines: what /proc, /sys and /dev hold of a bench, and of a machine where everything is in the way."""

from __future__ import annotations

from pathlib import Path

CLOCKS = "sys/devices/system/clocksource/clocksource0"
CPUS = "sys/devices/system/cpu"
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max locked memory         {memlock:<20} {memlock:<20} bytes
Max nice priority         0                    0
Max realtime priority     {rtprio:<20} {rtprio:<20}
"""
BENCH = {
    "proc/sys/kernel/hostname": "bench\n",
    "proc/sys/kernel/osrelease": "6.12.48+deb13-rt-amd64\n",
    "proc/sys/kernel/version": "#1 SMP PREEMPT_RT Debian 6.12.48-1 (2025-09-20)\n",
    "proc/cmdline": "root=/dev/sda1 isolcpus=managed_irq,domain,3 nohz_full=3 rcu_nocbs=3\n",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Intel(R) Core(TM) i5-12400\nflags\t\t: fpu tsc\n\nprocessor\t: 1\n",
    "proc/self/limits": LIMITS.format(memlock="unlimited", rtprio=99),
    "proc/self/status": "Name:\tpython\nCapEff:\t0000000000000000\n",
    "proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
    "proc/loadavg": "0.05 0.10 0.08 1/312 4711\n",
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n',
    "sys/kernel/realtime": "1\n",
    f"{CPUS}/online": "0-3\n",
    f"{CPUS}/isolated": "3\n",
    f"{CPUS}/nohz_full": "3\n",
    f"{CPUS}/smt/active": "0\n",
    **{f"{CPUS}/cpu{number}/cpufreq/scaling_governor": "performance\n" for number in range(4)},
    f"{CLOCKS}/current_clocksource": "tsc\n",
    f"{CLOCKS}/available_clocksource": "tsc hpet acpi_pm\n",
    "dev/cpu_dma_latency": "",
}
LAPTOP = {
    "proc/sys/kernel/hostname": "laptop\n",
    "proc/sys/kernel/osrelease": "6.1.0-40-amd64\n",
    "proc/sys/kernel/version": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)\n",
    "proc/cmdline": "root=/dev/sda1 quiet preempt=voluntary\n",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD Ryzen 7\nflags\t\t: fpu tsc\n",
    "proc/self/limits": LIMITS.format(memlock=8388608, rtprio=0),
    "proc/self/status": "Name:\tpython\nCapEff:\t0000000000000000\n",
    "proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n/dev/dm-2\tpartition\t999420\t0\t-2\n",
    "proc/loadavg": "3.20 1.00 0.50 4/812 4711\n",
    "etc/os-release": "ID=debian\n",
    f"{CPUS}/online": "0-7\n",
    f"{CPUS}/isolated": "\n",
    f"{CPUS}/nohz_full": "(null)\n",
    f"{CPUS}/smt/active": "1\n",
    f"{CPUS}/cpu0/cpufreq/scaling_governor": "schedutil\n",
    f"{CPUS}/cpu1/cpufreq/scaling_governor": "powersave\n",
    f"{CLOCKS}/current_clocksource": "hpet\n",
    f"{CLOCKS}/available_clocksource": "hpet acpi_pm\n",
}
# Besides what a bench has: a guest of a hypervisor, in a container.
GUEST = {
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu tsc hypervisor\n",
    f"{CLOCKS}/available_clocksource": "tsc kvm-clock\n",
    "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
    "sys/class/dmi/id/product_name": "m7a.large\n",
    ".dockerenv": "",
}


def made(root: Path, *trees: dict[str, str]) -> Path:
    """The folder with the files of all trees, later ones in place of earlier ones."""
    for tree in trees:
        for place, text in tree.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text(text)
    return root
