"""Devices that are served while a test goes on, in a thread of its process: they end with it, whatever ends it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from types import TracebackType
from typing import Any, Self, TypeVar

from hil.errors import HilError, ScenarioError
from hil.scenario.model import Scenario
from hil.serve.endpoints import Endpoint
from hil.serve.session import Served, ServeOptions, serve
from hil.serve.single import KINDS, SingleOptions, single_scenario
from hil.serve.status import Row

_T = TypeVar("_T")
_PATIENCE_S = 30.0  # wall-clock time in which they must listen, answer a command, and be gone
_OURS = "the test is done with them"


class Devices(Mapping[str, Endpoint]):
    """Emulated devices in real time, on 127.0.0.1: by device where it is reached first.

    again: False plays load and events of the scenario once, and holds the last power. A context manager; `stop` may be called
    more than once. events: what stands in their log so far.

    Raises ScenarioError where they cannot be served, with a port that is taken among what is wrong.
    """

    def __init__(self, scenario: Scenario, *, again: bool = True) -> None:
        self.scenario = scenario
        self.events: list[dict[str, Any]] = []
        self._again = again
        self._there = threading.Event()
        self._served: Served | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._why: str | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="hil devices", daemon=True)
        self._thread.start()
        if not self._there.wait(_PATIENCE_S):
            raise HilError(f"{scenario.source}: its devices did not listen within {_PATIENCE_S:g} s")
        if self._served is None:
            self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def __getitem__(self, device: str) -> Endpoint:
        return self.endpoints(device)[0]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(endpoint.device for endpoint in self._all))

    def __len__(self) -> int:
        return len(set(self))

    def endpoints(self, device: str) -> list[Endpoint]:
        """Everywhere that a device is reached: on Modbus, on MQTT, and through its link. Raises KeyError."""
        found = [endpoint for endpoint in self._all if endpoint.device == device]
        if not found:
            raise KeyError(f"no device {device!r}; there are: {', '.join(self)}")
        return found

    def rows(self) -> dict[str, Row]:
        """How each device is now, by device."""
        return {row.device: row for row in self._ask(lambda served: served.rows())}

    def command(self, text: str) -> None:
        """Let an event happen, such as "silent bess.main 5s" (docs/serve.md). Raises EventRefused."""
        self._ask(lambda served: served.command(text))

    def mend(self, *words: str) -> None:
        """Take a fault back: its kind, and its device where there are several. Raises EventRefused."""
        self._ask(lambda served: served.mend(*words))

    def calm(self) -> None:
        """End all dips and losses of the grid."""
        self._ask(lambda served: served.calm())

    def stop(self) -> None:
        """End them, and wait until they are gone. Raises what ended them before, once."""
        if self._loop is not None and self._served is not None and self._thread.is_alive():
            with suppress(RuntimeError):  # its loop has just been closed
                self._loop.call_soon_threadsafe(self._served.stop, _OURS)
        self._thread.join(_PATIENCE_S)
        if self._thread.is_alive():
            raise HilError(f"{self.scenario.source}: its devices were not gone within {_PATIENCE_S:g} s")
        error, self._error = self._error, None
        if error is not None:
            raise error
        if self._why not in (None, _OURS):
            why, self._why = self._why, None
            raise HilError(f"{self.scenario.source}: its devices ended by themselves: {why}")

    @property
    def _all(self) -> list[Endpoint]:
        return [] if self._served is None else self._served.endpoints

    def _ask(self, question: Callable[[Served], _T]) -> _T:
        """What the thread of the devices answers. Raises HilError once they are gone."""
        if self._served is None or self._loop is None or not self._thread.is_alive():
            raise HilError(f"{self.scenario.source}: its devices are not served any more")
        served = self._served

        async def answer() -> _T:
            return question(served)

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(_PATIENCE_S)

    def _run(self) -> None:
        try:
            self._why = serve(_modest(self.scenario), ServeOptions(self._attend, self.events.append, again=self._again))
        except BaseException as error:  # noqa: BLE001  # raised where somebody hears it
            self._error = error
        finally:
            self._there.set()

    @asynccontextmanager
    async def _attend(self, served: Served) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        self._served = served
        self._there.set()
        yield


def _modest(scenario: Scenario) -> Scenario:
    """The scenario asking nothing of the machine: memory and priority are the test's, and nothing is judged."""
    clock = scenario.clock.model_copy(update={"priority": 0, "lock_memory": False})
    return scenario.model_copy(update={"clock": clock}).named(scenario.name, scenario.source)


def one_device(name: str, options: dict[str, Any]) -> Scenario | str:
    """The scenario of one device alone, "bess", "ups" or "meter", by the options of `hil serve`; else the name again.

    Raises ScenarioError for options that it does not have.
    """
    known = [field.name for field in fields(SingleOptions)]
    for option in options:
        if name not in KINDS or option not in known:
            allowed = (
                f"there are: {', '.join(known)}" if name in KINDS else f"only one device ({', '.join(KINDS)}) has options"
            )
            raise ScenarioError(name, option, f": unknown; {allowed}")
    return single_scenario(name, SingleOptions(**options)) if name in KINDS else name
