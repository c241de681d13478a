"""The workers of one machine: processes at a study in a database, and one that watches them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import time
import zlib
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from types import FrameType

from bnnsim.search.storage.database import Database, check_storage, connected
from bnnsim.search.study.coordinator import Progress
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import PRELOAD, forking_context
from bnnsim.search.study.worker import exploration, work
from bnnsim.spec.faults import Fault, InputError, SpecError

WATCH_S = 0.5


def run_crew(
    database: Database,
    plan: SearchPlan,
    workers: int,
    progress: Callable[[Progress], None] | None = None,
) -> bool:
    """Run ``workers`` processes until the study is complete; whether Ctrl-C ended it before.

    Each worker finishes the trial that it has. Raises :class:`InputError` where all of them failed.
    """
    check_storage(database, workers)
    context = forking_context([*PRELOAD, "bnnsim.search.study.worker"])
    faults: SimpleQueue[tuple[Fault, ...]] = context.SimpleQueue()
    place = zlib.crc32(f"{socket.gethostname()} {os.getpid()}".encode()) % 1_000_000
    crew = [
        context.Process(target=_member, args=(database, plan, place + n, faults), daemon=True)
        for n in range(workers)
    ]
    for member in crew:
        member.start()
    try:
        _watch(database, plan, crew, progress)
    except KeyboardInterrupt:
        for member in crew:
            if member.pid is not None and member.is_alive():
                os.kill(member.pid, signal.SIGINT)
        for member in crew:
            member.join()
        return True
    if all(member.exitcode for member in crew):
        if not faults.empty():
            raise SpecError(faults.get())
        raise InputError(f"study {database.study}", "a worker that lives", "none: all were killed")
    return False


def _watch(
    database: Database,
    plan: SearchPlan,
    crew: list[multiprocessing.context.ForkServerProcess],
    progress: Callable[[Progress], None] | None,
) -> None:
    started = time.monotonic()
    before: int | None = None
    while True:
        lives = any(member.is_alive() for member in crew)
        if progress is not None:
            with connected(database):
                found = exploration(database, plan)
            count = len(found.trials)
            before = count if before is None else before
            rate = (count - before) / max(time.monotonic() - started, 1e-9)
            share = found.box_share(found.front)
            progress(Progress(count, plan.trials, len(found.feasible), len(found.front), share, rate))
        if not lives:
            break
        time.sleep(WATCH_S)
    for member in crew:
        member.join()


def _member(
    database: Database,
    plan: SearchPlan,
    worker: int,
    faults: SimpleQueue[tuple[Fault, ...]],
) -> None:
    stops: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        stops.append(number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        work(database, plan, worker, lambda: bool(stops))
    except SpecError as error:
        faults.put(error.faults)
        os._exit(2)
