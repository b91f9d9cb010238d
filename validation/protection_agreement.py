"""The compiled protection functions and limits against a second implementation from their documentation, in random cases.

How many decisions were compared and how many differ, a family a line; and how far apart what is no decision lies.
"""

from __future__ import annotations

import harness
import scipy
from harness import Figure
from protection import agreement, limit_agreement, storage_agreement

CASES = {**agreement.CASES, **limit_agreement.CASES, **storage_agreement.CASES}
SEEDS = range(2_000)
AGAINST = f"validation/protection, NumPy and SciPy {scipy.__version__}"


def figures(seeds: range = SEEDS) -> list[Figure]:
    """For each family decisions that differ, and the largest difference of a number."""
    found = []
    for name in CASES:
        tally, wrong = agreement.worst(name, seeds, CASES)
        if wrong:
            print(f"{name}: something differs in the cases {wrong[:20]}")
        if name not in agreement.NUMBERS:
            label = f"{name}: of {tally.compared} decisions ({tally.yes} of them yes) in {len(seeds)} recordings"
            found.append(Figure(f"{label}, that differ", tally.differ, 0, AGAINST))
        found.append(Figure(f"{name}: largest difference of a number, share of its size", tally.off, agreement.NEAR, AGAINST))
    return found


if __name__ == "__main__":
    harness.report("protection_agreement", figures())
