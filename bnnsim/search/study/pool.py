"""Processes that evaluate and verify: one pool for a whole search, or none at all for one job."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.context import SpawnProcess
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from bnnsim.arrays.compilation import tell_plainly

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

Item = TypeVar("Item")
Result = TypeVar("Result")
SOLVER = "bnnsim.timing.streaming.solver.preload"
PRELOAD = ["bnnsim.search.front.evaluator", "bnnsim.search.front.verify", SOLVER]
"""What the process that all others are forked from has loaded."""
NICENESS = 5
"""Of the other processes. They wait for what the coordinator finds out; it must not wait for a core that
they have, or they soon stand idle (15 % of 300 designs of ``cnv-7z020`` on two cores)."""


class Pool:
    """Runs a function on items, in order of the items, wherever it runs."""

    def __init__(self, executor: ProcessPoolExecutor | None, jobs: int = 1) -> None:
        self._executor = executor
        self.jobs = jobs

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], share: int = 1
    ) -> Iterator[Result]:
        """Results one after the other; ``share`` items travel to a process together."""
        if self._executor is None:
            return map(function, items)
        return self._executor.map(function, items, chunksize=share)

    def rehearse(self, function: Callable[[Item], object], item: Item) -> None:
        """Let the other processes run this once before all else, while there is nothing for them to do.

        What is loaded or tabulated only once is there then; what comes of it is dropped.
        """
        if self._executor is not None:
            for _ in range(self.jobs):
                self._executor.submit(function, item)


@contextmanager
def open_pool(jobs: int, prepare: Callable[..., None], *arguments: Any) -> Iterator[Pool]:
    """A pool of ``jobs`` processes, each prepared once; with one job everything runs here.

    Work that is not begun when the block is left by an exception is dropped.
    """
    if jobs == 1:
        prepare(*arguments)
        yield Pool(None)
        return
    context = forking_context(PRELOAD)
    given = gc.get_threshold(), prepare, arguments
    with ProcessPoolExecutor(jobs, context, _prepare, given) as executor:
        try:
            executor.submit(int)  # with the first work all processes begin: now, and not when all wait
            yield Pool(executor, jobs)
        except BaseException:
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def load_solver() -> None:
    """Load here what times pipelines, so that the first one does not wait for it."""
    import_module(SOLVER)


class _Alone(BaseProcess):
    """A process that begins without the user's script."""

    def start(self) -> None:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            super().start()
        finally:
            sys.modules["__main__"] = script


class SpawnedAlone(_Alone, SpawnProcess):
    """The same on a system without a fork server."""


if sys.platform != "win32":
    from multiprocessing.context import ForkServerProcess

    class ForkedAlone(_Alone, ForkServerProcess):
        """The same from a fork server."""


def warm_up(jobs: int | None) -> None:
    """Begin loading what a pool of ``jobs`` processes (None: one a core) will need."""
    if (jobs or os.cpu_count() or 1) > 1:
        forking_context(PRELOAD)


def forking_context(preload: Sequence[str]) -> ForkServerContext | SpawnContext:
    """A context whose processes are forked from a server that has loaded the modules ``preload``.

    Processes do not run the user's script again: a script that searches needs no
    ``if __name__ == "__main__"``, and nothing that runs here is defined in one.
    Ctrl-C is not the server's: it begins, as do the processes that it forks, with that signal blocked.
    A system without such a server (Windows) begins every process anew.
    """
    if sys.platform == "win32" or "forkserver" not in multiprocessing.get_all_start_methods():
        spawning = type(multiprocessing.get_context("spawn"))()
        spawning.Process = SpawnedAlone  # type: ignore[misc]
        return spawning
    from multiprocessing import forkserver, resource_tracker

    context = type(multiprocessing.get_context("forkserver"))()
    context.Process = ForkedAlone  # type: ignore[misc]
    context.set_forkserver_preload(list(preload))
    resource_tracker.ensure_running()  # the server starts it otherwise, and it unblocks the signal
    earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)
    return context


def _prepare(
    collected_every: tuple[int, int, int], prepare: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    gc.set_threshold(*collected_every)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's
    threading.Thread(target=_end_with_the_coordinator, daemon=True).start()
    tell_plainly()
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)
    prepare(*arguments)


def _end_with_the_coordinator() -> None:
    """A coordinator that was killed cannot end its processes, and they would wait for work for ever."""
    coordinator = multiprocessing.parent_process()
    if coordinator is not None:
        coordinator.join()
        os._exit(1)
