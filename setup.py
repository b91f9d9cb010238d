"""Extensions only; everything else about the distribution is in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, setup

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "nonecheck": False,
}
# No contraction to fused multiply-add: the same bits on machines with and without it.
FLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-Wno-unreachable-code"]


def extension(name: str) -> Extension:
    return Extension(name, [name.replace(".", "/") + ".pyx"], extra_compile_args=FLAGS)


setup(
    ext_modules=cythonize(
        [extension("hil.kernel.engine"), extension("hil.loads.sampler")],
        compiler_directives=DIRECTIVES,
        build_dir="build/cython",
    )
)
