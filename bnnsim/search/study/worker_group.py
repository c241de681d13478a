"""The worker group of one machine: processes at a study in a database, and one that watches them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import time
import zlib
from collections.abc import Callable, Sequence
from multiprocessing.queues import SimpleQueue
from types import FrameType

from bnnsim.search.storage.database import Database, check_storage
from bnnsim.search.storage.outage import through_outages
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import PRELOAD, forking_context
from bnnsim.search.study.progress import SearchProgress, Tally
from bnnsim.search.study.study_view import StudyView
from bnnsim.search.study.worker import work
from bnnsim.spec.faults import Fault, InputError, SpecError

WATCH_S = 0.5
"""Between two looks at the processes and at the study, at least."""
LOOK_SHARE, LONGEST_WATCH_S = 9, 5.0
"""So many times as long as the last look took, at most that long: a long study takes a while to read."""
Workers = Sequence[multiprocessing.process.BaseProcess]


def run_worker_group(
    database: Database,
    plan: SearchPlan,
    workers: int,
    progress: Callable[[SearchProgress], None] | None = None,
) -> bool:
    """Run ``workers`` processes until the study is complete; whether Ctrl-C ended it before.

    Each worker finishes the trial that it has. Raises :class:`InputError` where all of them failed.
    """
    check_storage(database, workers)
    context = forking_context([*PRELOAD, "bnnsim.search.study.worker"])
    faults: SimpleQueue[tuple[Fault, ...]] = context.SimpleQueue()
    first = zlib.crc32(f"{socket.gethostname()} {os.getpid()}".encode()) % 1_000_000
    group = [
        context.Process(target=_run_worker, args=(database, plan, first + n, faults), daemon=True)
        for n in range(workers)
    ]
    for worker in group:
        worker.start()
    try:
        _watch(database, plan, group, progress)
    except KeyboardInterrupt:
        for worker in group:
            if worker.pid is not None and worker.is_alive():
                os.kill(worker.pid, signal.SIGINT)
        for worker in group:
            worker.join()
        return True
    if all(worker.exitcode for worker in group):
        if not faults.empty():
            raise SpecError(faults.get())
        raise InputError(f"study {database.study}", "a worker that lives", "none: all were killed")
    return False


def _watch(
    database: Database,
    plan: SearchPlan,
    group: Workers,
    progress: Callable[[SearchProgress], None] | None,
) -> None:
    """Report progress, and a server that is gone, until no worker is left."""
    started = time.monotonic()
    earlier: int | None = None
    tally = Tally(plan.objectives)
    view = through_outages(database, lambda: StudyView(database), is_said=True)
    while True:
        lives = any(worker.is_alive() for worker in group)
        looked = time.monotonic()
        tally.add(through_outages(database, view.look, is_said=True))
        if progress is not None:
            earlier = tally.trials if earlier is None else earlier
            seconds = max(time.monotonic() - started, 1e-9)
            progress(tally.progress(plan.trials, tally.trials - earlier, seconds))
        if not lives:
            break
        look_s = time.monotonic() - looked
        time.sleep(min(max(WATCH_S, LOOK_SHARE * look_s), LONGEST_WATCH_S))
    for worker in group:
        worker.join()


def _run_worker(
    database: Database,
    plan: SearchPlan,
    number: int,
    faults: SimpleQueue[tuple[Fault, ...]],
) -> None:
    """A worker's process: work until the study is complete or a signal asks it to stop."""
    stops: list[int] = []

    def stop(signal_number: int, _: FrameType | None) -> None:
        stops.append(signal_number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        work(database, plan, number, lambda: bool(stops))
    except SpecError as error:
        faults.put(error.faults)
        os._exit(2)
