#!/bin/sh
# The compiled code once more, in a copy of the tree: Cython's checks of bounds, overflow and division on, under
# AddressSanitizer and UBSan, through the tests of kernel, laws, loads and runs and through those that show that each check
# fires. Takes the environment that scripts/setup.sh made.
set -eu
cd "$(dirname "$0")/.."
VENV=$(cd "${VENV:-.venv}" && pwd)
COPY=$(mktemp -d)
trap 'rm -rf "$COPY"' EXIT
cp -r hil firmware_sim controllers tests benchmarks validation docs examples README.md LICENSE setup.py pyproject.toml "$COPY"
find "$COPY" -name '*.so' -delete
export RIDETHROUGH_SHARED="${RIDETHROUGH_SHARED:-$(pwd)/../shared}"
cd "$COPY"
export RIDETHROUGH_CHECKED=1
"$VENV/bin/python" setup.py -q build_ext --inplace >build.log 2>&1 || { cat build.log; exit 1; }
# The interpreter itself is not built with the sanitizer: preload it; leaks of the interpreter are not ours to report.
PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 PYTHONMALLOC=malloc PYTHONPATH="$COPY"
LD_PRELOAD="$PRELOAD" "$VENV/bin/python" -c "
import hil.kernel.engine as engine
assert engine.__file__.startswith('$COPY'), engine.__file__"
LD_PRELOAD="$PRELOAD" "$VENV/bin/python" -m pytest -q -p no:cacheprovider --capture=sys -n 2 --dist worksteal \
    -m "not peer_package" tests/test_checked_build.py tests/test_physics.py tests/test_absorbers.py tests/test_limits_kernel.py \
    tests/test_rare_limits.py tests/test_extremum.py tests/test_relays.py tests/test_ramp_forms.py tests/test_damping_limit.py tests/test_breakers.py tests/test_trip_agreement.py tests/test_limit_kinds.py tests/test_storage_limits.py tests/test_ups_limits.py tests/test_protection_agreement.py tests/test_filters.py tests/test_flicker.py tests/test_loads.py tests/test_fleet.py tests/test_oscillation_kernel.py \
    tests/test_lockstep.py tests/test_engine.py tests/test_laws.py tests/test_law_errors.py tests/test_snapshot.py \
    tests/test_wire.py tests/test_pacer.py tests/test_overruns.py tests/test_loop_thread.py tests/test_wall_clock.py \
    tests/test_ups_model.py tests/test_ups_firmware.py tests/test_ups_modes.py tests/test_ups_site.py tests/test_ups_groups.py \
    tests/test_batches.py tests/test_chemistry.py tests/test_gensets.py tests/test_forming.py tests/test_power_supplies.py tests/test_own_sources.py tests/test_load_stages.py \
    tests/test_pcs_firmware.py tests/test_faults.py tests/test_meter.py tests/test_record_streams.py \
    tests/test_modbus_pdu.py tests/test_modbus_server.py tests/test_modbus_rtu.py tests/test_modbus_conformance.py tests/test_modbus_fuzz.py
