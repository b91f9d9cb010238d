#!/bin/sh
# The compiled code once more, in a copy of the tree, under ThreadSanitizer: process image, rings and the thread of the kernel,
# through the tests of what two threads share and through those that show that a race is reported. The first report in our code
# ends the run. Takes the environment that scripts/setup.sh made.
set -eu
cd "$(dirname "$0")/.."
VENV=$(cd "${VENV:-.venv}" && pwd)
COPY=$(mktemp -d)
trap 'rm -rf "$COPY"' EXIT
cp -r hil firmware_sim controllers tests README.md LICENSE setup.py pyproject.toml "$COPY"
find "$COPY" -name '*.so' -delete
cd "$COPY"
export RIDETHROUGH_CHECKED=threads
"$VENV/bin/python" setup.py -q build_ext --inplace >build.log 2>&1 || { cat build.log; exit 1; }
# What is not ours, one a line with its reason.
cat >suppressions <<'END'
# Arrow's own threads, built without the sanitizer: it does not see what orders their memory.
race:libarrow.so
END
export TSAN_OPTIONS="halt_on_error=1 print_suppressions=0 suppressions=$COPY/suppressions" PYTHONPATH="$COPY"
# The interpreter is not built with the sanitizer: preload it. It cannot follow addresses that a kernel shuffles over more than 28
# bits; where a container forbids to turn that off, it says so itself if it has to.
PRELOAD=$(gcc -print-file-name=libtsan.so)
UNSHUFFLED=$(setarch -R true 2>/dev/null && echo "setarch -R" || true)
# shellcheck disable=SC2086 # two words, or none
checked() { $UNSHUFFLED env LD_PRELOAD="$PRELOAD" "$VENV/bin/python" "$@"; }
checked -c "
import hil.kernel.pacer as pacer
assert pacer.__file__.startswith('$COPY'), pacer.__file__"
# Without the tests that start the command line: half a minute each, and the same threads; and without two that the sanitizer's own
# memory and slowness fail: page faults, and a rehearsal at full tilt.
checked -m pytest -q -p no:cacheprovider --capture=sys tests/test_thread_sanitizer.py tests/test_shared_memory.py \
    tests/test_pacer.py tests/test_loop_thread.py tests/test_wall_clock.py tests/test_paced_runs.py \
    --deselect tests/test_wall_clock.py::test_a_signal_ends_a_paced_run_safely \
    --deselect tests/test_loop_thread.py::test_a_loop_that_has_given_its_priority_back_in_the_rehearsal_says_so \
    --deselect tests/test_loop_thread.py::test_no_page_is_met_for_the_first_time_after_the_rehearsal \
    --deselect tests/test_wall_clock.py::test_a_speed_that_cannot_be_is_told_in_one_line
