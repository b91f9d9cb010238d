"""Extensions only; everything else about the distribution is in pyproject.toml.

RIDETHROUGH_CHECKED=1 builds with every check instead of for speed (scripts/checked_build.sh), RIDETHROUGH_CHECKED=threads for
ThreadSanitizer (scripts/thread_sanitizer.sh).
"""

import os

from Cython.Build import cythonize
from setuptools import Extension, setup

CHECKED = os.environ.get("RIDETHROUGH_CHECKED") == "1"
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": CHECKED,
    "wraparound": False,
    "cdivision": not CHECKED,
    "overflowcheck": CHECKED,
    "initializedcheck": CHECKED,
    "nonecheck": False,  # needs the GIL
}
# No contraction to fused multiply-add: the same bits on machines with and without it.
FLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-Wno-unreachable-code"]
LINK_FLAGS: list[str] = []
if CHECKED:
    # The interpreter's own flags may hold -fwrapv, under which UBSan says nothing of signed overflow.
    SANITIZE = ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all", "-fno-wrapv"]
    FLAGS = ["-O1", "-g", "-ffp-contract=off", "-Wno-unreachable-code", *SANITIZE, "-include", "hil/kernel/checked.h"]
    LINK_FLAGS = SANITIZE
elif os.environ.get("RIDETHROUGH_CHECKED") == "threads":
    # -Wtsan warns of fences, which ThreadSanitizer does not follow; docs/wall_clock.md, "Shared memory", says what that means.
    LINK_FLAGS = ["-fsanitize=thread"]
    FLAGS = ["-O1", "-g", "-ffp-contract=off", "-Wno-unreachable-code", "-Wno-tsan", *LINK_FLAGS]


def extension(name: str) -> Extension:
    return Extension(
        name,
        [name.replace(".", "/") + ".pyx"],
        include_dirs=[".", "controllers/include"],
        extra_compile_args=FLAGS,
        extra_link_args=LINK_FLAGS,
    )


setup(
    ext_modules=cythonize(
        [
            extension(name)
            for name in (
                "firmware_sim.modbus.engine",
                "firmware_sim.modbus.framing",
                "hil.kernel.binding",
                "hil.kernel.engine",
                "hil.kernel.layout",
                "hil.kernel.memory",
                "hil.kernel.pacer",
                "hil.kernel.protection.replay",
                "hil.loads.fleet",
                "hil.loads.sampler",
                "hil.loads.stages",
            )
        ],
        compiler_directives=DIRECTIVES,
        build_dir="build/cython",
    ),
    options={"build_ext": {"parallel": os.cpu_count() or 1}},  # each of them keeps a compiler busy for many seconds
)
