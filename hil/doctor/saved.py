"""The result of the last `hil doctor` on this machine, kept for every later run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hil.doctor.facts import Facts
from hil.whole import whole

_SAME = ("node", "kernel", "cpu_model", "cpus")  # what must not have changed for a result to count


def place() -> Path | None:
    """`doctor.json` in the state folder of the XDG base directory specification; None where there is no home."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):  # noqa: PTH117  # the specification has relative ones ignored
        folder = Path(state)
    else:
        try:
            folder = Path.home() / ".local" / "state"
        except RuntimeError:
            return None
    return folder / "ridethrough" / "doctor.json"


def save(document: dict[str, Any], path: Path) -> None:
    """Put a result in place of the last one, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        part.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def identity(facts: Facts) -> dict[str, Any]:
    """What makes a machine the one that was tested."""
    return {"node": facts.node, "kernel": facts.kernel, "cpu_model": facts.cpu_model, "cpus": len(facts.cpus)}


def last(facts: Facts) -> dict[str, Any]:
    """What a run's provenance says of the last test, ready for JSON.

    `tested` is whether there is one; `differs` what has changed since, which makes it the result of another machine; besides,
    what was measured. A file that cannot be read is no test, and `problem` says so.
    """
    path = place()
    if path is None:
        return {"tested": False}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        then = document["machine"]
        now = identity(facts)
        differs = [f"{key}: {then[key]} then, {now[key]} now" for key in _SAME if then[key] != now[key]]
        kept = {key: document[key] for key in ("at", "seconds", "load", "rate_hz", "lateness_us", "obtained", "rates")}
    except FileNotFoundError:
        return {"tested": False}
    except (OSError, ValueError, KeyError, TypeError) as error:
        return {"tested": False, "problem": f"{path}: cannot be read ({error})"}
    return {"tested": True, "differs": differs, **kept}
