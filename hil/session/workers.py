"""Jobs done in processes of their own, which end with whoever asked for them, however that ends."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Self, TypeVar

from hil.errors import HilError

_PATIENCE_S = 10.0  # until a process that was asked to end is made to

Given = TypeVar("Given")
Done = TypeVar("Done")


def in_order(work: Callable[[Given], Done], jobs: Sequence[Given], at_once: int) -> Generator[Done, None, None]:
    """Results of `work` in the order of the jobs, so many at a time: one at a time here, several in processes.

    work and jobs must be such that they can be sent there. Raises what `work` raised, of the first job that fails; HilError
    where a process has gone. When the generator is closed, whether at its end or before, no process is left.
    """
    if at_once == 1 or len(jobs) == 1:
        yield from map(work, jobs)
        return
    with _Crew(work, min(at_once, len(jobs))) as crew:
        yield from crew.results(jobs)


class _Crew:
    """Processes that each wait for a job on a pipe of their own."""

    def __init__(self, work: Callable[[Any], Any], size: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._work = work
        self._size = size
        self._processes: dict[Connection, SpawnProcess] = {}

    def __enter__(self) -> Self:
        for _ in range(self._size):
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_serve, args=(self._work, theirs), daemon=True)
            process.start()
            theirs.close()
            self._processes[ours] = process
        return self

    def __exit__(self, *_: object) -> None:
        for pipe, process in self._processes.items():
            pipe.close()
            process.terminate()
        for process in self._processes.values():
            process.join(_PATIENCE_S)
            if process.is_alive():
                process.kill()
                process.join()

    def results(self, jobs: Sequence[Any]) -> Generator[Any, None, None]:
        """The results, each as soon as those before it are there."""
        waiting = iter(enumerate(jobs))
        under_way: dict[Connection, int] = {}
        done: dict[int, Any] = {}
        for pipe in self._processes:
            self._give(pipe, waiting, under_way)
        for number in range(len(jobs)):
            while number not in done:
                ready = set(wait(list(under_way)))
                for pipe in [pipe for pipe in under_way if pipe in ready]:
                    done[under_way.pop(pipe)] = self._taken(pipe)
                    self._give(pipe, waiting, under_way)
            yield done.pop(number)

    @staticmethod
    def _give(pipe: Connection, waiting: Any, under_way: dict[Connection, int]) -> None:
        number, job = next(waiting, (None, None))
        if number is not None:
            pipe.send(job)
            under_way[pipe] = number

    def _taken(self, pipe: Connection) -> Any:
        try:
            failed, what = pipe.recv()
        except EOFError:
            self._processes[pipe].join(_PATIENCE_S)
            code = self._processes[pipe].exitcode
            raise HilError(f"a process that ran a variant has gone (exit code {code})") from None
        if failed:
            raise what
        return what


def _serve(work: Callable[[Any], Any], pipe: Connection) -> None:
    """Do jobs until there are no more. An interrupt from the terminal is for the parent, which then ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr  # what laws of one's own print is no part of what the parent prints
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        try:
            told = (False, work(job))
        except BaseException as error:  # noqa: BLE001  # is raised again where it is waited for
            told = (True, _plain(error))
        try:
            pipe.send(told)
        except OSError:  # nobody waits for it any more
            return


def _plain(error: BaseException) -> BaseException:
    """The error, or its words where its class cannot be sent as it is."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:  # noqa: BLE001
        return HilError(str(error))
    return error
