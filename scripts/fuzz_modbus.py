"""Broken frames to our Modbus server over real sockets (`.ci/run`): every answer and every write as an oracle has them.

Real requests with flipped bits, cut, spliced, with lengths and protocol identifiers of any kind, or wholly random, several
to a segment and cut anywhere. After every stream a good request must be answered on the same connection where it is still
framed, and now and then on one that stands since the beginning and on a new one; the device must have been written as the
oracle says, which knows the specification alone, and no other register may differ. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "validation"))
MOST_TOLD = 5
MOST_FRAMES = 30  # of a stream
WITNESS_EVERY = 100  # streams


async def fuzz(frames: int, seed: int) -> int:
    """Send, compare, tell; how many streams were not answered as they should be."""
    from modbus_fuzz import Fuzz
    from modbus_mutants import mutant, pieces

    draws = random.Random(seed)
    streams = wrong = 0
    began_s = time.monotonic()
    async with Fuzz() as run:
        while run.answered < frames and wrong < MOST_TOLD:
            parts = pieces(b"".join(mutant(draws) for _ in range(draws.randint(1, MOST_FRAMES))), draws)
            try:
                problem = await run.stream(parts)
                if not problem and streams % WITNESS_EVERY == 0 and not await run.another_is_served():
                    problem = "another client is not served"
            except TimeoutError:
                problem = "no end: the connection is wedged"
            if problem:
                wrong += 1
                print(f"stream {streams} of seed {seed}: {problem}\n  sent {' | '.join(part.hex() for part in parts)}")
            streams += 1
    told = {"frames": run.answered, "streams": streams, "seed": seed, **run.counts, "wrong": wrong}
    print(json.dumps({**told, "seconds": round(time.monotonic() - began_s, 1)}))
    return wrong


def main() -> int:
    """Exit code 1 where anything was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000, help="how many are answered")
    parser.add_argument("--seed", type=int, default=None, help="left out: another one each time")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
    return 1 if asyncio.run(fuzz(given.frames, seed)) else 0


if __name__ == "__main__":
    sys.exit(main())
