"""The C that Cython makes of a tick calls nothing of Python."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("Cython", reason="needs Cython: pip install -e '.[build]'")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
IN_A_TICK = {
    "Engine_run", "Engine_run_batch", "batch_ticks", "ticks_alike", "judge", "functions_run",
    "device_marks", "record", "site_tick", "apply_events", "write_row", "pcs_step",
    "supervise", "supervise_bess", "break_battery", "fault_command", "pcs_command", "pcs_set", "pcs_supervise", "pcs_reboot",
    "pcs_power_up", "pcs_timers", "pcs_trips", "pcs_grid", "pcs_operates", "pcs_limits", "run_law", "run_ups",
    "law_step", "ramp_limit", "other_law", "high_pass", "restoration", "law_droop", "user_law", "level_values",
    "windowed_values", "other_values",
    "limits_rate", "time_spent", "limits_recovery", "converter_lag", "converter_deliver", "cooling_step", "network_solve",
    "network_behind", "network_phases", "phases", "area_step", "battery_step", "measure", "measure_phases", "limit_run",
    "limit_judge", "limit_pieces", "limit_hold", "count_beyond",
    "ups_command", "ups_step", "ups_line", "ups_test", "ups_rectifier", "ups_battery_orders", "ups_output", "ups_request",
    "ups_deliver", "ups_battery_w", "ups_runtime", "battery_inner", "battery_middle", "battery_end",
    "all_due", "own_network", "genset_network", "genset_switch", "genset_step", "genset_slopes",
    "genset_protects", "solve_behind", "feed_bus", "forming_network", "forming_turns", "forming_runs", "forming_speeds",
    "solve_sources", "grid_feeds", "run_psus", "psu_step", "write_more",
    "extremum_run", "extremum_turn", "carry_back", "mean_push", "phase_push", "delay_push", "xxh64_row",
    "apply_commands", "keep_limits", "put_limits_back", "limit_put_back",
}  # fmt: skip
BETWEEN_TICKS = {
    "_publish", "_notify", "_close_if_wanted", "_ticks_now", "_count_late", "_count_usage", "timing_late", "timing_busy",
    "overrun_grows", "overrun_ends", "suspect",
}  # fmt: skip


def directives() -> dict[str, object]:
    """DIRECTIVES of setup.py, as an ordinary build takes them."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DIRECTIVES":
            return eval(ast.unparse(node.value), {"CHECKED": False})
    raise AssertionError("setup.py has no DIRECTIVES")


@pytest.fixture(scope="module")
def functions(tmp_path_factory) -> dict[str, str]:
    """Of the C functions that a tick can reach."""
    return bodies(tmp_path_factory.mktemp("c") / "engine.c", "Engine_run")


@pytest.fixture(scope="module")
def pacing(tmp_path_factory) -> dict[str, str]:
    """Of those that the thread of the kernel runs between ticks."""
    return bodies(tmp_path_factory.mktemp("c") / "pacer.c", "Pacer_follow")


def bodies(out: Path, first: str) -> dict[str, str]:
    """Bodies of the C functions that a function can reach, by their name in C."""
    options = [part for name, value in directives().items() for part in ("-X", f"{name}={value}")]
    command = [sys.executable, "-m", "cython", *options, "-o", str(out), f"hil/kernel/{out.stem}.pyx"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    source = re.sub(r"/\*.*?\*/", "", out.read_text(), flags=re.DOTALL)
    found = {}
    for match in re.finditer(r"^static [^\n;]*?\b__pyx_f_(\w+)\([^;{]*?\) *\{", source, re.MULTILINE):
        depth, end = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(source[end], 0)
            end += 1
        found[match[1]] = source[match.end() : end]
    reached: set[str] = set()
    todo = [name for name in found if name.endswith(first)]
    while todo:
        name = todo.pop()
        if name in found and name not in reached:
            reached.add(name)
            # Called directly, handed on to be called from afar, or through the table of methods of the class.
            todo += re.findall(r"\b__pyx_f_(\w+)", found[name])
            todo += [other for called in re.findall(r"->(\w+)\(", found[name]) for other in found if other.endswith(called)]
    return {name: found[name] for name in reached}


def test_a_tick_calls_nothing_of_python(functions, pacing):
    for between in BETWEEN_TICKS:
        assert any(name.endswith(between) for name in pacing), between
    for name, body in {**functions, **pacing}.items():
        calls = re.findall(r"\b(Py\w+|__Pyx_\w+)\s*\(", body)
        assert not calls, f"{name} calls {calls}"


def test_nothing_in_a_tick_allocates_or_asks_the_system(functions):
    for name, body in functions.items():
        calls = re.findall(r"\b(malloc|calloc|realloc|free|printf|fprintf|write|read|clock_gettime)\s*\(", body)
        assert not calls, f"{name} calls {calls}"


def test_every_function_of_a_tick_is_among_those_looked_at(functions):
    for name in IN_A_TICK:
        assert any(found.endswith(name) for found in functions), name
