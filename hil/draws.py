"""Random numbers without state: what is drawn depends on its key and on nothing else, whenever and wherever it is drawn."""

from __future__ import annotations

import hashlib


def uniform(*key: int | str) -> float:
    """A number in [0, 1) of 53 bits. key: no two uses may spell alike, so a name of free text stands last."""
    digest = hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def noise(size: int, *key: int | str) -> bytes:
    """Random bytes."""
    return hashlib.shake_128("/".join(map(str, key)).encode()).digest(size)
