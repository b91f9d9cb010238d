#!/bin/sh
# Which lines of the compiled code the tests run, the inline functions of the .pxd files included: in a copy of the tree the
# extensions are built for gcov, and its counts of C lines are booked on the lines that Cython made them from. Prints one line
# a file and fails below MINIMUM percent. Takes the environment that scripts/setup.sh made; arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
VENV=$(cd "${VENV:-.venv}" && pwd)
MINIMUM=${MINIMUM:-99}
COPY=$(mktemp -d)
trap 'rm -rf "$COPY"' EXIT
cp -r hil firmware_sim controllers tests benchmarks validation docs examples scripts ./*.md Makefile LICENSE setup.py pyproject.toml "$COPY"
find "$COPY" -name '*.so' -delete
export RIDETHROUGH_SHARED="${RIDETHROUGH_SHARED:-$(pwd)/../shared}"
cd "$COPY"
PYTHON="$VENV/bin/python"
SUFFIX=$("$PYTHON" -c "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))")
INCLUDE=$("$PYTHON" -c "import sysconfig; print(sysconfig.get_path('include'))")
DIRECTIVES=$("$PYTHON" scripts/coverage_lines.py directives)
mkdir build
MODULES="firmware_sim/modbus/engine firmware_sim/modbus/framing
hil/kernel/binding hil/kernel/engine hil/kernel/layout hil/kernel/memory hil/kernel/pacer hil/kernel/protection/replay hil/loads/fleet hil/loads/sampler hil/loads/stages"
for MODULE in $MODULES; do
    C=build/$(echo "$MODULE" | tr / .)
    # As comments the #line directives stay readable, and gcov counts lines of C: as directives they would also hold for
    # what Cython puts behind a function.
    # shellcheck disable=SC2086 # one word a directive
    "$PYTHON" -m cython $DIRECTIVES --line-directives -o "$C.full.c" "$MODULE.pyx" >build/log 2>&1 || { cat build/log; exit 1; }
    sed 's|^#line \(.*\)$|/*#line \1*/|' "$C.full.c" >"$C.c"
    gcc -O0 -w -fPIC --coverage -fprofile-update=prefer-atomic -ffp-contract=off -I"$INCLUDE" -I. -Icontrollers/include -c "$C.c" -o "$C.o"
    gcc -shared --coverage "$C.o" -o "$MODULE$SUFFIX"
done
export PYTHONPATH="$COPY"
"$PYTHON" -c "
import hil.kernel.engine as engine
assert engine.__file__.startswith('$COPY'), engine.__file__"
find build -name '*.gcda' -delete
[ $# -gt 0 ] || set -- tests/test_physics.py tests/test_absorbers.py tests/test_limits_kernel.py tests/test_rare_limits.py \
    tests/test_limit_kinds.py tests/test_storage_limits.py tests/test_ups_limits.py tests/test_protection_agreement.py tests/test_filters.py tests/test_flicker.py \
    tests/test_oscillation_kernel.py tests/test_verify.py tests/test_evidence.py tests/test_extremum.py tests/test_relays.py \
    tests/test_ramp_forms.py tests/test_damping_limit.py tests/test_storage_limits.py tests/test_ups_limits.py tests/test_breakers.py \
    tests/test_trip_agreement.py tests/test_unsound_functions.py tests/test_check_runs.py \
    tests/test_loads.py tests/test_lockstep.py tests/test_engine.py tests/test_architecture.py tests/test_laws.py \
    tests/test_law_errors.py tests/test_snapshot.py tests/test_wire.py tests/test_pacer.py tests/test_overruns.py tests/test_loop_thread.py \
    tests/test_record_streams.py tests/test_ups_model.py tests/test_ups_firmware.py tests/test_ups_modes.py tests/test_ups_site.py tests/test_ups_groups.py tests/test_batches.py tests/test_chemistry.py \
    tests/test_gensets.py tests/test_forming.py tests/test_power_supplies.py tests/test_own_sources.py tests/test_fleet.py tests/test_load_stages.py \
    tests/test_pcs_firmware.py tests/test_faults.py tests/test_meter.py tests/test_serve_parts.py \
    tests/test_modbus_pdu.py tests/test_modbus_faults.py tests/test_modbus_server.py tests/test_modbus_rtu.py tests/test_modbus_conformance.py tests/test_modbus_fuzz.py
"$PYTHON" -m pytest -q -p no:cacheprovider -m "slow or not slow" "$@"
BUILT=
for MODULE in $MODULES; do
    NAME=build/$(echo "$MODULE" | tr / .)
    gcov --json-format --stdout "$NAME.gcda" >"$NAME.json"
    BUILT="$BUILT $NAME"
done
# shellcheck disable=SC2086 # one word a module
"$PYTHON" scripts/coverage_lines.py report "$MINIMUM" $BUILT
