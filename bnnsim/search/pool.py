"""Processes that judge and verify: one pool for a whole search, or none at all for one job."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
PRELOAD = ["bnnsim.search.judge", "bnnsim.search.verify", "bnnsim.timing.compiled"]


class Pool:
    """Runs a function on items, in order of the items, wherever it runs."""

    def __init__(self, executor: ProcessPoolExecutor | None) -> None:
        self._executor = executor

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], share: int = 1
    ) -> Iterator[Result]:
        """Results one after the other; ``share`` items travel to a process together."""
        if self._executor is None:
            return map(function, items)
        return self._executor.map(function, items, chunksize=share)


@contextmanager
def open_pool(jobs: int, prepare: Callable[..., None], *arguments: Any) -> Iterator[Pool]:
    """A pool of ``jobs`` processes, each prepared once; with one job everything runs here.

    Work that is not begun when the block is left by an exception is dropped.
    """
    if jobs == 1:
        prepare(*arguments)
        yield Pool(None)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    with ProcessPoolExecutor(jobs, context, _prepare, (prepare, arguments)) as executor:
        try:
            yield Pool(executor)
        except BaseException:
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def _prepare(prepare: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's
    prepare(*arguments)
