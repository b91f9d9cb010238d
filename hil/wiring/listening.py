"""Why nothing can listen at an address, in the line that a user gets."""

from __future__ import annotations

import os

from hil.errors import ScenarioError


def cannot_listen(source: str, key: str, address: tuple[str, int], error: OSError) -> ScenarioError:
    """The error for a key that says where to listen."""
    host, port = address
    number = error.errno or 0
    why = os.strerror(number) if number > 0 else error.strerror or error  # negative: of getaddrinfo
    return ScenarioError(source, key, f" = '{host}:{port}': cannot listen there ({why}); port 0 takes any free one")
